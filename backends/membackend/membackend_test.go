package membackend_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/membackend"
)

func TestContract(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		b := membackend.New()
		if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("bucket")}); err != nil {
			t.Fatal(err)
		}
		return b, "bucket"
	}, backendtest.Options{Count: func(b backends.Backend) int64 { return b.(*membackend.Backend).Reads() }})
}
