package s3api

import (
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/router"
)

// TestMatchWildcard: what a pattern stands for.
func TestMatchWildcard(t *testing.T) {
	t.Parallel()
	f := func(pattern, s string, want bool) {
		t.Helper()
		if got := matchWildcard(pattern, s); got != want {
			t.Errorf("%q matches %q: %v", pattern, s, got)
		}
	}
	f("*", "", true)
	f("*", "null", true)
	f("http://a", "http://a", true)
	f("http://a", "http://A", false)
	f("http://a", "http://a.b", false)
	f("http://*.b", "http://a.b", true)
	f("http://*.b", "http://.b", true)
	f("http://*.b", "http://b", false)
	f("http://*.b", "https://a.b", false)
	f("http://*", "http://a.b", true)
	f("*.b", "a.b", true)
	f("ab*ba", "aba", false) // What is before and after must not overlap.
	f("ab*ba", "abba", true)
}

// TestCrossOriginMatch: the first rule that allows all of a request counts.
func TestCrossOriginMatch(t *testing.T) {
	t.Parallel()
	rules := []router.CORSRule{
		{ID: "1", AllowedOrigins: []string{"http://a", "http://*.a"}, AllowedMethods: []string{"GET"}, AllowedHeaders: []string{"X-Amz-*", "range"}},
		{ID: "2", AllowedOrigins: []string{"http://a"}, AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"*"}},
		{ID: "3", AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET"}},
	}
	f := func(origin, method, headers, id, answer string) {
		t.Helper()
		r := crossOrigin{origin: origin, method: method}
		if headers != "" {
			r.headers = strings.Split(headers, ",")
		}
		rule, got := r.match(rules)
		switch {
		case rule == nil && id == "":
		case rule == nil || rule.ID != id || got != answer:
			t.Errorf("%s %s %q: %+v, %q", origin, method, headers, rule, got)
		}
	}
	f("http://a", "GET", "", "1", "http://a")
	f("http://b.a", "GET", "x-amz-date, Range", "1", "http://b.a")
	f("http://a", "GET", "x-other", "2", "http://a")
	f("http://a", "PUT", "", "2", "http://a")
	f("http://b", "GET", "", "3", "*")
	f("http://b", "GET", "range", "", "")
	f("http://b", "PUT", "", "", "")
	f("http://a", "DELETE", "", "", "")
	f("http://a", "get", "", "", "")
	f("http://a", "PUT", strings.Repeat("a,", maxHeaders-1)+"a", "2", "http://a")
	f("http://a", "PUT", strings.Repeat("a,", maxHeaders)+"a", "", "")
}
