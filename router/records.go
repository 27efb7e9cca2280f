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

	// Versions is where the bodies of versions are: a place that no other bucket but an alias uses. It may lie in
	// a mount of the bucket, which then does not show it. Nil: the bucket cannot have versions.
	Versions *Mount `json:"versions,omitempty"`

	// Versioning is what the configuration wants, as long as nobody has set anything else.
	Versioning Versioning `json:"-"`

	// Group, of a bucket of the configuration, names what it is a view of: buckets of a tenant
	// with the same group are aliases, and have one BucketID. Empty: of nothing but itself.
	Group string `json:"-"`
	// Tenants see the bucket, of the configuration, besides the one it belongs to;
	// "*" is every tenant.
	Tenants []string `json:"-"`
	// Rule says how the bucket came about, for the operator.
	Rule string `json:"-"`
}

// IndexID is what the index knows the objects of a mount by. Aliases have the same.
func (r *BucketRecord) IndexID(m *Mount) string { return r.BucketID + "/" + m.ID }

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

// Settings are an entry in the log of what was set on a bucket, numbered from 1; the one with the
// greatest Seq is in force. Entries are never changed.
type Settings struct {
	Seq        int64      `json:"seq"`
	Time       time.Time  `json:"time"`                // in UTC, whole milliseconds
	AccessKey  string     `json:"accessKey,omitempty"` // of who set Versioning; empty: the configuration
	Versioning Versioning `json:"versioning,omitempty"`

	// Enabling says that proxies are being told that the bucket will have versions. Nobody
	// writes to it until an entry without it follows.
	Enabling bool `json:"enabling,omitempty"`
	// Closing says that the bucket is being removed: nobody writes to it. If nobody ends that, it can be removed
	// again, and after a while is as it was.
	Closing bool `json:"closing,omitempty"`
	// Complete says that the index knows all objects of the bucket: there were none when it began to
	// have versions, or all have been imported.
	Complete bool `json:"complete,omitempty"`

	Configuration
}

// agrees reports whether writers may go by s and o at the same time: both ways of keeping versions are
// commits to the same logs. A bucket that has no versions had none in between.
func (s Settings) agrees(o Settings) bool {
	return s.Seq == o.Seq || s.keepsVersions() && o.keepsVersions() || s.isPlain() && o.isPlain()
}

// isPlain reports whether whoever writes now writes as if there were no versions.
func (s Settings) isPlain() bool { return s.Versioning == Unversioned && !s.Closing }

// keepsVersions reports whether whoever writes now writes versions.
func (s Settings) keepsVersions() bool {
	return s.Versioning != Unversioned && !s.Enabling && !s.Closing
}

// Versioning is the state of a bucket's versioning, in S3's words.
type Versioning string

// The states of versioning. Once it was Enabled, a bucket is never Unversioned again.
const (
	Unversioned Versioning = ""
	Enabled     Versioning = "Enabled"
	Suspended   Versioning = "Suspended"
)

// BucketSettings keeps the logs of settings of buckets. Each call is durable when it returns nil, and
// every later read sees it.
type BucketSettings interface {
	// TopSettings returns the settings with the greatest Seq; the zero Settings when there are none.
	TopSettings(ctx context.Context, bucketID string) (Settings, error)

	// InsertSettings adds s under (bucketID, s.Seq). Of several at once exactly one
	// succeeds, the others get ErrExists.
	InsertSettings(ctx context.Context, bucketID string, s Settings) error
}

// Records is what the router asks of an index.
type Records interface {
	BucketRecords
	BucketSettings
	Values
}
