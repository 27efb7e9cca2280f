package localbackend

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/s3err"
)

// open opens a store, and closes it at the end of the test.
func open(t testing.TB, o Options) *Backend {
	t.Helper()
	b, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil && !errors.Is(err, errClosed) {
			t.Error(err)
		}
	})
	return b
}

// makeBucket makes a bucket.
func makeBucket(t testing.TB, b *Backend, bucketName string) {
	t.Helper()
	if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucketName}); err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, Options{Dir: dir})
	if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), dir) ||
		!strings.Contains(err.Error(), "in use") {
		t.Errorf("second Open: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir})
}

func TestNewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, Options{Dir: dir})
	if err := b.meta.db.Set(formatKey(), []byte{encryptedVersion + 1}, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "format 3") {
		t.Errorf("got %v", err)
	}
}

func TestBucketsSurvive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, Options{Dir: dir})
	makeBucket(t, b, "one")
	makeBucket(t, b, "two")
	if _, err := b.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("one")}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, Options{Dir: dir})
	_, err := b.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("one")})
	if !s3err.Is(err, s3err.NoSuchBucket) {
		t.Errorf("one: %v", err)
	}
	if _, err := b.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("two")}); err != nil {
		t.Errorf("two: %v", err)
	}
	_, err = b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("two")})
	if !s3err.Is(err, s3err.BucketAlreadyOwnedByYou) {
		t.Errorf("two again: %v", err)
	}
}
