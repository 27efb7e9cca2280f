package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xronox/xronox-proxy/config"
)

// TestExpand is the templates of reference §1.5.
func TestExpand(t *testing.T) {
	t.Parallel()
	late := time.Date(2026, 11, 24, 23, 30, 0, 0, time.FixedZone("", -3600)) // the 25th in UTC
	f := func(template string, tc config.TenantContext, want string) {
		t.Helper()
		tc.TenantID, tc.Now = "acme", late
		got, err := config.Expand(template, tc)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", template, got, want)
		}
	}
	f("x-{tenantId}-{tenantId}", config.TenantContext{}, "x-acme-acme")
	f("{tier}/{timestamp}/{env}/{region}", config.TenantContext{}, "default/20261125/production/us-east-1")
	f("{tier}/{env}/{region}", config.TenantContext{Tier: "gold", Env: "test", Region: "eu"}, "gold/test/eu")
	f("{a-b} {} { tenantId } {{tenantId}}", config.TenantContext{}, "{a-b} {} { tenantId } {acme}")
	f("{plan_1}", config.TenantContext{Meta: []config.Var{{Name: "plan_1", Value: "pro"}}}, "pro")
	f("{x}", config.TenantContext{Meta: []config.Var{{Name: "plan", Value: "pro"}}},
		"Template variable {x} not provided. Available: tenantId, tier, timestamp, env, region, plan")
	// The hole of v3.1.0: a caller must not become another tenant.
	f("{tenantId}", config.TenantContext{Meta: []config.Var{{Name: "tenantId", Value: "other"}}}, "acme")
}

// TestDynamicEntry is the tiers of reference §1.5.
func TestDynamicEntry(t *testing.T) {
	t.Parallel()
	d := &config.DynamicTenants{
		Enabled: true,
		Tier:    config.Tier{DBConnRef: "m", SpaceConnRef: "s", BucketTemplate: "{tenantId}-{tier}", DBNameTemplate: "db_{tenantId}"},
		Tiers:   map[string]config.Tier{"gold": {DBConnRef: "g", RecordsBucketTemplate: "gold-{tenantId}", DBNameTemplate: "g"}},
	}
	f := func(tier string, want config.Entry) {
		t.Helper()
		got, err := d.Entry(config.TenantContext{TenantID: "acme", Tier: tier})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Error(diff)
		}
	}
	f("", config.Entry{TenantID: "acme", DBConnRef: "m", SpaceConnRef: "s", Bucket: "acme-default", DBName: "db_acme"})
	f("unknown", config.Entry{TenantID: "acme", DBConnRef: "m", SpaceConnRef: "s", Bucket: "acme-unknown", DBName: "db_acme"})
	f("gold", config.Entry{TenantID: "acme", DBConnRef: "g", RecordsBucket: "gold-acme", DBName: "g"}) // nothing inherited
}

// TestTenantRules is the checks of ids in reference §1.5, in their order.
func TestTenantRules(t *testing.T) {
	t.Parallel()
	f := func(rules *config.TenantRules, id, want string) {
		t.Helper()
		_, err := (&config.DynamicTenants{Enabled: true, Validation: rules}).Entry(config.TenantContext{TenantID: id})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
	r := &config.TenantRules{Pattern: "b", MinLength: 3, MaxLength: 5, AllowedChars: "a-z"}
	f(nil, "", "")
	f(r, "abc", "")
	f(r, "ab", "Tenant ID 'ab' must be at least 3 characters")
	f(r, "abcdef", "Tenant ID 'abcdef' must not exceed 5 characters")
	f(r, "acd", "Tenant ID 'acd' does not match required pattern: b")
	f(r, "ab1", "Tenant ID 'ab1' contains invalid characters. Allowed: [a-z]")
	f(&config.TenantRules{MaxLength: 1}, "😀", "Tenant ID '😀' must not exceed 1 characters") // two for JavaScript

	_, err := (&config.DynamicTenants{}).Entry(config.TenantContext{TenantID: "acme"})
	if want := "Tenant 'acme' not found in static configuration and dynamic tenants are not enabled. Either add the tenant to tenantDatabases or enable dynamicTenants."; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// TestDynamicLoads: v3.1.0 drops the section, the lenient reader keeps it.
func TestDynamicLoads(t *testing.T) {
	t.Parallel()
	text := edit(t, set("databases.runtime", `json:{"tenantDatabases":[],"dynamicTenants":{"enabled":true,"dbConnRef":"m","spaceConnRef":"s","bucketTemplate":"t-{tenantId}","dbNameTemplate":"d",
		"tiers":{"gold":{"dbConnRef":"m","spaceConnRef":"s","bucketTemplate":"g-{tenantId}","dbNameTemplate":"d"}},"validation":{"minLength":2}}}`))
	lax, report, err := config.Parse([]byte(text), "", config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := lax.Xronox.Databases.Runtime.DynamicTenants
	if d == nil || d.BucketTemplate != "t-{tenantId}" || d.Tiers["gold"].BucketTemplate != "g-{tenantId}" || d.Validation.MinLength != 2 {
		t.Errorf("got %+v, %v", d, report)
	}
	strict, _, err := config.Parse([]byte(text), "", config.Options{Strict: true})
	if err != nil || strict.Xronox.Databases.Runtime.DynamicTenants != nil {
		t.Errorf("strict: %v", err)
	}
}
