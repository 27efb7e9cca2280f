package mongoindex

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"github.com/xronox/xronox-proxy/internal/mongoserver"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
)

// commands notes what is sent to the server.
type commands struct {
	mu   sync.Mutex
	list []string
}

// monitor is what the driver tells.
func (c *commands) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		c.mu.Lock()
		defer c.mu.Unlock()
		name := e.CommandName
		if collection, ok := e.Command.Lookup(name).StringValueOK(); ok {
			name += " " + collection
		}
		c.list = append(c.list, name)
	}}
}

// take returns what was sent since.
func (c *commands) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.list = nil }()
	return c.list
}

// objectOf is an object of a bucket by number.
func objectOf(bucketID string, i int) versions.Object {
	return versions.Object{BucketID: bucketID, Key: fmt.Sprintf("key %04d", i)}
}

// fill gives a bucket that many objects with that many rows each.
func fill(t testing.TB, x *Index, bucketID string, objects, each int) {
	t.Helper()
	var documents []any
	for i := range objects {
		o, top := objectOf(bucketID, i), versions.Row{}
		for n := range each {
			top = versions.Put(top, versions.Version{ID: versions.NewVersionID(int64(n)), ETag: `"e"`}, time.UnixMilli(1_790_000_000_000))
			documents = append(documents, of(o, field("s", top.Seq), field("n", int64(n)), field("t", top.Version.Time.UnixMilli()), field("r", top.Encode())))
		}
	}
	if _, err := x.rows.InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
}

// TestCommands holds each call to what it may send to the server.
func TestCommands(t *testing.T) {
	t.Parallel()
	sent := &commands{}
	x := openNew(t, Options{URI: mongoserver.URI(t), monitor: sent.monitor()})
	f := func(name string, want []string, call func(ctx context.Context) error) {
		t.Helper()
		sent.take()
		if err := call(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, sent.take()); d != "" {
			t.Errorf("%s sends: -want +got\n%s", name, d)
		}
	}
	exists := func(err error) error {
		if !errors.Is(err, versions.ErrExists) {
			return fmt.Errorf("got %w, want ErrExists", err)
		}
		return nil
	}
	o := versions.Object{BucketID: "b", Key: "k"}
	r := versions.Put(versions.Row{}, versions.Version{ID: versions.NewVersionID(0)}, time.Now())
	s := versions.Slot{Object: o, Taken: time.Now()}
	f("InsertKey", nil, func(ctx context.Context) error { return x.InsertKey(ctx, o) })
	f("TakeSlot", []string{"insert slots"}, func(ctx context.Context) error { return x.TakeSlot(ctx, s) })
	f("TakeSlot of one that is taken", []string{"insert slots", "find slots"}, func(ctx context.Context) error { return exists(x.TakeSlot(ctx, s)) })
	f("LastSlot", []string{"find slots"}, func(ctx context.Context) error { _, err := x.LastSlot(ctx, o); return err })
	f("InsertRow", []string{"insert rows"}, func(ctx context.Context) error { return x.InsertRow(ctx, o, r) })
	f("InsertRow of one that exists", []string{"insert rows", "find rows"}, func(ctx context.Context) error { return exists(x.InsertRow(ctx, o, r)) })
	f("Top", []string{"find rows"}, func(ctx context.Context) error { _, err := x.Top(ctx, o); return err })
	f("Find", []string{"find rows"}, func(ctx context.Context) error { _, err := x.Find(ctx, o, 0); return err })
	f("Rows", []string{"find rows"}, func(ctx context.Context) error { _, err := x.Rows(ctx, o, 0, 1000); return err })
	f("DeleteRow", []string{"delete rows"}, func(ctx context.Context) error { return x.DeleteRow(ctx, o, 0) })
	f("Slots", []string{"find slots"}, func(ctx context.Context) error { _, err := x.Slots(ctx, s, 1000); return err })
	f("MarkSlot", []string{"insert marks"}, func(ctx context.Context) error { _, err := x.MarkSlot(ctx, s, time.Now()); return err })
	f("Marked", []string{"find marks"}, func(ctx context.Context) error { _, err := x.Marked(ctx, s); return err })
	f("DeleteSlot", []string{"delete marks", "delete slots"}, func(ctx context.Context) error { return x.DeleteSlot(ctx, s) })
	f("TopSettings", []string{"find settings"}, func(ctx context.Context) error { _, err := x.TopSettings(ctx, "b"); return err })
	f("InsertSettings", []string{"insert settings"}, func(ctx context.Context) error { return x.InsertSettings(ctx, "b", router.Settings{Seq: 1}) })
	f("InsertBucket", []string{"insert buckets"}, func(ctx context.Context) error { return x.InsertBucket(ctx, router.BucketRecord{Name: "n"}) })
	f("GetBucket", []string{"find buckets"}, func(ctx context.Context) error { _, _, err := x.GetBucket(ctx, "", "n"); return err })
	f("ListBuckets", []string{"find buckets"}, func(ctx context.Context) error { _, err := x.ListBuckets(ctx, "", "", "", 10); return err })
	f("DeleteBucket", []string{"delete buckets"}, func(ctx context.Context) error { return x.DeleteBucket(ctx, router.BucketRecord{Name: "n"}) })
	f("InsertValue", []string{"insert values"}, func(ctx context.Context) error { _, err := x.InsertValue(ctx, "v", []byte("1")); return err })
	f("Value", []string{"find values"}, func(ctx context.Context) error { _, err := x.Value(ctx, "v"); return err })
	f("Hide", []string{"insert tombstones"}, func(ctx context.Context) error { _, err := x.Hide(ctx, "b", "k"); return err })
	f("Hidden", []string{"find tombstones"}, func(ctx context.Context) error { _, err := x.Hidden(ctx, "b", "k"); return err })
	f("HiddenKeys", []string{"find tombstones"}, func(ctx context.Context) error { _, err := x.HiddenKeys(ctx, "b", "", "", 10); return err })
}

// TestListingCommands holds listings to what they may send, for short histories and for long ones.
func TestListingCommands(t *testing.T) {
	t.Parallel()
	sent := &commands{}
	// The server takes seconds for a listing of long histories while other tests are at it.
	x := openNew(t, Options{URI: mongoserver.URI(t), CallTimeout: time.Minute, monitor: sent.monitor()})
	heads := func(bucketID string, limit, objects int, want ...string) {
		t.Helper()
		sent.take()
		list, err := x.Heads(t.Context(), versions.Range{BucketID: bucketID, Limit: limit})
		if err != nil || len(list) != objects {
			t.Errorf("%d of %s: %d heads, %v", limit, bucketID, len(list), err)
		}
		if d := cmp.Diff(want, sent.take()); d != "" {
			t.Errorf("%d heads of %s: -want +got\n%s", limit, bucketID, d)
		}
	}
	entries := func(bucketID string, limit, count int, want ...string) {
		t.Helper()
		sent.take()
		list, err := x.Versions(t.Context(), versions.Range{BucketID: bucketID, Limit: limit})
		if err != nil || len(list) != count {
			t.Errorf("%d of %s: %d versions, %v", limit, bucketID, len(list), err)
		}
		if d := cmp.Diff(want, sent.take()); d != "" {
			t.Errorf("%d versions of %s: -want +got\n%s", limit, bucketID, d)
		}
	}
	rows := slices.Repeat([]string{"find rows"}, 10)
	fill(t, x, "one", 150, 1)
	fill(t, x, "two", 100, 2)
	fill(t, x, "four", 100, 4)
	heads("one", 100, 100, rows[:1]...)
	heads("one", 1000, 150, rows[:1]...)
	heads("two", 50, 50, rows[:1]...)
	heads("four", 50, 50, rows[:2]...)
	entries("one", 100, 100, rows[:1]...)
	entries("four", 100, 100, rows[:1]...)

	// Each version of these has three rows.
	amend := bson.D{field("$set", bson.D{field("t", int64(1))})}
	if _, err := x.rows.UpdateMany(t.Context(), bson.D{field("b", "four"), field("s", bson.D{field("$gt", 1)})}, amend); err != nil {
		t.Fatal(err)
	}
	entries("four", 100, 100, rows[:2]...)

	// The first listing leaves hints, and those after it read by them.
	fill(t, x, "long", 230, 8)
	if _, err := x.Heads(t.Context(), versions.Range{BucketID: "long", Limit: 220}); err != nil {
		t.Fatal(err)
	}
	heads("long", 220, 220, "find rows", "find hints", "find rows", "find rows")
	heads("long", 100, 100, "find rows", "find hints", "find rows")
	heads("long", 10, 10, "find rows", "find hints", "find rows")
}

// TestHints: a listing is right whatever hints there are.
func TestHints(t *testing.T) {
	t.Parallel()
	x := openNew(t, Options{URI: mongoserver.URI(t)})
	fill(t, x, "b", 12, 9)
	want := map[string]int64{}
	for i := range 12 {
		want[objectOf("b", i).Key] = 9
	}
	list := func() {
		t.Helper()
		for _, limit := range []int{1, 2, 5, 100} {
			got := map[string]int64{}
			for from := ""; ; {
				page, err := x.Heads(t.Context(), versions.Range{BucketID: "b", From: versions.Position{Key: from}, Limit: limit})
				if err != nil {
					t.Fatal(err)
				}
				for _, h := range page {
					if got[h.Key] = h.Top.Seq; h.Key < from {
						t.Errorf("%q is listed again from %q on", h.Key, from)
					}
					from = h.Key + "\x00"
				}
				if len(page) < limit {
					break
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("tops, %d at once: -want +got\n%s", limit, d)
			}
		}
	}
	set := func(i int, seq int64) {
		t.Helper()
		h := &headReader{x: x, Range: versions.Range{BucketID: "b"}, notes: []hint{{Key: objectOf("b", i).Key, Seq: seq}}}
		h.note(t.Context())
	}
	list()
	list()
	for i, seq := range []int64{0, 1, 8, 9, 10, 1000} { // the last ones as if the bucket had been another
		set(i, seq)
		set(11-i, seq)
	}
	list()
	set(2, 1000)
	set(3, 1000)
	set(100, 7) // of an object that is not there
	list()
	for _, i := range []int{3, 11} { // deleted at whatever is hinted at, and more
		o := objectOf("b", i)
		for seq := range int64(9) {
			if err := x.DeleteRow(t.Context(), o, seq); err != nil {
				t.Fatal(err)
			}
		}
		r := versions.Put(versions.Row{Seq: 20}, versions.Version{}, time.Now())
		if err := x.InsertRow(t.Context(), o, r); err != nil {
			t.Fatal(err)
		}
		want[o.Key] = 21
	}
	list()
	if err := x.Forget(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		set(i, 9) // by a listing that began before
	}
	fill(t, x, "b", 12, 2)
	for key := range want {
		want[key] = 2
	}
	list()
}

// TestAnyHints: any page of a bucket of short and long histories is right, whatever is hinted at.
func TestAnyHints(t *testing.T) {
	t.Parallel()
	const objects, pages = 40, 150
	seed := rand.Uint64()
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	x := openNew(t, Options{URI: mongoserver.URI(t)})
	tops := map[string]int64{}
	var documents []any
	for i := range objects {
		o, top := objectOf("b", i), versions.Row{}
		for range 1 + rng.IntN(3)*rng.IntN(10) {
			top = versions.Put(top, versions.Version{}, time.Now())
			documents = append(documents, of(o, field("s", top.Seq), field("n", int64(0)), field("t", int64(0)), field("r", top.Encode())))
		}
		tops[o.Key] = top.Seq
	}
	if _, err := x.rows.InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
	for range pages {
		h := &headReader{x: x, Range: versions.Range{BucketID: "b"}}
		for range rng.IntN(4) {
			key := objectOf("b", rng.IntN(objects)).Key
			h.notes = append(h.notes, hint{Key: key, Seq: tops[key] + int64(rng.IntN(8)) - 6})
		}
		h.note(t.Context())
		r := versions.Range{
			BucketID: "b", Prefix: []string{"", "key 00", "key 000", "key 002"}[rng.IntN(4)],
			From: versions.Position{Key: objectOf("b", rng.IntN(objects)).Key}, Limit: 1 + rng.IntN(objects),
		}
		var want, got []string
		for _, key := range slices.Sorted(maps.Keys(tops)) {
			if len(want) < r.Limit && key >= r.From.Key && strings.HasPrefix(key, r.Prefix) {
				want = append(want, fmt.Sprint(key, tops[key]))
			}
		}
		list, err := x.Heads(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range list {
			got = append(got, fmt.Sprint(h.Key, h.Top.Seq))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%+v: -want +got\n%s", r, d)
		}
	}
}
