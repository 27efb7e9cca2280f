package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xronox/xronox-proxy/config"
)

// TestShipped is reference §1.9: what is shipped with Xronox, reconstructed
// from the stated causes, under both validators.
func TestShipped(t *testing.T) {
	t.Parallel()
	const (
		db      = `"dbConnections":{"m":{"mongoUri":"mongodb://h"}},`
		maps    = `,"collectionMaps":{}`
		account = `"endpoint":"https://s3.amazonaws.com","region":"us-east-1","accessKey":"a","secretKey":"b"`
		v1      = "Either bucket or buckets configuration is required"
		generic = `"genericDatabase":{"dbConnRef":"m","spaceConnRef":"s","bucket":"b","dbName":"d"}`
		lists   = `,"domainsDatabases":[],"tenantDatabases":[]`
		bare    = `"spacesConnections":{"s":{` + account + `}},`
	)
	f := func(name, text string, strict, lenient []string) {
		t.Helper()
		if diff := cmp.Diff(strict, strictly(text)); diff != "" {
			t.Errorf("%s, strict: %s", name, diff)
		}
		_, report, err := config.Parse([]byte(text), "", config.Options{})
		if err != nil {
			t.Errorf("%s, lenient: %v", name, err)
		}
		if diff := cmp.Diff(lenient, lines(report)); diff != "" {
			t.Errorf("%s, lenient: %s", name, diff)
		}
	}
	// A warning of the types that have no bucket is all that is left of V1.
	f("aws, dev, do, minio", `{`+db+bare+`"databases":{"logs":{"dbConnRef":"m","spaceConnRef":"s","recordsBucket":"r","dbName":"d"}}`+maps+`}`,
		[]string{"spacesConnections.s: " + v1},
		[]string{"databases.logs: No bucket is configured for content; the proxy does not offer that here"})
	f("enterprise-security", `{`+db+`"spacesConnections":{"a":{`+account+`},"b":{`+account+`},"c":{`+account+`},"d":{`+account+`}},
		"databases":{"metadata":{`+strings.Replace(generic, `"s"`, `"a"`, 1)+lists+`}}`+maps+`,"devShadow":{"enabled":false,"ttlHours":0,"maxBytesPerDoc":0}}`,
		[]string{
			"spacesConnections.a: " + v1, "spacesConnections.b: " + v1, "spacesConnections.c: " + v1, "spacesConnections.d: " + v1,
			"devShadow.ttlHours: TTL hours must be positive", "devShadow.maxBytesPerDoc: Max bytes per document must be positive",
		},
		[]string{"devShadow.ttlHours: TTL hours must be positive", "devShadow.maxBytesPerDoc: Max bytes per document must be positive"})
	f("xronox.config.example.json", `{"xronox":{`+db+`"spacesConnections":{"s":{`+account+`,"buckets":{}}},"databases":{"knowledge":{`+generic+lists+`}}`+maps+`}}`, nil, nil)
	f("CR-001 new", `{`+db+`"spacesConnections":{"s":{`+account+`,"buckets":{"records":"r"}}},"databases":{"knowledge":{`+generic+`}}`+maps+`}`,
		[]string{"databases.knowledge.domainsDatabases: Required", "databases.knowledge.tenantDatabases: Required"},
		[]string{"databases.knowledge.domainsDatabases: Required", "databases.knowledge.tenantDatabases: Required"})
	f("CR-001 legacy", `{"spacesConnections":{"s":{`+account+`,"bucket":"b"}},"databases":{"knowledge":{`+generic+`}}}`,
		[]string{"dbConnections: Required", "databases.knowledge.domainsDatabases: Required", "databases.knowledge.tenantDatabases: Required"},
		[]string{
			"databases.knowledge.domainsDatabases: Required", "databases.knowledge.tenantDatabases: Required",
			"databases.knowledge.genericDatabase.dbConnRef: Referenced database connection 'm' does not exist in dbConnections.",
		})
	f("README quick start", `{`+db+bare+`"databases":{"runtime":{"tenantDatabases":[{"tenantId":"t","dbConnRef":"m","spaceConnRef":"s","bucket":"b","dbName":"d"}]}}}`,
		[]string{"spacesConnections.s: " + v1, "databases.runtime.tenantDatabases.0.analyticsDbName: Required"}, nil)
	f("no collectionMaps", `{`+db+`"spacesConnections":{"s":{`+account+`,"bucket":"b"}},"databases":{"knowledge":{`+generic+lists+`}}}`,
		[]string{": Cannot convert undefined or null to object"}, nil)
	for _, one := range []string{"messaging", "identities"} {
		f("README "+one+" only", `{`+db+`"spacesConnections":{},"databases":{"`+one+`":{"dbConnRef":"m","dbName":"d"}}`+maps+`}`, []string{v2}, nil)
	}
	f("createDevConfig", `{`+db+`"spacesConnections":{},"localStorage":{"basePath":"./data","enabled":true},
		"databases":{"knowledge":{`+strings.Replace(generic, `"s"`, `"dev-storage"`, 1)+lists+`}}`+maps+`}`,
		[]string{": Referenced spaces connection 'dev-storage' does not exist in spacesConnections."},
		[]string{"databases.knowledge.genericDatabase.spaceConnRef: Referenced spaces connection 'dev-storage' does not exist in spacesConnections."})
	f("createMinimalConfig", `{`+db+`"spacesConnections":{},"databases":{"runtime":{"tenantDatabases":[]}}`+maps+`}`,
		[]string{": Must provide either spacesConnections (S3) or localStorage configuration"}, nil)
	f("createProductionConfig", `{`+db+`"spacesConnections":{"s":{`+account+`,"buckets":{"records":"p-records"}}},"databases":{"runtime":{"tenantDatabases":[
		{"tenantId":"a","dbConnRef":"m","spaceConnRef":"s","recordsBucket":"p-runtime-records","versionsBucket":"p-v","contentBucket":"p-c","backupsBucket":"p-b","dbName":"a","analyticsDbName":"x"},
		{"tenantId":"b","dbConnRef":"m","spaceConnRef":"s","recordsBucket":"p-runtime-records","versionsBucket":"p-v","contentBucket":"p-c","backupsBucket":"p-b","dbName":"b","analyticsDbName":"x"}]}}`+maps+`}`, nil, nil)
	f("no S3", `{`+db+`"spacesConnections":{},"localStorage":{"basePath":"./data","enabled":true},"databases":{"logs":{"dbConnRef":"m","recordsBucket":"r","contentBucket":"c","dbName":"d"}}`+maps+`}`, nil, nil)
}

// TestNoS3Writes: v3.1.0 cannot write in the last case above; here local disk
// needs no connection.
func TestNoS3Writes(t *testing.T) {
	t.Parallel()
	x := &config.Xronox{LocalStorage: &config.LocalStorage{Enabled: true}, Databases: config.Databases{Logs: &config.Entry{RecordsBucket: "r"}}}
	got, err := config.ResolveBucket(x, config.Scope{Database: "logs"}, config.Records, config.LayoutCR001)
	if want := (config.Place{Local: true, Bucket: "r", Prefix: "records/"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}
