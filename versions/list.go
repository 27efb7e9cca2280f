package versions

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// ListObjects answers in, as [backends.Lister] says, with the current objects of a bucket. It reads
// heads only: those that it shows, one for each common prefix, and those of objects
// that were deleted, up to 1,000 at once.
func ListObjects(ctx context.Context, x Keys, bucketID string, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	r := Range{BucketID: bucketID, Prefix: aws.ToString(in.Prefix)}
	c := &objectCursor{heads(ctx, x, r, pageRead(in.Delimiter, in.MaxKeys))}
	return backends.ListObjects(c, in)
}

// pageRead is how many items are read at first for a page: all that it can show and one
// more, unless a delimiter makes it likely that most are skipped.
func pageRead(delimiter *string, maxKeys *int32) int {
	if aws.ToString(delimiter) != "" {
		return firstRead
	}
	if maxKeys == nil {
		return backends.DefaultMaxKeys + 1
	}
	return min(max(int(*maxKeys), 0), backends.DefaultMaxKeys) + 1
}

// objectCursor walks the objects that are there. It implements [backends.Cursor].
type objectCursor struct{ *pages[Head] }

// SeekGE implements [backends.Cursor].
func (c *objectCursor) SeekGE(key, _ string) bool { return c.seek(Position{Key: key}) && c.skip() }

// Next implements [backends.Cursor].
func (c *objectCursor) Next() bool { return c.next() && c.skip() }

// skip moves on to an object that is there.
func (c *objectCursor) skip() bool {
	for c.item().Top.State.Current.Meta() == nil {
		if !c.next() {
			return false
		}
	}
	return true
}

// Key implements [backends.Cursor].
func (c *objectCursor) Key() string { return c.item().Key }

// Value implements [backends.Cursor].
func (c *objectCursor) Value() (types.Object, error) {
	h := c.item()
	return backends.ListedObject(h.Key, h.Top.State.Current.Meta()), nil
}

// Err implements [backends.Cursor].
func (c *objectCursor) Err() error { return c.err }
