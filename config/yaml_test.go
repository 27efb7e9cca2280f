package config_test

import (
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/config"
)

// TestYAML: YAML means what the same JSON would mean, and is bounded.
func TestYAML(t *testing.T) {
	t.Parallel()
	// f reads text and returns the errors' messages.
	f := func(text string, want ...string) {
		t.Helper()
		_, report, _ := config.Parse([]byte(text), "c.yaml", config.Options{Env: env()})
		var got []string
		for _, p := range report.Errors() {
			got = append(got, p.Message)
		}
		if len(got) != len(want) {
			t.Errorf("%.80s: got %q, want %q", text, got, want)
			return
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("%.80s: got %q, want %q", text, got, want)
			}
		}
	}
	f("xronoxProxy: {region: eu-1}")
	f("---\nxronoxProxy:\n")
	f("xronoxProxy: {region: 2026-11-24}") // a text, as in JSON
	f("xronoxProxy: {region: yes}")        // YAML 1.2
	f("xronoxProxy: {region: true}", "Expected string, received boolean")
	f("xronoxProxy: {region: 1}", "Expected string, received number")
	f("xronoxProxy: {limits: {maxHeaderBytes: 0x10000}}")
	f("xronoxProxy: {limits: {maxHeaderBytes: .nan}}", "not a number")
	f("xronoxProxy: {limits: {maxHeaderBytes: .inf}}", "Expected integer, received float")
	f("xronoxProxy: {region: a, region: b}", "region")
	f("xronoxProxy: {region: !!binary YWJj}", "tag")
	f("xronoxProxy: {region: !own x}", "tag")
	f("xronoxProxy: {? [a] : b}", "a name must be a text")
	f("xronoxProxy: {}\n---\nxronoxProxy: {}", "a second document")
	f("", "the file is empty")
	f("# nothing", "the file is empty")
	f("xronoxProxy: &a {credentials: [*a]}", "")
	f("x: &a {region: eu-1}\nxronoxProxy: {<<: *a, listen: ':1'}")
	f("x: &a {region: 1}\nxronoxProxy: {<<: *a, region: eu-1}")
	f("x: &a {region: 1}\ny: &b {region: ok}\nxronoxProxy: {<<: [*b, *a]}")
	f("xronoxProxy: {<<: 1}", "")
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		this, last := string(rune('1'+i)), string(rune('0'+i))
		laughs += "a" + this + ": &a" + this + " [" + strings.Repeat("*a"+last+", ", 10) + "]\n"
	}
	f(laughs, "")
	f(strings.Repeat("[", 1000), "")
	f(strings.Repeat("[", 1000)+strings.Repeat("]", 1000), "")
}

// TestFormats: the name tells the format, else the first character.
func TestFormats(t *testing.T) {
	t.Parallel()
	f := func(name, text string, fine bool) {
		t.Helper()
		if _, _, err := config.Parse([]byte(text), name, config.Options{}); (err == nil) != fine {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("c.json", `{"xronoxProxy":{}}`, true)
	f("c.json", `xronoxProxy: {}`, false)
	f("c.YML", `xronoxProxy: {}`, true)
	f("c.yaml", `{"xronoxProxy":{}}`, true)
	f("c", `xronoxProxy: {}`, true)
	f("c", ` {"xronoxProxy":{}}`, true)
	f("", ` {xronoxProxy: {}}`, false)
}
