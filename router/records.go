package router

import (
	"context"
	"errors"
	"time"
)

// BucketRecord is what the index keeps of a bucket that a client made.
//
// The type and the interfaces below are the router's, and not the index's,
// because the router is who uses them: versions imports router as every
// implementation imports its contract, router never sees versions, and cmd
// passes the one to the other without an adapter.
type BucketRecord struct {
	TenantID string    `json:"tenantId"`
	Name     string    `json:"name"`
	BucketID string    `json:"bucketId"`
	Owner    string    `json:"owner"`
	Region   string    `json:"region"`
	Created  time.Time `json:"created"`
	Mounts   []Mount   `json:"mounts"` // one, but for buckets of the configuration

	// Group, of a bucket of the configuration, names what it is a view of: buckets of a tenant
	// with the same group are aliases, and have one BucketID. Empty: of nothing but itself.
	Group string `json:"-"`
	// Tenants see the bucket, of the configuration, besides the one it belongs to;
	// "*" is every tenant.
	Tenants []string `json:"-"`
	// Rule says how the bucket came about, for the operator.
	Rule string `json:"-"`
}

// ErrExists is what an insert under a key in use gives.
var ErrExists = errors.New("already exists")

// BucketRecords keeps the buckets that clients made. Names are UTF-8. Each call is durable when
// it returns nil, and every later read sees it.
type BucketRecords interface {
	// InsertBucket adds r under (TenantID, Name). Of several at once exactly
	// one succeeds, the others get ErrExists.
	InsertBucket(ctx context.Context, r BucketRecord) error

	// GetBucket returns the record, or false when there is none.
	GetBucket(ctx context.Context, tenantID, name string) (BucketRecord, bool, error)

	// DeleteBucket removes the record of this incarnation. That it is gone, or that
	// the name has another BucketID by now, is no error.
	DeleteBucket(ctx context.Context, r BucketRecord) error

	// ListBuckets returns up to limit records of the tenant in byte order of their names: those
	// that begin with prefix and are greater than after.
	ListBuckets(ctx context.Context, tenantID, prefix, after string, limit int) ([]BucketRecord, error)
}

// Values keeps small named values that are set once and shared by all
// proxies, such as the keys that seal tokens.
type Values interface {
	// Value returns the value, or nil when there is none.
	Value(ctx context.Context, name string) ([]byte, error)

	// InsertValue stores value unless the name has one, and returns the one stored.
	InsertValue(ctx context.Context, name string, value []byte) ([]byte, error)
}

// Records is what the router asks of an index.
type Records interface {
	BucketRecords
	Values
}
