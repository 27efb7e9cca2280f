package kvindex

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/versionstest"
)

// open opens an index.
func open(t testing.TB, o Options) *Index {
	t.Helper()
	x, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestSuite(t *testing.T) {
	t.Parallel()
	fss := map[versions.Index]vfs.FS{}
	versionstest.Run(t, versionstest.Options{
		Open: func(t testing.TB) versions.Index {
			fs := vfs.NewMem()
			x := open(t, Options{Dir: "data/index", FS: fs})
			fss[x] = fs
			return x
		},
		Reopen: func(t testing.TB, x versions.Index) versions.Index {
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, Options{Dir: "data/index", FS: fss[x]})
		},
	})
}

// TestOnDisk is what the suite does in memory: make the directory, close, open again.
func TestOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/data/index"
	x := open(t, Options{Dir: dir})
	if _, err := x.InsertValue(t.Context(), "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, Options{Dir: dir})
	defer x.Close() //nolint:errcheck // the test is over
	if v, err := x.Value(t.Context(), "a"); err != nil || string(v) != "1" {
		t.Errorf("Value = %q, %v", v, err)
	}
}

func TestInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := open(t, Options{Dir: dir})
	defer x.Close() //nolint:errcheck // the test is over
	_, err := Open(Options{Dir: dir})
	if !errors.Is(err, versions.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("Open of an index in use: %v; want an error that names it and says so", err)
	}
}

// TestPowerCut holds that what was acknowledged is there after the power went
// at any moment, whatever part of the rest the disk had kept.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	fs := vfs.NewCrashableMem()
	acknowledged, hidden := map[string]bool{}, map[string]bool{}
	for range 20 {
		x := open(t, Options{Dir: "data/index", FS: fs})
		for name := range acknowledged {
			if _, ok, err := x.GetBucket(t.Context(), "t", name); err != nil || ok != acknowledged[name] {
				t.Fatalf("bucket %q after a power cut: found %v, %v; want %v", name, ok, err, acknowledged[name])
			}
		}
		for key := range hidden {
			if ok, err := x.Hidden(t.Context(), "b", key); err != nil || !ok {
				t.Fatalf("key %q after a power cut: hidden %v, %v", key, ok, err)
			}
		}
		for range rng.IntN(8) {
			if key := string(rune('a' + rng.IntN(26))); rng.IntN(3) == 0 {
				if inserted, err := x.Hide(t.Context(), "b", key); err != nil || inserted == hidden[key] {
					t.Fatalf("Hide %q: %v, %v", key, inserted, err)
				}
				hidden[key] = true
			}
			r := router.BucketRecord{TenantID: "t", Name: string(rune('a' + rng.IntN(6)))}
			var err error
			if !acknowledged[r.Name] {
				err = x.InsertBucket(t.Context(), r)
			} else {
				err = x.DeleteBucket(t.Context(), r)
			}
			if err != nil {
				t.Fatal(err)
			}
			acknowledged[r.Name] = !acknowledged[r.Name]
		}
		cut := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		fs = cut
	}
}
