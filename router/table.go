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
// swaps it whole. Routes are composed when they are asked for: the cache keeps
// those that are in use.
type table struct {
	Config
	generation uint64
	fresh      map[string]bool // BucketIDs that were made just now, so that no other proxy has used them
	static     map[bucketName]*BucketRecord
	everybody  map[string]*BucketRecord // by name, those that every tenant sees
	byTenant   map[string][]Bucket      // sorted by name
	images     images
}

// bucketName names a virtual bucket.
type bucketName struct{ tenantID, name string }

// newTable checks c, whose buckets have their ids.
func newTable(c Config) (*table, error) {
	t := &table{Config: c, static: map[bucketName]*BucketRecord{}, everybody: map[string]*BucketRecord{}, byTenant: map[string][]Bucket{}}
	problems := []error{c.Template.validate(len(c.Tenants)), t.apart()}
	for _, s := range c.Template.spots() {
		if _, ok := c.Backends[s.Backend]; !ok {
			problems = append(problems, fmt.Errorf("bucketTemplate: no connection is named %q", s.Backend))
		}
	}
	for i := range c.Buckets {
		problems = append(problems, t.add(&c.Buckets[i]))
	}
	t.images = newImages(c.Buckets, c.Stores)
	problems = append(problems, t.images.conflicts()...)
	for _, list := range t.byTenant {
		slices.SortFunc(list, func(a, b Bucket) int { return strings.Compare(a.Name, b.Name) })
	}
	return t, errors.Join(problems...)
}

// add makes a configured bucket visible to its tenants, and refuses one that
// cannot be served or whose name a tenant sees already.
func (t *table) add(r *BucketRecord) error {
	problems := []error{t.checkTemplate(r)}
	if err := t.servable(r); err != nil {
		problems = append(problems, fmt.Errorf("bucket %q: %w", r.Name, err))
	}
	for _, tenant := range append([]string{r.TenantID}, r.Tenants...) {
		if tenant == EveryTenant {
			problems = append(problems, t.addForAll(r))
			continue
		}
		at := bucketName{tenant, r.Name}
		if _, taken := t.static[at]; taken {
			problems = append(problems, fmt.Errorf("bucket %q of tenant %q is given twice", r.Name, tenant))
		}
		t.static[at] = r
		t.byTenant[tenant] = append(t.byTenant[tenant], r.bucket())
	}
	return errors.Join(problems...)
}

// EveryTenant is, among the Tenants of a record, all of them.
const EveryTenant = "*"

// addForAll makes a bucket visible to every tenant that has none of that name.
func (t *table) addForAll(r *BucketRecord) error {
	if _, taken := t.everybody[r.Name]; taken {
		return fmt.Errorf("bucket %q is given twice for every tenant", r.Name)
	}
	t.everybody[r.Name] = r
	return nil
}

// configured returns the configured bucket that the tenant sees under a name.
func (t *table) configured(tenantID, name string) (*BucketRecord, bool) {
	if r, ok := t.static[bucketName{tenantID, name}]; ok {
		return r, true
	}
	r, ok := t.everybody[name]
	return r, ok
}

// visible lists the configured buckets that the tenant sees, by name.
func (t *table) visible(tenantID string) []Bucket {
	own := t.byTenant[tenantID]
	if len(t.everybody) == 0 {
		return own
	}
	list := slices.Clone(own)
	for name, r := range t.everybody {
		if _, hidden := t.static[bucketName{tenantID, name}]; !hidden {
			list = append(list, r.bucket())
		}
	}
	return list
}

// checkTemplate refuses a bucket that lies where the template would put
// another one.
func (t *table) checkTemplate(r *BucketRecord) error {
	own := t.Template.mounts(r.TenantID, r.Name)
	for i := range r.Mounts {
		m := &r.Mounts[i]
		its := slices.ContainsFunc(own, func(o Mount) bool {
			return m.Backend == o.Backend && m.Bucket == o.Bucket && m.Prefix == o.Prefix
		})
		for _, s := range t.Template.spots() {
			if !its && t.store(m.Backend) == t.store(s.Backend) && s.reaches(m) {
				return fmt.Errorf("bucket %q of tenant %q (%s) lies where the bucketTemplate puts new ones (%s/%s): give the template a prefix of its own",
					r.Name, r.TenantID, m, s.Bucket, s.Prefix)
			}
		}
	}
	return nil
}

// store names the store behind a connection.
func (t *table) store(connection string) string {
	if s, ok := t.Stores[connection]; ok {
		return s
	}
	return connection
}

// servable refuses a record without mounts, and one whose connections are not
// there.
func (t *table) servable(r *BucketRecord) error {
	if len(r.Mounts) == 0 {
		return errors.New("has no mounts")
	}
	for i := range r.Mounts {
		if _, ok := t.Backends[r.Mounts[i].Backend]; !ok {
			return fmt.Errorf("no connection is named %q", r.Mounts[i].Backend)
		}
		if of := r.Mounts[i].Share.Of; of > 0 && (of != len(r.Mounts) || r.Mounts[i].Share.N != i) {
			return errors.New("has not all shares of its keys")
		}
	}
	return nil
}

// route completes the route of a record, which has tenant, settings and door. What goes wrong is the
// operator's affair: InternalError with the cause.
func (t *table) route(r *BucketRecord, route *Route) (*Route, error) {
	if err := t.servable(r); err != nil {
		return nil, s3err.New(s3err.InternalError).Because(err)
	}
	region := r.Region
	if region == "" {
		region = t.Region
	}
	route.Name, route.BucketID, route.Owner = r.Name, r.BucketID, r.Owner
	route.Region, route.Created, route.Record = region, r.Created, r
	route.Backend = t.Compose(r, route)
	return route, nil
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

// Check says what of c a Router would refuse, but for connections that are not there.
func Check(c Config) error {
	c.Backends = map[string]backends.Backend{}
	for _, s := range c.Template.spots() {
		c.Backends[s.Backend] = nil
	}
	for i := range c.Buckets {
		for _, m := range c.Buckets[i].Mounts {
			c.Backends[m.Backend] = nil
		}
	}
	_, err := newTable(c)
	return err
}
