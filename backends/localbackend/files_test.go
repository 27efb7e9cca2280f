package localbackend

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestHolds holds that a body outlives its metadata as long as it is held, and
// that the collector removes what is neither held nor live, and nothing else.
func TestHolds(t *testing.T) {
	t.Parallel()
	f, err := openFiles(vfs.NewMem(), "/bodies")
	if err != nil {
		t.Fatal(err)
	}
	exists := func(n name) bool {
		_, err := f.fs.Stat(f.path(n))
		return err == nil
	}
	create := func(n name) {
		t.Helper()
		f.hold(n)
		file, err := f.create(n)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	collect := func(want int, live ...name) {
		t.Helper()
		got, err := f.collect(t.Context(), func(n name) (bool, error) {
			for _, l := range live {
				if l == n {
					return true, nil
				}
			}
			return false, nil
		})
		if err != nil || got != want {
			t.Errorf("collected %d, %v; want %d", got, err, want)
		}
	}

	a, b := name{1}, name{2, 15: 0xff}
	create(a)
	create(b)
	collect(0)
	f.release(a)
	collect(0, a)
	collect(1)
	if exists(a) || !exists(b) {
		t.Error("the wrong body was collected")
	}

	f.hold(b, b)
	f.drop(b)
	f.release(b)
	f.release(b)
	if !exists(b) {
		t.Error("a held body was removed")
	}
	collect(0)
	f.release(b)
	if exists(b) {
		t.Error("a dropped body stays")
	}

	// A writer that commits c and lets go right after the collector looked.
	c := name{3}
	create(c)
	got, err := f.collect(t.Context(), func(name) (bool, error) { f.release(c); return false, nil })
	if got != 0 || err != nil || !exists(c) {
		t.Errorf("what a writer holds was collected: %d, %v", got, err)
	}
	f.release(c)

	// A change that frees c becomes visible while the collector looks at c.
	got, err = f.collect(t.Context(), func(name) (bool, error) { f.hold(c); return false, nil })
	if got != 0 || err != nil || !exists(c) {
		t.Errorf("what a change has just freed was collected: %d, %v", got, err)
	}
	f.drop(c)
	f.release(c)
	if exists(c) {
		t.Error("a freed body stays")
	}

	f.drop(b)
	if len(f.held) != 0 {
		t.Errorf("%d holds are left", len(f.held))
	}
}
