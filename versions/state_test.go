package versions

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at is a time of the tests, in milliseconds.
func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// version returns one that is put with the number n.
func version(n int64, null, marker bool) Version {
	v := Version{ID: VersionID{N: n, Nonce: uint64(n) + 100, Null: null}, Marker: marker}
	v.By.Operation = "test"
	return v
}

// state says in short what is current and what is null: a dash for nothing.
func state(s State) string {
	name := func(t time.Time, none bool) string {
		if none {
			return "-"
		}
		return t.Format("05.000")[3:]
	}
	current := name(time.Time{}, true)
	if s.Current != nil {
		current = name(s.Current.Time, false)
		if s.Current.Marker {
			current += "d"
		}
	}
	return current + " " + name(s.Null.Time, !s.HasNull())
}

func TestPut(t *testing.T) {
	t.Parallel()
	f := func(top Row, v Version, want string) Row {
		t.Helper()
		r := Put(top, v, at(top.Time.UnixMilli()+10))
		kind := KindPut
		if v.Marker {
			kind = KindMarker
		}
		if got := state(r.State); got != want || r.Kind != kind || r.Seq != top.Seq+1 || !r.Version.Is(r.State.Current) || r.By != v.By {
			t.Errorf("got %q, want %q; %+v", got, want, r)
		}
		if !r.State.Live(r) {
			t.Errorf("%+v is not alive", r)
		}
		return r
	}
	zero := Row{Time: at(0)}
	v1 := f(zero, version(0, false, false), "010 -") // Enabled, new
	f(v1, version(1, false, false), "020 -")
	f(v1, version(1, false, true), "020d -") // deleted
	f(zero, version(0, false, true), "010d -")

	null := f(zero, version(0, true, false), "010 010")  // from before
	over := f(null, version(1, false, false), "020 010") // survives being written over
	marked := f(null, version(1, false, true), "020d 010")
	suspended := f(over, version(2, true, false), "030 030") // Suspended: the null version is replaced
	deleted := f(suspended, version(3, true, true), "040d 040")
	f(marked, version(2, true, true), "030d 030")
	f(deleted, version(4, true, false), "050 050")
	f(v1, version(1, true, false), "020 020")

	replaces := func(r Row, n int64) {
		t.Helper()
		if r.Replaced.Time.IsZero() != (n < 0) || n >= 0 && r.Replaced.N != n {
			t.Errorf("%+v replaces %+v, want %d", r.Version.ID, r.Replaced, n)
		}
	}
	replaces(null, -1)
	replaces(over, -1)
	replaces(suspended, 0)
	replaces(deleted, 2)
	for _, old := range []Row{null, suspended} {
		if deleted.State.Live(old) {
			t.Errorf("%+v lives on", old.Version.ID)
		}
	}
	if !over.State.Live(null) || suspended.State.NextN != 3 {
		t.Errorf("%+v", over)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	zero := Row{Time: at(0)}
	null := Put(zero, version(0, true, false), at(1))
	one := Put(null, version(1, false, false), at(2))
	marker := Put(one, version(2, false, true), at(3))
	f := func(top Row, v Version, previous *Version, want string) Row {
		t.Helper()
		r := Remove(top, v, previous, Event{Now: at(9), By: By{AccessKey: "k"}})
		if got := state(r.State); got != want || r.Kind != KindRemove || r.Seq != top.Seq+1 || r.By.AccessKey != "k" {
			t.Errorf("got %q, want %q; %+v", got, want, r)
		}
		if d := cmp.Diff(v, r.Version); d != "" || r.State.Live(r) || r.State.NextN != top.State.NextN {
			t.Errorf("%+v %s", r, d)
		}
		return r
	}
	f(marker, marker.Version, &one.Version, "002 001") // undeleted
	f(marker, one.Version, &null.Version, "003d 001")  // not current: previous is of no matter
	f(marker, null.Version, nil, "003d -")
	gone := f(null, null.Version, nil, "- -")
	if again := Put(gone, version(1, true, false), at(20)); state(again.State) != "020 020" || !again.Replaced.Time.IsZero() {
		t.Errorf("what was removed is replaced: %+v", again)
	}
	if gone.State.Live(null) {
		t.Error("a null version lives on")
	}
}

func TestAmend(t *testing.T) {
	t.Parallel()
	null := Put(Row{Time: at(0)}, version(0, true, false), at(1))
	one := Put(null, version(1, false, false), at(2))
	f := func(v Version, tagged string, want string) {
		t.Helper()
		v.Tags = []Tag{{Key: "k", Value: tagged}}
		r := Amend(one, v, Event{Now: at(9)})
		if got := state(r.State); got != want || r.Kind != KindAmend || !r.State.Live(r) {
			t.Errorf("got %q, want %q; %+v", got, want, r)
		}
		if d := cmp.Diff(v, r.Version); d != "" {
			t.Error(d)
		}
		if isCurrent := len(r.State.Current.Tags) > 0; isCurrent != v.Is(one.State.Current) {
			t.Errorf("the current version is %+v", r.State.Current)
		}
	}
	f(one.Version, "current", "002 001")
	f(null.Version, "other", "002 001")
	if len(one.State.Current.Tags) > 0 {
		t.Error("an earlier row was changed")
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	f := func(now, want int64) {
		t.Helper()
		top := Row{Seq: 1, Time: at(1000)}
		for _, r := range []Row{
			Put(top, version(0, false, false), at(now).Add(999*time.Microsecond).In(time.FixedZone("", 3600))),
			Remove(top, version(0, false, false), nil, Event{Now: at(now)}),
			Amend(top, version(0, false, false), Event{Now: at(now)}),
		} {
			if r.Time != at(want) {
				t.Errorf("at %d: %v", now, r.Time)
			}
		}
	}
	f(2000, 2000)
	f(1001, 1001)
	f(1000, 1001)
	f(0, 1001)
	f(-5, 1001)
	if r := Put(Row{}, version(0, true, false), at(-5)); r.Time != at(-5) {
		t.Errorf("an object from before has its own time, not %v", r.Time)
	}
}
