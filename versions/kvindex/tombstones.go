package kvindex

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Hide implements overlay.Tombstones.
func (x *Index) Hide(ctx context.Context, bucketID, key string) (bool, error) {
	_, inserted, err := x.insert(ctx, tombstoneKey(bucketID, key), nil)
	return inserted, err
}

// Hidden implements overlay.Tombstones.
func (x *Index) Hidden(ctx context.Context, bucketID, key string) (bool, error) {
	_, hidden, err := x.get(ctx, tombstoneKey(bucketID, key))
	return hidden, err
}

// HiddenKeys implements overlay.Tombstones.
func (x *Index) HiddenKeys(ctx context.Context, bucketID, prefix, from string, limit int) (keys []string, err error) {
	all := tombstoneKey(bucketID, prefix)
	it, err := x.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: all, UpperBound: successor(all)})
	if err != nil {
		return nil, fmt.Errorf("kvindex: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	owner := len(tombstoneKey(bucketID, ""))
	for ok := it.SeekGE(tombstoneKey(bucketID, from)); ok && len(keys) < limit; ok = it.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		keys = append(keys, string(it.Key()[owner:]))
	}
	return keys, ctx.Err()
}
