package membackend

import (
	"context"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// ListObjectsV2 implements [backends.Lister].
func (b *Backend) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	k, err := b.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	return backends.ListObjects(&objectCursor{bucket: k, reads: &b.reads}, in)
}

// objectCursor walks a bucket's objects under the lock.
type objectCursor struct {
	bucket *bucket
	reads  *atomic.Int64
	i      int
}

// SeekGE implements [backends.Cursor].
func (c *objectCursor) SeekGE(key, _ string) bool {
	c.reads.Add(1)
	c.i, _ = slices.BinarySearch(c.bucket.keys, key)
	return c.i < len(c.bucket.keys)
}

// Next implements [backends.Cursor].
func (c *objectCursor) Next() bool {
	c.reads.Add(1)
	c.i++
	return c.i < len(c.bucket.keys)
}

// Key implements [backends.Cursor].
func (c *objectCursor) Key() string { return c.bucket.keys[c.i] }

// Value implements [backends.Cursor].
func (c *objectCursor) Value() (types.Object, error) {
	return backends.ListedObject(c.Key(), c.bucket.meta(c.Key())), nil
}

// Err implements [backends.Cursor]; memory does not fail.
func (c *objectCursor) Err() error { return nil }

// ListMultipartUploads implements [backends.MultipartUploader].
func (b *Backend) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	k, err := b.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	return backends.ListUploads(&uploadCursor{uploads: k.uploads}, in)
}

// uploadCursor walks a bucket's uploads under the lock.
type uploadCursor struct {
	uploads []*upload
	i       int
}

// SeekGE implements [backends.Cursor].
func (c *uploadCursor) SeekGE(key, uploadID string) bool {
	c.i = sort.Search(len(c.uploads), func(i int) bool { return !c.uploads[i].before(key, uploadID) })
	return c.i < len(c.uploads)
}

// Next implements [backends.Cursor].
func (c *uploadCursor) Next() bool {
	c.i++
	return c.i < len(c.uploads)
}

// Key implements [backends.Cursor].
func (c *uploadCursor) Key() string { return c.uploads[c.i].key }

// Value implements [backends.Cursor].
func (c *uploadCursor) Value() (types.MultipartUpload, error) {
	u := c.uploads[c.i]
	return backends.ListedUpload(u.key, u.id, &u.meta), nil
}

// Err implements [backends.Cursor]; memory does not fail.
func (c *uploadCursor) Err() error { return nil }

// before is the order of uploads.
func (u *upload) before(key, id string) bool {
	return u.key < key || u.key == key && u.id < id
}
