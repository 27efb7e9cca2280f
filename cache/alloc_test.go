//go:build !race

package cache

import "testing"

// TestHitAllocates pins what the path of every request costs in memory: nothing.
func TestHitAllocates(t *testing.T) {
	c := New(newTable(), Options{})
	expect(t, c, "t", "b", "1")
	expect(t, c, "t", "none", "")
	ctx := t.Context()
	f := func(bucket string) {
		t.Helper()
		if n := testing.AllocsPerRun(1000, func() { _, _ = c.Resolve(ctx, "t", bucket) }); n != 0 {
			t.Errorf("a hit on %q allocates %v times", bucket, n)
		}
	}
	f("b")
	f("none")
}
