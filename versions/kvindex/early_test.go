package kvindex

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/xronox/xronox-proxy/versions"
)

// earlySlot is a slot that is taken early.
func earlySlot(key string) versions.Slot {
	return versions.Slot{Object: versions.Object{BucketID: "b", Key: key}, Taken: time.Now(), Early: true}
}

// TestEarlySlotIsLost cuts the power before a slot is on disk that was taken early. The index tells
// when that was, and has the slots that are older.
func TestEarlySlotIsLost(t *testing.T) {
	t.Parallel()
	disk := vfs.NewCrashableMem()
	fs := &gateFS{FS: disk, arrived: make(chan struct{}, 1)}
	x := open(t, Options{Dir: "data/index", FS: fs})
	defer x.Close() //nolint:errcheck // the test is over
	before := time.Now().Truncate(time.Second)
	if err := x.TakeSlot(t.Context(), earlySlot("kept")); err != nil {
		t.Fatal(err)
	}
	x.early.Wait()
	fs.gate.Lock()
	if err := x.TakeSlot(t.Context(), earlySlot("lost")); err != nil {
		t.Fatal(err)
	}
	if err := x.TakeSlot(t.Context(), earlySlot("lost")); !errors.Is(err, versions.ErrExists) {
		t.Errorf("a slot that is not on disk yet is taken again: %v", err)
	}
	cut, after := disk.CrashClone(vfs.CrashCloneCfg{}), time.Now()
	fs.gate.Unlock()

	x = open(t, Options{Dir: "data/index", FS: cut})
	defer x.Close() //nolint:errcheck // the test is over
	list, err := x.Slots(t.Context(), versions.Slot{Object: versions.Object{BucketID: "b"}}, 10)
	if err != nil || len(list) != 1 || list[0].Key != "kept" {
		t.Errorf("left are %v, %v", list, err)
	}
	losses := x.Losses()
	if len(losses) != 1 || losses[0].From.Before(before) || losses[0].From.After(after) || losses[0].To.Before(after) {
		t.Errorf("told are %v, taken was from %v to %v", losses, before, after)
	}
}

// TestLosses follows what is told of processes that ended, through processes that end in every way.
func TestLosses(t *testing.T) {
	t.Parallel()
	fs, n := vfs.NewCrashableMem(), 0
	f := func(explanation string, want int, use func(x *Index), crash bool) []versions.Loss {
		t.Helper()
		x := open(t, Options{Dir: "data/index", FS: fs})
		losses := x.Losses()
		if len(losses) != want {
			t.Errorf("%s: told are %v, want %d", explanation, losses, want)
		}
		if use != nil {
			use(x)
		}
		cut := fs.CrashClone(vfs.CrashCloneCfg{})
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		if crash {
			fs = cut
		}
		return losses
	}
	take := func(early bool) func(x *Index) {
		return func(x *Index) {
			n++
			s := earlySlot(fmt.Sprint(n))
			s.Early = early
			if err := x.TakeSlot(t.Context(), s); err != nil {
				t.Error(err)
			}
		}
	}
	recovered := func(x *Index) {
		if err := x.Recovered(t.Context()); err != nil || len(x.Losses()) > 0 {
			t.Errorf("told are %v, %v", x.Losses(), err)
		}
	}
	const crash = true
	f("a new index", 0, take(true), !crash)
	f("one that was closed", 0, take(false), crash)
	f("nothing was taken early", 0, take(true), crash)
	first := f("a crash", 1, nil, !crash)
	f("opened and closed", 1, take(true), !crash)
	f("used and closed", 1, take(true), crash)
	if both := f("another crash", 2, recovered, !crash); !slices.Contains(both, first[0]) {
		t.Errorf("told are %v, and before were %v", both, first)
	}
	f("recovered", 0, take(true), crash)
	f("a crash again", 1, func(x *Index) {
		take(true)(x)
		recovered(x)
	}, crash)
	f("a crash after that", 1, recovered, crash)
	f("recovered again", 0, nil, !crash)
}

// TestSignIsRenewed holds that a sign is never too old for what is taken early on it, also when the clock has been set back.
func TestSignIsRenewed(t *testing.T) {
	t.Parallel()
	x := open(t, Options{Dir: "data/index", FS: vfs.NewMem()})
	defer x.Close() //nolint:errcheck // the test is over
	f := func(explanation string, age time.Duration, renewed bool) {
		t.Helper()
		was := time.Now().Add(-age)
		x.signs.own = was
		if err := x.sign(t.Context()); err != nil || x.signs.own.Equal(was) == renewed {
			t.Errorf("%s: renewed is %v, %v", explanation, !renewed, err)
		}
	}
	f("young", signEvery/2, false)
	f("old", signEvery+time.Millisecond, true)
	f("of the future", -time.Hour, true)
}
