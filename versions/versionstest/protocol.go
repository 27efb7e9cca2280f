package versionstest

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/versions"
)

// Writers change objects at once, as the protocol has it, with clocks that are hours apart.
type Writers struct {
	Index   versions.Index
	Objects []versions.Object
	Count   int

	// Note is told of each row that a writer was told of: that it is there now, or, when read,
	// that it was the top row. It says whether the writer goes on. It is called by one at a time.
	Note func(o versions.Object, r versions.Row, read bool) (more bool)

	mu  sync.Mutex
	ids map[versions.Object][]versions.VersionID
}

// Run returns when all have stopped.
func (ws *Writers) Run(t testing.TB) {
	t.Helper()
	ws.ids = map[versions.Object][]versions.VersionID{}
	var wg sync.WaitGroup
	for i := range ws.Count {
		w := writer{Index: ws.Index, now: func() time.Time { return time.Now().Add(time.Duration(i) * -time.Hour) }}
		wg.Go(func() {
			for more := true; more; {
				var err error
				if more, err = ws.step(t.Context(), w); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// step does something with an object, and notes it.
func (ws *Writers) step(ctx context.Context, w writer) (more bool, err error) {
	o := ws.Objects[rand.IntN(len(ws.Objects))]
	r, done, read := versions.Row{}, true, false
	switch rand.IntN(7) {
	case 0, 1:
		r, err = w.put(ctx, o, false, rand.IntN(3) == 0)
	case 2:
		r, err = w.put(ctx, o, true, rand.IntN(3) == 0)
	case 3, 4:
		r, done, err = w.remove(ctx, o, ws.id(o))
	case 5:
		r, done, err = w.tag(ctx, o, ws.id(o), "tag")
	case 6:
		r, err = w.Top(ctx, o)
		done, read = r.Seq > 0, true
	}
	if err != nil || !done {
		return true, err
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if !read {
		ws.ids[o] = append(ws.ids[o], r.Version.ID)
	}
	return ws.Note(o, r, read), nil
}

// id returns that of some version of an object, most often of a late one.
func (ws *Writers) id(o versions.Object) versions.VersionID {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ids := ws.ids[o]
	if len(ids) == 0 {
		return versions.VersionID{Null: true}
	}
	return ids[len(ids)-1-rand.IntN(min(len(ids), 8))]
}

// protocol lets many write at once, and then judges the logs.
func (o Options) protocol(t *testing.T, x versions.Index) {
	left := 600
	if testing.Short() || o.Slow {
		left = 200
	}
	acks := map[versions.Object][]versions.Row{}
	w := &Writers{Index: x, Objects: []versions.Object{object, {BucketID: "b", Key: "k/"}}, Count: 8}
	w.Note = func(o versions.Object, r versions.Row, read bool) bool {
		if !read {
			acks[o] = append(acks[o], r)
		}
		left--
		return left > 0
	}
	w.Run(t)
	for _, o := range w.Objects {
		rows := Judge(t, x, o)
		slices.SortFunc(acks[o], func(a, b versions.Row) int { return int(a.Seq - b.Seq) })
		if d := cmp.Diff(acks[o], rows); d != "" {
			t.Errorf("%q: -acknowledged +log\n%s", o.Key, d)
		}
	}
}

// Judge holds that the log of an object, which was never compacted, has no gaps, and that its states follow from
// its rows as S3 says. It returns the rows.
func Judge(t testing.TB, x versions.Index, o versions.Object) []versions.Row {
	t.Helper()
	rows, err := x.Rows(t.Context(), o, 0, 1_000_000)
	must(t, err)
	slices.Reverse(rows)
	var n naiveObject
	var before time.Time
	numbers := map[int64]bool{}
	for i, r := range rows {
		if r.Seq != int64(i)+1 || !r.Time.After(before) {
			t.Fatalf("%q: row %d has Seq %d and time %v, after %v", o.Key, i+1, r.Seq, r.Time, before)
		}
		before = r.Time
		if added := r.Kind == versions.KindPut || r.Kind == versions.KindMarker; added && numbers[r.Version.ID.N] {
			t.Fatalf("%q: number %d is used again", o.Key, r.Version.ID.N)
		}
		numbers[r.Version.ID.N] = true
		if d := n.follow(r); d != "" {
			t.Fatalf("%q: row %d: %s", o.Key, r.Seq, d)
		}
	}
	return rows
}
