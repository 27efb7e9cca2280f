package router

import (
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/s3err"
)

func TestValidateBucketName(t *testing.T) {
	t.Parallel()
	f := func(ok bool, names ...string) {
		t.Helper()
		for _, name := range names {
			err := ValidateBucketName(name)
			if (err == nil) != ok || (err != nil && !s3err.Is(err, s3err.InvalidBucketName)) {
				t.Errorf("%q: %v; want it valid: %v", name, err, ok)
			}
		}
	}
	f(true, "abc", "123", "a-b", "a--b", "my.bucket.name", "1.2.3", "1.2.3.4.5", "a.1.2.3", strings.Repeat("a", 63))
	f(false, "", "a", "ab", strings.Repeat("a", 64))
	f(false, "Abc", "a_b", "a b", "abü", "a/b", "a\x00b", "a%b")
	f(false, "-ab", "ab-", ".ab", "ab.", "a..b", "a.-b", "a-.b")
	f(false, "192.168.5.4", "999.1.1.1")
	f(false, "xn--abc", "sthree-abc", "amzn-s3-demo-abc", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3", "abc--table-s3")
}

func TestValidateTenantID(t *testing.T) {
	t.Parallel()
	f := func(ok bool, ids ...string) {
		t.Helper()
		for _, id := range ids {
			if err := ValidateTenantID(id); (err == nil) != ok {
				t.Errorf("%q: %v; want it valid: %v", id, err, ok)
			}
		}
	}
	f(true, "default", "ACME & Söhne", "a.b:c")
	f(false, "*", ".", "..", "", "a/b", "a\nb", "a\x00b", "a\xff", strings.Repeat("a", 256))
}
