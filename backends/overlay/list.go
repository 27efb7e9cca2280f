package overlay

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// ListObjectsV2 implements [backends.Lister].
func (o *overlay) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	bucket := aws.ToString(in.Bucket)
	old := o.oldKeys(bucket, in.Prefix, in.MaxKeys)
	return backends.MergeObjects(ctx, []backends.ListSource{
		{Lister: o.New, Bucket: bucket},
		{Lister: oldLister{o.Old}, Bucket: bucket, Filter: backends.Filter{Keep: old.keep, KeepPrefix: old.keepPrefix}},
	}, in)
}

// oldLister is the old place, which is empty when its bucket is gone.
type oldLister struct{ backends.Lister }

// ListObjectsV2 implements [backends.Lister].
func (l oldLister) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	out, err := l.Lister.ListObjectsV2(ctx, in)
	if s3err.Is(err, s3err.NoSuchBucket) {
		return &s3.ListObjectsV2Output{}, nil
	}
	return out, err
}

// oldKeys knows in one listing which keys of the old place are shown. It is asked in
// their order, and reads the tombstones along with them: no question costs a call of its own.
type oldKeys struct {
	o              *overlay
	bucket, prefix string
	limit          int // of tombstones that are read next

	hidden []string // read and not yet passed
	end    bool     // there are no others
}

// oldKeys begins a listing.
func (o *overlay) oldKeys(bucket string, prefix *string, maxKeys *int32) *oldKeys {
	k := &oldKeys{o: o, bucket: bucket, prefix: aws.ToString(prefix), limit: backends.DefaultMaxKeys}
	if maxKeys != nil {
		k.limit = min(int(*maxKeys)+1, k.limit)
	}
	return k
}

// firstHidden is the first hidden key that is not less than from.
func (k *oldKeys) firstHidden(ctx context.Context, from string) (key string, ok bool, err error) {
	passed, _ := slices.BinarySearch(k.hidden, from)
	if k.hidden = k.hidden[passed:]; len(k.hidden) == 0 && !k.end {
		k.hidden, err = k.o.Tombstones.HiddenKeys(ctx, k.o.BucketID, k.prefix, from, k.limit)
		if err != nil {
			return "", false, fmt.Errorf("overlay: list tombstones: %w", err)
		}
		k.end = len(k.hidden) < k.limit
		k.limit = min(4*k.limit, backends.DefaultMaxKeys) // There are many, it seems.
	}
	if len(k.hidden) == 0 {
		return "", false, nil
	}
	return k.hidden[0], true, nil
}

// keep shows keys without tombstones.
func (k *oldKeys) keep(ctx context.Context, key string) (bool, error) {
	hidden, ok, err := k.firstHidden(ctx, key)
	return err == nil && (!ok || hidden != key), err
}

// keepPrefix shows common prefixes below which there is a key without tombstone.
// Only where there are tombstones it has to look for one.
func (k *oldKeys) keepPrefix(ctx context.Context, prefix string) (bool, error) {
	hidden, ok, err := k.firstHidden(ctx, prefix)
	if err != nil || !ok || !strings.HasPrefix(hidden, prefix) {
		return err == nil, err
	}
	c := backends.NewListCursor(ctx, oldLister{k.o.Old}, k.bucket, prefix)
	for ok := c.SeekGE(prefix, ""); ok; ok = c.Next() {
		if shown, err := k.keep(ctx, c.Key()); err != nil || shown {
			return shown, err
		}
	}
	return false, c.Err()
}
