package router

import (
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	domains := Domains{"s3.example.com", "example.com", "eu.s3.example.com", "localhost"}
	f := func(host, path, bucket, key string, hosted bool) {
		t.Helper()
		b, k, h := domains.Split(host, path)
		if b != bucket || k != key || h != hosted {
			t.Errorf("%s%s: %q, %q, %v; want %q, %q, %v", host, path, b, k, h, bucket, key, hosted)
		}
	}
	f("s3.example.com", "/", "", "", false)
	f("s3.example.com", "/bucket", "bucket", "", false)
	f("s3.example.com", "/bucket/", "bucket", "", false)
	f("s3.example.com", "/bucket/a/b", "bucket", "a/b", false)
	f("s3.example.com:9000", "/bucket//a/%2F%20", "bucket", "/a/%2F%20", false)
	f("s3.example.com", "/my%2Dbucket/a%2Db", "my-bucket", "a%2Db", false)
	f("s3.example.com", "/a%2Fb/k", "a/b", "k", false)
	f("s3.example.com", "/%zz/k", "%zz", "k", false)
	f("s3.example.com", "//key", "", "key", false)

	f("bucket.s3.example.com", "/", "bucket", "", true)
	f("bucket.s3.example.com", "/a/b", "bucket", "a/b", true)
	f("bucket.s3.example.com:443", "//a", "bucket", "/a", true)
	f("my.bucket.S3.Example.COM.", "/k", "my.bucket", "k", true)
	f("Bucket.s3.example.com", "/k", "bucket", "k", true)
	f("b.eu.s3.example.com", "/k", "b", "k", true)
	f("eu.s3.example.com", "/b/k", "b", "k", false)
	f("other.example.com", "/k", "other", "k", true)
	f("bucket.localhost:9000", "/k", "bucket", "k", true)

	f("xs3.example.org", "/b/k", "b", "k", false)
	f("notexample.com", "/b/k", "b", "k", false)
	f(".s3.example.com", "/k", ".s3", "k", true) // no bucket is called so
	f(".eu.example.net", "/b/k", "b", "k", false)
	f("127.0.0.1:9000", "/b/k", "b", "k", false)
	f("[::1]:9000", "/b/k", "b", "k", false)
	f("[::1]", "/b/k", "b", "k", false)
	f("", "/b/k", "b", "k", false)

	domains = nil
	f("bucket.s3.example.com", "/b/k", "b", "k", false)
}

func TestAliases(t *testing.T) {
	t.Parallel()
	domains := Domains{"s3.example.com", "s3.internal", "example.com"}
	f := func(host string, want ...string) {
		t.Helper()
		if got := domains.Aliases(host); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
	f("10.0.0.1:9000", "s3.example.com", "s3.internal", "example.com")
	f("s3.internal:9000", "s3.example.com", "s3.internal", "example.com")
	f("", "s3.example.com", "s3.internal", "example.com")
	f("b.s3.internal:9000", "b.s3.example.com", "b.s3.internal", "b.example.com")
	f("S3.s3.internal", "s3.s3.example.com", "s3.s3.internal") // s3.example.com is no bucket of example.com
	domains = nil
	f("b.s3.internal")
}

// FuzzSplit holds that nothing of a path is lost, and that a host is either
// wholly explained or not used. Aliases mean the same.
func FuzzSplit(f *testing.F) {
	domains := Domains{"s3.example.com", "example.com"}
	f.Add("bucket.s3.example.com:80", "/a/b%20")
	f.Add("[::1]:9000", "//")
	f.Fuzz(func(t *testing.T, host, path string) {
		bucket, key, hosted := domains.Split(host, path)
		if hosted && (bucket == "" || key != strings.TrimPrefix(path, "/") || !strings.Contains(strings.ToLower(host), ".example.com")) {
			t.Errorf("%q %q: %q, %q", host, path, bucket, key)
		}
		if !hosted && !strings.HasSuffix(path, key) {
			t.Errorf("%q %q: the key is %q", host, path, key)
		}
		for _, alias := range domains.Aliases(host) {
			if b, k, h := domains.Split(alias, path); b != bucket || k != key || h != hosted {
				t.Errorf("%q and its alias %q mean %q and %q", host, alias, bucket, b)
			}
		}
	})
}
