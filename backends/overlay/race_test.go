package overlay_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/xronox/xronox-proxy/s3err"
)

// together runs f many times at once.
func together(f func(i int)) {
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// TestDeleteOnce holds that of many conditional deletions of an object that only the old
// place has one succeeds.
func TestDeleteOnce(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	for round := range 30 {
		key := fmt.Sprint("k", round)
		put(t, p.past, key, "old")
		var winners atomic.Int64
		together(func(int) {
			err := tryDelete(t, p, key, etag("old"))
			if err == nil {
				winners.Add(1)
			} else if !s3err.Is(err, s3err.NoSuchKey) {
				t.Error(err)
			}
		})
		if n := winners.Load(); n != 1 || read(t, p, key) != "NoSuchKey" {
			t.Fatalf("%d winners; then the key reads %s", n, read(t, p, key))
		}
	}
}

// TestCreateAndDelete has conditional creations race conditional deletions of a key that
// the old place has: they must take turns, so that the count comes out.
func TestCreateAndDelete(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	for round := range 30 {
		key := fmt.Sprint("k", round)
		put(t, p.past, key, "old")
		var objects atomic.Int64
		objects.Store(1)
		together(func(i int) {
			for range 10 {
				var err error
				if i%2 == 0 {
					if err = tryPut(t, p, key, "new", absent); err == nil {
						objects.Add(1)
					}
				} else if err = tryDelete(t, p, key, "*"); err == nil {
					objects.Add(-1)
				}
				if err != nil && !s3err.Is(err, s3err.PreconditionFailed) && !s3err.Is(err, s3err.NoSuchKey) {
					t.Error(err)
				}
			}
		})
		want := map[int64]string{0: "NoSuchKey", 1: "new"}[objects.Load()]
		if got := read(t, p, key); got != want {
			t.Fatalf("%d objects are left, and %q is read", objects.Load(), got)
		}
	}
}

// TestNeverBack has readers watch keys that are deleted once, and some of them written
// before: what the old place has must not come back.
func TestNeverBack(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	for round := range 30 {
		key := fmt.Sprint("k", round)
		put(t, p.past, key, "old")
		if round%2 == 0 {
			put(t, p, key, "new")
		}
		together(func(i int) {
			if i == 0 {
				if err := tryDelete(t, p, key, ""); err != nil {
					t.Error(err)
				}
				return
			}
			first, gone := read(t, p, key), false
			for range 20 {
				switch got := read(t, p, key); {
				case got == "NoSuchKey":
					gone = true
				case gone || got != first || round%2 == 0 && got != "new":
					t.Errorf("%q reads %q after %q", key, got, first)
				}
			}
		})
	}
}
