package kvindex

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/xronox/xronox-proxy/router"
)

// settingsKey is the key of an entry of a bucket's settings: those with greater Seq come first.
func settingsKey(bucketID string, seq int64) []byte {
	return descending(within(kindSettings, bucketID, ""), seq)
}

// TopSettings implements [router.BucketSettings].
func (x *Index) TopSettings(ctx context.Context, bucketID string) (s router.Settings, err error) {
	all := within(kindSettings, bucketID, "")
	err = x.scan(ctx, all, all, func(key, value []byte) (bool, error) {
		if len(key) != len(all)+binary.Size(s.Seq) {
			return false, errKey
		}
		if err := json.Unmarshal(value, &s); err != nil {
			return false, fmt.Errorf("kvindex: settings of a bucket: %w", err)
		}
		return false, nil
	})
	return s, err
}

// InsertSettings implements [router.BucketSettings].
func (x *Index) InsertSettings(ctx context.Context, bucketID string, s router.Settings) error {
	row, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("kvindex: %w", err)
	}
	_, inserted, err := x.insert(ctx, settingsKey(bucketID, s.Seq), row)
	if err == nil && !inserted {
		return router.ErrExists
	}
	return err
}
