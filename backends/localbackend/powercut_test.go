package localbackend

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// memoryJournal keeps entries until power is cut.
type memoryJournal struct {
	mu    sync.Mutex
	x     expectations
	left  int // entries until the cut
	cut   func() *vfs.MemFS
	after *vfs.MemFS // what is on disk then
}

// note takes an entry, and cuts the power when its time has come.
func (j *memoryJournal) note(e entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.after != nil {
		return
	}
	if j.left--; j.left == 0 {
		// e did not happen: what it says is not on record yet.
		j.after = j.cut()
		return
	}
	j.x.note(e)
}

// off reports whether the power is off.
func (j *memoryJournal) off() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.after != nil
}

// begin implements journal.
func (j *memoryJournal) begin(key string, s state) { j.note(entry{Key: key, State: s}) }

// move implements journal.
func (j *memoryJournal) move(from, to string, s state) { j.note(entry{Key: to, From: from, State: s}) }

// ack implements journal.
func (j *memoryJournal) ack(key string) { j.note(entry{Key: key, Ack: true}) }

// linkFS keeps Link apart from CrashClone, during which MemFS's locks itself out.
type linkFS struct {
	vfs.FS
	mu *sync.Mutex
}

// Link implements vfs.FS.
func (l linkFS) Link(oldname, newname string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.FS.Link(oldname, newname)
}

// TestPowerCut cuts the power of a store at work: what was not synced is lost,
// or a random part of it. Nothing that was acknowledged may be.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	seeds := 200
	if os.Getenv("XRONOX_LONG") != "" {
		seeds = 2000
	} else if testing.Short() {
		seeds = 20
	}
	base := rand.Uint64()
	for i := range uint64(seeds) {
		seed := base + i
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { powerCut(t, seed) }) {
			t.FailNow()
		}
	}
}

// powerCut is a store that lives through some cuts.
func powerCut(t *testing.T, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	percent := []int{0, 0, 20, 50, 80, 100}[r.IntN(6)]
	fs := vfs.NewCrashableMem()
	var links sync.Mutex
	b := open(t, Options{Dir: "/data/objects", FS: linkFS{fs, &links}})
	makeBucket(t, b, crashBucket)
	x := nothing()
	for range 1 + r.IntN(3) {
		j := &memoryJournal{x: x, left: 1 + r.IntN(120)}
		crashed := fs
		j.cut = func() *vfs.MemFS {
			if r.IntN(2) == 0 {
				// The kernel may write directories, and forget removed files, unasked.
				if err := syncFans(b.files); err != nil {
					t.Error(err)
				}
			}
			links.Lock()
			defer links.Unlock()
			return crashed.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: r})
		}
		workUntilCut(t, b, r.Uint64(), j)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		fs, x = j.after, j.x
		b = open(t, Options{Dir: "/data/objects", FS: linkFS{fs, &links}})
		x.check(t, b, killWorkers)
		abortUploads(t, b)
	}
}

// syncFans syncs the directories of bodies.
func syncFans(f *files) error {
	for i := range 256 {
		if err := syncDir(f.fs, f.fan(byte(i))); err != nil {
			return err
		}
	}
	return nil
}

// workUntilCut lets workers work, and the collector, until the power is cut.
func workUntilCut(t *testing.T, b *Backend, seed uint64, j *memoryJournal) {
	t.Helper()
	var workers sync.WaitGroup
	for id := range killWorkers {
		w, err := newWorker(b, id, seed, j)
		if err != nil {
			t.Fatal(err)
		}
		workers.Go(func() {
			for !j.off() {
				if err := w.step(context.Background()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	// Open runs the collector once, which is rarely still at it when power goes.
	workers.Go(func() {
		for !j.off() {
			if _, err := b.Collect(context.Background()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	workers.Wait()
}
