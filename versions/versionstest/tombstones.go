package versionstest

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/xronox/xronox-proxy/versions"
)

func hideOnce(t *testing.T, x versions.Index) {
	var inserted atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			ok, err := x.Hide(t.Context(), "b", "k")
			if err != nil {
				t.Error(err)
			}
			if ok {
				inserted.Add(1)
			}
		})
	}
	wg.Wait()
	if n := inserted.Load(); n != 1 {
		t.Errorf("%d calls say that they hid the key, want one", n)
	}
	f := func(bucketID, key string, want bool) {
		t.Helper()
		hidden, err := x.Hidden(t.Context(), bucketID, key)
		must(t, err)
		if hidden != want {
			t.Errorf("%q in %q is hidden: %v", key, bucketID, hidden)
		}
	}
	f("b", "k", true)
	f("b", "k/", false)
	f("b", "", false)
	f("bk", "", false)
	f("", "bk", false)
}

func hiddenKeys(t *testing.T, x versions.Index) {
	keys := []string{"\x00", "a", "a/", "a/\x00", "a/b", "a0", "b", "ü/ä", "\U0010ffff", "\U0010ffff\U0010ffff", strings.Repeat("k", 1024)}
	for _, bucketID := range []string{"b", "b\x01", "", "bb", strings.Repeat("b", 200)} {
		for _, key := range keys {
			_, err := x.Hide(t.Context(), bucketID, key)
			must(t, err)
		}
	}
	_, err := x.Hide(t.Context(), "c", "only one")
	must(t, err)
	slices.Sort(keys)
	f := func(bucketID, prefix, from string, want ...string) {
		t.Helper()
		for limit := range len(want) + 2 {
			got, err := x.HiddenKeys(t.Context(), bucketID, prefix, from, limit)
			must(t, err)
			if !slices.Equal(got, want[:min(limit, len(want))]) {
				t.Errorf("%d of %q in %q from %q: %q, want %q", limit, prefix, bucketID, from, got, want)
			}
		}
	}
	f("b", "", "", keys...)
	f("", "", "", keys...)
	f("b", "", "a/", keys[2:]...)
	f("b", "", "a/\x00\x00", keys[4:]...)
	f("b", "", "a/\xff", keys[5:]...) // as listings seek
	f("b", "", "\xff")
	f("b", "a/", "", "a/", "a/\x00", "a/b")
	f("b", "a/", "a/a", "a/b")
	f("b", "a/", "b")
	f("b", "\U0010ffff", "", "\U0010ffff", "\U0010ffff\U0010ffff")
	f("c", "", "", "only one")
	f("d", "", "")
}
