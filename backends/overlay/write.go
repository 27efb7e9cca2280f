package overlay

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// write is what a write to the new place must look out for.
type write struct{ bucket, key, ifMatch, ifNoneMatch *string }

// guarded does a write to the new place under conditions; see the package comment.
func guarded[Out any](ctx context.Context, o *overlay, w write, do func() (*Out, error)) (*Out, error) {
	if w.ifNoneMatch != nil {
		old, err := o.old(ctx, w.bucket, w.key)
		if err == nil && old != nil {
			err = backends.CheckWrite(metaOf(old), nil, w.ifNoneMatch)
		}
		if err != nil {
			return nil, err
		}
	}
	out, err := do()
	if w.ifMatch != nil && s3err.Is(err, s3err.NoSuchKey) {
		old, failed := o.old(ctx, w.bucket, w.key)
		if failed != nil {
			return nil, failed
		}
		if old != nil {
			return nil, s3err.Newf(s3err.NotImplemented,
				"The object has not been moved to its new place yet; until it is written without If-Match, it cannot be written with it.")
		}
	}
	return out, err
}

// PutObject implements [backends.ObjectWriter].
func (o *overlay) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	w := write{in.Bucket, in.Key, in.IfMatch, in.IfNoneMatch}
	return guarded(ctx, o, w, func() (*s3.PutObjectOutput, error) { return o.New.PutObject(ctx, in) })
}

// uploads is an overlay whose new place does multipart uploads. The old
// place's are not shown, and cannot be gone on with.
type uploads struct {
	*overlay
	backends.MultipartUploader
}

// CompleteMultipartUpload implements [backends.MultipartUploader].
func (u *uploads) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	w := write{in.Bucket, in.Key, in.IfMatch, in.IfNoneMatch}
	return guarded(ctx, u.overlay, w, func() (*s3.CompleteMultipartUploadOutput, error) {
		return u.MultipartUploader.CompleteMultipartUpload(ctx, in)
	})
}
