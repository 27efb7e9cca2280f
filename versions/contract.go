package versions

import (
	"context"
	"time"
)

// Object names an object. Both are UTF-8, and a Key has 1 to 1,024 bytes.
type Object struct{ BucketID, Key string }

// Log keeps the rows of each object. All that it returns belongs to the caller.
type Log interface {
	// Top returns the row with the greatest Seq; the zero Row when there is none.
	Top(ctx context.Context, o Object) (Row, error)

	// InsertRow adds r under (o, r.Seq). Of several at once exactly one succeeds, the others get
	// ErrExists. It asks for nothing else: not that the row before is there, which
	// a log that is loaded from a dump need not have.
	InsertRow(ctx context.Context, o Object, r Row) error

	// Find returns, of the rows about the version that has the number n, the one with the greatest
	// Seq; the zero Row when there is none. The row's State may be left out.
	Find(ctx context.Context, o Object, n int64) (Row, error)

	// Rows returns up to limit rows whose Seq is less than before, or any when that is
	// 0; those with greater Seq first.
	Rows(ctx context.Context, o Object, before int64, limit int) ([]Row, error)

	// DeleteRow removes a row for compaction; that it is not there is no error. The caller sees to it that
	// it is not the top row, that a later row about the same version stays or that the version is
	// dead and all earlier rows about it are gone, and that it is dead for [KeepDead].
	DeleteRow(ctx context.Context, o Object, seq int64) error
}

// Slot is the number of a body of an object. It is taken before the body is written.
type Slot struct {
	Object
	N     int64
	Taken time.Time // for the operator, and kept to the millisecond

	// Early says that nobody but this process writes the object, so that TakeSlot need not wait until the slot is durable.
	// When the process ends just then, its body may stay without a slot, until the next writer takes
	// the number again, or somebody who looks for it in storage: see [Loss]. It is not kept.
	Early bool
}

// Loss is what an index that takes slots early says of a process that ended without closing it: of bodies without a row that
// were written from From to To, the slots may be lost. No such body was written later. From is a whole second, as the times of
// objects are.
type Loss struct{ From, To time.Time }

// Slots hand out numbers of bodies, and know which bodies there may be.
type Slots interface {
	// TakeSlot inserts s under (s.Object, s.N). Of several at once exactly one
	// succeeds, the others get ErrExists. Slot 0, which is the first that is taken of an object,
	// makes it known to listings as InsertKey does.
	TakeSlot(ctx context.Context, s Slot) error

	// LastSlot returns the greatest number that was taken; -1 when none was.
	LastSlot(ctx context.Context, o Object) (int64, error)

	// Slots returns up to limit slots of the bucket of from, in the order of keys and
	// numbers, that are not before from.
	Slots(ctx context.Context, from Slot, limit int) ([]Slot, error)

	// MarkSlot notes, unless that has been done, that the slot's body was seen at that time without a
	// version it belongs to, or that there will be none. It returns the time that is noted, to the millisecond.
	MarkSlot(ctx context.Context, s Slot, now time.Time) (time.Time, error)

	// Marked returns the time that MarkSlot noted; zero when it noted none, or the slot was deleted.
	Marked(ctx context.Context, s Slot) (time.Time, error)

	// DeleteSlot removes a slot and its mark; that it is not there is no error. Never the last of an
	// object: its number would be taken again. Nor one that was not marked for [KeepDead].
	DeleteSlot(ctx context.Context, s Slot) error
}

// Head is an object and its top row.
type Head struct {
	Object
	Top Row
}

// Entry is a version and the latest row about it. The row's State may be left out.
type Entry struct {
	Object
	Row
}

// Position is a place in a listing: keys are in byte order, versions of a key the newest first.
type Position struct {
	Key  string
	Time time.Time // of the version, [Version.Time]; zero is before the first
}

// Range is what a listing reads: up to Limit items that are not before From and whose keys begin
// with Prefix. Prefix and From.Key are UTF-8 and may be empty; From may be
// before, in or behind what has the prefix.
type Range struct {
	BucketID, Prefix string
	From             Position
	Limit            int
}

// Keys lists objects and versions. A page costs what it shows, however many rows there are.
type Keys interface {
	// InsertKey makes an object known to listings. It is called before the first
	// row of the object is inserted; again is no error.
	InsertKey(ctx context.Context, o Object) error

	// Heads returns the objects of a range that have rows, and the top row of each, as
	// Top would have returned it at some moment of the call. r.From.Time is not used. Fewer than the limit are
	// returned at the end of the range only.
	Heads(ctx context.Context, r Range) ([]Head, error)

	// Versions returns, of each version of a range, of the rows about it the one with the
	// greatest Seq. Which of the versions are alive is for the caller to say: see
	// [State.Live]. Fewer than the limit are returned at the end of the range only.
	Versions(ctx context.Context, r Range) ([]Entry, error)

	// Forget removes the rows, slots, marks, keys and settings of a bucket that is no more. One that
	// failed or was interrupted is repeated.
	Forget(ctx context.Context, bucketID string) error
}
