package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xronox/xronox-proxy/config"
)

// env makes an environment of pairs.
func env(pairs ...string) func(string) (string, bool) {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) {
		v, ok := m[name]
		return v, ok
	}
}

// minimal is the smallest configuration that v3.1.0 accepts (reference §10).
const minimal = `{"dbConnections":{"m":{"mongoUri":"mongodb://localhost:27017"}},
 "spacesConnections":{"s":{"endpoint":"http://localhost:9000","region":"us-east-1","accessKey":"a","secretKey":"b","forcePathStyle":true,"buckets":{}}},
 "databases":{"logs":{"dbConnRef":"m","spaceConnRef":"s","recordsBucket":"logs-records","dbName":"logs"}},
 "collectionMaps":{"activity":{"indexedProps":["at"],"s3Offload":{"enabled":true}}}}`

// lines are the problems, one "path: message" each.
func lines(r config.Report) []string {
	var out []string
	for _, p := range r {
		out = append(out, p.Path+": "+p.Message)
	}
	return out
}

// TestNormalised holds what v3.1.0 puts in for absent members.
func TestNormalised(t *testing.T) {
	t.Parallel()
	for _, strict := range []bool{true, false} {
		cfg, report, err := config.Parse([]byte(minimal), "", config.Options{Strict: strict})
		if err != nil || len(report.Errors()) > 0 {
			t.Fatalf("strict %v: %v", strict, err)
		}
		x := cfg.Xronox
		if x.Routing.HashAlgo != "rendezvous" {
			t.Errorf("hashAlgo: %q", x.Routing.HashAlgo)
		}
		if diff := cmp.Diff(config.RetentionRules{}, x.Retention); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]any{"enabled": false, "manifestPeriod": "daily"}, x.Rollup); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]any{"enabled": false, "autoDetect": true}, x.Transactions); diff != "" {
			t.Error(diff)
		}
		if got := x.CollectionMaps["activity"].S3Offload.OlderThan; got != 30 {
			t.Errorf("olderThan: %d", got)
		}
		if x.LogicalDelete != nil || x.Versioning != nil {
			t.Error("absent switches are nil")
		}
	}
}

// TestSwitchDefaultsOn: {} means on.
func TestSwitchDefaultsOn(t *testing.T) {
	t.Parallel()
	text := strings.Replace(minimal, `{"dbConnections"`, `{"logicalDelete":{},"versioning":{"enabled":false},"dbConnections"`, 1)
	cfg, _, err := config.Parse([]byte(text), "", config.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	if !cfg.Xronox.LogicalDelete.Enabled || cfg.Xronox.Versioning.Enabled {
		t.Errorf("got %+v, %+v", cfg.Xronox.LogicalDelete, cfg.Xronox.Versioning)
	}
}

// TestTwoConnectionsKeepTheirKeys: v3.1.0 gave both the first one's.
func TestTwoConnectionsKeepTheirKeys(t *testing.T) {
	t.Parallel()
	cfg, _, err := config.Parse([]byte(`{"spacesConnections":{
	  "a":{"endpoint":"http://h:9000","region":"r","accessKey":"ka","secretKey":"sa","bucket":"one"},
	  "b":{"endpoint":"http://h:9000","region":"r","accessKey":"kb","secretKey":"sb","bucket":"two"}}}`), "", config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := cfg.Xronox.SpacesConnections["a"], cfg.Xronox.SpacesConnections["b"]; a.AccessKey != "ka" || b.AccessKey != "kb" || a.SecretKey.Reveal() != "sa" || b.SecretKey.Reveal() != "sb" {
		t.Errorf("got %v and %v", a.AccessKey, b.AccessKey)
	}
}

// TestExamples: CR-001's examples load, and the documented way.
func TestExamples(t *testing.T) {
	t.Parallel()
	f := func(name string, warnings ...string) {
		t.Helper()
		path := filepath.Join("..", "examples", name, "xronox.config.json")
		cfg, report, err := config.Load(path, config.Options{Env: env(
			"AWS_ACCESS_KEY_ID", "AKID", "AWS_SECRET_ACCESS_KEY", "shh", "XRONOX_CLIENT_SECRET", "client-secret")})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(warnings, lines(report)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if cfg.Source != path || cfg.Proxy.Credentials[0].SecretKey.Reveal() != "client-secret" {
			t.Errorf("%s: %+v", name, cfg)
		}
	}
	f("multi-bucket",
		"xronox.databases.knowledge.domainsDatabases: Required",
		"xronox.databases.knowledge.tenantDatabases: Required")
	f("legacy",
		"xronox.databases.knowledge.domainsDatabases: Required",
		"xronox.databases.knowledge.tenantDatabases: Required",
		"xronox.databases.knowledge.genericDatabase.dbConnRef: Referenced database connection 'mongo-primary' does not exist in dbConnections.")
}

// TestDefault: the default is valid, on loopback only.
func TestDefault(t *testing.T) {
	t.Parallel()
	got, report, err := config.Parse([]byte(`{}`), "", config.Options{})
	if err != nil || len(report) > 0 {
		t.Fatal(report, err)
	}
	if diff := cmp.Diff(config.Default(), got); diff != "" {
		t.Error(diff)
	}
	for _, a := range []string{got.Proxy.Listen, got.Proxy.Admin} {
		if !strings.HasPrefix(a, "127.0.0.1:") {
			t.Errorf("listens on %s", a)
		}
	}
}

// TestProxyYAML reads DESIGN §10's example.
func TestProxyYAML(t *testing.T) {
	t.Parallel()
	cfg, report, err := config.Load("testdata/design.yaml", config.Options{Env: env("MAIN_SECRET", "one", "ALT_SECRET", "two")})
	if err != nil {
		t.Fatal(err)
	}
	if len(report) > 0 {
		t.Error(lines(report))
	}
	p := cfg.Proxy
	if p.Listen != "127.0.0.1:9000" || !slices.Equal(p.Domains, []string{"s3.example.com"}) || p.Index.Driver != config.DriverEmbedded {
		t.Errorf("%+v", p)
	}
	if c := p.Credentials[1]; c.AccessKey != "AKIDALT" || c.SecretKey.Reveal() != "two" || c.UserID != "alt" || c.TenantID != "acme" {
		t.Errorf("%+v", c)
	}
	if b := p.VirtualBuckets["uploads"]; b.Mode != config.ModeFlat || b.Scope() != (config.Scope{Database: "runtime", TenantID: "{tenantId}"}) || b.Versioning != config.VersioningEnabled {
		t.Errorf("%+v", b)
	}
	if got := p.DataTypes[config.Backups]; got.StorageClass != "GLACIER" || got.SSE.KMSKeyID != "key-1" {
		t.Errorf("%+v", got)
	}
	if p.Limits.HeaderTimeout.Duration != 5*time.Second || p.Limits.MaxHeaderBytes != config.Default().Proxy.Limits.MaxHeaderBytes {
		t.Errorf("%+v", p.Limits)
	}
}

// TestSecretFile: a file beside the configuration, without its line feed.
func TestSecretFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("secret", "from-a-file\n")
	path := write("c.yml", "xronoxProxy: {credentials: [{accessKey: A, secretKeyFile: secret}]}")
	cfg, _, err := config.Load(path, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Proxy.Credentials[0].SecretKey.Reveal(); got != "from-a-file" {
		t.Errorf("got %q", got)
	}
	path = write("d.yml", "xronoxProxy: {credentials: [{accessKey: A, secretKeyFile: /dev/zero}]}")
	if _, _, err = config.Load(path, config.Options{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("device: %v", err)
	}
}
