package kvindex

import "context"

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
	owner := len(tombstoneKey(bucketID, ""))
	err = x.scan(ctx, tombstoneKey(bucketID, prefix), tombstoneKey(bucketID, from), func(key, _ []byte) (bool, error) {
		if len(keys) >= limit {
			return false, nil
		}
		keys = append(keys, string(key[owner:]))
		return true, nil
	})
	return keys, err
}
