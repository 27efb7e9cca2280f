package config

import "sync"

// xronoxShape is the configuration of Xronox. Order and messages are those of
// v3.1.0's validator.
var xronoxShape = sync.OnceValue(func() objectShape {
	whatever := func(name string, value *node) field {
		return field{name: name, of: anyShape{}, doc: "Not checked.", value: value}
	}
	toggle := objectShape{fields: []field{
		{name: "enabled", of: boolShape{}, doc: "Whether it is on.", value: &node{kind: kindBool, truth: true}},
	}}
	return objectShape{open: true, refine: refineRoot, fields: []field{
		{name: "dbConnections", of: mapShape{of: dbConnectionShape}, need: unpressed, doc: "MongoDB connections by name."},
		{name: "spacesConnections", of: mapShape{of: spacesConnectionShape()}, need: unpressed, doc: "Object-store connections by name."},
		{name: "databases", of: databasesShape(), need: unpressed, doc: "The databases, by type and tier."},
		{name: "localStorage", of: objectShape{fields: []field{
			{name: "basePath", of: said("Base path is required for local storage"), need: required, doc: "Directory of the objects."},
			{name: "enabled", of: boolShape{}, need: required, doc: "Whether local disk is used instead of object stores."},
		}}, doc: "Local disk instead of object stores."},
		{name: "routing", of: routingShape, value: object(0).with("hashAlgo", textNode("rendezvous")), doc: "Chose among backends before v2; has no effect."},
		{name: "retention", of: retentionShape(), value: object(0).with("ver", object(0)).with("counters", object(0)), doc: "How long history is kept."},
		whatever("rollup", object(0).with("enabled", &node{kind: kindBool}).with("manifestPeriod", textNode("daily"))),
		{name: "collectionMaps", of: mapShape{of: collectionMapShape()}, doc: "What is done with the documents of a collection, by its name."},
		{name: "analytics", of: analyticsShape(), doc: "Rules of analytics; of no use to a proxy."},
		{name: "devShadow", of: devShadowShape, doc: "Copies of documents in MongoDB, for development."},
		{name: "hardDeleteEnabled", of: advisory(boolShape{}), doc: "Has no effect."},
		whatever("fallback", nil),
		whatever("writeOptimization", nil),
		whatever("transactions", object(0).with("enabled", &node{kind: kindBool}).with("autoDetect", &node{kind: kindBool, truth: true})),
		{name: "logicalDelete", of: toggle, doc: "Whether deleting leaves the data; on when absent."},
		{name: "versioning", of: toggle, doc: "Whether versions are recorded; on when absent."},
	}}
})

// with sets a member and returns n.
func (n *node) with(name string, value *node) *node {
	n.set(name, value)
	return n
}

// advisoryShape makes problems of a shape warnings.
type advisoryShape struct{ shape }

// advisory wraps a shape of no concern to the proxy.
func advisory(s shape) shape { return advisoryShape{s} }

// check implements shape.
func (s advisoryShape) check(c *checker, p path, n *node) (*node, status) {
	if c.strict {
		return s.shape.check(c, p, n)
	}
	c.advisory++
	defer func() { c.advisory-- }()
	good, st := s.shape.check(c, p, n)
	if st != ok {
		return nil, ok // the problem is reported; the value is of no use
	}
	return good, ok
}

// dbConnectionShape is one MongoDB.
var dbConnectionShape = objectShape{fields: []field{
	{name: "mongoUri", of: advisory(said("MongoDB URI is required")), need: expected, doc: "The connection string."},
}}

// spacesConnectionShape is one account at an object store.
func spacesConnectionShape() objectShape {
	return objectShape{refine: refineConnection, fields: []field{
		{name: "endpoint", of: endpointText, need: required, doc: "URL of the store, such as https://s3.amazonaws.com."},
		{name: "region", of: said("Region is required"), need: required, doc: "Region that requests to the store are signed for."},
		{name: "accessKey", of: said("Access key is required"), need: required, doc: "Access key at the store."},
		{name: "secretKey", of: said("Secret key is required"), need: required, doc: "Secret key at the store; use ENV.NAME."},
		{name: "forcePathStyle", of: boolShape{}, doc: "Address buckets as /bucket instead of bucket.host."},
		{name: "bucket", of: nonEmpty, doc: "Deprecated: one bucket for all data types."},
		{name: "buckets", of: typeNamesShape("Bucket"), doc: "Bucket by data type, where a database names none."},
		{name: "folderPrefixes", of: typeNamesShape("Folder"), doc: "Folder by data type; the type's name when absent."},
	}}
}

// endpointText is the URL of a store. v3.1.0 takes whatever a browser would.
var endpointText = textShape{
	strict: isWHATWGURL, strictSays: "Invalid S3 endpoint URL", rule: endpointRule,
}

// endpointRule is what the lenient validator asks of an endpoint at first.
var endpointRule = &rule{
	pattern: `^[hH][tT][tT][pP][sS]?://[^/?#\s]`,
	message: "Invalid S3 endpoint URL",
	hint:    "write it with http:// or https:// and the host, such as https://s3.amazonaws.com",
}

// typeNamesShape is a name by data type.
func typeNamesShape(what string) objectShape {
	s := objectShape{}
	for _, t := range DataTypes() {
		s.fields = append(s.fields, field{name: string(t), of: nonEmpty, doc: what + " of " + string(t) + "."})
	}
	return s
}

// routingShape chose among backends before v2.
var routingShape = advisory(objectShape{fields: []field{
	{name: "hashAlgo", of: oneOf("rendezvous", "jump"), value: textNode("rendezvous"), doc: "The hash."},
	{name: "chooseKey", of: anyText, doc: "What is hashed."},
}})

// positive is a whole number above zero.
func positive(message string) numberShape {
	return numberShape{whole: true, above: true, message: message}
}

// retentionShape is how long history is kept.
func retentionShape() shape {
	count := numberShape{whole: true}
	return advisory(objectShape{fields: []field{
		{name: "ver", value: object(0), doc: "Of versions.", of: objectShape{fields: []field{
			{name: "days", of: positive(""), doc: "Age in days."},
			{name: "maxPerItem", of: positive(""), doc: "Versions of one item."},
		}}},
		{name: "counters", value: object(0), doc: "Of counters.", of: objectShape{fields: []field{
			{name: "days", of: count, doc: "Days."},
			{name: "weeks", of: count, doc: "Weeks."},
			{name: "months", of: count, doc: "Months."},
		}}},
	}})
}

// devShadowShape is checked even when it is off.
var devShadowShape = advisory(objectShape{fields: []field{
	{name: "enabled", of: boolShape{}, need: required, doc: "Whether it is on."},
	{name: "ttlHours", of: positive("TTL hours must be positive"), need: required, doc: "How long copies live."},
	{name: "maxBytesPerDoc", of: positive("Max bytes per document must be positive"), doc: "Larger documents are not copied."},
}})

// collectionMapShape is what is done with the documents of a collection.
func collectionMapShape() shape {
	return advisory(objectShape{fields: []field{
		{name: "indexedProps", of: listShape{of: said("Indexed property name cannot be empty")}, need: unpressed, doc: "Properties that can be searched; an empty list is all."},
		{name: "base64Props", doc: "Properties that are kept as objects, by their path.", of: mapShape{of: objectShape{fields: []field{
			{name: "contentType", of: said("Content type is required"), need: required, doc: "Content-Type of the object."},
			{name: "preferredText", of: boolShape{}, doc: "Keep a text beside it."},
			{name: "textCharset", of: anyText, doc: "Its character set."},
		}}}},
		{name: "validation", doc: "What a document must have.", of: objectShape{fields: []field{
			{name: "requiredIndexed", of: listShape{of: said("Required indexed property name cannot be empty")}, doc: "Properties that must be there."},
		}}},
		{name: "s3Offload", doc: "Moves old records to object storage.", of: objectShape{fields: []field{
			{name: "enabled", of: boolShape{}, need: required, doc: "Whether it is on."},
			{name: "olderThan", of: positive("olderThan must be a positive number of days"), value: &node{kind: kindNumber, number: 30}, doc: "Age in days."},
			{name: "archiveBucket", of: nonEmpty, doc: "Bucket instead of the one of records."},
		}}},
		{name: "hiddenFields", of: listShape{of: anyText}, only: lenient, doc: "Fields that readers do not see."},
		{name: "projection", of: mapShape{of: anyShape{}}, only: lenient, doc: "Named selections of fields."},
	}})
}
