package mapping_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
	"github.com/xronox/xronox-proxy/router"
)

// connections are what most tests map to: the connection C of the reference, and
// one that says nothing of buckets.
const connections = `
dbConnections: {m: {mongoUri: "mongodb://localhost"}}
spacesConnections:
  s:
    {endpoint: "http://127.0.0.1:1", region: r, accessKey: a, secretKey: b,
     buckets: {records: r0, versions: v0, content: c0, backups: b0},
     folderPrefixes: {records: REC, versions: VER, content: CON, backups: BAK}}
  plain: {endpoint: "http://127.0.0.1:2", region: r, accessKey: a, secretKey: b}
`

// build maps a configuration in YAML, which must be valid but for what mapping
// itself finds.
func build(t *testing.T, text string) *mapping.Map {
	t.Helper()
	cfg, report, err := config.Parse([]byte(text), "test.yaml", config.Options{Env: env})
	if err != nil {
		t.Fatalf("%v\n%v", err, report)
	}
	return mapping.Build(cfg, mapping.Options{})
}

// env has every variable.
func env(string) (string, bool) { return "value", true }

// served is build of a configuration that can be served.
func served(t *testing.T, text string) *mapping.Map {
	t.Helper()
	m := build(t, text)
	if err := m.Report.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

// bucket finds a bucket that a tenant sees: "tenant/name".
func bucket(t *testing.T, m *mapping.Map, name string) *router.BucketRecord {
	t.Helper()
	tenant, name, _ := strings.Cut(name, "/")
	for i := range m.Buckets {
		r := &m.Buckets[i]
		if r.Name == name && r.TenantID == tenant {
			return r
		}
	}
	t.Fatalf("tenant %q has no bucket %q among %s", tenant, name, names(m))
	return nil
}

// names are all buckets: "tenant/name …".
func names(m *mapping.Map) string {
	var all []string
	for _, r := range m.Buckets {
		all = append(all, r.TenantID+"/"+r.Name)
	}
	return strings.Join(all, " ")
}

// where is the place of a key: "CONNECTION BUCKET KEY", and behind "<" that from which it is
// read through; or the error.
func where(t *testing.T, m *mapping.Map, name, key string) string {
	t.Helper()
	e, err := bucket(t, m, name).Explain(key)
	if err != nil {
		return err.Error()
	}
	s := e.Connection + " " + e.PhysicalBucket + " " + e.PhysicalKey
	if o := e.ReadThrough; o != nil {
		s += " < " + o.Connection + " " + o.PhysicalBucket + " " + o.PhysicalKey
	}
	return s
}

// Keys as Xronox v3.1.0 writes them.
const (
	item     = "orders/65a1b2c3d4e5f60718293a4b/v3/item.json"
	blob     = "orders/photo/65a1b2c3d4e5f60718293a4b/v3/blob.bin"
	manifest = "__manifests__/orders/2026/11/snapshot-7.json.gz"
)

// TestExamples maps the configurations of CR-001 as they stand in examples.
func TestExamples(t *testing.T) {
	t.Parallel()
	read := func(name string) *mapping.Map {
		text, err := os.ReadFile("../examples/" + name + "/xronox.config.json")
		if err != nil {
			t.Fatal(err)
		}
		return served(t, string(text))
	}
	m := read("multi-bucket")
	f := func(bucket, key, want string) {
		t.Helper()
		if got := where(t, m, bucket, key); got != want {
			t.Errorf("%s %s is %q, want %q", bucket, key, got, want)
		}
	}
	// The tree of CR-001.
	f("default/knowledge", "records/orders/42/head.json", "s3-primary xronox-records records/orders/42/head.json")
	f("default/knowledge", "versions/orders/42/v0.json", "s3-primary xronox-versions versions/orders/42/v0.json")
	f("default/knowledge", "backups/orders/2026-11-01/snapshot.json", "s3-primary xronox-backups backups/orders/2026-11-01/snapshot.json")
	f("default/knowledge", "content/orders/42/photo/blob.bin", "s3-primary xronox-content content/orders/42/photo/blob.bin")
	f("default/logs", "records/activity/20261101T000000Z/log.json", "s3-primary xronox-logs records/activity/20261101T000000Z/log.json")
	f("default/knowledge-generic", "records/a", "s3-primary xronox-records records/a")
	// The names that v3.1.0 recorded.
	f("default/xronox-records", item, "s3-primary xronox-versions versions/"+item+" < s3-primary xronox-records "+item)
	f("default/xronox-records", blob, "s3-primary xronox-content content/"+blob+" < s3-primary xronox-records "+blob)
	f("default/xronox-records", manifest, "s3-primary xronox-backups backups/"+manifest+" < s3-primary xronox-records "+manifest)
	f("default/xronox-records", "anything", "s3-primary xronox-content content/anything < s3-primary xronox-records anything")
	f("default/xronox-records", "records/x", "s3-primary xronox-content content/records/x")
	f("default/xronox-logs", item, "s3-primary xronox-logs-content content/"+item+" < s3-primary xronox-logs "+item)
	if got, want := names(m), "default/knowledge default/knowledge-generic default/logs default/xronox-logs default/xronox-records"; got != want {
		t.Errorf("buckets %s, want %s", got, want)
	}

	m = read("legacy")
	f("default/xronox-data", item, "s3-primary xronox-data versions/"+item+" < s3-primary xronox-data "+item)
	f("default/xronox-data", "anything", "s3-primary xronox-data content/anything < s3-primary xronox-data anything")
	f("default/xronox-data", "versions/x", "s3-primary xronox-data content/versions/x")
	f("default/knowledge-generic", "records/orders/42/head.json", "s3-primary xronox-data records/orders/42/head.json")
	if got, want := names(m), "default/knowledge-generic default/xronox-data"; got != want {
		t.Errorf("buckets %s, want %s", got, want)
	}
}

// TestPlaces is the table of the reference, §2.4: an entry, and where its types are.
func TestPlaces(t *testing.T) {
	t.Parallel()
	f := func(entry, dataType, want string) {
		t.Helper()
		m := served(t, connections+`
databases: {runtime: {tenantDatabases: [{tenantId: acme, dbConnRef: m, spaceConnRef: s, dbName: d, analyticsDbName: a, `+entry+`}]}}`)
		if got := where(t, m, "acme/runtime-acme", dataType+"/k"); got != want {
			t.Errorf("%s: %s is %q, want %q", entry, dataType, got, want)
		}
	}
	all := "recordsBucket: r11, versionsBucket: v11, contentBucket: c11, backupsBucket: b11"
	f(all, "records", "s r11 REC/k")
	f(all, "content", "s c11 CON/k")
	f("bucket: old", "records", "s old REC/k")
	f("bucket: old", "backups", "s old BAK/k")
	f("bucket: old, recordsBucket: r11", "records", "s r11 REC/k")
	f("bucket: old, recordsBucket: r11", "versions", "s old VER/k")
	f("contentBucket: c11", "records", "s r0 REC/k")

	m := served(t, connections+`
databases: {runtime: {tenantDatabases: [{tenantId: acme, dbConnRef: m, dbName: d, analyticsDbName: a, recordsBucket: r11}]},
  logs: {dbConnRef: m, spaceConnRef: s, dbName: l, recordsBucket: l11}}`)
	if got, want := names(m), "default/l11 default/logs"; got != want {
		t.Errorf("buckets %s, want %s: a database without spaceConnRef has none", got, want)
	}
	if got := where(t, m, "default/logs", "versions/k"); !strings.Contains(got, "records/ or content/") {
		t.Errorf("logs have versions: %s", got)
	}
}

// TestModes maps what configured buckets can be.
func TestModes(t *testing.T) {
	t.Parallel()
	m := served(t, connections+`
databases:
  knowledge:
    genericDatabase: {dbConnRef: m, spaceConnRef: s, dbName: d, bucket: data}
    domainsDatabases: [{domain: Lab 1, dbConnRef: m, spaceConnRef: plain, dbName: d, recordsBucket: lab, contentBucket: labc}]
    tenantDatabases: []
xronoxProxy:
  credentials: [{accessKey: A, secretKey: s, tenantId: acme}, {accessKey: B, secretKey: s, tenantId: globex}]
  connections: {plain: {layout: native}}
  virtualBuckets:
    shelf: {mode: flat, database: knowledge, dataType: content}
    vault: {mode: typed, database: knowledge, default: {connection: plain, bucket: rest, prefix: "x/"}}
    mixed: {mode: legacy, database: knowledge, defaultType: records}
    moved: {mode: legacy, database: knowledge, readThrough: true}
    renamed: {mode: legacy, database: knowledge, readThrough: true, oldBucket: was}
    lab-all: {mode: legacy, database: knowledge, domain: Lab 1}
    alias: {mode: flat, connection: plain, bucket: other, prefix: "p/", tenants: [acme]}
    each: {mode: flat, connection: plain, bucket: other, prefix: "q/", tenantId: "{tenantId}", tenantPrefix: true}
  dataTypes:
    versions: {storageClass: INTELLIGENT_TIERING, access: appendOnly}
    backups: {storageClass: GLACIER, sse: {kmsKeyId: key1}}
`)
	f := func(bucket, key, want string) {
		t.Helper()
		if got := where(t, m, bucket, key); got != want {
			t.Errorf("%s %s is %q, want %q", bucket, key, got, want)
		}
	}
	f("default/shelf", "a/b", "s data CON/a/b")
	f("default/vault", "content/a/b", "s data CON/a/b")
	f("default/vault", "a/b", "plain rest x/a/b")
	f("default/mixed", "a/b", "s data REC/a/b")
	f("default/mixed", item, "s data VER/"+item)
	f("default/moved", "a/b", "s data CON/a/b < s moved a/b")
	f("default/renamed", "a/b", "s data CON/a/b < s was a/b")
	f("default/lab-all", item, "plain lab "+item)
	f("default/lab-all", "content/x", "plain lab content/x")
	f("default/alias", "k", "plain other p/k")
	f("acme/each", "k", "plain other q/acme/k")
	f("globex/each", "k", "plain other q/globex/k")
	f("default/each", "k", "plain other q/default/k")
	f("default/data", "a/b", "s data CON/a/b < s data a/b")
	f("default/knowledge-generic", "versions/a", "s data VER/a")
	if strings.Contains(names(m), "knowledge-domain") {
		t.Errorf("a typed bucket of the native layout: %s", names(m))
	}

	// A type can be kept at another connection: under its own prefix there.
	cold := served(t, connections+`
databases: {knowledge: {genericDatabase: {dbConnRef: m, spaceConnRef: s, dbName: d, bucket: data}, domainsDatabases: [], tenantDatabases: []}}
xronoxProxy: {dataTypes: {backups: {connection: plain}}}`)
	if got, want := where(t, cold, "default/data", manifest), "plain data backups/"+manifest+" < s data "+manifest; got != want {
		t.Errorf("backups are in %q, want %q", got, want)
	}

	// Views of one database are aliases, others are not.
	same := bucket(t, m, "default/shelf").Group
	for _, name := range []string{"default/vault", "default/mixed", "default/data", "default/knowledge-generic"} {
		if bucket(t, m, name).Group != same {
			t.Errorf("%s is no alias of the other views of its database", name)
		}
	}
	if g := bucket(t, m, "default/lab-all").Group; g == same || g == "" {
		t.Errorf("group %q of another database", g)
	}
	if bucket(t, m, "default/alias").Group != "" {
		t.Error("a bucket over a connection is a view of nothing else")
	}
	if got := bucket(t, m, "default/alias").Tenants; len(got) != 1 || got[0] != "acme" {
		t.Errorf("alias is seen by %v besides", got)
	}

	e, err := bucket(t, m, "default/vault").Explain("versions/a")
	if err != nil || e.StorageClass != "INTELLIGENT_TIERING" || e.Access != router.AppendOnly {
		t.Errorf("versions: %+v, %v", e, err)
	}
	e, err = bucket(t, m, "default/mixed").Explain(manifest)
	if err != nil || e.StorageClass != "GLACIER" || e.KMSKeyID != "key1" || e.Access != "" {
		t.Errorf("backups: %+v, %v", e, err)
	}
}

// TestDynamicTenants holds what the reference, §1.5, says of templates, and that no tenant
// can be another.
func TestDynamicTenants(t *testing.T) {
	t.Parallel()
	config := func(dynamic, rest string) string {
		return connections + `
databases:
  runtime:
    tenantDatabases: [{tenantId: static, dbConnRef: m, spaceConnRef: s, dbName: d, analyticsDbName: a, bucket: own}]
    dynamicTenants: {enabled: true, dbConnRef: m, spaceConnRef: plain, dbNameTemplate: d, ` + dynamic + `}
xronoxProxy:
  credentials: [{accessKey: A, secretKey: s, tenantId: acme}, {accessKey: B, secretKey: s, tenantId: globex, tier: gold}, {accessKey: C, secretKey: s, tenantId: static}]
` + rest
	}
	m := served(t, config(`bucketTemplate: "{tenantId}-{tier}", recordsBucketTemplate: "r-{tenantId}", tiers: {gold: {dbConnRef: m, spaceConnRef: plain, dbNameTemplate: d, bucketTemplate: "gold-{tenantId}"}}`, ""))
	f := func(bucket, key, want string) {
		t.Helper()
		if got := where(t, m, bucket, key); got != want {
			t.Errorf("%s %s is %q, want %q", bucket, key, got, want)
		}
	}
	f("acme/runtime-acme", "records/a", "plain r-acme records/a")
	f("acme/runtime-acme", "content/a", "plain acme-default content/a")
	f("globex/runtime-globex", "records/a", "plain gold-globex records/a")
	f("static/runtime-static", "records/a", "s own REC/a")
	f("acme/r-acme", item, "plain acme-default versions/"+item+" < plain r-acme "+item)

	// All tenants in one bucket: only with a prefix for each, and without what is old.
	shared := `bucketTemplate: "shared"`
	refused(t, config(shared, ""), `"runtime-acme" of tenant "acme"`, `"runtime-globex" of tenant "globex"`)
	m = served(t, config(shared, "  connections: {plain: {tenantPrefix: true}}"))
	f("acme/runtime-acme", "records/a", "plain shared records/acme/a")
	f("globex/shared", "a", "plain shared content/globex/a")
	f("static/runtime-static", "records/a", "s own REC/a")
	refused(t, config(shared, `
  connections: {plain: {tenantPrefix: true}}
  virtualBuckets: {legacy: {mode: legacy, database: runtime, tenantId: acme, readThrough: true}}`), "objects of all tenants lie side by side")

	refused(t, config(`bucketTemplate: "{tenantId}-{timestamp}"`, ""), "another one every day")
	refused(t, config(`bucketTemplate: "{tenantId}-{customer}"`, ""), "Template variable {customer} not provided")
	refused(t, config(`bucketTemplate: "{tenantId}", validation: {maxLength: 5}`, ""), "Tenant ID 'globex' must not exceed 5 characters")
}

// refused holds that a configuration is refused with all of those words.
func refused(t *testing.T, text string, words ...string) {
	t.Helper()
	err := build(t, text).Report.Err()
	if err == nil {
		t.Errorf("taken: %s", text)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nlacks %q", err, w)
		}
	}
}

// TestRefusals holds that what is ambiguous, or would share objects, is refused
// with the names of both sides.
func TestRefusals(t *testing.T) {
	t.Parallel()
	f := func(databases, proxy string, words ...string) {
		t.Helper()
		refused(t, connections+"databases: "+databases+"\nxronoxProxy: "+proxy, words...)
	}
	entry := func(rest string) string { return "{dbConnRef: m, spaceConnRef: s, dbName: d, " + rest + "}" }
	generic := func(rest string) string {
		return "{genericDatabase: " + entry(rest) + ", domainsDatabases: [], tenantDatabases: []}"
	}
	one := "{knowledge: " + generic("bucket: data") + "}"

	f("{knowledge: "+generic("bucket: data")+", metadata: "+generic("recordsBucket: meta, versionsBucket: data, contentBucket: mc, backupsBucket: mb")+"}",
		"{}", `"data" of tenant "default"`, `"meta" of tenant "default"`, "share objects")
	f("{knowledge: "+generic("bucket: data")+", logs: {dbConnRef: m, spaceConnRef: plain, dbName: d, recordsBucket: data}}",
		"{}", `"data" is recorded by knowledge-generic too`)
	f(one, `{virtualBuckets: {b11: {mode: flat, connection: s, bucket: data}}}`, `"b11"`, `"data"`, "share objects")
	f(one, `{virtualBuckets: {b11: {mode: flat, connection: s, bucket: data, prefix: "CON/x/"}}}`, `"b11"`, `"data"`, "share objects")
	f(one, `{virtualBuckets: {b11: {mode: legacy, database: knowledge, layout: native}, b22: {mode: typed, database: knowledge, layout: cr001}}}`,
		"xronoxProxy.virtualBuckets.b22", "than xronoxProxy.virtualBuckets.b11")
	f(one, `{virtualBuckets: {b11: {mode: typed, database: knowledge, default: {connection: s, bucket: data, prefix: "CON/"}}}}`, "b11", "two keys in one object")
	f(one, `{bucketTemplate: {connection: s, bucket: data, prefix: "CON/{tenantId}/{bucket}/"}}`, "bucketTemplate puts new ones")
	f(one, `{virtualBuckets: {b11: {mode: flat, database: knowledge, dataType: content, tenantPrefix: true}}}`, "belongs to no tenant")
	f(one, `{virtualBuckets: {b11: {mode: flat, bucket: x, tenants: [acme]}, b22: {mode: flat, bucket: x, prefix: "y/"}}}`, `"b11"`, `"b22"`, "share objects")

	// Two connections to one store are one, however it is spelt.
	for _, pair := range [][2]string{
		{"https://s3.eu-west-1.amazonaws.com", "https://s3.amazonaws.com/"},
		{"https://s3.us-east-1.api.aws", "https://s3.amazonaws.com."},
		{"https://s3.cn-north-1.amazonaws.com.cn", "https://s3.cn-northwest-1.amazonaws.com.cn"},
		{"http://nyc3.example.com", "https://NYC3.example.com:443/"},
		{"http://127.0.0.1:9000", "http://localhost:09000/"},
		{"http://[::1]:9000", "http://[0:0:0:0:0:0:0:1]:9000/."},
		{"http://[::ffff:127.0.0.1]:9000", "http://127.0.0.1:9000"},
	} {
		refused(t, `
spacesConnections:
  s: {endpoint: "`+pair[0]+`", region: r, accessKey: a, secretKey: b}
  z: {endpoint: "`+pair[1]+`", region: r, accessKey: c, secretKey: d}
databases: {}
xronoxProxy: {virtualBuckets: {b11: {mode: flat, connection: s, bucket: x}, b22: {mode: flat, connection: z, bucket: x, prefix: "y/"}}}`, `"b11"`, `"b22"`)
	}

	// Views of one database: one object has one key in each, and one policy.
	f(one, `{connections: {s: {layout: native}}, dataTypes: {versions: {access: readOnly}}, virtualBuckets: {b11: {mode: flat, database: knowledge, dataType: versions}}}`,
		`"b11"`, `"data"`, "different policies")
	f(one, `{virtualBuckets: {b11: {mode: typed, database: knowledge, default: {connection: s, bucket: o, prefix: "p/"}}, b22: {mode: typed, database: knowledge, default: {connection: s, bucket: o, prefix: "p/q/"}}}}`,
		`"b11"`, `"b22"`, "different ones in one place")
	views := func(prefixes string) string {
		return `
spacesConnections:
  s: {endpoint: "http://h", region: r, accessKey: a, secretKey: b, folderPrefixes: ` + prefixes + `}
databases: {knowledge: ` + generic("bucket: data") + `}
xronoxProxy:
  automaticBuckets: false
  connections: {s: {capabilities: probe}}
  dataTypes: {versions: {access: appendOnly}}
  virtualBuckets: {recs: {mode: flat, database: knowledge, dataType: records}, vers: {mode: flat, database: knowledge, dataType: versions}}`
	}
	refused(t, views("{records: d, versions: d/versions}"), `"recs"`, `"vers"`, "different ones in one place")
	refused(t, views("{records: d, versions: d}"), `"recs"`, `"vers"`, "different policies")

	// A tenant that means everybody.
	refused(t, connections+`
databases: {runtime: {tenantDatabases: [{tenantId: "*", dbConnRef: m, spaceConnRef: s, dbName: d, analyticsDbName: a, bucket: x11}]}}`, `tenant "*": means something else`)

	// Types that share a prefix cannot be typed, and can be legacy.
	same := func(mode string) string {
		return `
spacesConnections:
  s: {endpoint: "http://h", region: r, accessKey: a, secretKey: b, folderPrefixes: {records: d, versions: d, content: d, backups: d}}
databases: {knowledge: ` + generic("bucket: data") + `}
xronoxProxy: {automaticBuckets: false, virtualBuckets: {b11: {mode: ` + mode + `, database: knowledge}}}`
	}
	refused(t, same("typed"), "two keys in one object")
	if got := where(t, served(t, same("legacy")), "default/b11", item); got != "s data d/"+item {
		t.Errorf("legacy: %q", got)
	}
}

// TestAnonymousTenant: whose buckets unsigned requests mean must be somebody.
func TestAnonymousTenant(t *testing.T) {
	t.Parallel()
	const credentials = "{credentials: [{accessKey: A, secretKeyEnv: S, tenantId: acme}], anonymousTenant: "
	served(t, "xronoxProxy: "+credentials+"acme}")
	served(t, "xronoxProxy: "+credentials+"default}")
	refused(t, "xronoxProxy: "+credentials+"acne}", "anonymousTenant", "acne")
}

// warned holds that there are warnings with those words.
func warned(t *testing.T, m *mapping.Map, words ...string) {
	t.Helper()
	for _, w := range words {
		if !slices.ContainsFunc(m.Report.Warnings(), func(p config.Problem) bool { return strings.Contains(p.Message, w) }) {
			t.Errorf("no warning says %q: %v", w, m.Report)
		}
	}
}

// TestRemarks holds that what may surprise is warned of.
func TestRemarks(t *testing.T) {
	t.Parallel()
	m := served(t, connections+`
databases: {knowledge: {genericDatabase: {dbConnRef: m, spaceConnRef: s, dbName: d, bucket: data}, domainsDatabases: [], tenantDatabases: []}}
xronoxProxy: {dataTypes: {versions: {access: appendOnly}}}`)
	warned(t, m, `The old bucket "data" is where new objects are kept too: keys that began with BAK/, CON/, REC/, VER/`,
		`the connection "s" is not trusted to have them: writes of versions are refused`, "Buckets that clients make are kept on local disk")
	quiet := served(t, connections+`
databases: {logs: {dbConnRef: m, spaceConnRef: s, dbName: l, recordsBucket: l11}}
xronoxProxy: {automaticBuckets: false, connections: {s: {capabilities: probe}}, dataTypes: {content: {access: appendOnly}},
  virtualBuckets: {logs: {mode: typed, database: logs}}, bucketTemplate: {connection: s, bucket: t11, prefix: "{tenantId}/{bucket}/"}}`)
	if len(quiet.Report) > 0 {
		t.Errorf("remarks without a reason: %v", quiet.Report)
	}
}

// TestTemplate: what bucketTemplate says of places reaches the router, and the connections that only it names are in
// use like all others.
func TestTemplate(t *testing.T) {
	t.Parallel()
	m := served(t, connections+`
databases: {}
xronoxProxy:
  bucketTemplate:
    mode: spread
    versioning: enabled
    places:
      - {connection: plain, bucket: p11, prefix: "all/{tenantId}/{bucket}/"}
      - {connection: s, bucket: s11, prefix: "{tenantId}/{bucket}/"}`)
	want := router.Template{
		Backend: "plain", Bucket: "p11", Prefix: "all/{tenantId}/{bucket}/", Versioning: router.Enabled,
		More: []router.Spot{{Backend: "s", Bucket: "s11", Prefix: "{tenantId}/{bucket}/"}},
	}
	if diff := cmp.Diff(want, m.Template); diff != "" {
		t.Error(diff)
	}
	if m.Stores["s"] == "" || m.Stores["plain"] == "" || m.Stores["s"] == m.Stores["plain"] {
		t.Errorf("stores %v", m.Stores)
	}
	if at, ok := m.PlaceAt("plain"); !ok || at.Bucket != "p11" || at.Prefix != "all/" {
		t.Errorf("a place at plain: %v %v", at, ok)
	}
	if all := m.PhysicalBuckets("s"); !slices.Equal(all, []string{"s11"}) {
		t.Errorf("physical buckets at s: %v", all)
	}
}

// TestNames holds that every scope has a name that a bucket can have.
func TestNames(t *testing.T) {
	t.Parallel()
	m := served(t, connections+`
databases:
  knowledge:
    genericDatabase: {dbConnRef: m, spaceConnRef: s, dbName: d, bucket: UPPER}
    domainsDatabases:
      - {domain: Lab 1, dbConnRef: m, spaceConnRef: s, dbName: d, bucket: lab1}
      - {domain: lab-1, dbConnRef: m, spaceConnRef: s, dbName: d, bucket: lab2}
      - {domain: "`+strings.Repeat("long", 30)+`", dbConnRef: m, spaceConnRef: s, dbName: d, bucket: lab3}
      - {domain: "`+strings.Repeat("long", 31)+`", dbConnRef: m, spaceConnRef: s, dbName: d, bucket: lab4}
    tenantDatabases: [{tenantId: Ünïcode, dbConnRef: m, spaceConnRef: s, dbName: d, bucket: uni}]
  logs: {dbConnRef: m, spaceConnRef: s, dbName: d, recordsBucket: logs}
`)
	seen := map[string]bool{}
	for _, r := range m.Buckets {
		if err := router.ValidateBucketName(r.Name); err != nil || seen[r.TenantID+"/"+r.Name] {
			t.Errorf("name %q: %v", r.Name, err)
		}
		seen[r.TenantID+"/"+r.Name] = true
	}
	for _, want := range []string{"default/knowledge-generic", "default/knowledge-domain-lab-1", "default/lab1", "default/logs", "Ünïcode/uni"} {
		if !seen[want] {
			t.Errorf("no %s among %s", want, names(m))
		}
	}
	if seen["default/UPPER"] {
		t.Error("a bucket of a name that S3 does not allow")
	}
	warned(t, m, `"UPPER", which Xronox recorded, is no name`, `The name "logs" belongs to the bucket of`)
	// The name that was recorded goes before the one that is made up.
	if got := where(t, m, "default/logs", "x"); got != "s c0 CON/x < s logs x" {
		t.Errorf("logs: %q", got)
	}
	off := served(t, connections+"databases: {logs: {dbConnRef: m, spaceConnRef: s, dbName: d, recordsBucket: logs}}\nxronoxProxy: {automaticBuckets: false}")
	if len(off.Buckets) != 0 {
		t.Errorf("automatic buckets that are switched off: %s", names(off))
	}
}
