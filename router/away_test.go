package router_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// awayRecords are records that cannot be asked once err is set.
type awayRecords struct {
	router.Records
	err error
}

func (a *awayRecords) GetBucket(ctx context.Context, tenantID, name string) (router.BucketRecord, bool, error) {
	if a.err != nil {
		return router.BucketRecord{}, false, a.err
	}
	return a.Records.GetBucket(ctx, tenantID, name)
}

func (a *awayRecords) TopSettings(ctx context.Context, bucketID string) (router.Settings, error) {
	if a.err != nil {
		return router.Settings{}, a.err
	}
	return a.Records.TopSettings(ctx, bucketID)
}

// TestIndexAway: whatever the index fails with, clients are told to come again, and never that a bucket is gone.
// What is set on a bucket without versions is in the index too.
func TestIndexAway(t *testing.T) {
	t.Parallel()
	versioned := static("t", "versioned", "phys", "v/")
	versioned.Versions = &router.Mount{Backend: "local", Bucket: "phys", Prefix: "w/"}
	w := newWorld(t, buckets(static("t", "plain", "phys", "p/"), versioned))
	records := &awayRecords{Records: w.index}
	r, err := router.New(t.Context(), router.Options{Config: w.config, Records: records})
	if err != nil {
		t.Fatal(err)
	}
	w.create(as("t/o"), "made", "")
	f := func(cause error, told bool) {
		t.Helper()
		records.err = cause
		for _, bucket := range []string{"versioned", "plain", "made", "unknown"} {
			_, err := r.Resolve(t.Context(), "t", bucket)
			if !told && !errors.Is(err, context.Canceled) || told && (s3err.From(err).Status != http.StatusServiceUnavailable || !errors.Is(err, cause)) {
				t.Errorf("%s: %v", bucket, err)
			}
		}
	}
	f(errors.New("not authorized"), true)
	f(fmt.Errorf("mongoindex: %w", s3err.New(s3err.SlowDown)), true)
	f(context.DeadlineExceeded, true)
	f(context.Canceled, false)
}
