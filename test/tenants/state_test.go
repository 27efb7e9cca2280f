package tenants

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// store is a membackend that knows which buckets it has, since no store lists them, and
// how often it was written to.
type store struct {
	*membackend.Backend
	mu     sync.Mutex
	names  map[string]bool
	writes atomic.Int64
}

// seen is told of every call to the store, before it is made.
func (s *store) seen(c faultbackend.Call) faultbackend.Fault {
	switch c.Op {
	case "GetObject", "HeadObject", "ListObjectsV2", "ListParts", "ListMultipartUploads", "HeadBucket":
		return faultbackend.Fault{}
	}
	s.writes.Add(1)
	return faultbackend.Fault{}
}

// CreateBucket implements backends.BucketManager.
func (s *store) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[*in.Bucket] = true
	return s.Backend.CreateBucket(ctx, in)
}

// buckets are the names of the physical buckets there are.
func (s *store) buckets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.names, func(name string, _ bool) bool {
		_, err := s.HeadBucket(context.Background(), &s3.HeadBucketInput{Bucket: &name})
		return err != nil
	})
	return slices.Sorted(maps.Keys(s.names))
}

// index is a memindex that counts how often buckets in it change.
type index struct {
	*memindex.Index
	writes atomic.Int64
}

// InsertBucket implements router.BucketRecords.
func (x *index) InsertBucket(ctx context.Context, r router.BucketRecord) error {
	x.writes.Add(1)
	return x.Index.InsertBucket(ctx, r)
}

// DeleteBucket implements router.BucketRecords.
func (x *index) DeleteBucket(ctx context.Context, r router.BucketRecord) error {
	x.writes.Add(1)
	return x.Index.DeleteBucket(ctx, r)
}

// written is how often anything was written to.
func (w *world) written() int64 { return w.store.writes.Load() + w.index.writes.Load() }

// item is something that a store or the index keeps.
type item struct {
	kind     string // "bucket", "record", "object" or "upload"
	at       place
	uploadID string // below the proxy
}

// state is everything there is, each with what tells one state of it from another.
// It is taken below the proxy and so does not depend on it.
type state map[item]string

// take returns the present state.
func (w *world) take() state {
	now := state{}
	for _, tenant := range append([]string{alpha, beta}, bystanders...) {
		list, err := w.index.ListBuckets(context.Background(), tenant, "", "", 1000)
		must(w.t, err)
		for _, r := range list {
			now[item{kind: "record", at: place{tenant: tenant, bucket: r.Name}}] = r.BucketID
		}
	}
	for _, physical := range w.store.buckets() {
		if at := w.virtual(physical, ""); at.bucket != "" {
			now[item{kind: "bucket", at: at}] = "made"
		}
		w.takeObjects(now, physical)
		w.takeUploads(now, physical)
	}
	return now
}

// takeObjects adds the objects of a physical bucket.
func (w *world) takeObjects(now state, physical string) {
	page, err := w.store.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: &physical})
	must(w.t, err)
	for _, o := range page.Contents {
		// Every write has a time of its own.
		now[item{kind: "object", at: w.virtual(physical, *o.Key)}] = fmt.Sprint(*o.ETag, *o.Size, o.LastModified.UnixMilli())
	}
}

// takeUploads adds the unfinished uploads of a physical bucket, with their parts.
func (w *world) takeUploads(now state, physical string) {
	page, err := w.store.ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: &physical})
	must(w.t, err)
	for _, u := range page.Uploads {
		parts, err := w.store.ListParts(context.Background(), &s3.ListPartsInput{Bucket: &physical, Key: u.Key, UploadId: u.UploadId})
		must(w.t, err)
		text := "begun"
		for _, p := range parts.Parts {
			text += fmt.Sprint(" ", *p.PartNumber, *p.ETag, p.LastModified.UnixMilli())
		}
		now[item{"upload", w.virtual(physical, *u.Key), *u.UploadId}] = text
	}
}

// virtual is the place of a physical key, told from the template alone. What no
// bucket of ours can have put there has no tenant.
func (w *world) virtual(physical, key string) place {
	path := physical + "/" + key
	rest, ours := strings.CutPrefix(path, w.root)
	names := strings.SplitN(rest, "/", 3)
	if !ours || len(names) < 3 {
		if w.shared && key == "" {
			return place{} // the bucket that all share
		}
		return place{bucket: physical, key: key}
	}
	return place{names[0], names[1], names[2]}
}

// physical is where a place is.
func (w *world) physical(at place) (bucket, key string) {
	path := w.root + at.tenant + "/" + at.bucket
	if !w.shared {
		return path, at.key
	}
	bucket, prefix, _ := strings.Cut(path, "/")
	return bucket, prefix + "/" + at.key
}

// change is what became of an item; nothing before, or after, is "".
type change struct {
	item
	before, after string
}

// compare lists what is different.
func compare(before, after state) []change {
	var list []change
	for it, was := range before {
		if is := after[it]; is != was {
			list = append(list, change{it, was, is})
		}
	}
	for it, is := range after {
		if _, ok := before[it]; !ok {
			list = append(list, change{it, "", is})
		}
	}
	return list
}

// must ends the test when err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
