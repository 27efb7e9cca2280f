package metered_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/metered"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestContract: whatever is measured stays what it was, and every call counts.
func TestContract(t *testing.T) {
	var calls atomic.Int64
	t.Run("suite", func(t *testing.T) {
		backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
			b := metered.New(membackend.New(), func(string, time.Duration, error) { calls.Add(1) })
			if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("bucket")}); err != nil {
				t.Fatal(err)
			}
			return b, "bucket"
		}, backendtest.Options{})
	})
	if calls.Load() < 100 {
		t.Errorf("%d calls were reported", calls.Load())
	}
}

// TestAbsent: what the store below cannot do is NotImplemented.
func TestAbsent(t *testing.T) {
	plain := struct{ backends.Backend }{membackend.New()}
	b := metered.New(plain, func(string, time.Duration, error) { t.Error("reported") })
	if _, err := b.ListParts(t.Context(), &s3.ListPartsInput{}); !s3err.Is(err, s3err.NotImplemented) {
		t.Error(err)
	}
	if _, err := b.HeadBucket(t.Context(), &s3.HeadBucketInput{}); !s3err.Is(err, s3err.NotImplemented) {
		t.Error(err)
	}
}
