package config

import "iter"

// Entries yields every configured entry with its scope, in the order of the
// schema. A scope may come twice when the file says it twice; the first counts.
func (x *Xronox) Entries() iter.Seq2[Scope, *Entry] {
	return func(yield func(Scope, *Entry) bool) {
		d := &x.Databases
		_ = tiered("metadata", d.Metadata, yield) &&
			tiered("knowledge", d.Knowledge, yield) &&
			tenants(Scope{Database: "runtime"}, d.Runtime, yield) &&
			flat("logs", d.Logs, yield) &&
			flat("messaging", d.Messaging, yield) &&
			flat("identities", d.Identities, yield)
	}
}

// tiered yields the entries of metadata or knowledge.
func tiered(name string, d *TieredDatabase, yield func(Scope, *Entry) bool) bool {
	if d == nil {
		return true
	}
	if d.GenericDatabase != nil && !yield(Scope{Database: name, Tier: "generic"}, d.GenericDatabase) {
		return false
	}
	for i := range d.DomainsDatabases {
		e := &d.DomainsDatabases[i]
		if !yield(Scope{Database: name, Tier: "domain", Domain: e.Domain}, e) {
			return false
		}
	}
	return tenants(Scope{Database: name, Tier: "tenant"}, &RuntimeDatabase{TenantDatabases: d.TenantDatabases}, yield)
}

// tenants yields the entries of tenants, s completed by the tenant's id.
func tenants(s Scope, d *RuntimeDatabase, yield func(Scope, *Entry) bool) bool {
	if d == nil {
		return true
	}
	for i := range d.TenantDatabases {
		e := &d.TenantDatabases[i]
		s.TenantID = e.TenantID
		if !yield(s, e) {
			return false
		}
	}
	return true
}

// flat yields the one entry of a database type without tiers.
func flat(name string, e *Entry, yield func(Scope, *Entry) bool) bool {
	return e == nil || yield(Scope{Database: name}, e)
}

// Dynamic returns the templates for tenants of a database type; nil when it
// has none.
func (x *Xronox) Dynamic(database string) *DynamicTenants {
	d := &x.Databases
	switch {
	case database == "metadata" && d.Metadata != nil:
		return d.Metadata.DynamicTenants
	case database == "knowledge" && d.Knowledge != nil:
		return d.Knowledge.DynamicTenants
	case database == "runtime" && d.Runtime != nil:
		return d.Runtime.DynamicTenants
	}
	return nil
}

// Offered returns the data types that the schema has for a scope: logs and
// the like have no versions of their own.
func (s Scope) Offered() []DataType {
	switch s.Database {
	case "logs":
		return []DataType{Records, Content}
	case "messaging", "identities":
		return []DataType{Records, Content, Backups}
	}
	return DataTypes()
}
