package versionstest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/versions"
)

// slot is one of the object's.
func slot(n int64) versions.Slot { return versions.Slot{Object: object, N: n, Taken: instant(n)} }

// lastSlot compares the number of the object's last slot.
func lastSlot(t testing.TB, x versions.Index, want int64) {
	t.Helper()
	n, err := x.LastSlot(t.Context(), object)
	must(t, err)
	if n != want {
		t.Errorf("the last slot is %d, want %d", n, want)
	}
}

func slotsOnce(t *testing.T, x versions.Index) {
	lastSlot(t, x, -1)
	const racers, each = 8, 10
	var mu sync.Mutex
	var taken []int64
	var wg sync.WaitGroup
	for range racers {
		wg.Go(func() {
			hint := int64(0)
			for range each {
				s, err := versions.NextSlot(t.Context(), x, slot(hint))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				taken = append(taken, s.N)
				mu.Unlock()
				hint = s.N + 1
			}
		})
	}
	wg.Wait()
	slices.Sort(taken)
	for i, n := range taken {
		if n != int64(i) {
			t.Fatalf("taken are %d: a number twice, or a gap", taken)
		}
	}
	lastSlot(t, x, racers*each-1)
	if list, err := x.Slots(t.Context(), slot(0), 1000); err != nil || len(list) != len(taken) {
		t.Errorf("%d slots are taken, and %d are there, %v", len(taken), len(list), err)
	}
	if err := x.TakeSlot(t.Context(), slot(3)); !errors.Is(err, versions.ErrExists) {
		t.Errorf("a slot that is taken: %v", err)
	}
}

func slotsInOrder(t *testing.T, x versions.Index) {
	var all []versions.Slot
	for _, bucketID := range oddBuckets {
		for _, key := range oddKeys {
			for _, n := range []int64{0, 1, 255, 256, 1 << 40} {
				s := versions.Slot{Object: versions.Object{BucketID: bucketID, Key: key}, N: n, Taken: instant(n)}
				must(t, x.TakeSlot(t.Context(), s))
				if bucketID == "b" {
					all = append(all, s)
				}
			}
		}
	}
	for _, size := range []int{1, 4, 7, 1000} {
		var got []versions.Slot
		for from := (versions.Slot{Object: versions.Object{BucketID: "b"}}); ; {
			list, err := x.Slots(t.Context(), from, size)
			must(t, err)
			if got = append(got, list...); len(list) < size {
				break
			}
			from = list[size-1]
			from.N++
		}
		same(t, got, all)
	}
	list, err := x.Slots(t.Context(), all[0], 0)
	must(t, err)
	if len(list) > 0 {
		t.Errorf("a page of 0 has %d", len(list))
	}
	lastSlot(t, x, 1<<40)
}

func slotMarks(t *testing.T, x versions.Index) {
	for n := range int64(3) {
		must(t, x.TakeSlot(t.Context(), slot(n)))
	}
	f := func(n, now, want int64) {
		t.Helper()
		at, err := x.MarkSlot(t.Context(), slot(n), instant(now))
		must(t, err)
		if !at.Equal(instant(want)) {
			t.Errorf("slot %d is marked at %v, want %v", n, at, instant(want))
		}
	}
	marked := func(n int64, want time.Time) {
		t.Helper()
		at, err := x.Marked(t.Context(), slot(n))
		must(t, err)
		if !at.Equal(want) {
			t.Errorf("of slot %d it is noted that it was marked at %v, want %v", n, at, want)
		}
	}
	marked(0, time.Time{})
	f(0, 5, 5)
	f(0, 7, 5)
	f(0, 3, 5)
	f(1, 8, 8)
	marked(0, instant(5))
	marked(1, instant(8))
	marked(2, time.Time{})
	must(t, x.DeleteSlot(t.Context(), slot(0)))
	must(t, x.DeleteSlot(t.Context(), slot(0)))
	lastSlot(t, x, 2)
	list, err := x.Slots(t.Context(), slot(0), 10)
	must(t, err)
	same(t, list, []versions.Slot{slot(1), slot(2)})
	f(1, 9, 8)
	marked(0, time.Time{})
}
