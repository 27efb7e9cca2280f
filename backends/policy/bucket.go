package policy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// Options is what a bucket is made of. Both are needed.
type Options struct {
	Backend backends.Backend
	For     func(key string) *Policy // never nil
}

// New returns the bucket. It does multipart uploads when the one below does.
func New(o Options) backends.Backend {
	b := &bucket{Options: o, ObjectReader: o.Backend, Lister: o.Backend}
	if m, ok := backends.As[backends.MultipartUploader](o.Backend); ok {
		return &uploads{bucket: b, MultipartUploader: m}
	}
	return b
}

// bucket implements [backends.Backend]. It has no Unwrap: nothing is to get past it.
type bucket struct {
	Options
	backends.ObjectReader
	backends.Lister
}

// of is the policy of a key.
func (b *bucket) of(key *string) *Policy { return b.For(aws.ToString(key)) }

// GetObjectAttributes implements [backends.AttributesReader].
func (b *bucket) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	return backends.GetObjectAttributes(ctx, b.Backend, in)
}

// PutObject implements [backends.ObjectWriter].
func (b *bucket) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	c, p := *in, b.of(in.Key)
	if err := p.put(&c); err != nil {
		return nil, err
	}
	out, err := b.Backend.PutObject(ctx, &c)
	return out, p.refusal(err, in.IfNoneMatch)
}

// DeleteObject implements [backends.ObjectWriter].
func (b *bucket) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := b.of(in.Key).remove(); err != nil {
		return nil, err
	}
	return b.Backend.DeleteObject(ctx, in)
}

// DeleteObjects implements [backends.ObjectWriter].
func (b *bucket) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	report := backends.NewDeletions(in)
	var allowed []int
	for i, o := range in.Delete.Objects {
		if err := b.of(o.Key).remove(); err != nil {
			report.Done(i, err)
		} else {
			allowed = append(allowed, i)
		}
	}
	if len(allowed) == len(in.Delete.Objects) {
		return b.Backend.DeleteObjects(ctx, in)
	}
	if len(allowed) > 0 {
		_ = report.Delete(ctx, b.Backend, allowed) // reported for each of them
	}
	return report.Output(), nil
}

// Locate implements [backends.Locator].
func (b *bucket) Locate(_ context.Context, src backends.CopySource) (backends.Source, error) {
	return backends.Source{Backend: b.Backend, CopySource: src}, nil
}

// CopyObject implements [backends.ObjectWriter].
func (b *bucket) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	return b.ImportObject(ctx, backends.Source{Backend: b.Backend, CopySource: src}, in)
}

// ImportObject implements [backends.ObjectImporter].
func (b *bucket) ImportObject(ctx context.Context, src backends.Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	c, p := *in, b.of(in.Key)
	if err := p.copy(&c); err != nil {
		return nil, err
	}
	out, err := backends.CopyObject(ctx, b.Backend, src, &c)
	return out, p.refusal(err, in.IfNoneMatch)
}

// uploads is a bucket whose backend does multipart uploads.
type uploads struct {
	*bucket
	backends.MultipartUploader
}

// CreateMultipartUpload implements [backends.MultipartUploader].
func (u *uploads) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	c := *in
	if err := u.of(in.Key).create(&c); err != nil {
		return nil, err
	}
	return u.MultipartUploader.CreateMultipartUpload(ctx, &c)
}

// UploadPart implements [backends.MultipartUploader].
func (u *uploads) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if err := u.of(in.Key).part(); err != nil {
		return nil, err
	}
	return u.MultipartUploader.UploadPart(ctx, in)
}

// UploadPartCopy implements [backends.MultipartUploader].
func (u *uploads) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return u.ImportPart(ctx, backends.Source{Backend: u.Backend, CopySource: src}, in)
}

// ImportPart implements [backends.PartImporter].
func (u *uploads) ImportPart(ctx context.Context, src backends.Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	if err := u.of(in.Key).part(); err != nil {
		return nil, err
	}
	return backends.UploadPartCopy(ctx, u.Backend, src, in)
}

// CompleteMultipartUpload implements [backends.MultipartUploader].
func (u *uploads) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	c, p := *in, u.of(in.Key)
	if err := p.complete(&c); err != nil {
		return nil, err
	}
	out, err := u.MultipartUploader.CompleteMultipartUpload(ctx, &c)
	return out, p.refusal(err, in.IfNoneMatch)
}
