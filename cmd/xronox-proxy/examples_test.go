package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// setSecrets sets the variables that the examples name.
func setSecrets(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"ACME_SECRET", "ACME_READ_SECRET", "GLOBEX_SECRET", "APP_SECRET", "XRONOX_CLIENT_SECRET",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "NEARBY_ACCESS_KEY", "NEARBY_SECRET_KEY", "MONGO_URI",
	} {
		t.Setenv(name, "not-a-secret-at-all")
	}
}

// TestExamples: each configuration in examples/ is sound.
func TestExamples(t *testing.T) {
	setSecrets(t)
	files, err := filepath.Glob("../../examples/*/xronox*")
	if err != nil || len(files) < 6 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		var stdout, stderr bytes.Buffer
		if err := run(t.Context(), []string{"xronox-proxy", "check", file}, &stdout, &stderr); err != nil {
			t.Errorf("%s: %v\n%s%s", file, err, &stdout, &stderr)
		}
	}
}

// TestServeExample serves the example that local disk is enough for: two
// tenants have a bucket of the same name.
func TestServeExample(t *testing.T) {
	t.Setenv("ACME_SECRET", "acme-secret")
	t.Setenv("GLOBEX_SECRET", "globex-secret")
	r := serveDir(t, t.TempDir(), "--config", "../../examples/local/xronox-proxy.yaml")
	defer r.end(t)
	for key, secret := range map[string]string{"AKIDACME": "acme-secret", "AKIDGLOBEX": "globex-secret"} {
		c := clientOf(rootCredential{AccessKey: key, SecretKey: secret}, r.s3)
		bucket := "uploads"
		if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(key)}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		list, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
		if err != nil || len(list.Contents) != 1 || *list.Contents[0].Key != key {
			t.Errorf("%s sees %+v, %v", key, list, err)
		}
	}
}
