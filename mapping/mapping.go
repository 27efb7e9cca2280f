// Package mapping makes virtual buckets of a configuration: which there are, for
// whom, and where the keys of each are kept. It resolves the databases of Xronox as
// CR-001 has them and expresses every mode (typed, legacy, flat) in the router's one
// primitive, the mount list. It touches no store: what it says can be checked,
// explained and compared before anything runs.
package mapping

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/router"
)

// The connections that have no name in spacesConnections.
const (
	Local        = ""             // the store in dataDir
	LocalStorage = "localStorage" // the store that localStorage of Xronox asks for
)

// Map is all that a configuration says of buckets.
type Map struct {
	Buckets  []router.BucketRecord // sorted by tenant and name
	Template router.Template       // of the buckets that clients make
	Tenants  []string              // all there are, sorted
	Stores   map[string]string     // the store behind each connection that is used
	Report   config.Report         // what is wrong, or left to be desired
}

// Options are what a Map depends on besides the configuration.
type Options struct {
	Env    string           // for {env} in templates of tenants; empty: production
	Region string           // for {region}; empty: us-east-1
	Now    func() time.Time // time.Now when nil
}

// Build makes the Map of a configuration that was loaded without errors. Problems
// are in its Report; with errors among them the Map must not be served.
func Build(cfg *config.Config, o Options) *Map {
	b := &builder{cfg: cfg, options: o, named: map[named]string{}, Map: Map{
		Template: template(cfg.Proxy.BucketTemplate),
	}}
	b.tenants()
	b.scopes()
	b.explicit()
	if cfg.Proxy.AutomaticBuckets {
		b.automatic()
	}
	b.stores()
	b.exclusions()
	slices.SortFunc(b.Buckets, func(x, y router.BucketRecord) int {
		return cmp.Or(strings.Compare(x.TenantID, y.TenantID), strings.Compare(x.Name, y.Name))
	})
	b.checkVersioning()
	b.conflicts()
	b.remarks()
	return &b.Map
}

// template is a template of the configuration as the router has it.
func template(c config.BucketTemplate) router.Template {
	t := router.Template{
		Backend: c.Connection, Bucket: c.Bucket, Prefix: c.Prefix, VersionsPrefix: c.VersionsPrefix, Versioning: versioning(c.Versioning),
	}
	for i, p := range c.Places {
		if i == 0 {
			t.Backend, t.Bucket, t.Prefix = p.Connection, p.Bucket, p.Prefix
			continue
		}
		t.More = append(t.More, router.Spot{Backend: p.Connection, Bucket: p.Bucket, Prefix: p.Prefix})
	}
	return t
}

// builder is a Map being made.
type builder struct {
	Map
	cfg      *config.Config
	options  Options
	tiers    map[string]string // tier of each tenant that has one
	scopeSet []*scope
	named    map[named]string // where the name of a bucket comes from
}

// named is a bucket as a tenant names it.
type named struct{ tenant, name string }

// fail reports an error.
func (b *builder) fail(path, message, hint string) {
	b.report(config.SeverityError, path, message, hint)
}

// warn reports what is served all the same.
func (b *builder) warn(path, message, hint string) {
	b.report(config.SeverityWarning, path, message, hint)
}

// report adds to the Report.
func (b *builder) report(s config.Severity, path, message, hint string) {
	b.Report = append(b.Report, config.Problem{Path: path, Message: message, Hint: hint, Severity: s})
}

// tenants finds all tenants, and the tiers of those that have one.
func (b *builder) tenants() {
	all := map[string]bool{router.DefaultTenant: true}
	b.tiers = map[string]string{}
	for _, c := range b.cfg.Proxy.Credentials {
		tenant := tenantOf(c.TenantID)
		all[tenant] = true
		if c.Tier == "" {
			continue
		}
		if other, ok := b.tiers[tenant]; ok && other != c.Tier {
			b.fail("xronoxProxy.credentials", "The credentials of tenant "+tenant+" have the tiers "+other+" and "+c.Tier,
				"a tenant is in one tier: its buckets follow from it")
		}
		b.tiers[tenant] = c.Tier
	}
	if b.cfg.Xronox != nil {
		for s := range b.cfg.Xronox.Entries() {
			all[tenantOf(s.TenantID)] = true
		}
	}
	for _, v := range b.cfg.Proxy.VirtualBuckets {
		for _, t := range append([]string{v.TenantID}, v.Tenants...) {
			if t != eachTenant && t != router.EveryTenant {
				all[tenantOf(t)] = true
			}
		}
	}
	b.Tenants = slices.Sorted(maps.Keys(all))
	if t := b.cfg.Proxy.AnonymousTenant; t != "" && !all[t] {
		b.fail("xronoxProxy.anonymousTenant", "There is no tenant "+t, "name the tenant of a credential or of a bucket")
	}
	for _, t := range b.Tenants {
		if err := router.ValidateTenantID(t); err != nil {
			b.fail("xronoxProxy", err.Error(), "give the tenant another id")
		}
	}
}

// tenantOf is the tenant of that id; the default one when empty.
func tenantOf(id string) string {
	if id == "" {
		return router.DefaultTenant
	}
	return id
}

// eachTenant stands for the tenant of whoever asks.
const eachTenant = "{tenantId}"

// add takes a bucket into the map, unless its name is taken: the first counts.
func (b *builder) add(r router.BucketRecord, path string) {
	for _, tenant := range append([]string{r.TenantID}, r.Tenants...) {
		at := named{tenant, r.Name}
		if other, taken := b.named[at]; taken {
			b.fail(path, "Two buckets of tenant "+tenant+" have the name "+r.Name+"; the other is "+other,
				"give one of them another name")
			return
		}
		b.named[at] = path
	}
	b.Buckets = append(b.Buckets, r)
}

// taken reports whether the tenant has a bucket of that name already.
func (b *builder) taken(tenant, name string) bool {
	if _, ok := b.named[named{tenant, name}]; ok {
		return true
	}
	_, ok := b.named[named{router.EveryTenant, name}]
	return ok
}

// exclusions gives every old place what lies in it and is not its own.
func (b *builder) exclusions() {
	in := map[named][]string{} // physical prefixes by store and bucket
	for i := range b.Buckets {
		for _, m := range b.Buckets[i].Mounts {
			if at := (named{b.Stores[m.Backend], m.Bucket}); !m.Old && !slices.Contains(in[at], m.Prefix) {
				in[at] = append(in[at], m.Prefix)
			}
		}
	}
	for i := range b.Buckets {
		for j := range b.Buckets[i].Mounts {
			m := &b.Buckets[i].Mounts[j]
			if !m.Old {
				continue
			}
			for _, p := range in[named{b.Stores[m.Backend], m.Bucket}] {
				if p != m.Prefix && strings.HasPrefix(p, m.Prefix) {
					m.Exclude = append(m.Exclude, p)
				}
			}
			for _, s := range b.Template.Reserved() {
				if s.Names(m.Bucket) && b.Stores[s.Backend] == b.Stores[m.Backend] && s.Prefix != m.Prefix && strings.HasPrefix(s.Prefix, m.Prefix) {
					m.Exclude = append(m.Exclude, s.Prefix)
				}
			}
			slices.Sort(m.Exclude)
			m.Exclude = slices.CompactFunc(m.Exclude, func(a, b string) bool { return strings.HasPrefix(b, a) })
		}
	}
}

// conflicts reports what the router would refuse.
func (b *builder) conflicts() {
	if b.Report.Err() != nil {
		return // what is missing would be reported as a conflict
	}
	err := router.Check(router.Config{Template: b.Template, Buckets: b.Buckets, Tenants: b.Tenants, Stores: b.Stores})
	if err == nil {
		return
	}
	for _, e := range flatten(err) {
		b.fail("xronoxProxy", e.Error(), "give one of them buckets or folderPrefixes of its own; tenants can be told apart by tenantPrefix")
	}
}

// flatten returns the errors that were joined into one.
func flatten(err error) []error {
	var many interface{ Unwrap() []error }
	if !errors.As(err, &many) {
		return []error{err}
	}
	var all []error
	for _, e := range many.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// PlaceAt finds a place of a connection that is written to; false when there is none.
func (m *Map) PlaceAt(connection string) (router.Mount, bool) {
	for i := range m.Buckets {
		for _, mount := range m.Buckets[i].Mounts {
			if mount.Backend == connection && !mount.Old {
				return mount, true
			}
		}
	}
	for _, s := range m.shared(connection) {
		return router.Mount{Backend: s.Backend, Bucket: s.Bucket, Prefix: s.Prefix}, true
	}
	return router.Mount{}, false
}

// shared are the places at a connection at which all buckets that clients make share a physical bucket.
func (m *Map) shared(connection string) []router.Spot {
	return slices.DeleteFunc(m.Template.Reserved(), func(s router.Spot) bool { return s.Backend != connection || !s.Shared() })
}

// PhysicalBuckets are the buckets of a connection, sorted.
func (m *Map) PhysicalBuckets(connection string) []string {
	var all []string
	for i := range m.Buckets {
		for _, mount := range m.Buckets[i].Mounts {
			if mount.Backend == connection && !slices.Contains(all, mount.Bucket) {
				all = append(all, mount.Bucket)
			}
		}
	}
	for _, s := range m.shared(connection) {
		all = append(all, s.Bucket)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Bucket finds the bucket that a tenant sees under a name.
func (m *Map) Bucket(tenantID, name string) (*router.BucketRecord, bool) {
	var everybody *router.BucketRecord
	for i := range m.Buckets {
		r := &m.Buckets[i]
		switch {
		case r.Name != name:
		case r.TenantID == tenantID || slices.Contains(r.Tenants, tenantID):
			return r, true
		case slices.Contains(r.Tenants, router.EveryTenant):
			everybody = r
		}
	}
	return everybody, everybody != nil
}
