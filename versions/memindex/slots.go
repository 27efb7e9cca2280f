package memindex

import (
	"context"
	"slices"
	"sort"
	"time"

	"github.com/xronox/xronox-proxy/versions"
)

// slot is one that was taken.
type slot struct {
	n      int64
	taken  time.Time
	marked time.Time // zero if it is not
}

// slot returns the place of the first slot whose number is not less, and whether it is that one.
func (h *history) slot(n int64) (int, bool) {
	i := sort.Search(len(h.slots), func(i int) bool { return h.slots[i].n >= n })
	return i, i < len(h.slots) && h.slots[i].n == n
}

// whole is t as it is kept.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// TakeSlot implements [versions.Slots].
func (x *Index) TakeSlot(ctx context.Context, s versions.Slot) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	h := x.keep(s.Object)
	i, taken := h.slot(s.N)
	if taken {
		return versions.ErrExists
	}
	h.slots = slices.Insert(h.slots, i, slot{n: s.N, taken: whole(s.Taken)})
	return nil
}

// LastSlot implements [versions.Slots].
func (x *Index) LastSlot(ctx context.Context, o versions.Object) (int64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	slots := x.history(o).slots
	if len(slots) == 0 {
		return -1, ctx.Err()
	}
	return slots[len(slots)-1].n, ctx.Err()
}

// Slots implements [versions.Slots].
func (x *Index) Slots(ctx context.Context, from versions.Slot, limit int) ([]versions.Slot, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []versions.Slot
	keys := x.keys[from.BucketID]
	first, _ := slices.BinarySearch(keys, from.Key)
	for _, key := range keys[first:] {
		o := versions.Object{BucketID: from.BucketID, Key: key}
		for _, s := range x.objects[o].slots {
			if len(list) >= limit {
				return list, ctx.Err()
			}
			if key > from.Key || s.n >= from.N {
				list = append(list, versions.Slot{Object: o, N: s.n, Taken: s.taken})
			}
		}
	}
	return list, ctx.Err()
}

// MarkSlot implements [versions.Slots].
func (x *Index) MarkSlot(ctx context.Context, s versions.Slot, now time.Time) (time.Time, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	h := x.keep(s.Object)
	i, taken := h.slot(s.N)
	if !taken {
		return whole(now), nil // of no use to anybody
	}
	if h.slots[i].marked.IsZero() {
		h.slots[i].marked = whole(now)
	}
	return h.slots[i].marked, nil
}

// Marked implements [versions.Slots].
func (x *Index) Marked(ctx context.Context, s versions.Slot) (time.Time, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	h := x.history(s.Object)
	if i, taken := h.slot(s.N); taken {
		return h.slots[i].marked, ctx.Err()
	}
	return time.Time{}, ctx.Err()
}

// DeleteSlot implements [versions.Slots].
func (x *Index) DeleteSlot(ctx context.Context, s versions.Slot) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	h := x.history(s.Object)
	if i, taken := h.slot(s.N); taken {
		h.slots = slices.Delete(h.slots, i, i+1)
	}
	return nil
}
