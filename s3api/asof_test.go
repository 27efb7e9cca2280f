package s3api

import (
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/router"
)

// TestAsOfSecond holds that a time in whole seconds, which is all that clients are shown, is the end of its second.
func TestAsOfSecond(t *testing.T) {
	t.Parallel()
	f := func(asOf, want string) {
		t.Helper()
		at := func(s string) time.Time {
			v, err := time.Parse(time.RFC3339Nano, s)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		c := &call{op: &operation{}, identity: &router.Identity{}}
		if got := c.requestAt(at(asOf)).AsOf; !got.Equal(at(want)) {
			t.Errorf("%s looks at %s, want %s", asOf, got, want)
		}
	}
	f("2026-11-23T10:15:00Z", "2026-11-23T10:15:00.999Z")
	f("2026-11-23T10:15:00.5Z", "2026-11-23T10:15:00.5Z")
	c := &call{op: &operation{}, identity: &router.Identity{}}
	if got := c.requestAt(time.Time{}).AsOf; !got.IsZero() {
		t.Errorf("now is %s", got)
	}
}
