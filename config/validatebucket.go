package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// eachTenant stands for the tenant of whoever asks.
const eachTenant = "{tenantId}"

// HasScope reports whether b is over a database, and not over a connection.
func (b VirtualBucket) HasScope() bool { return b.Database != "" }

// Scope returns the scope that b names. The tier follows from what is there
// when it is not named: a domain, a tenant, else generic.
func (b VirtualBucket) Scope() Scope {
	s := Scope{Database: b.Database, Tier: b.Tier, Domain: b.Domain, TenantID: b.TenantID}
	switch {
	case s.Tier != "":
	case s.Domain != "":
		s.Tier = "domain"
	case s.TenantID != "":
		s.Tier = "tenant"
	default:
		s.Tier = "generic"
	}
	return s.normal()
}

// virtualBucket checks one configured bucket.
func (v *validator) virtualBucket(s spot, name string) {
	b := v.cfg.Proxy.VirtualBuckets[name]
	if b.Mode == "" || !bucketNameRule.re().MatchString(name) {
		return // reported
	}
	if !validBucketName(name) {
		v.fail(s, "Invalid bucket name", bucketNameRule.hint)
	}
	v.members(s, b)
	switch {
	case b.HasScope():
		v.bucketScope(s, b)
	case b.Mode != ModeFlat:
		v.fail(s, "A bucket of mode "+string(b.Mode)+" needs a database", `add "database" and what names the entry: "tier", "domain" or "tenantId"`)
	default:
		v.bucketPlace(s, b)
	}
	if b.Default != nil {
		v.connectionName(s.key("default").key("connection"), b.Default.Connection)
	}
	if b.TenantID != eachTenant && strings.Contains(b.TenantID, "{") {
		v.fail(s.key("tenantId"), "Only the whole value can be "+eachTenant, "write "+eachTenant+", or the tenant's id")
	}
}

// members refuses members that mean nothing in the bucket's mode.
func (v *validator) members(s spot, b VirtualBucket) {
	wrong := func(member, where string) {
		if m := s.node.get(member); m != nil && m.kind != kindNull {
			v.fail(s.key(member), "This has a meaning only in buckets "+where, "remove it")
		}
	}
	if b.Mode != ModeLegacy {
		wrong("defaultType", "of mode legacy")
		wrong("readThrough", "of mode legacy")
		wrong("oldBucket", "of mode legacy")
	}
	if b.Mode != ModeTyped {
		wrong("default", "of mode typed")
	}
	if b.Mode != ModeFlat || !b.HasScope() {
		wrong("dataType", "of mode flat with a database")
	}
	if b.HasScope() {
		for _, m := range []string{"connection", "bucket", "prefix", "versionsPrefix"} {
			wrong(m, "without a database")
		}
		return
	}
	for _, m := range []string{"tier", "domain", "layout"} {
		wrong(m, "with a database")
	}
}

// bucketScope checks that the scope exists and has what the bucket shows.
func (v *validator) bucketScope(s spot, b VirtualBucket) {
	scope, x := b.Scope(), v.cfg.Xronox
	if x == nil {
		v.fail(s.key("database"), "There are no databases in this file", "add them, or name connection and bucket")
		return
	}
	if b.Mode == ModeTyped && b.Layout == LayoutNative {
		v.fail(s.key("layout"), "A typed bucket cannot have the native layout, which keeps no types apart", "use mode legacy or flat, or the layout cr001")
	}
	if b.Mode == ModeFlat && b.DataType == "" {
		v.fail(s, "A flat bucket over a database needs dataType", "add records, versions, content or backups")
	}
	if scope.TenantID == eachTenant {
		v.tenantScope(s, scope)
		return
	}
	e, ok := x.Entry(scope)
	if !ok {
		if d := x.Dynamic(scope.Database); d == nil || !d.Enabled || scope.TenantID == "" {
			v.fail(s, "There is no such database: "+scope.json(), "name one of databases by database, tier, domain and tenantId")
		}
		return
	}
	if e.SpaceConnRef == "" && !v.isLocal() {
		v.fail(s, "The database has no object storage", "add spaceConnRef to it")
		return
	}
	var versions DataType
	if b.Versioning != "" {
		versions = Versions // without a place for them nothing can be versioned
	}
	for _, t := range []DataType{b.DataType, b.DefaultType, versions} {
		if t == "" {
			continue
		}
		if _, err := ResolveBucket(x, scope, t, b.Layout); err != nil {
			v.fail(s, err.Error(), "name the bucket in the database, or at its connection")
		}
	}
}

// isLocal reports whether local disk stands in for every object store.
func (v *validator) isLocal() bool {
	l := v.cfg.Xronox.LocalStorage
	return l != nil && l.Enabled
}

// tenantScope checks that a scope of every tenant has tenants.
func (v *validator) tenantScope(s spot, scope Scope) {
	if d := v.cfg.Xronox.Dynamic(scope.Database); d != nil && d.Enabled {
		return
	}
	for other := range v.cfg.Xronox.Entries() {
		if other.Database == scope.Database && other.Tier == scope.Tier && other.TenantID != "" {
			return
		}
	}
	v.fail(s.key("tenantId"), "The database has no tenants", "add tenantDatabases or dynamicTenants to "+scope.Database)
}

// bucketPlace checks a flat bucket over a connection.
func (v *validator) bucketPlace(s spot, b VirtualBucket) {
	if b.Bucket == "" {
		v.fail(s, "A flat bucket needs a place", `add "connection" and "bucket", or "database" and "dataType"`)
	}
	v.connectionName(s.key("connection"), b.Connection)
	if b.TenantID == eachTenant && !b.TenantPrefix {
		v.fail(s.key("tenantId"), "All tenants would share one place", `add "tenantPrefix": true`)
	}
}

// connectionName checks a reference from xronoxProxy; empty is local disk.
func (v *validator) connectionName(s spot, name string) {
	var known map[string]SpacesConnection
	if v.cfg.Xronox != nil {
		known = v.cfg.Xronox.SpacesConnections
	}
	if _, ok := known[name]; name != "" && !ok {
		v.fail(s, fmt.Sprintf(danglingSpaces, s.ref(name)), elsewhere(name, sorted(known)))
	}
}

// validBucketName says what the pattern of bucket names cannot.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func validBucketName(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || strings.Contains(name, "..") {
		return false
	}
	for _, p := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	for _, p := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, p) {
			return false
		}
	}
	return true
}
