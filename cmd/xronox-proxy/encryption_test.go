package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestLostKey: a key that has encrypted something is not replaced by another, and the start says what to do.
func TestLostKey(t *testing.T) {
	dir, ctx := filepath.Join(t.TempDir(), "data"), t.Context()
	key := filepath.Join(dir, keyFile)
	r := serveDir(t, dir)
	c := client(t, dir, r.s3)
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("demo")}); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("demo"), Key: aws.String("k"), Body: strings.NewReader("hello"), ServerSideEncryption: types.ServerSideEncryptionAes256,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.end(t)
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	err = run(ctx, []string{"xronox-proxy", "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir", dir}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "put "+key+" back") {
		t.Errorf("a start without the key: %v", err)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("another key was made")
	}
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	r = serveDir(t, dir)
	out, err := client(t, dir, r.s3).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("demo"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(out.Body)
	_ = out.Body.Close()
	if err != nil || string(body) != "hello" {
		t.Errorf("%q, %v", body, err)
	}
	r.end(t)
}
