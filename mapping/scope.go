package mapping

import (
	"fmt"
	"strings"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/router"
)

// scope is one entry of the databases, with what decides where its data is. All
// virtual buckets over it are views of the same objects.
type scope struct {
	config.Scope
	entry        *config.Entry
	tenant       string // whose buckets they are
	layout       config.Layout
	tenantPrefix bool
	decidedBy    string // the bucket or connection that decided layout and tenantPrefix
}

// scopes finds every scope that has object storage.
func (b *builder) scopes() {
	x := b.cfg.Xronox
	if x == nil {
		return
	}
	seen := map[config.Scope]bool{}
	for s, e := range x.Entries() {
		if !seen[s] {
			seen[s] = true
			b.addScope(s, e)
		}
	}
	for _, database := range []string{"metadata", "knowledge", "runtime"} {
		if d := x.Dynamic(database); d != nil && d.Enabled {
			b.dynamic(database, d, seen)
		}
	}
}

// addScope takes a scope in, unless it has no object storage.
func (b *builder) addScope(s config.Scope, e *config.Entry) {
	if !b.local() && e.SpaceConnRef == "" {
		return
	}
	settings := b.cfg.Proxy.Connections[e.SpaceConnRef]
	sc := &scope{
		Scope: s, entry: e, tenant: tenantOf(s.TenantID),
		layout: settings.Layout, tenantPrefix: settings.TenantPrefix && s.TenantID != "",
		decidedBy: "xronoxProxy.connections." + e.SpaceConnRef,
	}
	if sc.layout == "" {
		sc.layout = config.LayoutCR001
	}
	b.scopeSet = append(b.scopeSet, sc)
}

// local reports whether local disk stands in for every object store.
func (b *builder) local() bool {
	l := b.cfg.Xronox.LocalStorage
	return l != nil && l.Enabled
}

// dynamic makes the scopes of tenants that have no entry of their own. A tenant is
// there when a credential names it.
func (b *builder) dynamic(database string, d *config.DynamicTenants, seen map[config.Scope]bool) {
	for _, tenant := range b.Tenants {
		s := config.Scope{Database: database, TenantID: tenant}
		if database != "runtime" {
			s.Tier = "tenant"
		}
		if seen[s] || tenant == router.DefaultTenant {
			continue
		}
		now := b.options.Now
		e, err := d.Entry(config.TenantContext{TenantID: tenant, Tier: b.tiers[tenant], Env: b.options.Env, Region: b.options.Region, Now: clock(now)})
		if err != nil {
			b.fail("databases."+database+".dynamicTenants", err.Error(), "correct the templates, or the tenantId of the credential")
			continue
		}
		if t := d.Uses("timestamp", b.tiers[tenant]); t != "" {
			b.fail("databases."+database+".dynamicTenants", "The template "+t+" has {timestamp} in it: the bucket would be another one every day",
				"remove it; where an object is must not change")
			return
		}
		b.addScope(s, e)
	}
}

// find returns the scope; nil when it has no entry, or no object storage.
func (b *builder) find(s config.Scope) *scope {
	for _, sc := range b.scopeSet {
		if sc.Scope == s {
			return sc
		}
	}
	return nil
}

// name is the scope as buckets and ids are named after it.
func (s *scope) name() string {
	parts := []string{s.Database}
	for _, p := range []string{s.Tier, s.Domain, s.TenantID} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "-")
}

// path is where s is configured.
func (s *scope) path() string {
	switch {
	case s.Domain != "":
		return "databases." + s.Database + ".domainsDatabases"
	case s.TenantID != "":
		return "databases." + s.Database + ".tenantDatabases"
	case s.Tier != "":
		return "databases." + s.Database + ".genericDatabase"
	}
	return "databases." + s.Database
}

// group names the objects that all views of s share. Another layout is another
// set of objects.
func (s *scope) group() string {
	g := fmt.Sprintf("%s/%s/%s/%s", s.Database, s.Tier, s.Domain, s.TenantID)
	if s.layout == config.LayoutNative {
		g += "/native"
	}
	if s.tenantPrefix {
		g += "/tenantPrefix"
	}
	return g
}

// place is where s keeps a type, in its layout; false when it does not offer it.
func (b *builder) place(s *scope, t config.DataType, l config.Layout) (config.Place, bool) {
	e := *s.entry
	if other := b.cfg.Proxy.DataTypes[t].Connection; other != "" && l != config.LayoutNative {
		e.SpaceConnRef = other
	}
	p, err := b.cfg.Xronox.ResolveEntry(s.Scope, &e, t, l)
	if err != nil {
		return p, false
	}
	if s.tenantPrefix {
		p.Prefix += s.TenantID + "/"
	}
	if p.Local {
		p.Connection = LocalStorage
	}
	return p, true
}

// mount is the mount of a type of s.
func (b *builder) mount(s *scope, t config.DataType) (router.Mount, bool) {
	p, ok := b.place(s, t, s.layout)
	return router.Mount{
		ID: string(t), Backend: p.Connection, Bucket: p.Bucket, Prefix: p.Prefix, Policy: b.policy(t),
	}, ok
}

// policy is what is configured for a type.
func (b *builder) policy(t config.DataType) router.Policy {
	p := b.cfg.Proxy.DataTypes[t]
	out := router.Policy{StorageClass: p.StorageClass, KMSKeyID: p.SSE.KMSKeyID}
	if p.Access != config.AccessReadWrite {
		out.Access = router.Access(p.Access)
	}
	return out
}

// offered are the types that s has a place for.
func (b *builder) offered(s *scope) []config.DataType {
	var types []config.DataType
	for _, t := range s.Offered() {
		if _, ok := b.place(s, t, s.layout); ok {
			types = append(types, t)
		}
	}
	return types
}
