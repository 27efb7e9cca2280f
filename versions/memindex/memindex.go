// Package memindex is the smallest correct index: maps under a lock. It is the
// model for the others and for tests, and forgets everything when it is dropped.
package memindex

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
)

// bucketKey is the unique key of a bucket record.
type bucketKey struct{ tenantID, name string }

// Index implements versions.Index. Make it with [New].
type Index struct {
	mu       sync.Mutex
	buckets  map[bucketKey]router.BucketRecord
	values   map[string][]byte
	settings map[string][]router.Settings // by bucket, in order
	hidden   map[tombstone]bool
	objects  map[versions.Object]*history
	keys     map[string][]string // of the objects, by bucket, in order
}

// New returns an empty index.
func New() *Index {
	return &Index{
		buckets:  map[bucketKey]router.BucketRecord{},
		values:   map[string][]byte{},
		settings: map[string][]router.Settings{},
		hidden:   map[tombstone]bool{},
		objects:  map[versions.Object]*history{},
		keys:     map[string][]string{},
	}
}

// InsertBucket implements [router.BucketRecords].
func (x *Index) InsertBucket(ctx context.Context, r router.BucketRecord) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	key := bucketKey{r.TenantID, r.Name}
	if _, ok := x.buckets[key]; ok {
		return router.ErrExists
	}
	x.buckets[key] = clone(r)
	return nil
}

// GetBucket implements [router.BucketRecords].
func (x *Index) GetBucket(ctx context.Context, tenantID, name string) (router.BucketRecord, bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, ok := x.buckets[bucketKey{tenantID, name}]
	return clone(r), ok, ctx.Err()
}

// DeleteBucket implements [router.BucketRecords].
func (x *Index) DeleteBucket(ctx context.Context, r router.BucketRecord) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	key := bucketKey{r.TenantID, r.Name}
	if x.buckets[key].BucketID == r.BucketID {
		delete(x.buckets, key)
	}
	return nil
}

// ListBuckets implements [router.BucketRecords].
func (x *Index) ListBuckets(ctx context.Context, tenantID, prefix, after string, limit int) ([]router.BucketRecord, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []router.BucketRecord
	for key, r := range x.buckets {
		if key.tenantID == tenantID && strings.HasPrefix(key.name, prefix) && key.name > after {
			list = append(list, clone(r))
		}
	}
	slices.SortFunc(list, func(a, b router.BucketRecord) int { return strings.Compare(a.Name, b.Name) })
	return list[:min(len(list), max(limit, 0))], ctx.Err()
}

// Value implements [router.Values].
func (x *Index) Value(ctx context.Context, name string) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.values[name]), ctx.Err()
}

// InsertValue implements [router.Values].
func (x *Index) InsertValue(ctx context.Context, name string, value []byte) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, ok := x.values[name]; !ok {
		x.values[name] = slices.Clone(value)
	}
	return slices.Clone(x.values[name]), nil
}

// Close implements versions.Index.
func (x *Index) Close() error { return nil }

// clone copies what a record points to.
func clone(r router.BucketRecord) router.BucketRecord {
	r.Mounts = slices.Clone(r.Mounts)
	return r
}
