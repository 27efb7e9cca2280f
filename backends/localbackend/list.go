package localbackend

import (
	"context"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/backends"
)

// ListObjectsV2 implements backends.Lister.
func (b *Backend) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (out *s3.ListObjectsV2Output, err error) {
	bkt, err := b.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	rows := inBucket(tableObjects, bkt.id, 0)
	err = b.meta.scan(rows, after(rows), func(it *pebble.Iterator) error {
		out, err = backends.ListObjects(&objectCursor{rowCursor{ctx, it, &b.rowReads}, bkt.id}, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	out.Name = in.Bucket
	return out, nil
}

// rowCursor walks rows for a listing until ctx ends.
type rowCursor struct {
	ctx   context.Context
	it    *pebble.Iterator
	reads *atomic.Int64 // counts the rows
}

// Next implements backends.Cursor.
func (c rowCursor) Next() bool {
	c.reads.Add(1)
	return c.ctx.Err() == nil && c.it.Next()
}

// seek moves to the first row at or after one.
func (c rowCursor) seek(row []byte) bool {
	c.reads.Add(1)
	return c.ctx.Err() == nil && c.it.SeekGE(row)
}

// Err implements backends.Cursor.
func (c rowCursor) Err() error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	return c.it.Error()
}

// objectCursor walks the objects of a bucket.
type objectCursor struct {
	rowCursor
	id bucketID
}

// SeekGE implements backends.Cursor.
func (c *objectCursor) SeekGE(key, _ string) bool {
	return c.seek(objectKey(c.id, key))
}

// Key implements backends.Cursor.
func (c *objectCursor) Key() string { return string(c.it.Key()[bucketPrefixLen:]) }

// Value implements backends.Cursor.
func (c *objectCursor) Value() (types.Object, error) {
	v, err := c.it.ValueAndErr()
	if err != nil {
		return types.Object{}, err
	}
	var o object
	if err := o.decode(v); err != nil {
		return types.Object{}, err
	}
	return backends.ListedObject(c.Key(), &o.ObjectMeta), nil
}

// ListMultipartUploads implements backends.MultipartUploader.
func (b *Backend) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (out *s3.ListMultipartUploadsOutput, err error) {
	bkt, err := b.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	rows := inBucket(tableUploads, bkt.id, 0)
	err = b.meta.scan(rows, after(rows), func(it *pebble.Iterator) error {
		out, err = backends.ListUploads(&uploadCursor{rowCursor{ctx, it, &b.rowReads}, bkt.id}, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	out.Bucket = aws.String(aws.ToString(in.Bucket))
	return out, nil
}

// uploadCursor walks the uploads of a bucket.
type uploadCursor struct {
	rowCursor
	id bucketID
}

// SeekGE implements backends.Cursor.
func (c *uploadCursor) SeekGE(key, uploadID string) bool {
	return c.seek(append(uploadsOf(c.id, key), uploadID...))
}

// Key implements backends.Cursor.
func (c *uploadCursor) Key() string {
	key, _ := parseUploadKey(c.it.Key())
	return key
}

// Value implements backends.Cursor.
func (c *uploadCursor) Value() (types.MultipartUpload, error) {
	v, err := c.it.ValueAndErr()
	if err != nil {
		return types.MultipartUpload{}, err
	}
	var o object
	if err := o.decode(v); err != nil {
		return types.MultipartUpload{}, err
	}
	key, upload := parseUploadKey(c.it.Key())
	return backends.ListedUpload(key, upload.String(), &o.ObjectMeta), nil
}
