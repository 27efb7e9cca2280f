package config_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xronox/xronox-proxy/config"
)

// edit sets members of the minimal configuration; a nil value removes one. A
// path is names joined by dots.
func edit(t testing.TB, changes map[string]any) string {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(minimal), &doc); err != nil {
		t.Fatal(err)
	}
	for path, value := range changes {
		at, names := doc, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			next, is := at[name].(map[string]any)
			if !is {
				next = map[string]any{}
				at[name] = next
			}
			at = next
		}
		last := names[len(names)-1]
		if value == nil {
			delete(at, last)
			continue
		}
		if raw, is := value.(string); is && strings.HasPrefix(raw, "json:") {
			value = json.RawMessage(raw[len("json:"):])
		}
		at[last] = value
	}
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// set is one change.
func set(path string, value any) map[string]any { return map[string]any{path: value} }

// strictly returns the problems of a strict reading.
func strictly(text string) []string {
	_, report, _ := config.Parse([]byte(text), "", config.Options{Strict: true})
	return lines(report)
}

// The connections and entries of the tests below, as JSON.
const (
	entryJSON   = `{"dbConnRef":"m","spaceConnRef":"s","recordsBucket":"r","dbName":"d"}`
	noBucket    = `{"dbConnRef":"m","spaceConnRef":"s","dbName":"d"}`
	tenantJSON  = `{"tenantId":"t","dbConnRef":"m","spaceConnRef":"s","recordsBucket":"r","dbName":"d"}`
	v3          = "At least one bucket configuration is required"
	v3a         = v3 + " (bucket or recordsBucket/versionsBucket/contentBucket/backupsBucket)"
	v2          = ": At least one database type (metadata, knowledge, runtime, or logs) must be configured."
	v4          = ": Referenced database connection 'x' does not exist in dbConnections."
	v5          = ": Referenced spaces connection 'x' does not exist in spacesConnections."
	atLeastOne  = "String must contain at least 1 character(s)"
	connection  = "spacesConnections.s."
	logsEntry   = "databases.logs."
	runtimeList = "databases.runtime.tenantDatabases"
)

// TestRules is the table of refinements in reference §1.8.
func TestRules(t *testing.T) {
	t.Parallel()
	f := func(changes map[string]any, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, strictly(edit(t, changes))); diff != "" {
			t.Errorf("%v: %s", changes, diff)
		}
	}
	f(nil)
	// V1
	f(set(connection+"buckets", nil), "spacesConnections.s: Either bucket or buckets configuration is required")
	f(map[string]any{connection + "buckets": nil, connection + "bucket": "b"})
	f(map[string]any{connection + "buckets": nil, connection + "bucket": ""},
		connection+"bucket: "+atLeastOne, "spacesConnections.s: Either bucket or buckets configuration is required")
	// V2: messaging and identities alone do not count
	f(set("databases", "json:{}"), v2)
	f(set("databases", `json:{"messaging":`+entryJSON+`,"identities":`+entryJSON+`}`), v2)
	for _, one := range []string{"metadata", "knowledge"} {
		f(set("databases", `json:{"`+one+`":{"genericDatabase":`+entryJSON+`,"domainsDatabases":[],"tenantDatabases":[]}}`))
		// V3
		f(set("databases", `json:{"`+one+`":{"genericDatabase":`+noBucket+`,"domainsDatabases":[`+strings.Replace(noBucket, "{", `{"domain":"d",`, 1)+
			`],"tenantDatabases":[`+tenantJSON+`,`+strings.Replace(noBucket, "{", `{"tenantId":"t",`, 1)+`]}}`),
			"databases."+one+".genericDatabase: "+v3a,
			"databases."+one+".domainsDatabases.0: "+v3,
			"databases."+one+".tenantDatabases.1: "+v3)
	}
	f(set("databases", `json:{"runtime":{"tenantDatabases":[]}}`))
	// V4, V5: each reference once, in the order of the types, all V4 before all V5
	f(set(logsEntry+"dbConnRef", "x"), v4)
	f(set(logsEntry+"spaceConnRef", "x"), v5)
	f(set("databases", `json:{"identities":{"dbConnRef":"i","spaceConnRef":"x","dbName":"d"},"messaging":{"dbConnRef":"x","spaceConnRef":"x","dbName":"d"},
		"logs":{"dbConnRef":"l","spaceConnRef":"y","dbName":"d"}}`),
		strings.Replace(v4, "'x'", "'l'", 1), v4, strings.Replace(v4, "'x'", "'i'", 1),
		strings.Replace(v5, "'x'", "'y'", 1), v5)
	f(map[string]any{"databases": `json:{"messaging":{"dbConnRef":"x","spaceConnRef":"x","dbName":"d"}}`}, v2, v4, v5)
}

// TestMessages is the custom and the generic messages of reference §1.8.
func TestMessages(t *testing.T) {
	t.Parallel()
	f := func(path string, value any, want ...string) {
		t.Helper()
		for i, w := range want {
			if !strings.Contains(w, ": ") {
				want[i] = path + ": " + w
			}
		}
		if diff := cmp.Diff(want, strictly(edit(t, set(path, value)))); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	f("dbConnections.m.mongoUri", "", "MongoDB URI is required")
	f(connection+"endpoint", "s3.amazonaws.com", "Invalid S3 endpoint URL")
	f(connection+"endpoint", "", "Invalid S3 endpoint URL")
	f(connection+"region", "", "Region is required")
	f(connection+"accessKey", "", "Access key is required")
	f(connection+"secretKey", "", "Secret key is required")
	f(connection+"secretKey", " ")
	f(connection+"folderPrefixes", `json:{"records":""}`, connection+"folderPrefixes.records: "+atLeastOne)
	f(logsEntry+"dbConnRef", "", "Database connection reference is required")
	f(logsEntry+"spaceConnRef", "", atLeastOne)
	f(logsEntry+"dbName", "", "Database name is required")
	f(logsEntry+"recordsBucket", "", atLeastOne)
	f(logsEntry+"versionsBucket", "") // dropped: logs have none
	f("databases.knowledge", `json:{"genericDatabase":`+strings.Replace(entryJSON, `"s"`, `""`, 1)+`,"domainsDatabases":[],"tenantDatabases":[]}`,
		"databases.knowledge.genericDatabase.spaceConnRef: Spaces connection reference is required")
	f("databases.metadata", `json:{"genericDatabase":`+entryJSON+`,"domainsDatabases":[`+strings.Replace(entryJSON, "{", `{"domain":"",`, 1)+`],"tenantDatabases":[`+strings.Replace(tenantJSON, `"t"`, `""`, 1)+`]}`,
		"databases.metadata.domainsDatabases.0.domain: Domain identifier is required",
		"databases.metadata.tenantDatabases.0.tenantId: Tenant ID is required")
	f("databases.runtime", `json:{"tenantDatabases":[`+strings.Replace(tenantJSON, "{", `{"analyticsDbName":"",`, 1)+`,`+tenantJSON+`]}`,
		runtimeList+".0.analyticsDbName: Analytics database name is required",
		runtimeList+".1.analyticsDbName: Required")
	f("databases.runtime", `json:{}`, runtimeList+": Required")
	f("localStorage", `json:{"basePath":"","enabled":false}`, "localStorage.basePath: Base path is required for local storage")
	f("devShadow", `json:{"enabled":false,"ttlHours":0,"maxBytesPerDoc":0}`,
		"devShadow.ttlHours: TTL hours must be positive", "devShadow.maxBytesPerDoc: Max bytes per document must be positive")
	f("collectionMaps.c", `json:{"indexedProps":[""],"base64Props":{"p":{"contentType":""}},"validation":{"requiredIndexed":[""]},"s3Offload":{"enabled":true,"olderThan":0,"archiveBucket":""}}`,
		"collectionMaps.c.indexedProps.0: Indexed property name cannot be empty",
		"collectionMaps.c.base64Props.p.contentType: Content type is required",
		"collectionMaps.c.validation.requiredIndexed.0: Required indexed property name cannot be empty",
		"collectionMaps.c.s3Offload.olderThan: olderThan must be a positive number of days",
		"collectionMaps.c.s3Offload.archiveBucket: "+atLeastOne)
	f("analytics", `json:{"counterRules":[{"name":"","when":{},"countUnique":[""]}],"timeBasedRules":[{"name":"n","collection":"","query":{},"operation":"count","saveMode":"global"}],
		"crossTenantRules":[{"name":"n","collection":"c","query":{},"mode":"sum","masterTenantId":"","slaveTenantIds":[]},{"name":"n","collection":"c","query":{},"mode":"sum","masterTenantId":"m","slaveTenantIds":[""]}],"tenants":[""]}`,
		"analytics.counterRules.0.name: Rule name is required",
		"analytics.counterRules.0.countUnique.0: Property name cannot be empty",
		"analytics.timeBasedRules.0.collection: Collection name is required",
		"analytics.crossTenantRules.0.masterTenantId: Master tenant ID is required",
		"analytics.crossTenantRules.0.slaveTenantIds: At least one slave tenant is required",
		"analytics.crossTenantRules.1.slaveTenantIds.0: Slave tenant ID cannot be empty",
		"analytics.tenants.0: Tenant ID cannot be empty")

	f(connection+"region", nil, "Required")
	f(connection+"region", 1, "Expected string, received number")
	f(connection+"region", `json:null`, "Expected string, received null")
	f(connection+"forcePathStyle", "true", "Expected boolean, received string")
	f(connection+"buckets", `json:[]`, "Expected object, received array")
	f("collectionMaps.c", `json:{"indexedProps":{}}`, "collectionMaps.c.indexedProps: Expected array, received object")
	f("collectionMaps.c", `json:{}`, "collectionMaps.c.indexedProps: Required")
	f("retention", `json:{"ver":{"days":0,"maxPerItem":1.5},"counters":{"days":-1,"weeks":0}}`,
		"retention.ver.days: Number must be greater than 0",
		"retention.ver.maxPerItem: Expected integer, received float",
		"retention.counters.days: Number must be greater than or equal to 0")
	f("routing", `json:{"hashAlgo":"md5"}`, "routing.hashAlgo: Invalid enum value. Expected 'rendezvous' | 'jump', received 'md5'")
	f("routing", `json:{"hashAlgo":1}`, "routing.hashAlgo: Expected 'rendezvous' | 'jump', received number")
	f("retention", `json:null`, "Expected object, received null")
	f("rollup", `json:null`)
	f("transactions", `json:null`)
	f("fallback", `json:[1]`)
}

// TestSemantics is the list of Zod's ways in reference §1.8.
func TestSemantics(t *testing.T) {
	t.Parallel()
	f := func(text string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, strictly(text)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	// A missing member aborts the rules of its object and of the root ...
	f(edit(t, map[string]any{connection + "buckets": nil, connection + "region": nil, logsEntry + "dbConnRef": "x"}), connection+"region: Required")
	// ... and a wrong value does not.
	f(edit(t, map[string]any{connection + "buckets": nil, connection + "region": "", logsEntry + "dbConnRef": "x"}),
		connection+"region: Region is required", "spacesConnections.s: Either bucket or buckets configuration is required", v4)
	f(edit(t, map[string]any{"routing.hashAlgo": "md5", logsEntry + "dbConnRef": "x"}), "routing.hashAlgo: Invalid enum value. Expected 'rendezvous' | 'jump', received 'md5'")
	f(edit(t, map[string]any{"retention": `json:{"ver":{"days":1.5}}`, logsEntry + "dbConnRef": "x"}), "retention.ver.days: Expected integer, received float", v4)
	// Siblings are checked all the same.
	f(edit(t, map[string]any{"spacesConnections.a": "json:{}", "spacesConnections.b": `json:{"endpoint":"http://h","region":"r","accessKey":"a","secretKey":"b"}`}),
		"spacesConnections.a.endpoint: Required", "spacesConnections.a.region: Required", "spacesConnections.a.accessKey: Required",
		"spacesConnections.a.secretKey: Required", "spacesConnections.b: Either bucket or buckets configuration is required")
	for _, days := range []string{"30", "30.0", "3e1"} {
		f(edit(t, set("retention", `json:{"ver":{"days":`+days+`}}`)))
	}
	f(edit(t, set("retention", `json:{"ver":{"days":"30"}}`)), "retention.ver.days: Expected number, received string")
	// Names are exact, unknown ones are dropped, the last of two counts.
	f(edit(t, map[string]any{connection + "region": nil, connection + "Region": "r"}), connection+"region: Required")
	f(edit(t, set("whatever", 1)))
	f(strings.Replace(minimal, `"region":"us-east-1"`, `"region":"","region":"us-east-1"`, 1))
	f(strings.Replace(minimal, `"region":"us-east-1"`, `"region":"us-east-1","region":""`, 1), connection+"region: Region is required")
	// Names that are numbers come first, as in JavaScript.
	f(edit(t, set("dbConnections", `json:{"m":{},"b":{},"10":{},"9":{}}`)),
		"dbConnections.9.mongoUri: Required", "dbConnections.10.mongoUri: Required", "dbConnections.m.mongoUri: Required", "dbConnections.b.mongoUri: Required")
	f(`[]`, ": Expected object, received array")
	f(`{}`, "dbConnections: Required", "spacesConnections: Required", "databases: Required")
	// xronoxProxy is ours, in strict mode too.
	f(edit(t, set("xronoxProxy", `json:{"listne":":1"}`)), "xronoxProxy.listne: Unknown member")
}

// TestPrinted is the human format of reference §1.8.
func TestPrinted(t *testing.T) {
	t.Parallel()
	_, _, err := config.Parse([]byte(edit(t, map[string]any{"databases": "json:{}", "dbConnections.m.mongoUri": ""})), "", config.Options{Strict: true})
	want := "Configuration validation failed:\ndbConnections.m.mongoUri: MongoDB URI is required\n" + v2[2:]
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
