package router

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// table is all that a configuration says of buckets. It is immutable; a reload
// swaps it whole.
type table struct {
	Config
	generation uint64
	static     map[bucketName]*Route
	byTenant   map[string][]Bucket // the same, sorted by name
	records    []BucketRecord      // the same, for overlap
}

// bucketName names a virtual bucket.
type bucketName struct{ tenantID, name string }

// newTable checks c, whose buckets have their ids, and composes their routes.
func newTable(c Config) (*table, error) {
	t := &table{Config: c, static: map[bucketName]*Route{}, byTenant: map[string][]Bucket{}, records: c.Buckets}
	problems := []error{c.Template.validate(len(c.Tenants))}
	if _, ok := c.Backends[c.Template.Backend]; !ok {
		problems = append(problems, fmt.Errorf("bucketTemplate: no connection is named %q", c.Template.Backend))
	}
	for i := range t.records {
		r := &t.records[i]
		problems = append(problems, t.checkStatic(r, t.records[:i]))
		route, err := t.route(*r)
		if err != nil {
			problems = append(problems, fmt.Errorf("bucket %q: %w", r.Name, errors.Unwrap(err)))
			continue
		}
		t.static[bucketName{r.TenantID, r.Name}] = route
		t.byTenant[r.TenantID] = append(t.byTenant[r.TenantID], r.bucket())
	}
	for _, list := range t.byTenant {
		slices.SortFunc(list, func(a, b Bucket) int { return strings.Compare(a.Name, b.Name) })
	}
	return t, errors.Join(problems...)
}

// checkStatic refuses a configured bucket that is given twice or that shares
// objects with an earlier one or with buckets to come.
func (t *table) checkStatic(r *BucketRecord, earlier []BucketRecord) error {
	var problems []error
	for i := range earlier {
		if earlier[i].TenantID == r.TenantID && earlier[i].Name == r.Name {
			problems = append(problems, fmt.Errorf("bucket %q of tenant %q is given twice", r.Name, r.TenantID))
		}
		problems = append(problems, r.checkOverlap(&earlier[i]))
	}
	problems = append(problems, t.checkTemplate(r))
	return errors.Join(problems...)
}

// checkTemplate refuses a bucket that lies where the template would put
// another one.
func (t *table) checkTemplate(r *BucketRecord) error {
	own := t.Template.mount(r.TenantID, r.Name)
	for _, m := range r.Mounts {
		its := m.Backend == own.Backend && m.Bucket == own.Bucket && m.Prefix == own.Prefix
		if !its && t.Template.reaches(m) {
			return fmt.Errorf("bucket %q of tenant %q (%s) lies where the bucketTemplate puts new ones (%s/%s): give the template a prefix of its own",
				r.Name, r.TenantID, m, t.Template.Bucket, t.Template.Prefix)
		}
	}
	return nil
}

// route composes the route of a record. What goes wrong is the operator's
// affair: InternalError with the cause.
func (t *table) route(r BucketRecord) (*Route, error) {
	b, m, err := t.backend(r)
	if err != nil {
		return nil, s3err.New(s3err.InternalError).Because(err)
	}
	if r.Region == "" {
		r.Region = t.Region
	}
	return &Route{
		Name: r.Name, BucketID: r.BucketID, TenantID: r.TenantID, Owner: r.Owner,
		Region: r.Region, Created: r.Created, Backend: t.Compose(b, r.BucketID, m),
	}, nil
}

// backend returns the connection of a record's mount.
func (t *table) backend(r BucketRecord) (backends.Backend, Mount, error) {
	if len(r.Mounts) != 1 {
		return nil, Mount{}, fmt.Errorf("has %d mounts, not one", len(r.Mounts))
	}
	m := r.Mounts[0]
	b, ok := t.Backends[m.Backend]
	if !ok {
		return nil, m, fmt.Errorf("no connection is named %q", m.Backend)
	}
	return b, m, nil
}

// manager returns who makes and removes the physical bucket of m.
func (t *table) manager(m Mount) (backends.BucketManager, error) {
	manager, ok := backends.As[backends.BucketManager](t.Backends[m.Backend])
	if !ok {
		return nil, s3err.New(s3err.InternalError).Because(fmt.Errorf("connection %q cannot make buckets", m.Backend))
	}
	return manager, nil
}

// bucket is what a list shows of the record.
func (r *BucketRecord) bucket() Bucket {
	return Bucket{Name: r.Name, Region: r.Region, Created: r.Created, Owner: r.Owner}
}
