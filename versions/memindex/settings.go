package memindex

import (
	"context"
	"slices"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
)

// bySeq orders settings.
func bySeq(s router.Settings, seq int64) int { return int(s.Seq - seq) }

// TopSettings implements [router.BucketSettings].
func (x *Index) TopSettings(ctx context.Context, bucketID string) (router.Settings, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if all := x.settings[bucketID]; len(all) > 0 {
		return all[len(all)-1], ctx.Err()
	}
	return router.Settings{}, ctx.Err()
}

// InsertSettings implements [router.BucketSettings].
func (x *Index) InsertSettings(ctx context.Context, bucketID string, s router.Settings) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	all := x.settings[bucketID]
	i, taken := slices.BinarySearchFunc(all, s.Seq, bySeq)
	if taken {
		return versions.ErrExists
	}
	x.settings[bucketID] = slices.Insert(all, i, s)
	return nil
}
