package backends_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/membackend"
)

// store is membackend under another name, so that copies from it look as if
// they came from elsewhere.
type store struct{ *membackend.Backend }

// streaming is membackend with copies that stream.
type streaming struct{ *membackend.Backend }

func (s streaming) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	if src.Key == *in.Key { // It cannot be onto itself when it is from elsewhere.
		return s.Backend.CopyObject(ctx, src, in)
	}
	return backends.CopyObject(ctx, s.Backend, backends.Source{Backend: store(s), CopySource: src}, in)
}

func (s streaming) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return backends.UploadPartCopy(ctx, s.Backend, backends.Source{Backend: store(s), CopySource: src}, in)
}

// TestStreamedCopy holds that a copy between two stores is what a copy within
// one is.
func TestStreamedCopy(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		b := membackend.New()
		if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("bucket")}); err != nil {
			t.Fatal(err)
		}
		return streaming{b}, "bucket"
	}, backendtest.Options{Skip: map[string]string{
		"multipart/no-such-upload": "of two things that are missing, the source is found out first",
	}})
}
