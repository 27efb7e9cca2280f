package versionstest

import (
	"slices"
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
)

// fill gives every odd key of the bucket "b" the log of changes, and those of every other odd bucket so many
// rows of it. It returns what a listing of "b" has.
func fill(t testing.TB, x versions.Index, others int) (heads []versions.Head, entries []versions.Entry) {
	t.Helper()
	rows := changes()
	for _, bucketID := range oddBuckets {
		for _, key := range oddKeys {
			o := versions.Object{BucketID: bucketID, Key: key}
			if bucketID != "b" {
				insert(t, x, o, rows[:others]...)
			} else {
				insert(t, x, o, rows...)
				heads = append(heads, versions.Head{Object: o, Top: rows[6]})
				for _, i := range []int{6, 4, 2} { // the latest about the newest first
					entries = append(entries, versions.Entry{Object: o, Row: stateless(rows[i])})
				}
			}
		}
	}
	must(t, x.InsertKey(t.Context(), versions.Object{BucketID: "b", Key: "inserted only"}))
	must(t, x.TakeSlot(t.Context(), versions.Slot{Object: versions.Object{BucketID: "b", Key: "slot only"}}))
	return heads, entries
}

// others is how many rows objects have that are not asked for.
func (o Options) others() int {
	if o.Slow {
		return 1
	}
	return len(changes())
}

// ranges are prefixes and keys to begin from.
var ranges = [][2]string{
	{"", ""},
	{"", "a"},
	{"", "a\x00"},
	{"", "a\x00\x00\x00"},
	{"", "c"},
	{"a", ""},
	{"a", "a/"},
	{"a", "b"},
	{"a/", "a"},
	{"\x00", ""},
	{"a\x00", "a\x00\x01"},
	{"\U0010ffff", ""},
	{"\u00ff", ""},
	{"x", ""},
	{"", "\U0010ffff\U0010ffff\U0010ffff"},
}

// sizes are limits of pages.
var sizes = []int{1, 2, 7, 1000}

// slowPages is how many pages of a listing a slow index is asked for.
const slowPages = 6

// sizes are the limits of pages of a listing that has so many items.
func (o Options) sizes(items int) []int {
	if !o.Slow {
		return sizes
	}
	return slices.DeleteFunc(slices.Clone(sizes), func(size int) bool { return items > slowPages*size })
}

func (o Options) headsInRange(t *testing.T, x versions.Index) {
	heads, _ := fill(t, x, o.others())
	for _, r := range ranges {
		var want []versions.Head
		for _, h := range heads {
			if strings.HasPrefix(h.Key, r[0]) && h.Key >= r[1] {
				want = append(want, h)
			}
		}
		for _, size := range o.sizes(len(want)) {
			var got []versions.Head
			for from := r[1]; ; {
				list, err := x.Heads(t.Context(), versions.Range{BucketID: "b", Prefix: r[0], From: versions.Position{Key: from}, Limit: size})
				must(t, err)
				if got = append(got, list...); len(list) < size {
					break
				}
				from = list[size-1].Key + "\x00"
			}
			same(t, got, want)
		}
	}
	list, err := x.Heads(t.Context(), versions.Range{BucketID: "b"})
	must(t, err)
	if len(list) > 0 {
		t.Errorf("a page of 0 has %d", len(list))
	}
}

func (o Options) versionsInRange(t *testing.T, x versions.Index) {
	_, entries := fill(t, x, o.others())
	f := func(r versions.Range, want []versions.Entry) {
		t.Helper()
		for _, size := range o.sizes(len(want)) {
			r := r
			r.Limit = size
			var got []versions.Entry
			for {
				list, err := x.Versions(t.Context(), r)
				must(t, err)
				for _, e := range list {
					got = append(got, versions.Entry{Object: e.Object, Row: stateless(e.Row)})
				}
				if len(list) < size {
					break
				}
				last := list[size-1]
				r.From = versions.Position{Key: last.Key, Time: last.Version.Time.Add(-1e6)}
			}
			same(t, got, want)
		}
	}
	for _, r := range ranges {
		var want []versions.Entry
		for _, e := range entries {
			if strings.HasPrefix(e.Key, r[0]) && e.Key >= r[1] {
				want = append(want, e)
			}
		}
		f(versions.Range{BucketID: "b", Prefix: r[0], From: versions.Position{Key: r[1]}}, want)
	}
	// From within the first key, whose versions are of 20, 10 and 0.
	inside := func(ms int64, want []versions.Entry) {
		t.Helper()
		f(versions.Range{BucketID: "b", From: versions.Position{Key: oddKeys[0], Time: instant(ms)}}, want)
	}
	inside(21, entries)
	inside(20, entries)
	inside(19, entries[1:])
	inside(0, entries[2:])
	inside(-1, entries[3:])
	list, err := x.Versions(t.Context(), versions.Range{BucketID: "b"})
	must(t, err)
	if len(list) > 0 {
		t.Errorf("a page of 0 has %d", len(list))
	}
}

func headsFollow(t *testing.T, x versions.Index) {
	rows := changes()
	f := func(want int64) {
		t.Helper()
		list, err := x.Heads(t.Context(), versions.Range{BucketID: "b", Limit: 10})
		must(t, err)
		if len(list) != 1 {
			t.Fatalf("%d heads", len(list))
		}
		same(t, list[0], versions.Head{Object: object, Top: rows[want-1]})
	}
	insert(t, x, object, rows[0], rows[1])
	f(2)
	f(2)
	insert(t, x, object, rows[2])
	f(3)
	insert(t, x, object, rows[3], rows[4])
	must(t, x.DeleteRow(t.Context(), object, 4)) // the one behind what was listed
	f(5)
	must(t, x.DeleteRow(t.Context(), object, 3)) // what was listed
	must(t, x.DeleteRow(t.Context(), object, 2))
	f(5)
	must(t, x.DeleteRow(t.Context(), object, 1))
	insert(t, x, object, rows[5])
	must(t, x.DeleteRow(t.Context(), object, 5)) // what was listed a moment ago
	f(6)
	must(t, x.InsertKey(t.Context(), object))
	f(6)
}

func forget(t *testing.T, x versions.Index) {
	heads, _ := fill(t, x, len(changes()))
	must(t, x.TakeSlot(t.Context(), slot(1)))
	for _, bucketID := range oddBuckets {
		must(t, x.InsertSettings(t.Context(), bucketID, settings(1)))
	}
	must(t, x.Forget(t.Context(), "b"))
	must(t, x.Forget(t.Context(), "b"))
	for _, h := range heads {
		top, err := x.Top(t.Context(), h.Object)
		must(t, err)
		found, err := x.Find(t.Context(), h.Object, 10)
		must(t, err)
		rows, err := x.Rows(t.Context(), h.Object, 0, 10)
		must(t, err)
		if top.Seq != 0 || found.Seq != 0 || len(rows) > 0 {
			t.Errorf("left of %q: %+v %+v %d rows", h.Key, top, found, len(rows))
		}
	}
	lastSlot(t, x, -1)
	for _, bucketID := range oddBuckets {
		want := len(oddKeys)
		if bucketID == "b" {
			want = 0
		}
		list, err := x.Heads(t.Context(), versions.Range{BucketID: bucketID, Limit: 100})
		must(t, err)
		entries, err := x.Versions(t.Context(), versions.Range{BucketID: bucketID, Limit: 100})
		must(t, err)
		if len(list) != want || len(entries) != 3*want {
			t.Errorf("%q has %d objects and %d versions", bucketID, len(list), len(entries))
		}
		wantSettings := settings(1)
		if bucketID == "b" {
			wantSettings = router.Settings{}
		}
		topSettings(t, x, bucketID, wantSettings)
	}
	insert(t, x, object, fullRow(1)) // and it can begin anew
	must(t, x.InsertSettings(t.Context(), "b", settings(1)))
	if top, err := x.Top(t.Context(), object); err != nil || top.Seq != 1 {
		t.Errorf("after it: %+v, %v", top, err)
	}
}
