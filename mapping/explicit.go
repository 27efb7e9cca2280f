package mapping

import (
	"cmp"
	"maps"
	"slices"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/router"
)

// explicit makes the buckets of xronoxProxy.virtualBuckets.
func (b *builder) explicit() {
	all := b.cfg.Proxy.VirtualBuckets
	names := slices.Sorted(maps.Keys(all))
	for _, name := range names {
		if all[name].HasScope() {
			b.decide(name, all[name])
		}
	}
	for _, name := range names {
		if all[name].HasScope() {
			b.overScopes(name, all[name])
		} else {
			b.overConnection(name, all[name])
		}
	}
}

// pathOf is where a bucket is configured.
func pathOf(name string) string { return "xronoxProxy.virtualBuckets." + name }

// over are the scopes that a bucket names: one, or one for each tenant.
func (b *builder) over(v config.VirtualBucket) []*scope {
	if v.TenantID != eachTenant {
		if s := b.find(v.Scope()); s != nil {
			return []*scope{s}
		}
		return nil
	}
	var list []*scope
	for _, tenant := range b.Tenants {
		v.TenantID = tenant
		if s := b.find(v.Scope()); s != nil && s.TenantID == tenant {
			list = append(list, s)
		}
	}
	return list
}

// decide lets a bucket say how its scopes are laid out. All buckets over a scope
// must agree: they are views of the same objects.
func (b *builder) decide(name string, v config.VirtualBucket) {
	for _, s := range b.over(v) {
		layout, prefix := s.layout, s.tenantPrefix
		if v.Layout != "" {
			layout = v.Layout
		}
		prefix = prefix || v.TenantPrefix && s.TenantID != ""
		if (layout != s.layout || prefix != s.tenantPrefix) && isBucket(s.decidedBy) {
			b.fail(pathOf(name), "The bucket lays its database out in another way than "+s.decidedBy,
				"give both the same layout and tenantPrefix: they show the same objects")
			continue
		}
		s.layout, s.tenantPrefix = layout, prefix
		if v.Layout != "" || v.TenantPrefix {
			s.decidedBy = pathOf(name)
		}
	}
}

// isBucket reports whether a path is a bucket's.
func isBucket(path string) bool {
	return len(path) > len(pathOf("")) && path[:len(pathOf(""))] == pathOf("")
}

// overScopes makes a bucket over a database: one record for each scope that it names.
func (b *builder) overScopes(name string, v config.VirtualBucket) {
	path := pathOf(name)
	scopes := b.over(v)
	if len(scopes) == 0 {
		b.fail(path, "No tenant has the database that the bucket names", "add the tenant to its databases, or enable dynamicTenants")
	}
	for _, s := range scopes {
		if v.TenantPrefix && s.TenantID == "" {
			b.fail(path+".tenantPrefix", "The database belongs to no tenant", "remove it; only tenants' databases can be told apart by it")
			continue
		}
		r := router.BucketRecord{
			TenantID: s.tenant, Name: name, Owner: owner, Region: b.cfg.Proxy.Region, Group: s.group(), Tenants: v.Tenants,
			Rule: string(v.Mode) + " over " + s.name() + ", configured",
		}
		switch v.Mode {
		case config.ModeTyped:
			r.Mounts = b.typed(s)
			if v.Default != nil {
				r.Mounts = append(r.Mounts, b.spot("default", *v.Default))
			}
		case config.ModeFlat:
			r.Mounts = b.flat(s, v.DataType)
		case config.ModeLegacy:
			defaultType := v.DefaultType
			if defaultType == "" {
				defaultType = b.defaultType(s)
			}
			if r.Mounts = b.legacy(s, defaultType); v.ReadThrough {
				r.Mounts = b.readThrough(r.Mounts, s, name)
			}
		}
		r.Versions, r.Versioning = b.versions(s), versioning(v.Versioning)
		b.wantVersions(path, &r)
		if len(r.Mounts) == 0 {
			b.fail(path, "For what the bucket shows no physical bucket is configured", "name it in the database, or at its connection")
			continue
		}
		b.add(r, path)
	}
}

// owner owns the buckets of the configuration.
const owner = "root"

// readThrough adds the old place.
func (b *builder) readThrough(mounts []router.Mount, s *scope, name string) []router.Mount {
	bucket := cmp.Or(b.cfg.Proxy.VirtualBuckets[name].OldBucket, name)
	old, ok := b.oldPlace(s, bucket)
	if ok {
		return append(mounts, old)
	}
	if s.tenantPrefix {
		b.fail(pathOf(name)+".readThrough", "In the old bucket the objects of all tenants lie side by side, and no key tells whose they are",
			"move them to their tenants first, or use a bucket by tenant instead of tenantPrefix")
	}
	return mounts
}

// spot is a mount at a connection.
func (b *builder) spot(id string, p config.Spot) router.Mount {
	return router.Mount{ID: id, Backend: p.Connection, Bucket: p.Bucket, Prefix: p.Prefix}
}

// overConnection makes a flat bucket over a physical one: for one tenant, or with
// tenantPrefix one for each that sees it.
func (b *builder) overConnection(name string, v config.VirtualBucket) {
	m := b.spot("main", config.Spot{Connection: v.Connection, Bucket: v.Bucket, Prefix: v.Prefix})
	r := router.BucketRecord{
		TenantID: tenantOf(v.TenantID), Name: name, Owner: owner, Region: b.cfg.Proxy.Region,
		Tenants: v.Tenants, Mounts: []router.Mount{m}, Rule: "flat over a physical bucket, configured",
	}
	r.Versioning = versioning(v.Versioning)
	r.Versions = router.VersionsBelow(m)
	if v.VersionsPrefix != "" {
		r.Versions.Prefix = v.VersionsPrefix
	}
	if !v.TenantPrefix {
		b.add(r, pathOf(name))
		return
	}
	r.Tenants = nil
	for _, tenant := range b.seenBy(v) {
		own := r
		own.TenantID, own.Mounts = tenant, []router.Mount{m}
		own.Mounts[0].Prefix += tenant + "/"
		own.Versions = router.VersionsBelow(own.Mounts[0])
		if v.VersionsPrefix != "" {
			own.Versions.Prefix = v.VersionsPrefix + tenant + "/"
		}
		b.add(own, pathOf(name))
	}
}

// seenBy are the tenants that a bucket is for.
func (b *builder) seenBy(v config.VirtualBucket) []string {
	if v.TenantID == eachTenant || slices.Contains(v.Tenants, router.EveryTenant) {
		return b.Tenants
	}
	list := []string{tenantOf(v.TenantID)}
	for _, t := range v.Tenants {
		if !slices.Contains(list, tenantOf(t)) {
			list = append(list, tenantOf(t))
		}
	}
	return list
}
