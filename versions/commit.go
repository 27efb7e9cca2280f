package versions

import (
	"context"
	"errors"
	"time"
)

// Committer is what of an index a commit needs.
type Committer interface {
	Log
	Keys
}

// Commit makes a change. decide is given the top row and returns the row behind it ([Put], [Remove],
// [Amend]), or the top row itself when there is nothing to change, or an error. It is called
// again when another row was there first, and must not keep anything from one time to
// the next. Commit returns the row that stands.
//
// h is the object with its top row as it was read since the operation began, and not longer ago than
// [StaleAfter]: decisions to change nothing are made on it, and stand.
//
// An error other than decide's does not say whether the change happened.
func Commit(ctx context.Context, x Committer, h Head, decide func(top Row) (Row, error)) (Row, error) {
	for {
		next, err := decide(h.Top)
		if err != nil || next.Seq == h.Top.Seq {
			return next, err
		}
		if h.Top.Seq == 0 && next.Version.ID.N < 0 { // Whoever took a slot made the object known.
			if err := x.InsertKey(ctx, h.Object); err != nil {
				return Row{}, err
			}
		}
		err = x.InsertRow(ctx, h.Object, next)
		if err == nil || !errors.Is(err, ErrExists) {
			return next, err
		}
		if h.Top, err = x.Top(ctx, h.Object); err != nil {
			return Row{}, err
		}
	}
}

// Lookup returns the version that id names, if it is alive in the state of h.Top; nil when it is not, or
// when there is none. h.Top is needed for the null version only: others cost one read, with or without.
func Lookup(ctx context.Context, x Log, h Head, id VersionID) (*Version, error) {
	state := h.Top.State
	if current := state.Current; current != nil && id.Names(current) {
		return current, nil
	}
	if id.Null {
		if !state.HasNull() {
			return nil, nil
		}
		id.N = state.Null.N
	}
	about, err := x.Find(ctx, h.Object, id.N)
	if err != nil || !id.Names(&about.Version) || !state.Live(about) {
		return nil, err
	}
	return &about.Version, nil
}

// Previous returns the newest version alive that is older than v; nil when there is none. Its answer
// holds for a row behind h.Top: if another is inserted first, decide again.
func Previous(ctx context.Context, x Keys, h Head, v *Version) (*Version, error) {
	return newest(ctx, x, h, v.Time.Add(-time.Millisecond))
}

// NextSlot takes a slot of an object: s itself, which is free as a rule when s.N is the [State.NextN] of
// the top row, or else the one behind the last.
func NextSlot(ctx context.Context, x Slots, s Slot) (Slot, error) {
	for {
		err := x.TakeSlot(ctx, s)
		if err == nil || !errors.Is(err, ErrExists) {
			return s, err
		}
		last, err := x.LastSlot(ctx, s.Object)
		if err != nil {
			return s, err
		}
		s.N = last + 1
	}
}
