package config_test

import (
	"errors"
	"testing"

	"github.com/xronox/xronox-proxy/config"
)

// TestResolveBucket is reference §2.4, as built and as recommended.
func TestResolveBucket(t *testing.T) {
	t.Parallel()
	conn := config.SpacesConnection{
		Buckets:        config.TypeNames{Records: "r0", Versions: "v0", Content: "c0", Backups: "b0"},
		FolderPrefixes: config.TypeNames{Records: "REC", Versions: "VER", Content: "CON", Backups: "BAK"},
	}
	// resolve is the bucket and prefix, or the error.
	resolve := func(database string, e config.Entry, dt config.DataType, l config.Layout) string {
		x := &config.Xronox{SpacesConnections: map[string]config.SpacesConnection{"s": conn}}
		scope := config.Scope{Database: database}
		switch database {
		case "logs":
			x.Databases.Logs = &e
		case "runtime":
			e.TenantID, scope.TenantID = "t", "t"
			x.Databases.Runtime = &config.RuntimeDatabase{TenantDatabases: []config.Entry{e}}
		default:
			scope.Tier = "generic"
			x.Databases.Knowledge = &config.TieredDatabase{GenericDatabase: &e}
		}
		p, err := config.ResolveBucket(x, scope, dt, l)
		if err != nil {
			return err.Error()
		}
		return p.Connection + ":" + p.Bucket + "/" + p.Prefix
	}
	f := func(database string, e config.Entry, dt config.DataType, native, cr001 string) {
		t.Helper()
		if got := resolve(database, e, dt, config.LayoutNative); got != native {
			t.Errorf("%+v %s, native: got %s, want %s", e, dt, got, native)
		}
		for _, l := range []config.Layout{config.LayoutCR001, ""} {
			if got := resolve(database, e, dt, l); got != cr001 {
				t.Errorf("%+v %s: got %s, want %s", e, dt, got, cr001)
			}
		}
	}
	const (
		e2 = "No bucket configured for type 'records'. Please configure either 'recordsBucket' or 'bucket' (legacy)."
		e3 = `Cannot resolve spaces connection for context: {"databaseType":"runtime","tenantId":"t"}`
	)
	all := config.Entry{SpaceConnRef: "s", RecordsBucket: "r1", VersionsBucket: "v1", ContentBucket: "c1", BackupsBucket: "b1"}
	f("knowledge", all, config.Records, "s:r1/", "s:r1/REC/")
	f("knowledge", all, config.Content, "s:r1/", "s:c1/CON/")
	old := config.Entry{SpaceConnRef: "s", Bucket: "old"}
	f("knowledge", old, config.Records, "s:old/", "s:old/REC/")
	f("knowledge", old, config.Versions, "s:old/", "s:old/VER/")
	f("knowledge", old, config.Content, "s:old/", "s:old/CON/")
	f("knowledge", old, config.Backups, "s:old/", "s:old/BAK/")
	both := config.Entry{SpaceConnRef: "s", Bucket: "old", RecordsBucket: "r1"}
	f("knowledge", both, config.Records, "s:r1/", "s:r1/REC/")
	f("knowledge", both, config.Versions, "s:r1/", "s:old/VER/")
	f("knowledge", config.Entry{SpaceConnRef: "s", ContentBucket: "c1"}, config.Records, e2, "s:r0/REC/")
	f("runtime", config.Entry{}, config.Records, e3, e3)
	f("runtime", config.Entry{SpaceConnRef: "gone", Bucket: "b"}, config.Records, e3, e3)
	f("logs", config.Entry{SpaceConnRef: "s", RecordsBucket: "l"}, config.Versions, "s:l/", "s:v0/VER/")

	// Without names of its own the connection has one bucket and the types' names.
	conn = config.SpacesConnection{Bucket: "one"}
	f("knowledge", config.Entry{SpaceConnRef: "s"}, config.Content, e2, "s:one/content/")
	conn = config.SpacesConnection{FolderPrefixes: config.TypeNames{Content: "a/b/"}}
	f("knowledge", config.Entry{SpaceConnRef: "s", Bucket: "b"}, config.Content, "s:b/", "s:b/a/b/")
}

// TestResolveBucketErrors: a database without object storage can be told from
// a mistake, and a scope that nobody configured has v3.1.0's message.
func TestResolveBucketErrors(t *testing.T) {
	t.Parallel()
	x := &config.Xronox{Databases: config.Databases{Logs: &config.Entry{}}}
	if _, err := config.ResolveBucket(x, config.Scope{Database: "logs"}, config.Records, ""); !errors.Is(err, config.ErrNotOffered) {
		t.Errorf("got %v", err)
	}
	_, err := config.ResolveBucket(x, config.Scope{Database: "knowledge", Tier: "tenant"}, config.Records, "")
	if want := `Cannot resolve database connection for context: {"databaseType":"knowledge","tier":"tenant"}`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// TestEntry is the choice of an entry in reference §2.1: the first of equals,
// and no fallback from tier to tier.
func TestEntry(t *testing.T) {
	t.Parallel()
	tiered := &config.TieredDatabase{
		GenericDatabase:  &config.Entry{DBName: "generic"},
		DomainsDatabases: []config.Entry{{Domain: "d", DBName: "domain"}, {Domain: "d", DBName: "second"}},
		TenantDatabases:  []config.Entry{{TenantID: "t", DBName: "tenant"}},
	}
	x := &config.Xronox{Databases: config.Databases{
		Metadata: tiered, Knowledge: tiered, Messaging: &config.Entry{DBName: "messaging"}, Identities: &config.Entry{DBName: "identities"},
		Runtime: &config.RuntimeDatabase{TenantDatabases: []config.Entry{{TenantID: "t", DBName: "runtime"}}},
	}}
	f := func(s config.Scope, want string) {
		t.Helper()
		e, ok := x.Entry(s)
		if ok != (want != "") || ok && e.DBName != want {
			t.Errorf("%+v: got %+v", s, e)
		}
	}
	for _, db := range []string{"metadata", "knowledge"} {
		f(config.Scope{Database: db, Tier: "generic", TenantID: "t", Domain: "d"}, "generic")
		f(config.Scope{Database: db, Tier: "domain", TenantID: "t", Domain: "d"}, "domain")
		f(config.Scope{Database: db, Tier: "tenant", TenantID: "t", Domain: "d"}, "tenant")
		f(config.Scope{Database: db, Tier: "tenant", TenantID: "x"}, "")
		f(config.Scope{Database: db}, "")
	}
	f(config.Scope{Database: "runtime", Tier: "generic", TenantID: "t"}, "runtime")
	f(config.Scope{Database: "runtime"}, "")
	f(config.Scope{Database: "messaging", Tier: "tenant", TenantID: "t"}, "messaging")
	f(config.Scope{Database: "identities"}, "identities")
	f(config.Scope{Database: "logs"}, "")
	f(config.Scope{Database: "nothing"}, "")
}
