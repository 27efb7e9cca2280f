package kvindex

import (
	"context"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/versions"
)

// Top implements [versions.Log].
func (x *Index) Top(ctx context.Context, o versions.Object) (versions.Row, error) {
	row, ok, err := x.get(ctx, objectKey(kindTop, o))
	if err != nil || !ok {
		return versions.Row{}, err
	}
	return versions.DecodeRow(row)
}

// InsertRow implements [versions.Log].
func (x *Index) InsertRow(ctx context.Context, o versions.Object, r versions.Row) error {
	top := objectKey(kindTop, o)
	return x.change(ctx, top, func(b *pebble.Batch) error {
		key := rowKey(o, r.Seq)
		if _, exists, err := x.read(key); err != nil {
			return err
		} else if exists {
			return versions.ErrExists
		}
		whole := r.Encode()
		if err := b.Set(key, whole, nil); err != nil {
			return err
		}
		if err := x.setNewer(b, top, r.Seq, whole); err != nil {
			return err
		}
		latest := r
		latest.State = versions.State{}
		if err := x.setNewer(b, latestKey(o, r.Version.Time), r.Seq, latest.Encode()); err != nil {
			return err
		}
		return b.Set(numberKey(kindNumber, o, r.Version.ID.N), encodeTime(r.Version.Time), nil)
	})
}

// setNewer writes a copy of a row unless there is one of a later row, as can be in a log that is loaded.
func (x *Index) setNewer(b *pebble.Batch, key []byte, seq int64, row []byte) error {
	stored, err := x.row(key)
	if err != nil || stored.Seq > seq {
		return err
	}
	return b.Set(key, row, nil)
}

// row reads a row; the zero Row when there is none.
func (x *Index) row(key []byte) (versions.Row, error) {
	stored, ok, err := x.read(key)
	if err != nil || !ok {
		return versions.Row{}, err
	}
	return versions.DecodeRow(stored)
}

// Find implements [versions.Log].
func (x *Index) Find(ctx context.Context, o versions.Object, n int64) (r versions.Row, err error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	stored, ok, err := x.read(numberKey(kindNumber, o, n))
	if err != nil || !ok {
		return r, err
	}
	t, err := decodeTime(stored)
	if err != nil {
		return r, err
	}
	if r, err = x.row(latestKey(o, t)); err != nil {
		return versions.Row{}, err
	}
	return r, x.syncs.settle(objectKey(kindTop, o))
}

// Rows implements [versions.Log].
func (x *Index) Rows(ctx context.Context, o versions.Object, before int64, limit int) (list []versions.Row, err error) {
	all := objectKey(kindRow, o)
	from := all
	if before != 0 {
		from = rowKey(o, before-1)
	}
	err = x.scan(ctx, all, from, func(_, value []byte) (bool, error) {
		if len(list) >= limit {
			return false, nil
		}
		r, err := versions.DecodeRow(value)
		list = append(list, r)
		return err == nil, err
	})
	return list, err
}

// DeleteRow implements [versions.Log].
func (x *Index) DeleteRow(ctx context.Context, o versions.Object, seq int64) error {
	top := objectKey(kindTop, o)
	return x.change(ctx, top, func(b *pebble.Batch) error {
		r, err := x.row(rowKey(o, seq))
		if err != nil || r.Seq == 0 {
			return err
		}
		last, err := x.row(top)
		if err != nil {
			return err
		}
		if last.Seq == seq {
			return fmt.Errorf("kvindex: BUG: the top row of %q is to be deleted", o.Key)
		}
		latest, err := x.row(latestKey(o, r.Version.Time))
		if err != nil {
			return err
		}
		if latest.Seq == seq { // Nothing is known of the version any more.
			if err := b.Delete(latestKey(o, r.Version.Time), nil); err != nil {
				return err
			}
			if err := b.Delete(numberKey(kindNumber, o, r.Version.ID.N), nil); err != nil {
				return err
			}
		}
		return b.Delete(rowKey(o, seq), nil)
	})
}
