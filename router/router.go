// Package router decides which bucket a request means, where that bucket is
// stored, and who may use it: names and hosts in, immutable routes out. Buckets
// come from the configuration or, made by clients, from the index.
package router

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
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
	Record   *BucketRecord    // what it was composed from; read only
	Settings Settings         // likewise: in force when the route was resolved
	Door     *Door            // what writes pass through; nil: nothing can be set that would matter
}

// Resolver finds the route of a virtual bucket. [Router] does, and so does a
// cache in front of it.
type Resolver interface {
	// Resolve fails with NoSuchBucket when the tenant has no such bucket, whoever else
	// has, with InvalidBucketName when nobody can have it, and with SlowDown when the index
	// cannot say.
	Resolve(ctx context.Context, tenantID, bucket string) (*Route, error)
}

// Bucket is what ListBuckets tells of a bucket.
type Bucket struct {
	Name    string
	Region  string
	Created time.Time
	Owner   string
}

// Config is the part of a Router that a reload replaces.
type Config struct {
	Backends map[string]backends.Backend // by name of the connection
	Stores   map[string]string           // the store behind a connection, where two may have one; by its name otherwise
	Template Template                    // of the buckets that clients make
	Buckets  []BucketRecord              // of the configuration; an empty BucketID or Created is taken from the index
	Tenants  []string                    // all there are
	Region   string

	// Compose shows the mounts of a bucket as one Backend. It is given and not built in,
	// because only cmd knows the compositions. All connections of the record are among Backends.
	// It sees Settings and Door of the route that is being made; without any it is the
	// plain place that is wanted.
	Compose func(*BucketRecord, *Route) backends.Backend

	// FreshFor is how long routes are used without asking the index; 0 when there is only this proxy, and nobody
	// else changes anything. Outage is how much longer they are used when the index cannot be asked.
	FreshFor, Outage time.Duration
}

// Options is what a Router is made of.
type Options struct {
	Config
	Records Records
	Changed func(tenantID, bucket string) // told of every bucket made, removed or given other settings; may be nil

	// Forget removes what the index has under an [BucketRecord.IndexID], or a BucketID, of a bucket that
	// was removed; may be nil.
	Forget func(ctx context.Context, id string) error
	Now    func() time.Time // time.Now when nil
}

// Router is every bucket there is. It is safe for concurrent use.
type Router struct {
	records Records
	changed func(tenantID, bucket string)
	forget  func(context.Context, string) error
	now     func() time.Time
	table   atomic.Pointer[table]
	gates   gates
	locks   keyLocks
}

// New returns a Router, or every problem that the configuration has.
func New(ctx context.Context, o Options) (*Router, error) {
	r := &Router{records: o.Records, changed: o.Changed, forget: o.Forget, now: o.Now}
	if r.forget == nil {
		r.forget = func(context.Context, string) error { return nil }
	}
	if r.changed == nil {
		r.changed = func(string, string) {}
	}
	if r.now == nil {
		r.now = time.Now
	}
	return r, r.Reload(ctx, o.Config)
}

// Reload puts another configuration into force. When that fails, the old one stands.
func (r *Router) Reload(ctx context.Context, c Config) error {
	c.Buckets = slices.Clone(c.Buckets)
	fresh := map[string]bool{}
	for i := range c.Buckets {
		isNew, err := r.identify(ctx, &c.Buckets[i])
		if err != nil {
			return err
		}
		fresh[c.Buckets[i].BucketID] = fresh[c.Buckets[i].BucketID] || isNew
	}
	t, err := newTable(c)
	if err != nil {
		return err
	}
	t.fresh = fresh
	if err := r.checkRecords(ctx, t); err != nil {
		return err
	}
	if err := r.announce(ctx, t); err != nil {
		return err
	}
	for {
		old := r.table.Load()
		if old != nil {
			t.generation = old.generation + 1
		}
		if r.table.CompareAndSwap(old, t) {
			return r.configureVersioning(ctx, t)
		}
	}
}

// Generation changes with every reload. Routes of an earlier one are out of date.
func (r *Router) Generation() uint64 { return r.table.Load().generation }

// identify gives a configured bucket what it keeps for good: the id and the
// time that the index recorded when it was first seen. It reports whether that is now.
func (r *Router) identify(ctx context.Context, b *BucketRecord) (isNew bool, err error) {
	b.Mounts = slices.Clone(b.Mounts)
	for i := range b.Mounts {
		if b.Mounts[i].ID == "" {
			b.Mounts[i].ID = mainMount
		}
	}
	first := struct {
		BucketID string    `json:"bucketId"`
		Created  time.Time `json:"created"`
	}{rand.Text(), r.now().UTC()}
	value, err := json.Marshal(first)
	if err != nil {
		return false, err
	}
	name := b.ValueName()
	mine := first.BucketID
	if value, err = r.records.InsertValue(ctx, name, value); err != nil {
		return false, fmt.Errorf("router: id of bucket %q: %w", b.Name, err)
	}
	if err := json.Unmarshal(value, &first); err != nil {
		return false, fmt.Errorf("router: id of bucket %q: %w", b.Name, err)
	}
	if b.BucketID == "" {
		b.BucketID = first.BucketID
	}
	if b.Created.IsZero() {
		b.Created = first.Created
	}
	return first.BucketID == mine, nil
}

// ValueName is the name of the value in which the index keeps the id of a configured bucket.
func (r *BucketRecord) ValueName() string {
	if r.Group != "" {
		return "group/" + r.TenantID + "/" + r.Group
	}
	return "bucket/" + r.TenantID + "/" + r.Name // a tenant has no slash
}

// checkRecords refuses a configuration under which buckets that clients have
// made would share objects with configured or with new ones.
func (r *Router) checkRecords(ctx context.Context, t *table) error {
	for _, tenant := range t.Tenants {
		for after := ""; ; {
			list, err := r.records.ListBuckets(ctx, tenant, "", after, recordsPage)
			if err != nil {
				return fmt.Errorf("router: buckets of tenant %q: %w", tenant, err)
			}
			if len(list) == 0 {
				break
			}
			for i := range list {
				if err := t.checkRecord(&list[i]); err != nil {
					return err
				}
			}
			after = list[len(list)-1].Name
		}
	}
	return nil
}

// recordsPage is how many records are read at a time.
const recordsPage = 1000

// checkRecord is checkRecords for one.
func (t *table) checkRecord(b *BucketRecord) error {
	if err := t.images.conflictsWith(b, t.Stores); err != nil {
		return err
	}
	return t.checkTemplate(b)
}

// Resolve implements [Resolver].
func (r *Router) Resolve(ctx context.Context, tenantID, bucket string) (*Route, error) {
	t := r.table.Load()
	if b, ok := t.configured(tenantID, bucket); ok {
		return r.route(ctx, t, b, tenantID)
	}
	if err := ValidateBucketName(bucket); err != nil {
		return nil, err
	}
	record, ok, err := r.records.GetBucket(ctx, tenantID, bucket)
	if err != nil {
		return nil, fmt.Errorf("router: resolve %q: %w", bucket, unavailable(err))
	}
	if !ok {
		return nil, noSuchBucket(bucket)
	}
	record.placeVersions()
	return r.route(ctx, t, &record, tenantID)
}

// route makes the route of a record as a tenant sees it.
func (r *Router) route(ctx context.Context, t *table, b *BucketRecord, tenantID string) (*Route, error) {
	settings, door, err := r.open(ctx, b)
	if err != nil {
		return nil, err
	}
	return t.route(b, &Route{TenantID: tenantID, Settings: settings, Door: door})
}

// unavailable is err of an index without which a bucket cannot be resolved, as clients are told: that they may
// come again.
func unavailable(err error) error {
	var known *s3err.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	return s3err.New(s3err.SlowDown).Because(err)
}

// noSuchBucket is the error for a bucket that the tenant does not have.
func noSuchBucket(bucket string) error {
	return s3err.New(s3err.NoSuchBucket).With("BucketName", bucket)
}
