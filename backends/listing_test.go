package backends

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sliceCursor walks sorted keys, counts its moves and can fail.
type sliceCursor struct {
	keys  []string
	at    int
	moves int
	fail  error
}

func (c *sliceCursor) SeekGE(key, _ string) bool {
	c.moves++
	c.at, _ = slices.BinarySearch(c.keys, key)
	return c.at < len(c.keys) && c.fail == nil
}

func (c *sliceCursor) Next() bool {
	c.moves++
	c.at++
	return c.at < len(c.keys) && c.fail == nil
}

func (c *sliceCursor) Key() string            { return c.keys[c.at] }
func (c *sliceCursor) Value() (string, error) { return c.keys[c.at], nil }
func (c *sliceCursor) Err() error             { return c.fail }

// TestListPage compares pages with the contract's words, over bytes that make
// successors hard, and holds the cost.
func TestListPage(t *testing.T) {
	t.Parallel()
	runes := rapid.SampledFrom([]rune{'a', 'b', '/', '\x00', '\U0010ffff'})
	text, key := rapid.StringOfN(runes, 0, 6, -1), rapid.StringOfN(runes, 1, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(key, 0, 20, rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		q := PageQuery{
			Prefix:    text.Draw(t, "prefix"),
			Delimiter: rapid.SampledFrom([]string{"", "/", "a", "\x00", "\U0010ffff", "//", "\xff"}).Draw(t, "delimiter"),
			After:     text.Draw(t, "after"),
			Max:       rapid.IntRange(0, 8).Draw(t, "max"),
		}
		c := &sliceCursor{keys: keys}
		page, err := ListPage(c, q)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Clone(page.Values)
		for _, p := range page.CommonPrefixes {
			got = append(got, *p.Prefix)
		}
		slices.Sort(got)
		want := listed(keys, q)
		truncated := q.Max > 0 && len(want) > q.Max
		want = want[:min(q.Max, len(want))]
		if !slices.Equal(got, want) || page.Truncated != truncated {
			t.Fatalf("got %q %v, want %q %v", got, page.Truncated, want, truncated)
		}
		if len(want) > 0 && page.Last != want[len(want)-1] {
			t.Fatalf("Last is %q, want %q", page.Last, want[len(want)-1])
		}
		if c.moves > len(want)+2 {
			t.Fatalf("%d moves for %d entries", c.moves, len(want))
		}
	})
}

// listed are all entries of a query, from its definition.
func listed(keys []string, q PageQuery) (all []string) {
	for _, key := range keys {
		if !strings.HasPrefix(key, q.Prefix) {
			continue
		}
		entry := key
		if i := strings.Index(key[len(q.Prefix):], q.Delimiter); q.Delimiter != "" && i >= 0 {
			entry = key[:len(q.Prefix)+i+len(q.Delimiter)]
		}
		if entry > q.After && !slices.Contains(all, entry) {
			all = append(all, entry)
		}
	}
	return all
}

func TestListPageFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if _, err := ListPage(&sliceCursor{keys: []string{"a"}, fail: broken}, PageQuery{Max: 1}); !errors.Is(err, broken) {
		t.Errorf("got %v: a listing that broke off must not look complete", err)
	}
}

func TestPrefixEnd(t *testing.T) {
	t.Parallel()
	f := func(prefix, want string, ok bool) {
		t.Helper()
		if got, exists := PrefixEnd(prefix); got != want || exists != ok {
			t.Errorf("%q: got %q %v", prefix, got, exists)
		}
	}
	f("a/", "a0", true)
	f("a\xff", "b", true)
	f("a\xff\xff", "b", true)
	f("\xff\xff", "", false)
	f("", "", false)
	f("\U0010ffff", "\xf4\x8f\xbf\xc0", true)
	f("\x00", "\x01", true)
}
