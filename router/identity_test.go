package router

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAllows(t *testing.T) {
	t.Parallel()
	everything := &Identity{}
	reader := &Identity{Grants: []Grant{
		{Buckets: []string{"logs-*", "one"}, Prefix: "a/", Actions: []Action{Read, List}},
		{Buckets: []string{"mine"}, Actions: []Action{AllActions}},
		{Buckets: []string{"*"}, Actions: nil},
	}}
	f := func(id *Identity, want bool, a Action, bucket, key string) {
		t.Helper()
		if got := id.Allows(a, bucket, key); got != want {
			t.Errorf("%s of %s/%s: %v, want %v", a, bucket, key, got, want)
		}
	}
	f(everything, true, Write, "b", "k")
	f(everything, true, Admin, "b", "")
	f(reader, true, Read, "logs-1", "a/k")
	f(reader, true, Read, "one", "a/")
	f(reader, true, List, "logs-", "a/b")
	f(reader, false, List, "logs-1", "")
	f(reader, false, List, "logs-1", "a")
	f(reader, false, Read, "logs-1", "b/k")
	f(reader, false, Write, "logs-1", "a/k")
	f(reader, false, Read, "log-1", "a/k")
	f(reader, true, Admin, "mine", "")
	f(reader, true, Delete, "mine", "k")
	f(reader, false, Admin, "one", "")
	f(&Identity{Grants: []Grant{{}}}, false, Read, "b", "k")
}

func TestAllowsSome(t *testing.T) {
	t.Parallel()
	id := &Identity{Grants: []Grant{
		{Buckets: []string{"logs-*"}, Prefix: "a/", Actions: []Action{Delete}},
		{Buckets: []string{"mine"}, Actions: []Action{AllActions}},
		{Buckets: []string{"*"}, Actions: []Action{Read}},
	}}
	f := func(id *Identity, want bool, a Action, bucket string) {
		t.Helper()
		if got := id.AllowsSome(a, bucket); got != want {
			t.Errorf("%s in %s: %v, want %v", a, bucket, got, want)
		}
	}
	f(&Identity{}, true, Delete, "b")
	f(id, true, Delete, "logs-1")
	f(id, true, Delete, "mine")
	f(id, false, Delete, "b")
	f(id, false, Write, "logs-1")
	f(id, true, Read, "b")
}

// TestMatch compares with what a regular expression makes of the pattern.
func TestMatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,8}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab]{0,10}`).Draw(t, "s")
		re := regexp.MustCompile("^" + strings.ReplaceAll(pattern, "*", ".*") + "$")
		if got, want := match(pattern, s), re.MatchString(s); got != want {
			t.Fatalf("match(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
	if ok, err := path.Match("[", "["); match("[", "[") == ok || err == nil {
		t.Error(`only "*" is special`)
	}
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	ids, err := NewIdentities([]Credential{
		{Identity: Identity{AccessKey: "A"}, SecretKey: "sa"},
		{Identity: Identity{AccessKey: "B", UserID: "u", DisplayName: "U", TenantID: "t"}, SecretKey: "sb"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := ids.Identity("A"); !ok || id.UserID != "A" || id.DisplayName != "A" || id.TenantID != DefaultTenant {
		t.Errorf("A is %+v", id)
	}
	if id, ok := ids.Identity("B"); !ok || id.UserID != "u" || id.DisplayName != "U" || id.TenantID != "t" {
		t.Errorf("B is %+v", id)
	}
	if s, ok := ids.SecretKey("B"); s != "sb" || !ok {
		t.Errorf("the secret of B is %q, %v", s, ok)
	}
	if _, ok := ids.Identity("C"); ok {
		t.Error("there is no C")
	}
	if s, ok := ids.SecretKey("C"); s != "" || ok {
		t.Error("C has no secret")
	}
	only := func(want string, list ...Credential) {
		t.Helper()
		if ids, err := NewIdentities(list); err != nil || ids.OnlyTenant() != want {
			t.Errorf("%v: %v", list, err)
		}
	}
	alone := Credential{Identity: Identity{AccessKey: "A", TenantID: "t"}, SecretKey: "s"}
	only("t", alone, Credential{Identity: Identity{AccessKey: "B", TenantID: "t"}, SecretKey: "s"})
	only("", alone, Credential{Identity: Identity{AccessKey: "B"}, SecretKey: "s"})
	only("")
	f := func(want string, list ...Credential) {
		t.Helper()
		if _, err := NewIdentities(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want an error about %q", err, want)
		}
	}
	f("twice", Credential{Identity: Identity{AccessKey: "A"}, SecretKey: "1"}, Credential{Identity: Identity{AccessKey: "A"}, SecretKey: "2"})
	f("secret", Credential{Identity: Identity{AccessKey: "A"}})
	f("access key", Credential{SecretKey: "1"})
	f("access key", Credential{Identity: Identity{AccessKey: "a/b"}, SecretKey: "1"})
	f("tenant", Credential{Identity: Identity{AccessKey: "A", TenantID: "a/b"}, SecretKey: "1"})
	f("raed", Credential{Identity: Identity{AccessKey: "A", Grants: []Grant{{Actions: []Action{"raed"}}}}, SecretKey: "1"})
}
