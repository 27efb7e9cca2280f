package config

import "testing"

// TestURLs: what JavaScript takes for a URL, and what a store can be reached at.
func TestURLs(t *testing.T) {
	t.Parallel()
	f := func(s string, javascript, store bool) {
		t.Helper()
		if got := isWHATWGURL(s); got != javascript {
			t.Errorf("%q for JavaScript: %v", s, got)
		}
		if got := endpointRule.re().MatchString(s) && isStoreURL(s); got != store {
			t.Errorf("%q for a store: %v", s, got)
		}
	}
	f("http://h:9000", true, true)
	f("https://h", true, true)
	f("HTTPS://H/", true, true)
	f("https://[::1]:9000", true, true)
	f("https://127.0.0.1", true, true)
	f("localhost:9000", true, false)
	f("ftp://x", true, false)
	f("http:/x", true, false)
	f("http:x", true, false)
	f(`http:\\x`, true, false)
	f(" http://h ", true, false)
	f("http://u:p@h", true, false)
	f("http://h?q", true, false)
	f("file:", true, false)
	f("mailto:x", true, false)
	f("foo://h", true, false)
	f("http://1.2", true, true) // an address, for JavaScript
	f("s3.amazonaws.com", false, false)
	f("https://", false, false)
	f("https:///", false, false)
	f("", false, false)
	f("//h", false, false)
	f("1http://h", false, false)
	f("http://h:99999", false, false)
	f("http://h:x", false, false)
	f("http://a b", false, false)
	f("http://a%20b", false, false)
	f("http://[::1", false, false)
	f("http://[x]", false, false)
	f("http://:80", false, false)
	f("http://u@", false, false)
	f("foo://u@", false, false)
	if isWHATWGURL("http://256.1.1.1") || isWHATWGURL("http://1.2.3.4.5") || isWHATWGURL("http://08") {
		t.Error("hosts that end in a number are addresses")
	}
	if !isWHATWGURL("http://0x7f.1") || !isWHATWGURL("http://4294967295") || !isWHATWGURL("http://1.2.3.x4") {
		t.Error("addresses in other notations")
	}
}

// TestSuggest: near names, and only those.
func TestSuggest(t *testing.T) {
	t.Parallel()
	f := func(name, want string) {
		t.Helper()
		if want != "" {
			want = `did you mean "` + want + `"?`
		}
		if got := suggest(name, []string{"listen", "admin", "region", "domains", "dataDir", "accessKey"}); got != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	f("listne", "listen")
	f("Listen", "listen")
	f("domain", "domains")
	f("datadir", "dataDir")
	f("acessKey", "accessKey")
	f("x", "")
	f("", "")
	f("something", "")
}
