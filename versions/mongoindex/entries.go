package mongoindex

import (
	"context"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/xronox/xronox-proxy/versions"
)

// byVersion has the latest row about each version before its others, and newer versions before older ones.
var byVersion = bson.D{field("k", up), field("t", down), field("s", down)}

// Versions implements [versions.Keys]. It reads as many rows as are wanted versions, and then, as
// often as it takes, as many as it must be by what was read.
func (x *Index) Versions(ctx context.Context, r versions.Range) (list []versions.Entry, err error) {
	ctx, end, err := x.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	each := 0 // rows of a version, as was read
	for len(list) < r.Limit {
		size := min((r.Limit-len(list))*(each+1), max(manyRows, r.Limit))
		found, err := find[row](ctx, x.rows, query{filter: versionsFrom(r), sort: byVersion, limit: size})
		if err != nil {
			return nil, err
		}
		before := len(list)
		if list, err = appendEntries(list, found, r); err != nil || len(found) < size {
			return list, err
		}
		last := found[len(found)-1]
		r.From = versions.Position{Key: strings.Clone(last.Key), Time: time.UnixMilli(last.T - 1)}
		each = (size + len(list) - before - 1) / max(1, len(list)-before)
	}
	return list, nil
}

// versionsFrom is the filter of rows about the versions of a range.
func versionsFrom(r versions.Range) bson.D {
	keys := startingAt(r.Prefix, r.From.Key)
	if r.From.Time.IsZero() || !strings.HasPrefix(r.From.Key, r.Prefix) {
		return bson.D{field("b", r.BucketID), field("k", keys)}
	}
	o := versions.Object{BucketID: r.BucketID, Key: r.From.Key}
	keys[0].Key = "$gt"
	return anyOf(of(o, field("t", bson.D{field("$lte", r.From.Time.UnixMilli())})), bson.D{field("b", r.BucketID), field("k", keys)})
}

// appendEntries appends the first row about each version, up to the limit.
func appendEntries(list []versions.Entry, found []row, r versions.Range) ([]versions.Entry, error) {
	for i, f := range found {
		if i > 0 && f.T == found[i-1].T && f.Key == found[i-1].Key {
			continue
		}
		if len(list) == r.Limit {
			break
		}
		decoded, err := f.decode()
		if err != nil {
			return nil, err
		}
		list = append(list, versions.Entry{Object: versions.Object{BucketID: r.BucketID, Key: f.Key}, Row: decoded})
	}
	return list, nil
}

// Forget implements [versions.Keys]. It removes some documents at a time, each time within what a call may take.
// The hints go last: without them rows that are left are found.
func (x *Index) Forget(ctx context.Context, bucketID string) error {
	for _, c := range []*mongo.Collection{x.rows, x.slots, x.marks, x.settings, x.hints} {
		for more := true; more; {
			var err error
			if more, err = x.forgetSome(ctx, c, bucketID); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetSome removes documents of a bucket; false when there are no more.
func (x *Index) forgetSome(ctx context.Context, c *mongo.Collection, bucketID string) (more bool, err error) {
	ctx, end, err := x.begin(ctx)
	defer end()
	if err != nil {
		return false, err
	}
	type document struct {
		ID bson.RawValue `bson:"_id"`
	}
	q := query{filter: bson.D{field("b", bucketID)}, limit: manyRows}
	found, err := find[document](ctx, c, q)
	if err != nil || len(found) == 0 {
		return false, err
	}
	ids := make(bson.A, len(found))
	for i, d := range found {
		ids[i] = d.ID
	}
	if _, err := c.DeleteMany(ctx, append(q.filter, field("_id", bson.D{field("$in", ids)}))); err != nil {
		return false, fail(ctx, err)
	}
	return len(found) == q.limit, nil
}
