package overlay

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// maxConcurrent is how many keys a DeleteObjects looks for in the old place at once.
const maxConcurrent = 16

// DeleteObject implements [backends.ObjectWriter]. The old object is hidden before the new
// one is deleted: the other way round it would come back for a moment, or
// for good when we do not get further.
func (o *overlay) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if done, err := o.deleteOld(ctx, in); err != nil || done {
		return &s3.DeleteObjectOutput{VersionId: in.VersionId}, err
	}
	return o.New.DeleteObject(ctx, in)
}

// deleteOld does what a deletion is for the old place, and reports whether that is all.
func (o *overlay) deleteOld(ctx context.Context, in *s3.DeleteObjectInput) (done bool, err error) {
	switch {
	case backends.CheckVersion(aws.ToString(in.VersionId)) != nil:
		return false, nil // The new place knows whether it has versions; the old place has none.
	case in.IfMatch != nil || in.IfMatchLastModifiedTime != nil || in.IfMatchSize != nil:
		return o.hideIf(ctx, in)
	}
	return o.hide(ctx, in)
}

// hide hides what the old place has under a key. The deletion is done with that when the new
// place cannot have the key.
func (o *overlay) hide(ctx context.Context, in *s3.DeleteObjectInput) (done bool, err error) {
	old, err := o.old(ctx, in.Bucket, in.Key)
	if err != nil || old == nil {
		return false, err
	}
	if _, err := o.insert(ctx, in.Key); err != nil {
		return false, err
	}
	_, err = backends.HeadKeyless(ctx, o.New, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key})
	return unfit(err), nil
}

// hideIf is hide for a deletion under conditions. An object of the new place hides the old one
// already, and as none is deleted there before the tombstone is inserted, for good: so a
// tombstone changes nothing then, and the new place judges. If there is none, the
// old object is the one to judge, and the tombstone is all there is to its deletion.
func (o *overlay) hideIf(ctx context.Context, in *s3.DeleteObjectInput) (done bool, err error) {
	_, err = backends.HeadKeyless(ctx, o.New, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key})
	if err == nil {
		return o.hide(ctx, in)
	}
	if !s3err.Is(err, s3err.NoSuchKey) && !unfit(err) {
		return false, err
	}
	old, err := o.old(ctx, in.Bucket, in.Key)
	if err != nil || old == nil {
		return false, err
	}
	if err := backends.CheckDelete(metaOf(old), in); err != nil {
		return false, err
	}
	return o.insert(ctx, in.Key) // Whoever comes second is answered by the new place.
}

// insert inserts the tombstone of a key.
func (o *overlay) insert(ctx context.Context, key *string) (inserted bool, err error) {
	if inserted, err = o.Tombstones.Hide(ctx, o.BucketID, aws.ToString(key)); err != nil {
		return false, fmt.Errorf("overlay: insert a tombstone: %w", err)
	}
	return inserted, nil
}

// DeleteObjects implements [backends.ObjectWriter].
func (o *overlay) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	report := backends.NewDeletions(in)
	var mu sync.Mutex
	var hidden []int // places in the request of what is left to the new place
	var g errgroup.Group
	g.SetLimit(maxConcurrent)
	for i, id := range in.Delete.Objects {
		g.Go(func() error {
			if done, err := o.deleteOld(ctx, backends.DeleteOne(in, id)); done || err != nil {
				report.Done(i, err)
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			hidden = append(hidden, i)
			return nil
		})
	}
	_ = g.Wait() // No key's failure is another's.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(hidden) > 0 {
		slices.Sort(hidden)
		if err := report.Delete(ctx, o.New, hidden); err != nil && len(hidden) == len(in.Delete.Objects) {
			return nil, err
		}
	}
	return report.Output(), nil
}
