package memindex

import (
	"context"
	"slices"
	"strings"
)

// tombstone is the unique key of one.
type tombstone struct{ bucketID, key string }

// Hide implements overlay.Tombstones.
func (x *Index) Hide(ctx context.Context, bucketID, key string) (bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	t := tombstone{bucketID, strings.Clone(key)}
	inserted := !x.hidden[t]
	x.hidden[t] = true
	return inserted, nil
}

// Hidden implements overlay.Tombstones.
func (x *Index) Hidden(ctx context.Context, bucketID, key string) (bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.hidden[tombstone{bucketID, key}], ctx.Err()
}

// HiddenKeys implements overlay.Tombstones.
func (x *Index) HiddenKeys(ctx context.Context, bucketID, prefix, from string, limit int) ([]string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []string
	for t := range x.hidden {
		if t.bucketID == bucketID && strings.HasPrefix(t.key, prefix) && t.key >= from {
			list = append(list, t.key)
		}
	}
	slices.Sort(list)
	return list[:min(len(list), max(limit, 0))], ctx.Err()
}
