package router

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Imported notes that the index knows all objects of a bucket with versions. Routes from before go on being
// right: they look for objects that are not there. SlowDown while its settings are being changed.
func (r *Router) Imported(ctx context.Context, b *BucketRecord) error {
	for {
		top, err := r.records.TopSettings(ctx, b.BucketID)
		switch {
		case err != nil:
			return fmt.Errorf("router: settings of %q: %w", b.Name, err)
		case top.Complete:
			return nil
		case top.Versioning == Unversioned || top.Enabling || top.Closing:
			return changing()
		}
		next := top
		next.Complete, next.Seq, next.Time = true, top.Seq+1, r.now().UTC().Truncate(time.Millisecond)
		err = r.records.InsertSettings(ctx, b.BucketID, next)
		if err == nil {
			r.outdate(b)
			return nil
		}
		if !errors.Is(err, ErrExists) {
			return fmt.Errorf("router: settings of %q: %w", b.Name, err)
		}
	}
}
