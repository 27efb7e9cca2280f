package versionstest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// rowModel makes random calls to the index and to memindex, and compares.
func rowModel(t *testing.T, o Options) {
	keys := rapid.SampledFrom(oddKeys[:14])
	o.check(t, func(rt *rapid.T) {
		x, m := o.Open(t), versions.Index(memindex.New())
		defer x.Close() //nolint:errcheck // the other tests look at it
		ctx := t.Context()
		object := rapid.Custom(func(t *rapid.T) versions.Object {
			return versions.Object{BucketID: rapid.SampledFrom(oddBuckets[:2]).Draw(t, "bucket"), Key: keys.Draw(t, "key")}
		})
		small := rapid.Int64Range(0, 6)
		limit := rapid.IntRange(0, 5)
		compare := func(got, want any, err1, err2 error) {
			rt.Helper()
			if d := cmp.Diff(want, got); d != "" || !errors.Is(err1, err2) {
				rt.Fatalf("-want +got\n%s\nerrors: %v, want %v", d, err1, err2)
			}
		}
		drawRange := func(t *rapid.T) versions.Range {
			r := versions.Range{
				BucketID: rapid.SampledFrom(oddBuckets[:2]).Draw(t, "bucket"), Prefix: rapid.SampledFrom([]string{"", "a", "a\x00", "\x00"}).Draw(t, "prefix"),
				From: versions.Position{Key: keys.Draw(t, "from")}, Limit: limit.Draw(t, "limit"),
			}
			if rapid.Bool().Draw(t, "inside") {
				r.From.Time = instant(small.Draw(t, "time"))
			}
			return r
		}
		rt.Repeat(map[string]func(*rapid.T){
			"row": func(t *rapid.T) {
				o, r := object.Draw(t, "object"), fullRow(rapid.Int64Range(1, 9).Draw(t, "seq"))
				r.Version = fullVersion(small.Draw(t, "about"))
				must2(rt, x.InsertKey(ctx, o), m.InsertKey(ctx, o))
				compare(nil, nil, x.InsertRow(ctx, o, r), m.InsertRow(ctx, o, r))
			},
			"compact": func(t *rapid.T) {
				o := object.Draw(t, "object")
				must2(rt, writer{Index: x}.compact(ctx, o, true), writer{Index: m}.compact(ctx, o, true))
			},
			"read": func(t *rapid.T) {
				o, n := object.Draw(t, "object"), small.Draw(t, "n")
				top, err1 := x.Top(ctx, o)
				wantTop, err2 := m.Top(ctx, o)
				compare(top, wantTop, err1, err2)
				found, err1 := x.Find(ctx, o, n)
				wantFound, err2 := m.Find(ctx, o, n)
				compare(stateless(found), stateless(wantFound), err1, err2)
				count := limit.Draw(t, "limit")
				rows, err1 := x.Rows(ctx, o, n, count)
				wantRows, err2 := m.Rows(ctx, o, n, count)
				compare(append([]versions.Row{}, rows...), append([]versions.Row{}, wantRows...), err1, err2)
			},
			"list": func(t *rapid.T) {
				r := drawRange(t)
				got, err1 := x.Heads(ctx, r)
				want, err2 := m.Heads(ctx, r)
				compare(append([]versions.Head{}, got...), append([]versions.Head{}, want...), err1, err2)
				entries, err1 := x.Versions(ctx, r)
				wantEntries, err2 := m.Versions(ctx, r)
				compare(statelessAll(entries), statelessAll(wantEntries), err1, err2)
			},
			"slot": func(t *rapid.T) {
				s := versions.Slot{Object: object.Draw(t, "object"), N: small.Draw(t, "n"), Taken: instant(1)}
				compare(nil, nil, x.TakeSlot(ctx, s), m.TakeSlot(ctx, s))
				last, err1 := x.LastSlot(ctx, s.Object)
				wantLast, err2 := m.LastSlot(ctx, s.Object)
				compare(last, wantLast, err1, err2)
				marked, err1 := x.MarkSlot(ctx, s, instant(s.N))
				wantMarked, err2 := m.MarkSlot(ctx, s, instant(s.N))
				compare(marked, wantMarked, err1, err2)
				marked, err1 = x.Marked(ctx, s)
				wantMarked, err2 = m.Marked(ctx, s)
				compare(marked, wantMarked, err1, err2)
				if s.N < last && rapid.Bool().Draw(t, "delete") {
					must2(rt, x.DeleteSlot(ctx, s), m.DeleteSlot(ctx, s))
				}
			},
			"slots": func(t *rapid.T) {
				s, count := versions.Slot{Object: object.Draw(t, "object"), N: small.Draw(t, "n")}, limit.Draw(t, "limit")
				got, err1 := x.Slots(ctx, s, count)
				want, err2 := m.Slots(ctx, s, count)
				compare(append([]versions.Slot{}, got...), append([]versions.Slot{}, want...), err1, err2)
			},
		})
	})
}

// statelessAll is stateless for entries.
func statelessAll(entries []versions.Entry) []versions.Entry {
	list := make([]versions.Entry, len(entries))
	for i, e := range entries {
		list[i] = versions.Entry{Object: e.Object, Row: stateless(e.Row)}
	}
	return list
}

// must2 fails the test on either error.
func must2(t *rapid.T, err1, err2 error) {
	t.Helper()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
}
