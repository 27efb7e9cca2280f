package mongoindex

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/xronox/xronox-proxy/versions"
)

// slot is a document of slots, and of marks.
type slot struct {
	Key string    `bson:"k"`
	N   int64     `bson:"n"`
	At  time.Time `bson:"at"` // when it was taken, or marked
}

// ofSlot is the filter of a slot.
func ofSlot(s versions.Slot) bson.D { return of(s.Object, field("n", s.N)) }

// TakeSlot implements [versions.Slots].
func (x *Index) TakeSlot(ctx context.Context, s versions.Slot) error {
	return x.insert(ctx, x.slots, ofSlot(s), bson.D{field("at", s.Taken)}, false)
}

// LastSlot implements [versions.Slots].
func (x *Index) LastSlot(ctx context.Context, o versions.Object) (int64, error) {
	last, err := first[*slot](ctx, x, x.slots, query{filter: of(o), sort: bson.D{field("n", down)}})
	if err != nil || last == nil {
		return -1, err
	}
	return last.N, nil
}

// Slots implements [versions.Slots].
func (x *Index) Slots(ctx context.Context, from versions.Slot, limit int) ([]versions.Slot, error) {
	ctx, end, err := x.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	found, err := find[slot](ctx, x.slots, query{
		filter: anyOf(of(from.Object, field("n", bson.D{field("$gte", from.N)})), behind(from.Object)),
		sort:   bson.D{field("k", up), field("n", up)},
		limit:  limit,
	})
	list := make([]versions.Slot, len(found))
	for i, s := range found {
		o := versions.Object{BucketID: from.BucketID, Key: s.Key}
		list[i] = versions.Slot{Object: o, N: s.N, Taken: s.At.UTC()}
	}
	return list, err
}

// anyOf is a filter for what one of several finds.
func anyOf(filters ...bson.D) bson.D { return bson.D{field("$or", filters)} }

// behind is the filter of all objects of a bucket with greater keys than o's.
func behind(o versions.Object) bson.D {
	return bson.D{field("b", o.BucketID), field("k", bson.D{field("$gt", o.Key)})}
}

// MarkSlot implements [versions.Slots].
func (x *Index) MarkSlot(ctx context.Context, s versions.Slot, now time.Time) (time.Time, error) {
	now = now.UTC().Truncate(time.Millisecond)
	for {
		err := x.insert(ctx, x.marks, ofSlot(s), bson.D{field("at", now)}, false)
		if err == nil {
			return now, nil
		}
		if !errors.Is(err, versions.ErrExists) {
			return time.Time{}, err
		}
		at, err := x.Marked(ctx, s)
		if err != nil || !at.IsZero() { // It may be deleted since.
			return at, err
		}
	}
}

// Marked implements [versions.Slots].
func (x *Index) Marked(ctx context.Context, s versions.Slot) (time.Time, error) {
	mark, err := first[*slot](ctx, x, x.marks, query{filter: ofSlot(s)})
	if err != nil || mark == nil {
		return time.Time{}, err
	}
	return mark.At.UTC(), nil
}

// DeleteSlot implements [versions.Slots]. The mark goes first: a slot without its mark is marked again.
func (x *Index) DeleteSlot(ctx context.Context, s versions.Slot) error {
	if err := x.deleteOne(ctx, x.marks, ofSlot(s)); err != nil {
		return err
	}
	return x.deleteOne(ctx, x.slots, ofSlot(s))
}
