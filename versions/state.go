package versions

import "time"

// Live reports whether a version is alive in s, the state of its object's top
// row; about is the latest row about the version. Of null versions only the latest is.
func (s State) Live(about Row) bool {
	if about.Seq == 0 || about.Kind == KindRemove {
		return false
	}
	return !about.Version.ID.Null || s.HasNull() && s.Null.Time.Equal(about.Version.Time)
}

// HasNull reports whether a null version is alive.
func (s State) HasNull() bool { return !s.Null.Time.IsZero() && !s.NullGone }

// Put returns the row behind top that adds v, which becomes the current version. v's ID says which
// of S3's rules it is: in a bucket that is Enabled every put and every delete marker has an ID of
// its own and keeps what was there; in one that is Suspended both are null, and replace the
// version that was null, wherever that stands. An object from before is adopted by putting it as
// null behind the zero Row, at its time. What v has as Time is not used.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectsfromVersionSuspendedBuckets.html
func Put(top Row, v Version, now time.Time) Row {
	r := top.next(now, v.By)
	v.Time = r.Time
	r.Kind, r.Version, r.State.Current = KindPut, v, &v
	r.State.NextN = max(r.State.NextN, v.ID.N+1)
	if v.Marker {
		r.Kind = KindMarker
	}
	if v.ID.Null {
		if top.State.HasNull() {
			r.Replaced = top.State.Null
		}
		r.State.Null, r.State.NullGone = Ref{v.ID.N, v.Time}, false
	}
	return r
}

// PutMarker returns the row behind top that adds a delete marker: in a bucket that is Suspended a null one,
// which replaces the null version. A marker has no body, so that its number says which row added it.
func PutMarker(top Row, null bool, e Event) Row {
	id := NewVersionID(-(top.Seq + 1))
	id.Null = null
	return Put(top, Version{ID: id, By: e.By, Marker: true}, e.Now)
}

// Known returns the first row of an object that has no version: from then on nobody looks for one from
// before. It says that a delete marker was removed, which nobody has seen.
func Known(e Event) Row {
	r := Row{}.next(e.Now, e.By)
	r.Kind, r.Version = KindRemove, Version{ID: NewVersionID(-1), Time: r.Time, By: e.By, Marker: true}
	return r
}

// Event is when something is done, and by whom.
type Event struct {
	Now time.Time
	By  By
}

// Remove returns the row behind top that removes v, a version that is alive, for good. If v is current, then
// previous is what becomes current: the newest version alive that is older ([Previous]); nil if
// there is none.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
func Remove(top Row, v Version, previous *Version, e Event) Row {
	r := top.next(e.Now, e.By)
	r.Kind, r.Version = KindRemove, v
	if v.Is(top.State.Current) {
		r.State.Current = previous
	}
	if v.ID.Null {
		r.State.NullGone = true
	}
	return r
}

// Amend returns the row behind top after which a version that is alive is as v is: with other tags, or
// another retention or hold.
func Amend(top Row, v Version, e Event) Row {
	r := top.next(e.Now, e.By)
	r.Kind, r.Version = KindAmend, v
	if v.Is(top.State.Current) {
		r.State.Current = &v
	}
	return r
}

// next returns a row behind r that changes nothing yet. Its time is greater than r's, whatever
// the clock says: the order of times is the order of rows.
func (r Row) next(now time.Time, by By) Row {
	now = now.UTC().Truncate(time.Millisecond)
	if r.Seq > 0 && !now.After(r.Time) {
		now = r.Time.Add(time.Millisecond)
	}
	return Row{Seq: r.Seq + 1, Time: now, By: by, State: r.State}
}
