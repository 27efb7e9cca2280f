// Package router decides which bucket a request means, where that bucket is
// stored, and who may use it: names and hosts in, immutable routes out.
package router

import (
	"context"
	"time"

	"github.com/xronox/xronox-proxy/backends"
)

// Route is a virtual bucket resolved for a tenant. It is immutable: the cache
// hands the same Route to many requests.
type Route struct {
	Name     string // the bucket as the client names it
	BucketID string // stable, of this incarnation: a bucket made again has another
	TenantID string
	Owner    string // user id of who made it
	Region   string
	Created  time.Time
	Backend  backends.Backend // takes virtual keys; Bucket is ignored
}

// Resolver finds the route of a virtual bucket. [Router] does, and so does a
// cache in front of it.
type Resolver interface {
	// Resolve fails with NoSuchBucket when the tenant has no such bucket, whoever else has.
	Resolve(ctx context.Context, tenantID, bucket string) (*Route, error)
}

// Bucket is what ListBuckets tells of a bucket.
type Bucket struct {
	Name    string
	Region  string
	Created time.Time
	Owner   string
}

// Router is every bucket there is: those of the configuration, and those that
// clients made. It is safe for concurrent use.
type Router struct{}

// Resolve implements [Resolver].
func (r *Router) Resolve(ctx context.Context, tenantID, bucket string) (*Route, error) {
	panic("BUG: not written")
}

// CreateBucket makes a bucket for the identity.
func (r *Router) CreateBucket(ctx context.Context, id Identity, bucket string) (*Route, error) {
	panic("BUG: not written")
}

// DeleteBucket removes an empty bucket.
func (r *Router) DeleteBucket(ctx context.Context, id Identity, bucket string) error {
	panic("BUG: not written")
}

// ListBuckets lists the buckets of the identity's tenant that it may see.
func (r *Router) ListBuckets(ctx context.Context, id Identity, prefix, after string, max int) (list []Bucket, more bool, err error) {
	panic("BUG: not written")
}
