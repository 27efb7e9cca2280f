package mapping_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
	"github.com/xronox/xronox-proxy/router"
)

// drawConfig draws a configuration that is often, and not always, one that can be served.
func drawConfig(t *rapid.T) *config.Config {
	name := rapid.SampledFrom([]string{"", "", "b1x", "b2x", "b3x", "b4x"})
	prefix := rapid.SampledFrom([]string{"", "", "records", "content", "p", "p/q", "versions"})
	names := func(g *rapid.Generator[string], label string) config.TypeNames {
		return config.TypeNames{Records: g.Draw(t, label), Versions: g.Draw(t, label), Content: g.Draw(t, label), Backups: g.Draw(t, label)}
	}
	x := &config.Xronox{SpacesConnections: map[string]config.SpacesConnection{}}
	cfg := config.Default()
	cfg.Xronox = x
	cfg.Proxy.Connections = map[string]config.Connection{}
	cfg.Proxy.AutomaticBuckets = rapid.IntRange(0, 3).Draw(t, "automatic") > 0
	connections := []string{"one", "two", "three"}
	for _, c := range connections {
		x.SpacesConnections[c] = config.SpacesConnection{
			Endpoint: rapid.SampledFrom([]string{"http://h1", "http://h2", "http://H1:80/"}).Draw(t, "endpoint"),
			Bucket:   name.Draw(t, "bucket"), Buckets: names(name, "buckets"), FolderPrefixes: names(prefix, "prefixes"),
		}
		if rapid.IntRange(0, 4).Draw(t, "settings") == 0 {
			cfg.Proxy.Connections[c] = config.Connection{
				Layout:       rapid.SampledFrom([]config.Layout{config.LayoutCR001, config.LayoutNative}).Draw(t, "layout"),
				TenantPrefix: rapid.Bool().Draw(t, "tenantPrefix"),
			}
		}
	}
	entry := func(e config.Entry, own string) config.Entry {
		e.SpaceConnRef = rapid.SampledFrom(connections).Draw(t, "connection")
		if rapid.IntRange(0, 2).Draw(t, "own") > 0 { // a bucket that nobody else has
			e.Bucket = own
			return e
		}
		e.Bucket, e.RecordsBucket, e.ContentBucket = name.Draw(t, "entry bucket"), name.Draw(t, "records"), name.Draw(t, "content")
		return e
	}
	tenants := []string{"acme", "globex"}
	for _, tenant := range tenants {
		cfg.Proxy.Credentials = append(cfg.Proxy.Credentials, config.Credential{AccessKey: tenant, TenantID: tenant})
	}
	generic := entry(config.Entry{}, "generic")
	x.Databases.Knowledge = &config.TieredDatabase{
		GenericDatabase:  &generic,
		DomainsDatabases: []config.Entry{entry(config.Entry{Domain: "lab"}, "lab")},
	}
	x.Databases.Runtime = &config.RuntimeDatabase{}
	for _, tenant := range tenants {
		if rapid.Bool().Draw(t, "static") {
			x.Databases.Runtime.TenantDatabases = append(x.Databases.Runtime.TenantDatabases, entry(config.Entry{TenantID: tenant}, "runtime"))
		}
	}
	if rapid.Bool().Draw(t, "dynamic") {
		x.Databases.Runtime.DynamicTenants = &config.DynamicTenants{Enabled: true, Tier: config.Tier{
			SpaceConnRef:   rapid.SampledFrom(connections).Draw(t, "dynamic connection"),
			BucketTemplate: rapid.SampledFrom([]string{"{tenantId}-x", "shared-x"}).Draw(t, "template"),
		}}
	}
	cfg.Proxy.VirtualBuckets = drawBuckets(t, connections)
	return cfg
}

// drawBuckets draws configured buckets.
func drawBuckets(t *rapid.T, connections []string) map[string]config.VirtualBucket {
	all := map[string]config.VirtualBucket{}
	for i := range rapid.IntRange(0, 3).Draw(t, "explicit") {
		v := config.VirtualBucket{
			Mode: rapid.SampledFrom([]config.Mode{config.ModeTyped, config.ModeLegacy, config.ModeFlat}).Draw(t, "mode"),
		}
		if rapid.IntRange(0, 2).Draw(t, "place") == 0 {
			v = config.VirtualBucket{
				Mode: config.ModeFlat, Connection: rapid.SampledFrom(connections).Draw(t, "at"), Bucket: "other",
				Prefix:       rapid.SampledFrom([]string{"", "p/", "q/", "p/q/"}).Draw(t, "prefix"),
				TenantPrefix: rapid.Bool().Draw(t, "tenantPrefix"),
				Tenants:      rapid.SampledFrom([][]string{nil, {"acme"}, {"*"}}).Draw(t, "tenants"),
			}
		} else {
			v.Database = rapid.SampledFrom([]string{"knowledge", "runtime"}).Draw(t, "database")
			if v.Database == "runtime" {
				v.TenantID = rapid.SampledFrom([]string{"acme", "{tenantId}"}).Draw(t, "tenant")
			}
			switch v.Mode {
			case config.ModeFlat:
				v.DataType = rapid.SampledFrom(config.DataTypes()).Draw(t, "type")
			case config.ModeLegacy:
				v.ReadThrough = rapid.Bool().Draw(t, "readThrough")
			}
		}
		all[fmt.Sprintf("explicit%d", i)] = v
	}
	return all
}

// propertyKeys are mapped in every bucket.
var propertyKeys = []string{
	item, blob, manifest, "a", "a/b", "records/a", "records/", "records", "versions/a", "content/a", "content/a/b", "backups/a", "p/a", "p/q/a",
	"q/a", "acme/a", "records/acme/a", "content/" + item, "versions/" + item, "..", "../records/a", "content/../a", "\U0010ffff", "content/records/a",
}

// TestInjective holds DESIGN's law over random configurations: no two (tenant, bucket, key)
// reach one physical object, but through aliases of one tenant; a key comes back from its
// physical key; and the keys of a mount keep their order.
func TestInjective(t *testing.T) {
	t.Parallel()
	servable := 0
	rapid.Check(t, func(t *rapid.T) {
		cfg := drawConfig(t)
		m := mapping.Build(cfg, mapping.Options{})
		if m.Report.Err() != nil {
			return
		}
		servable++
		type object struct{ store, bucket, key string }
		reached := map[object]string{}
		for i := range m.Buckets {
			r := &m.Buckets[i]
			group := r.TenantID + "\x00" + r.Group
			if r.Group == "" {
				group += "\x00" + r.Name
			}
			own := map[object]string{}
			for _, key := range propertyKeys {
				mount, ok := holder(r, key)
				if !ok {
					continue
				}
				o := object{m.Stores[mount.Backend], mount.Bucket, mount.Physical(key)}
				if other, taken := own[o]; taken {
					t.Fatalf("bucket %s keeps %q and %q in %v", r.Name, key, other, o)
				}
				own[o] = key
				if other, taken := reached[o]; taken && other != group {
					t.Fatalf("%q and %q reach %v", other, group, o)
				}
				reached[o] = group
				if back := mount.Under + strings.TrimPrefix(o.key, mount.Prefix); back != key || !strings.HasPrefix(o.key, mount.Prefix) {
					t.Fatalf("%q is %q and comes back as %q", key, o.key, back)
				}
			}
			checkOrder(t, r)
			checkOld(t, m, r)
		}
	})
	if servable == 0 {
		t.Error("no configuration that was drawn can be served: the test says nothing")
	}
}

// holder is the mount that holds the key.
func holder(r *router.BucketRecord, key string) (router.Mount, bool) {
	s := router.NewSelector(r)
	i, err := s.Select(key)
	if err != nil {
		return router.Mount{}, false
	}
	return s.Mounts()[i], true
}

// checkOrder holds that physical keys of a mount are in the order of the keys.
func checkOrder(t *rapid.T, r *router.BucketRecord) {
	last := map[string]string{}
	for _, key := range slices.Sorted(slices.Values(propertyKeys)) {
		if mount, ok := holder(r, key); ok {
			if physical := mount.Physical(key); physical <= last[mount.ID] {
				t.Fatalf("bucket %s, mount %s: %q comes after %q", r.Name, mount.ID, physical, last[mount.ID])
			}
			last[mount.ID] = mount.Physical(key)
		}
	}
}

// checkOld holds that what is read through is nobody's else.
func checkOld(t *rapid.T, m *mapping.Map, r *router.BucketRecord) {
	for _, old := range r.Mounts {
		if !old.Old {
			continue
		}
		for i := range m.Buckets {
			for _, o := range m.Buckets[i].Mounts {
				if o.Old || m.Stores[o.Backend] != m.Stores[old.Backend] || o.Bucket != old.Bucket {
					continue
				}
				mine := strings.HasPrefix(o.Prefix, old.Prefix) && !slices.ContainsFunc(old.Exclude, func(x string) bool { return strings.HasPrefix(o.Prefix, x) })
				if mine || strings.HasPrefix(old.Prefix, o.Prefix) {
					t.Fatalf("bucket %s reads through what is %s's: %s in %s", r.Name, m.Buckets[i].Name, o, old)
				}
			}
		}
	}
}

// TestPlan compares the two configurations of CR-001 and what is in between.
func TestPlan(t *testing.T) {
	t.Parallel()
	entry := func(rest string) string {
		return connections + `
databases: {knowledge: {genericDatabase: {dbConnRef: m, spaceConnRef: plain, dbName: d, ` + rest + `}, domainsDatabases: [], tenantDatabases: []}}
`
	}
	old := served(t, entry("bucket: data")+"xronoxProxy: {connections: {plain: {layout: native}}}")
	split := served(t, entry("recordsBucket: data, versionsBucket: vers, contentBucket: cont, backupsBucket: back"))
	var got []string
	for _, s := range mapping.Plan(old, split) {
		got = append(got, fmt.Sprintf("%s %s: %s, %s to %s %v", s.Bucket, s.Keys, s.Change, s.From, s.To, s.ReadThrough))
	}
	want := []string{
		"data class records: moves, plain: data/ to plain: data/records/ true",
		"data class versions: moves, plain: data/ to plain: vers/versions/ true",
		"data class content: moves, plain: data/ to plain: cont/content/ true",
		"data class other: moves, plain: data/ to plain: cont/content/ true",
		"data class backups: moves, plain: data/ to plain: back/backups/ true",
		"knowledge-generic records/*: appears,  to plain: data/records/ false",
		"knowledge-generic versions/*: appears,  to plain: vers/versions/ false",
		"knowledge-generic content/*: appears,  to plain: cont/content/ false",
		"knowledge-generic backups/*: appears,  to plain: back/backups/ false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("plan:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, s := range mapping.Plan(split, split) {
		if s.Change != mapping.Stays {
			t.Errorf("without a change: %+v", s)
		}
	}
	for _, s := range mapping.Plan(split, old) {
		if s.Bucket == "knowledge-generic" && s.Change != mapping.Goes || s.Bucket == "data" && (s.Change != mapping.Moves || s.ReadThrough) {
			t.Errorf("back: %+v", s)
		}
	}
}
