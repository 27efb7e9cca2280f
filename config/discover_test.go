package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xronox/xronox-proxy/config"
)

// TestDiscover is the search of reference §1.1.
func TestDiscover(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	touch := func(parts ...string) string {
		p := filepath.Join(append([]string{root}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	f := func(dir, want string, searched ...string) {
		t.Helper()
		got, paths, ok := config.Discover(filepath.Join(root, dir))
		if got != want || ok != (want != "") {
			t.Errorf("%s: got %q, want %q", dir, got, want)
		}
		for i := range searched {
			searched[i] = filepath.Join(root, searched[i])
		}
		if len(searched) > 0 {
			if diff := cmp.Diff(searched, paths); diff != "" {
				t.Error(diff)
			}
		}
	}
	touch("app", "package.json")
	touch("app", "src", "deep", "x")
	f("app/src/deep", "", "app/src/deep/xronox.config.json", "app/src/deep/.xronox.json", "app/src/deep/xronox-config.json",
		"app/xronox.config.json", "app/.xronox.json", "app/xronox-config.json")
	f("app", "", "app/xronox.config.json", "app/.xronox.json", "app/xronox-config.json")
	third := touch("app", "xronox-config.json")
	f("app/src/deep", third)
	second := touch("app", ".xronox.json")
	f("app/src/deep", second)
	first := touch("app", "xronox.config.json")
	f("app/src/deep", first)
	// A nearer package.json ends the search; a nearer file wins.
	touch("app", "src", "package.json")
	f("app/src/deep", "")
	f("app/src/deep", "")
	want := "No Xronox configuration found. Searched paths: /a, /b. Either provide config to initXronox(config) or create one of: xronox.config.json, .xronox.json"
	if got := config.NotFound([]string{"/a", "/b"}).Error(); got != want {
		t.Errorf("got %s", got)
	}
	near := touch("app", "src", "deep", ".xronox.json")
	f("app/src/deep", near)
}
