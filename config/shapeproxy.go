package config

import "sync"

// Rules of texts in xronoxProxy.
var (
	addressRule = &rule{
		pattern: `^([^:\[\]/\s]*|\[[0-9A-Fa-f:.]+\]):` +
			`(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})$`,
		message: "Invalid address",
		hint:    "write HOST:PORT, such as 127.0.0.1:9000, or :9000 for every interface",
	}
	domainRule = &rule{
		pattern: `^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`,
		message: "Invalid domain",
		hint:    "write a host name in lower case, without port, such as s3.example.com",
	}
	durationRule = &rule{
		// Each unit once, and few digits, so that no duration overflows.
		pattern: `^([0-9]{1,5}(\.[0-9]{1,3})?h)?([0-9]{1,5}(\.[0-9]{1,3})?m)?([0-9]{1,5}(\.[0-9]{1,3})?s)?([0-9]{1,5}ms)?$`,
		message: "Invalid duration",
		hint:    `write it with its unit, above zero, such as "30s" or "1m30s"`,
	}
	accessKeyRule = &rule{
		pattern: `^[^\s/,=&]{1,128}$`,
		message: "Invalid access key",
		hint:    "use 1 to 128 characters; no white space, / , = &",
	}
	bucketNameRule = &rule{
		pattern: `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`,
		message: "Invalid bucket name",
		hint:    "use 3 to 63 lower-case letters, digits, dots and hyphens; see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
	}
	envNameRule = &rule{
		pattern: `^[A-Za-z_][A-Za-z0-9_]*$`,
		message: "Invalid name of an environment variable",
		hint:    "write the name alone, without $ and without ENV.",
	}
	tenantRule = &rule{
		pattern: `^[^/\x00-\x1f\x7f]{1,256}$`,
		message: "Invalid tenant id",
		hint:    "use 1 to 256 characters other than / and control characters",
	}
	databaseRule = &rule{
		pattern: `^[A-Za-z0-9_-]{1,63}$`,
		message: "Invalid name of a database",
		hint:    "use 1 to 63 letters, digits, _ and -",
	}
	writeConcernRule = &rule{
		pattern: `^([1-9][0-9]?|[A-Za-z][A-Za-z0-9_-]*)$`,
		message: "Invalid write concern",
		hint:    `write "majority", or leave it out; without an answer to its writes the index cannot work`,
	}
	storageClassRule = &rule{
		pattern: `^[A-Z0-9_]+$`,
		message: "Invalid storage class",
		hint:    "write S3's name of it, such as INTELLIGENT_TIERING",
	}
)

// durationText is a duration; validator asks that it is above zero.
var durationText = textShape{rule: durationRule, minMessage: durationRule.message}

// proxyShape is xronoxProxy. Unknown members are errors: nobody else keeps
// anything here.
var proxyShape = sync.OnceValue(func() objectShape {
	text := func(name, doc string) field { return field{name: name, of: nonEmpty, doc: doc} }
	ruled := func(name string, r *rule, doc string) field {
		return field{name: name, of: textShape{rule: r}, doc: doc}
	}
	return objectShape{closed: true, doc: "Settings of xronox-proxy.", fields: []field{
		{name: "listen", of: textShape{rule: addressRule}, doc: "Address of the S3 endpoint, HOST:PORT."},
		{name: "admin", of: textShape{rule: addressRule}, doc: "Address of the admin listener, HOST:PORT."},
		text("dataDir", "Directory of local objects, the embedded index and the root credential; relative to the working directory."),
		{name: "domains", of: listShape{of: textShape{rule: domainRule}}, doc: "Names under which buckets are addressed as BUCKET.NAME."},
		ruled("region", &rule{pattern: `^[a-z0-9-]+$`, message: "Invalid region", hint: "write a name such as us-east-1"}, "Region that clients sign for."),
		{name: "index", of: indexShape(), doc: "The store of versions and virtual buckets."},
		{name: "credentials", of: listShape{of: credentialShape(text, ruled)}, doc: "Key pairs of clients."},
		ruled("anonymousTenant", tenantRule, "Tenant whose buckets are meant by requests that nobody has signed, such as the preflights of browsers; the only one of credentials when absent."),
		{name: "connections", of: mapShape{of: objectShape{closed: true, fields: []field{
			{name: "layout", of: oneOf("cr001", "native"), doc: "cr001: bucket and prefix by data type; native: as v3.1.0 wrote, all in one."},
			{name: "tenantPrefix", of: boolShape{}, doc: "Put the tenant's id before the physical keys of tenants' databases."},
			{name: "capabilities", of: oneOf("aws", "cautious", "probe"), doc: "What the service can do: all that AWS can, what every service can, or what small objects written at start show. aws for AWS's hosts, else cautious, when absent."},
		}}}, doc: "Settings of connections to object stores, by their names in spacesConnections."},
		{name: "automaticBuckets", of: boolShape{}, doc: "Whether every database, and every bucket name that Xronox recorded, is a virtual bucket; true when absent."},
		{name: "createBuckets", of: boolShape{}, doc: "Make physical buckets that are missing, at start."},
		{name: "virtualBuckets", of: mapShape{of: virtualBucketShape(text, ruled), key: bucketNameRule}, doc: "Configured buckets, by the name that clients use."},
		{name: "bucketTemplate", of: objectShape{closed: true, fields: []field{
			{name: "mode", of: oneOf("flat", "spread"), doc: "flat: one place; spread: keys are spread over places by their hash."},
			text("connection", "Name of a connection in spacesConnections; local disk when absent."),
			text("bucket", "Physical bucket, with {tenantId} and {bucket}."),
			{name: "prefix", of: anyText, doc: "Before every key, with {tenantId} and {bucket}."},
			{name: "versionsPrefix", of: anyText, doc: "Where versions are kept; a sibling of prefix when absent."},
			{name: "places", of: listShape{of: objectShape{closed: true, fields: []field{
				text("connection", "Name of a connection in spacesConnections; local disk when absent."),
				{name: "bucket", of: nonEmpty, need: required, doc: "The physical bucket."},
				{name: "prefix", of: nonEmpty, need: required, doc: "Before every key, with {tenantId} and {bucket}."},
			}}}, doc: "spread: the places, instead of connection, bucket and prefix."},
			{name: "versioning", of: oneOf("enabled"), doc: "Have buckets be created with versioning enabled."},
		}}, doc: "Where buckets that clients create are put."},
		{name: "encryption", of: encryptionShape(text, ruled), doc: "Keys that encrypt on local disk, and which clients may bring."},
		{name: "dataTypes", of: dataTypesShape(), doc: "Policies by data type."},
		{name: "limits", of: limitsShape(), doc: "Limits of the server."},
		{name: "retention", of: oneOf("report", "enforce"), doc: "Whether retention rules delete versions, or only tell which."},
		{name: "log", doc: "What is logged.", of: objectShape{closed: true, fields: []field{
			{name: "format", of: oneOf("text", "json"), doc: "Format of lines."},
			{name: "level", of: oneOf("debug", "info", "warn", "error"), doc: "Least level that is written."},
		}}},
	}}
})

// Makers of frequent fields, handed down by proxyShape.
type (
	textField  func(name, doc string) field
	ruledField func(name string, r *rule, doc string) field
)

// indexShape is the index. All members but the first are settings of MongoDB.
func indexShape() objectShape {
	duration := func(name, doc string) field { return field{name: name, of: durationText, doc: doc} }
	return objectShape{closed: true, fields: []field{
		{name: "driver", of: oneOf("embedded", "mongo"), doc: "embedded for one node, mongo for any number."},
		{name: "dbConnRef", of: nonEmpty, doc: "Name of a connection in dbConnections; with driver mongo, as all that follows."},
		{name: "dbName", of: textShape{rule: databaseRule}, doc: "Name of the MongoDB database."},
		{name: "maxPoolSize", of: numberShape{whole: true, min: 1, max: 10_000}, doc: "Connections to each server at the most."},
		{name: "minPoolSize", of: numberShape{whole: true, max: 10_000}, doc: "Connections to each server that are kept open."},
		duration("connectTimeout", "Time for a connection to be made."),
		duration("selectionTimeout", "Time until a call fails when there is no primary."),
		duration("callTimeout", "Time for a call, all its commands together."),
		{name: "readConcern", of: oneOf("majority", "linearizable", "local"), doc: "What the URI says, else majority, when absent."},
		{name: "writeConcern", of: textShape{rule: writeConcernRule}, doc: "majority, a number of servers or a name of your own; what the URI says, else majority, when absent."},
		duration("freshFor", "How long what is known of a bucket is used without asking."),
		duration("outage", "How much longer while the database cannot be asked, 0s for not at all."),
	}}
}

// credentialShape is one key pair.
func credentialShape(text textField, ruled ruledField) objectShape {
	return objectShape{closed: true, fields: []field{
		{name: "accessKey", of: textShape{rule: accessKeyRule}, need: required, doc: "The access key that clients sign with."},
		text("secretKey", "The secret itself; better one of the next two."),
		ruled("secretKeyEnv", envNameRule, "Environment variable with the secret."),
		text("secretKeyFile", "File with the secret; relative to this file."),
		text("userId", "Owner of what it creates; the access key when absent."),
		text("displayName", "Name of the owner."),
		ruled("tenantId", tenantRule, "Tenant whose buckets it sees; the default tenant when absent."),
		text("tier", "Tier of the tenant in dynamicTenants."),
		{name: "grants", doc: "What it may do; everything in its tenant when absent.", of: listShape{of: objectShape{closed: true, fields: []field{
			{name: "buckets", of: listShape{of: nonEmpty}, doc: "Buckets, as patterns with *; every one when absent."},
			{name: "prefix", of: anyText, doc: "Beginning of keys; every key when absent."},
			{name: "actions", need: required, doc: "read, write, delete, list, admin or *.", of: listShape{
				of:         oneOf("read", "write", "delete", "list", "admin", "*"),
				minMessage: "At least one action is required",
			}},
		}}}},
	}}
}

// encryptionShape is keys that encrypt on local disk.
func encryptionShape(text textField, ruled ruledField) objectShape {
	key := []field{
		text("key", "The key itself, 32 bytes in base64; better one of the next two."),
		ruled("keyEnv", envNameRule, "Environment variable with the key."),
		text("keyFile", "File with the key; relative to this file."),
	}
	id := field{name: "id", of: nonEmpty, need: required, doc: "The name that clients have for it."}
	return objectShape{closed: true, fields: []field{
		{name: "keys", of: listShape{of: objectShape{closed: true, fields: key}}, doc: "Keys of SSE-S3: the first encrypts, all decrypt. One is made in dataDir when absent."},
		{name: "kms", of: listShape{of: objectShape{closed: true, fields: append([]field{id}, key...)}}, doc: "Keys of SSE-KMS: the first is that of who names none."},
		{name: "customerKeys", of: oneOf("local", "tls", "trusted"), doc: "Connections over which keys of customers (SSE-C) are taken: local is TLS and within this machine, tls is TLS alone, trusted is every one, for a proxy behind something that ends TLS; local when absent."},
	}}
}

// virtualBucketShape is one configured bucket.
func virtualBucketShape(text textField, ruled ruledField) objectShape {
	typeName := oneOf("records", "versions", "content", "backups")
	return objectShape{closed: true, fields: []field{
		{name: "mode", of: oneOf("typed", "legacy", "flat"), need: required, doc: "typed: the first segment of a key is its data type; legacy: its shape tells; flat: one place."},
		{name: "database", of: oneOf("metadata", "knowledge", "runtime", "logs", "messaging", "identities"), doc: "Database type of the scope."},
		{name: "tier", of: oneOf("generic", "domain", "tenant"), doc: "Tier of the scope."},
		text("domain", "Domain of the scope."),
		ruled("tenantId", tenantRule, "Tenant of the scope and of the bucket; {tenantId} is whoever asks."),
		{name: "dataType", of: typeName, doc: "flat over a scope: its data type."},
		text("connection", "flat without a scope: name of a connection in spacesConnections; local disk when absent."),
		text("bucket", "flat without a scope: the physical bucket."),
		{name: "prefix", of: anyText, doc: "flat without a scope: before every key."},
		{name: "defaultType", of: typeName, doc: "legacy: data type of keys of no known shape."},
		{name: "readThrough", of: boolShape{}, doc: "legacy: read what is not found from the old bucket."},
		text("oldBucket", "legacy with readThrough: the old physical bucket; the one of the bucket's own name when absent."),
		{name: "default", doc: "typed: where keys are that begin with no data type; they are refused when absent.", of: objectShape{closed: true, fields: []field{
			text("connection", "Name of a connection in spacesConnections; local disk when absent."),
			{name: "bucket", of: nonEmpty, need: required, doc: "The physical bucket."},
			{name: "prefix", of: anyText, doc: "Before every key."},
		}}},
		{name: "layout", of: oneOf("cr001", "native"), doc: "cr001: bucket and prefix by data type; native: as v3.1.0 wrote, all in one."},
		{name: "versioning", of: oneOf("enabled", "suspended"), doc: "State of versioning until a client sets it."},
		text("versionsPrefix", "flat without a scope: where versions are kept."),
		{name: "tenants", of: listShape{of: nonEmpty}, doc: "Tenants that see the bucket besides its own; * is all."},
		{name: "tenantPrefix", of: boolShape{}, doc: "Put the tenant's id before every physical key."},
	}}
}

// dataTypesShape is policies by data type.
func dataTypesShape() objectShape {
	policy := objectShape{closed: true, fields: []field{
		{name: "connection", of: nonEmpty, doc: "Name of the connection in spacesConnections that keeps the type; the database's own when absent."},
		{name: "storageClass", of: textShape{rule: storageClassRule}, doc: "Storage class of new objects."},
		{name: "access", of: oneOf("readWrite", "readOnly", "appendOnly"), doc: "What clients may do."},
		{name: "sse", doc: "Encryption at the store.", of: objectShape{closed: true, fields: []field{
			{name: "kmsKeyId", of: nonEmpty, need: required, doc: "Key of KMS."},
		}}},
	}}
	s := objectShape{closed: true}
	for _, t := range DataTypes() {
		s.fields = append(s.fields, field{name: string(t), of: policy, doc: "Policy of " + string(t) + "."})
	}
	return s
}

// limitsShape is the limits of the server.
func limitsShape() objectShape {
	duration := func(name, doc string) field { return field{name: name, of: durationText, doc: doc} }
	return objectShape{closed: true, fields: []field{
		// A signed request of the SDKs alone takes about 1 KiB, and each connection
		// has a buffer of this size.
		{name: "maxHeaderBytes", of: numberShape{whole: true, min: 4096, max: 1 << 20}, doc: "Bytes of a request's line and headers."},
		duration("headerTimeout", "Time to send them."),
		duration("idleTimeout", "Time between requests of a connection."),
		duration("bodyIdleTimeout", "Time without a byte of a body moving."),
		duration("shutdownTimeout", "Time for requests in flight when stopping."),
		{name: "maxConcurrentRequests", of: numberShape{whole: true, min: 1, max: 1e6}, doc: "Requests at a time; more get SlowDown."},
		{name: "maxConnections", of: numberShape{whole: true, min: 1, max: 1e6}, doc: "Connections at a time; by default as the limit of open files allows."},
	}}
}
