package versioned_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestLongKeyFromBefore holds that an object from before stays what it was, whatever was tried with it, when the prefix of
// the place of versions leaves no room for a body.
func TestLongKeyFromBefore(t *testing.T) {
	t.Parallel()
	b := open(t, before)
	b.o.Bodies = place(b.store, strings.Repeat("v", 500)+"/")
	b.Backend = versioned.New(b.o)
	key := strings.Repeat("k", 1024-len(headPrefix))
	b.putPlain(key, "precious")
	b.tag(key, "null", "red")
	_, put := b.PutObject(t.Context(), &s3.PutObjectInput{
		Key: &key, Body: strings.NewReader("x"), ContentLength: aws.Int64(1), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	})
	_, removed := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: &key})
	for _, err := range []error{put, removed} {
		if !s3err.Is(err, s3err.KeyTooLong) {
			t.Errorf("a write says %v", err)
		}
	}
	for _, id := range []string{"", "null"} {
		if got, err := b.get(key, id); got != "precious" {
			t.Errorf("version %q reads %q, %v", id, got, err)
		}
	}
}

// TestNotModifiedNamesVersion holds that who has the current version already is told which one it is.
func TestNotModifiedNamesVersion(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	id := b.put("k", "1")
	_, err := b.GetObject(t.Context(), &s3.GetObjectInput{Key: new("k"), IfNoneMatch: new("*")})
	var e *s3err.Error
	if !errors.As(err, &e) || e.Code != s3err.NotModified || len(e.Headers) != 1 || e.Headers[0] != (s3err.Detail{Name: "x-amz-version-id", Value: id}) {
		t.Errorf("got %+v", err)
	}
}
