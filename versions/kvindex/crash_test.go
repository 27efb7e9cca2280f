package kvindex

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/versionstest"
)

// TestPowerCutUnderLoad cuts the power while many write and read. What anybody was told is there
// afterwards: rows that were acknowledged, rows that were only read, and no row without the ones
// before it, or without its copies in the order of listings.
func TestPowerCutUnderLoad(t *testing.T) {
	t.Parallel()
	seeds := 20
	if testing.Short() {
		seeds = 4
	}
	base := rand.Uint64()
	for i := range uint64(seeds) {
		if !t.Run(fmt.Sprint(base+i), func(t *testing.T) { powerCut(t, base+i) }) {
			t.FailNow()
		}
	}
}

// powerCut is an index that lives through some cuts.
func powerCut(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	objects := []versions.Object{{BucketID: "b", Key: "k"}, {BucketID: "b", Key: "k\x00"}, {BucketID: "c", Key: "k"}}
	fs := vfs.NewCrashableMem()
	told := map[versions.Object]map[int64]versions.Row{}
	for _, o := range objects {
		told[o] = map[int64]versions.Row{}
	}
	for range 3 {
		x := open(t, Options{Dir: "data/index", FS: fs})
		judge(t, x, told)
		var after *vfs.MemFS // what is on disk when the power is cut
		left := 1 + rng.IntN(150)
		w := versionstest.Writers{Index: x, Objects: objects, Count: 6}
		w.Note = func(o versions.Object, r versions.Row, _ bool) bool {
			if after != nil {
				return false
			}
			if left--; left == 0 { // Nobody was told of r.
				after = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 20, 50, 100}[rng.IntN(4)], RNG: rng})
				return false
			}
			told[o][r.Seq] = r
			return true
		}
		w.Run(t)
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		fs = after
	}
	x := open(t, Options{Dir: "data/index", FS: fs})
	defer x.Close() //nolint:errcheck // the test is over
	judge(t, x, told)
}

// judge compares the index with what was told of it.
func judge(t *testing.T, x *Index, told map[versions.Object]map[int64]versions.Row) {
	t.Helper()
	for o, want := range told {
		rows := versionstest.Judge(t, x, o)
		for seq, r := range want {
			if seq > int64(len(rows)) {
				t.Fatalf("row %d of %q is lost: there are %d", seq, o, len(rows))
			}
			if d := cmp.Diff(r, rows[seq-1]); d != "" {
				t.Fatalf("row %d of %q: -told +there\n%s", seq, o, d)
			}
		}
		if len(rows) == 0 {
			continue
		}
		last := rows[len(rows)-1]
		list, err := x.Heads(t.Context(), versions.Range{BucketID: o.BucketID, Prefix: o.Key, Limit: 1})
		if d := cmp.Diff([]versions.Head{{Object: o, Top: last}}, list); d != "" || err != nil {
			t.Fatalf("%v, the head of %q: -log +listed\n%s", err, o, d)
		}
		for _, r := range rows {
			if found, err := x.Find(t.Context(), o, r.Version.ID.N); err != nil || found.Seq < r.Seq {
				t.Fatalf("row %d of %q, of version %d, is not found: %+v, %v", r.Seq, o, r.Version.ID.N, found, err)
			}
		}
		if n, err := x.LastSlot(t.Context(), o); err != nil || n < last.State.NextN-1 {
			t.Fatalf("the last slot of %q is %d, %v; versions go to %d", o, n, err, last.State.NextN-1)
		}
	}
}

// gateFS lets nothing of its log come to the disk while the gate is shut.
type gateFS struct {
	vfs.FS
	gate    sync.RWMutex  // held while it is shut
	arrived chan struct{} // told of each sync that has come to the gate
}

// Create implements vfs.FS.
func (g *gateFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := g.FS.Create(name, c)
	return gateFile{f, g}, err
}

// gateFile is a file behind a gate.
type gateFile struct {
	vfs.File
	fs *gateFS
}

// SyncData implements vfs.File.
func (f gateFile) SyncData() error {
	select {
	case f.fs.arrived <- struct{}{}:
	default:
	}
	f.fs.gate.RLock()
	defer f.fs.gate.RUnlock()
	return f.File.SyncData()
}

// TestInsertIsPending holds that what is not on disk is known to be so, from before it can be seen until it is,
// and that others can insert meanwhile.
func TestInsertIsPending(t *testing.T) {
	t.Parallel()
	fs := &gateFS{FS: vfs.NewMem(), arrived: make(chan struct{}, 1)}
	x := open(t, Options{Dir: "data/index", FS: fs})
	defer x.Close() //nolint:errcheck // the test is over
	pending := func() (n int, last bool) {
		x.syncs.mu.RLock()
		defer x.syncs.mu.RUnlock()
		return len(x.syncs.pending), x.syncs.last != nil
	}
	for len(fs.arrived) > 0 {
		<-fs.arrived
	}
	fs.gate.Lock()
	var wg sync.WaitGroup
	insert := func(key string) {
		wg.Go(func() {
			if err := x.InsertRow(t.Context(), versions.Object{BucketID: "b", Key: key}, versions.Row{Seq: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	insert("one")
	<-fs.arrived
	if n, last := pending(); n != 1 || !last {
		t.Errorf("%d are pending, the last: %v", n, last)
	}
	insert("two")
	for n := 0; n < 2; n, _ = pending() {
		runtime.Gosched()
	}
	fs.gate.Unlock()
	wg.Wait()
	if n, last := pending(); n != 0 || last {
		t.Errorf("%d are pending, the last: %v", n, last)
	}
}

// TestOneDecides holds that nothing changes between a decision and what comes of it.
func TestOneDecides(t *testing.T) {
	t.Parallel()
	x := open(t, Options{Dir: "data/index", FS: vfs.NewMem()})
	defer x.Close() //nolint:errcheck // the test is over
	var busy atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				err := x.change(t.Context(), []byte("k"), func(*pebble.Batch) error {
					if busy.Add(1) > 1 {
						t.Error("two decide at once")
					}
					runtime.Gosched()
					busy.Add(-1)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestReadsWaitForTheDisk holds that nobody is told what a power cut would take back.
func TestReadsWaitForTheDisk(t *testing.T) {
	t.Parallel()
	o := versions.Object{BucketID: "b", Key: "k"}
	x := open(t, Options{Dir: "data/index", FS: vfs.NewMem()})
	defer x.Close() //nolint:errcheck // the test is over
	if err := x.InsertRow(t.Context(), o, versions.Row{Seq: 1}); err != nil {
		t.Fatal(err)
	}
	f := func(name string, want bool, read func(context.Context) error) {
		synctest.Test(t, func(t *testing.T) {
			key := objectKey(kindTop, o)
			flight := x.syncs.begin(key)
			var returned atomic.Bool
			go func() {
				if err := read(t.Context()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				returned.Store(true)
			}()
			synctest.Wait()
			if waits := !returned.Load(); waits != want {
				t.Errorf("%s waits: %v", name, waits)
			}
			x.syncs.end(key, flight, nil)
		})
	}
	other := versions.Object{BucketID: "b", Key: "other"}
	all := versions.Range{BucketID: "b", Limit: 1}
	f("Top", true, func(ctx context.Context) error { _, err := x.Top(ctx, o); return err })
	f("Top of another", false, func(ctx context.Context) error { _, err := x.Top(ctx, other); return err })
	f("Find", true, func(ctx context.Context) error { _, err := x.Find(ctx, o, 0); return err })
	f("Rows", true, func(ctx context.Context) error { _, err := x.Rows(ctx, o, 0, 1); return err })
	f("Heads", true, func(ctx context.Context) error { _, err := x.Heads(ctx, all); return err })
	f("Versions", true, func(ctx context.Context) error { _, err := x.Versions(ctx, all); return err })
	f("an insert that is refused", true, func(ctx context.Context) error {
		if err := x.InsertRow(ctx, o, versions.Row{Seq: 1}); !errors.Is(err, versions.ErrExists) {
			return fmt.Errorf("%w, want ErrExists", err)
		}
		return nil
	})
}
