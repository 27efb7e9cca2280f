package memindex

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/xronox/xronox-proxy/versions"
)

// history is all that is kept of an object.
type history struct {
	rows  []versions.Row // by Seq
	slots []slot         // by number
}

// history returns an object's; an empty one, which is not kept, when there is none.
func (x *Index) history(o versions.Object) *history {
	if h := x.objects[o]; h != nil {
		return h
	}
	return &history{}
}

// keep returns an object's history, which is kept from now on.
func (x *Index) keep(o versions.Object) *history {
	h := x.objects[o]
	if h == nil {
		o.Key = strings.Clone(o.Key)
		h = &history{}
		x.objects[o] = h
		keys := x.keys[o.BucketID]
		i, _ := slices.BinarySearch(keys, o.Key)
		x.keys[o.BucketID] = slices.Insert(keys, i, o.Key)
	}
	return h
}

// row returns the place of the first row whose Seq is not less.
func (h *history) row(seq int64) int {
	return sort.Search(len(h.rows), func(i int) bool { return h.rows[i].Seq >= seq })
}

// top returns the last row.
func (h *history) top() versions.Row {
	if len(h.rows) == 0 {
		return versions.Row{}
	}
	return copyRow(h.rows[len(h.rows)-1])
}

// copyRow copies what a row points to.
func copyRow(r versions.Row) versions.Row {
	r.Version.Tags = slices.Clone(r.Version.Tags)
	if r.State.Current != nil {
		current := *r.State.Current
		current.Tags = slices.Clone(current.Tags)
		r.State.Current = &current
	}
	return r
}

// Top implements [versions.Log].
func (x *Index) Top(ctx context.Context, o versions.Object) (versions.Row, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return versions.Row{}, err
	}
	return x.history(o).top(), nil
}

// InsertRow implements [versions.Log].
func (x *Index) InsertRow(ctx context.Context, o versions.Object, r versions.Row) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	h := x.keep(o)
	i := h.row(r.Seq)
	if i < len(h.rows) && h.rows[i].Seq == r.Seq {
		return versions.ErrExists
	}
	h.rows = slices.Insert(h.rows, i, copyRow(r))
	return nil
}

// Find implements [versions.Log].
func (x *Index) Find(ctx context.Context, o versions.Object, n int64) (versions.Row, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range slices.Backward(x.history(o).rows) {
		if r.Version.ID.N == n {
			return copyRow(r), ctx.Err()
		}
	}
	return versions.Row{}, ctx.Err()
}

// Rows implements [versions.Log].
func (x *Index) Rows(ctx context.Context, o versions.Object, before int64, limit int) ([]versions.Row, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []versions.Row
	for _, r := range slices.Backward(x.history(o).rows) {
		if len(list) < limit && (before == 0 || r.Seq < before) {
			list = append(list, copyRow(r))
		}
	}
	return list, ctx.Err()
}

// DeleteRow implements [versions.Log].
func (x *Index) DeleteRow(ctx context.Context, o versions.Object, seq int64) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	h := x.history(o)
	i := h.row(seq)
	switch {
	case i == len(h.rows) || h.rows[i].Seq != seq:
		return nil
	case i == len(h.rows)-1:
		return fmt.Errorf("memindex: BUG: the top row of %q is to be deleted", o.Key)
	}
	h.rows = slices.Delete(h.rows, i, i+1)
	return nil
}
