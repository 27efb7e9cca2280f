package config

// databasesShape is the six database types.
func databasesShape() objectShape {
	flat := func(extra ...string) objectShape {
		return entryShape{spaces: optional, buckets: extra}.shape()
	}
	messaging := flat("bucket", "recordsBucket", "contentBucket", "backupsBucket")
	messaging.fields = append(messaging.fields, field{
		name: "captureDeliveries", of: boolShape{}, value: &node{kind: kindBool}, doc: "Keep deliveries.",
	})
	return objectShape{fields: []field{
		{name: "metadata", of: tieredShape(), doc: "Settings and schemas."},
		{name: "knowledge", of: tieredShape(), doc: "Facts and content."},
		{name: "runtime", of: runtimeShape(), doc: "Data of users, by tenant."},
		{name: "logs", of: flat("bucket", "recordsBucket", "contentBucket"), doc: "Logs."},
		{name: "messaging", of: messaging, doc: "Topics and messages."},
		{name: "identities", of: flat("bucket", "recordsBucket", "contentBucket", "backupsBucket"), doc: "Users, roles, sessions."},
	}}
}

// allBuckets are the members that name a bucket.
var allBuckets = []string{"bucket", "recordsBucket", "versionsBucket", "contentBucket", "backupsBucket"}

// entryShape describes the members of one kind of entry.
type entryShape struct {
	id        string // the member that tells entries apart; empty: there is one
	idMessage string
	spaces    need     // of spaceConnRef
	buckets   []string // the bucket members it has
	analytics bool     // whether it has analyticsDbName
	refine    string   // V3's message; empty: no bucket is needed
}

// shape returns the object.
func (e entryShape) shape() objectShape {
	var s objectShape
	if e.id != "" {
		s.fields = append(s.fields, field{name: e.id, of: said(e.idMessage), need: required, doc: "Whose entry this is."})
	}
	spaces := nonEmpty
	if e.spaces != optional {
		spaces = said("Spaces connection reference is required")
	}
	s.fields = append(s.fields,
		field{name: "dbConnRef", of: said("Database connection reference is required"), need: expected, doc: "Name of a connection in dbConnections."},
		field{name: "spaceConnRef", of: spaces, need: e.spaces, doc: "Name of a connection in spacesConnections; without one there is no object storage."})
	for _, b := range e.buckets {
		doc := "Bucket of " + b[:max(0, len(b)-len("Bucket"))] + "."
		if b == "bucket" {
			doc = "Deprecated: one bucket for all data types."
		}
		s.fields = append(s.fields, field{name: b, of: nonEmpty, doc: doc})
	}
	s.fields = append(s.fields, field{name: "dbName", of: said("Database name is required"), need: expected, doc: "Name of the MongoDB database."})
	if e.analytics {
		s.fields = append(s.fields, field{name: "analyticsDbName", of: said("Analytics database name is required"), need: unpressed, doc: "Name of the MongoDB database of analytics."})
	}
	if e.refine != "" {
		s.refine = func(c *checker, p path, n *node) { refineEntry(c, p, n, e.refine) }
	}
	return s
}

// tieredShape is metadata or knowledge.
func tieredShape() objectShape {
	entry := entryShape{spaces: expected, buckets: allBuckets, refine: bucketRequired}
	domain, tenant := entry, entry
	entry.refine += " (bucket or recordsBucket/versionsBucket/contentBucket/backupsBucket)"
	domain.id, domain.idMessage = "domain", "Domain identifier is required"
	tenant.id, tenant.idMessage = "tenantId", "Tenant ID is required"
	return objectShape{fields: []field{
		{name: "genericDatabase", of: entry.shape(), need: expected, doc: "The entry for everybody."},
		{name: "domainsDatabases", of: listShape{of: domain.shape()}, need: expected, doc: "Entries by domain."},
		{name: "tenantDatabases", of: listShape{of: tenant.shape()}, need: expected, doc: "Entries by tenant."},
		{name: "dynamicTenants", of: dynamicShape(), only: lenient, doc: "Entries for tenants that have none."},
	}}
}

// runtimeShape is runtime.
func runtimeShape() objectShape {
	tenant := entryShape{id: "tenantId", idMessage: "Tenant ID is required", buckets: allBuckets, analytics: true}
	return objectShape{fields: []field{
		{name: "tenantDatabases", of: listShape{of: tenant.shape()}, need: expected, doc: "Entries by tenant."},
		{name: "dynamicTenants", of: dynamicShape(), only: lenient, doc: "Entries for tenants that have none."},
	}}
}

// dynamicShape is the templates of tenants; v3.1.0 documents and drops it.
func dynamicShape() objectShape {
	whole := numberShape{whole: true}
	s := objectShape{refine: refineDynamic, fields: []field{
		{name: "enabled", of: boolShape{}, need: required, doc: "Whether it is on."},
		{name: "autoCreate", of: boolShape{}, doc: "Has no effect."},
		{name: "cacheExpiry", of: advisory(whole), doc: "Has no effect."},
		{name: "maxCacheSize", of: advisory(whole), doc: "Has no effect."},
	}}
	s.fields = append(s.fields, tierFields()...)
	s.fields = append(s.fields,
		field{name: "tiers", of: mapShape{of: objectShape{fields: tierFields(), refine: refineTier}}, doc: "Templates by tier; one replaces the base as a whole."},
		field{name: "validation", doc: "What a tenant's id must satisfy.", of: objectShape{fields: []field{
			{name: "pattern", of: anyText, doc: "A regular expression that occurs in it."},
			{name: "minLength", of: whole, doc: "Shortest."},
			{name: "maxLength", of: whole, doc: "Longest."},
			{name: "allowedChars", of: anyText, doc: "Inside of a character class, such as a-z0-9."},
		}}})
	return s
}

// tierFields are the members of a set of templates.
func tierFields() []field {
	fields := []field{
		{name: "dbConnRef", of: nonEmpty, need: unpressed, doc: "Name of a connection in dbConnections."},
		{name: "spaceConnRef", of: nonEmpty, doc: "Name of a connection in spacesConnections."},
	}
	for _, t := range templateNames {
		fields = append(fields, field{name: t, of: nonEmpty, doc: "Template with {tenantId}, {tier}, {env}, {region}, {timestamp}."})
	}
	return fields
}

// templateNames are the members that hold templates.
var templateNames = []string{
	"bucketTemplate", "recordsBucketTemplate", "versionsBucketTemplate", "contentBucketTemplate",
	"backupsBucketTemplate", "dbNameTemplate", "analyticsDbNameTemplate",
}
