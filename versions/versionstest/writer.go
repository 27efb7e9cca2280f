package versionstest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/xronox/xronox-proxy/versions"
)

// writer changes objects as the protocol has it, but without bodies.
type writer struct {
	versions.Index
	now func() time.Time
}

// put adds a version, or a delete marker, as a bucket does it that is Enabled or Suspended.
func (w writer) put(ctx context.Context, o versions.Object, suspended, marker bool) (versions.Row, error) {
	top, err := w.Top(ctx, o)
	if err != nil {
		return top, err
	}
	s, err := versions.NextSlot(ctx, w, versions.Slot{Object: o, N: top.State.NextN, Taken: w.now()})
	if err != nil {
		return top, err
	}
	v := versions.Version{ID: versions.NewVersionID(s.N), Marker: marker, By: versions.By{Operation: "PutObject", AccessKey: "AK"}}
	if suspended {
		v.ID = versions.NullVersionID(s.N)
	}
	if !marker {
		v.Size, v.ETag = s.N, fmt.Sprintf(`"%d"`, s.N)
	}
	return versions.Commit(ctx, w, versions.Head{Object: o, Top: top}, func(top versions.Row) (versions.Row, error) {
		return versions.Put(top, v, w.now()), nil
	})
}

// remove removes a version for good; false when there is none.
func (w writer) remove(ctx context.Context, o versions.Object, id versions.VersionID) (r versions.Row, removed bool, err error) {
	if r, err = w.Top(ctx, o); err != nil {
		return r, false, err
	}
	r, err = versions.Commit(ctx, w, versions.Head{Object: o, Top: r}, func(top versions.Row) (versions.Row, error) {
		h := versions.Head{Object: o, Top: top}
		v, err := versions.Lookup(ctx, w, h, id)
		if removed = v != nil; err != nil || !removed {
			return top, err
		}
		var previous *versions.Version
		if v.Is(top.State.Current) {
			if previous, err = versions.Previous(ctx, w, h, v); err != nil {
				return top, err
			}
		}
		return versions.Remove(top, *v, previous, versions.Event{Now: w.now()}), nil
	})
	return r, removed, err
}

// tag changes the tags of a version; false when there is none.
func (w writer) tag(ctx context.Context, o versions.Object, id versions.VersionID, tag string) (r versions.Row, tagged bool, err error) {
	if r, err = w.Top(ctx, o); err != nil {
		return r, false, err
	}
	r, err = versions.Commit(ctx, w, versions.Head{Object: o, Top: r}, func(top versions.Row) (versions.Row, error) {
		v, err := versions.Lookup(ctx, w, versions.Head{Object: o, Top: top}, id)
		if tagged = v != nil; err != nil || !tagged {
			return top, err
		}
		changed := *v
		changed.Tags = []versions.Tag{{Key: tag}}
		return versions.Amend(top, changed, versions.Event{Now: w.now()}), nil
	})
	return r, tagged, err
}

// compact removes the rows of an object that say nothing any more, and, if graves are to go, those that
// say that a version was removed.
func (w writer) compact(ctx context.Context, o versions.Object, graves bool) error {
	rows, err := w.Rows(ctx, o, 0, 1_000_000)
	if err != nil || len(rows) == 0 {
		return err
	}
	top, latest := rows[0], map[int64]int64{}
	slices.Reverse(rows)
	for _, r := range rows {
		latest[r.Version.ID.N] = r.Seq
	}
	for _, r := range rows { // those with less Seq first
		last := latest[r.Version.ID.N] == r.Seq
		if r.Seq == top.Seq || last && (top.State.Live(r) || r.Kind == versions.KindRemove && !graves) {
			continue
		}
		if err := w.DeleteRow(ctx, o, r.Seq); err != nil {
			return err
		}
	}
	return nil
}
