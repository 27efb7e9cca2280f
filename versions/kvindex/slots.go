package kvindex

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/versions"
)

// TakeSlot implements [versions.Slots].
func (x *Index) TakeSlot(ctx context.Context, s versions.Slot) error {
	insert := x.insert
	if s.Early {
		if err := x.sign(ctx); err != nil {
			return err
		}
		insert = x.insertEarly
	}
	_, inserted, err := insert(ctx, numberKey(kindSlot, s.Object, s.N), encodeTime(s.Taken))
	if err == nil && !inserted {
		return versions.ErrExists
	}
	return err
}

// LastSlot implements [versions.Slots].
func (x *Index) LastSlot(ctx context.Context, o versions.Object) (n int64, err error) {
	all := objectKey(kindSlot, o)
	it, err := x.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: all, UpperBound: successor(all)})
	if err != nil {
		return -1, fmt.Errorf("kvindex: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	x.reads.Add(1)
	if !it.Last() {
		return -1, errors.Join(it.Error(), ctx.Err())
	}
	if n, err = parseNumber(it.Key()[len(all):]); err != nil {
		return -1, err
	}
	return n, errors.Join(ctx.Err(), x.syncs.settle(it.Key()))
}

// Slots implements [versions.Slots].
func (x *Index) Slots(ctx context.Context, from versions.Slot, limit int) (list []versions.Slot, err error) {
	all := prefixKey(kindSlot, from.BucketID, "")
	err = x.scan(ctx, all, numberKey(kindSlot, from.Object, from.N), func(key, value []byte) (bool, error) {
		if len(list) >= limit {
			return false, nil
		}
		o, rest, err := parseObject(key, from.BucketID)
		if err != nil {
			return false, err
		}
		n, err := parseNumber(rest)
		if err != nil {
			return false, err
		}
		taken, err := decodeTime(value)
		list = append(list, versions.Slot{Object: o, N: n, Taken: taken})
		return err == nil, err
	})
	return list, err
}

// MarkSlot implements [versions.Slots].
func (x *Index) MarkSlot(ctx context.Context, s versions.Slot, now time.Time) (time.Time, error) {
	stored, _, err := x.insert(ctx, numberKey(kindMark, s.Object, s.N), encodeTime(now))
	if err != nil {
		return time.Time{}, err
	}
	return decodeTime(stored)
}

// Marked implements [versions.Slots].
func (x *Index) Marked(ctx context.Context, s versions.Slot) (time.Time, error) {
	stored, ok, err := x.get(ctx, numberKey(kindMark, s.Object, s.N))
	if err != nil || !ok {
		return time.Time{}, err
	}
	return decodeTime(stored)
}

// DeleteSlot implements [versions.Slots].
func (x *Index) DeleteSlot(ctx context.Context, s versions.Slot) error {
	slot := numberKey(kindSlot, s.Object, s.N)
	return x.change(ctx, slot, func(b *pebble.Batch) error {
		return errors.Join(b.Delete(slot, nil), b.Delete(numberKey(kindMark, s.Object, s.N), nil))
	})
}
