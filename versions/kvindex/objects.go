package kvindex

import (
	"context"

	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/versions"
)

// InsertKey implements [versions.Keys]. An insert of a row lists its object, at once.
func (x *Index) InsertKey(ctx context.Context, _ versions.Object) error { return ctx.Err() }

// Heads implements [versions.Keys].
func (x *Index) Heads(ctx context.Context, r versions.Range) (list []versions.Head, err error) {
	from := prefixKey(kindTop, r.BucketID, r.From.Key)
	err = x.scanObjects(ctx, kindTop, r, from, func(o versions.Object, row versions.Row) bool {
		list = append(list, versions.Head{Object: o, Top: row})
		return len(list) < r.Limit
	})
	return list, err
}

// Versions implements [versions.Keys].
func (x *Index) Versions(ctx context.Context, r versions.Range) (list []versions.Entry, err error) {
	from := prefixKey(kindLatest, r.BucketID, r.From.Key)
	if !r.From.Time.IsZero() {
		from = latestKey(versions.Object{BucketID: r.BucketID, Key: r.From.Key}, r.From.Time)
	}
	err = x.scanObjects(ctx, kindLatest, r, from, func(o versions.Object, row versions.Row) bool {
		list = append(list, versions.Entry{Object: o, Row: row})
		return len(list) < r.Limit
	})
	return list, err
}

// scanObjects calls show with the rows of a range, until it wants no more.
func (x *Index) scanObjects(ctx context.Context, kind byte, r versions.Range, from []byte, show func(versions.Object, versions.Row) (more bool)) error {
	if r.Limit <= 0 {
		return ctx.Err()
	}
	return x.scan(ctx, prefixKey(kind, r.BucketID, r.Prefix), from, func(key, value []byte) (bool, error) {
		o, _, err := parseObject(key, r.BucketID)
		if err != nil {
			return false, err
		}
		row, err := versions.DecodeRow(value)
		if err != nil {
			return false, err
		}
		return show(o, row), nil
	})
}

// Forget implements [versions.Keys].
func (x *Index) Forget(ctx context.Context, bucketID string) error {
	return x.change(ctx, prefixKey(kindTop, bucketID, ""), func(b *pebble.Batch) error {
		for _, kind := range []byte{kindRow, kindTop, kindLatest, kindNumber, kindSlot, kindMark, kindSettings} {
			all := prefixKey(kind, bucketID, "")
			if err := b.DeleteRange(all, successor(all), nil); err != nil {
				return err
			}
		}
		return nil
	})
}
