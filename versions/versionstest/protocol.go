package versionstest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/versions"
)

// journal is what writers were told.
type journal struct {
	mu     sync.Mutex
	acks   map[versions.Object][]versions.Row
	ids    map[versions.Object][]versions.VersionID
	skewed time.Duration // by how far the next writer's clock is wrong
}

// note keeps a row that was acknowledged.
func (j *journal) note(o versions.Object, r versions.Row) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.acks[o] = append(j.acks[o], r)
	if r.Kind == versions.KindPut || r.Kind == versions.KindMarker {
		j.ids[o] = append(j.ids[o], r.Version.ID)
	}
}

// id returns some version of an object.
func (j *journal) id(o versions.Object) versions.VersionID {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.ids[o]) == 0 {
		return versions.VersionID{Null: true}
	}
	return j.ids[o][rand.IntN(len(j.ids[o]))]
}

// clock returns one that is wrong by an hour more than the last.
func (j *journal) clock() func() time.Time {
	j.skewed -= time.Hour
	by := j.skewed
	return func() time.Time { return time.Now().Add(by) }
}

// protocol lets many write at once, and then judges the logs.
func protocol(t *testing.T, x versions.Index) {
	writers, each := 8, 60
	if testing.Short() {
		each = 20
	}
	objects := []versions.Object{object, {BucketID: "b", Key: "k/"}}
	j := &journal{acks: map[versions.Object][]versions.Row{}, ids: map[versions.Object][]versions.VersionID{}}
	var wg sync.WaitGroup
	for range writers {
		w := writer{Index: x, now: j.clock()}
		wg.Go(func() {
			for range each {
				if err := w.step(t, objects[rand.IntN(len(objects))], j); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, o := range objects {
		judge(t, x, o, j.acks[o])
	}
}

// step does something with an object, and notes it.
func (w writer) step(t *testing.T, o versions.Object, j *journal) error {
	var r versions.Row
	var done bool
	var err error
	switch rand.IntN(6) {
	case 0, 1:
		r, err = w.put(t.Context(), o, false, rand.IntN(3) == 0)
		done = true
	case 2:
		r, err = w.put(t.Context(), o, true, rand.IntN(3) == 0)
		done = true
	case 3, 4:
		r, done, err = w.remove(t.Context(), o, j.id(o))
	case 5:
		r, done, err = w.tag(t.Context(), o, j.id(o), "tag")
	}
	if err == nil && done {
		j.note(o, r)
	}
	return err
}

// judge holds that the log of an object is what was acknowledged, each once, without gaps, and that its
// states follow from its rows as S3 says.
func judge(t *testing.T, x versions.Index, o versions.Object, acks []versions.Row) {
	t.Helper()
	rows, err := x.Rows(t.Context(), o, 0, len(acks)+10)
	must(t, err)
	slices.Reverse(rows)
	slices.SortFunc(acks, func(a, b versions.Row) int { return int(a.Seq - b.Seq) })
	if d := cmp.Diff(acks, rows); d != "" {
		t.Fatalf("%q: -acknowledged +log\n%s", o.Key, d)
	}
	var n naiveObject
	var before time.Time
	numbers := map[int64]bool{}
	for i, r := range rows {
		if r.Seq != int64(i)+1 || !r.Time.After(before) {
			t.Fatalf("%q: row %d has Seq %d and time %v, after %v", o.Key, i+1, r.Seq, r.Time, before)
		}
		before = r.Time
		switch v := n.find(r.Version.ID); r.Kind {
		case versions.KindPut, versions.KindMarker:
			if numbers[r.Version.ID.N] {
				t.Fatalf("%q: number %d is used again", o.Key, r.Version.ID.N)
			}
			numbers[r.Version.ID.N] = true
			n.put(r.Version.ID, r.Version.Marker)
		case versions.KindRemove:
			if v == nil {
				t.Fatalf("%q: row %d removes what is not there: %+v", o.Key, r.Seq, r)
			}
			v.gone = true
		case versions.KindAmend:
			if v == nil {
				t.Fatalf("%q: row %d amends what is not there: %+v", o.Key, r.Seq, r)
			}
			v.tag = r.Version.Tags[0].Key
		}
		if d := n.disagrees(r.State); d != "" {
			t.Fatalf("%q: row %d: %s", o.Key, r.Seq, d)
		}
	}
}
