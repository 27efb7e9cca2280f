// Package metered is a Backend that reports every call to the backend below
// it, for metrics.
package metered

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Report is told of a call that has returned: the operation by S3's name, how
// long it took, and its error.
type Report func(operation string, took time.Duration, err error)

// Backend passes calls on. What the backend below cannot do answers
// NotImplemented.
type Backend struct {
	next      backends.Backend
	multipart backends.MultipartUploader // nil when next has none
	buckets   backends.BucketManager     // nil when next has none
	report    Report
}

// New returns next with its calls reported.
func New(next backends.Backend, report Report) *Backend {
	b := &Backend{next: next, report: report}
	b.multipart, _ = backends.As[backends.MultipartUploader](next)
	b.buckets, _ = backends.As[backends.BucketManager](next)
	return b
}

// Unwrap returns the backend below.
func (b *Backend) Unwrap() backends.Backend { return b.next }

// call makes one call and reports it.
func call[I, O any](ctx context.Context, b *Backend, name string, f func(context.Context, I) (O, error), in I) (O, error) {
	start := time.Now()
	out, err := f(ctx, in)
	b.report(name, time.Since(start), err)
	return out, err
}

// absent is the error for what the backend below cannot do.
func absent(name string) error {
	return s3err.Newf(s3err.NotImplemented, "The storage behind this bucket has no %s.", name)
}

// GetObject implements backends.ObjectReader.
func (b *Backend) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	return call(ctx, b, "GetObject", b.next.GetObject, in)
}

// HeadObject implements backends.ObjectReader.
func (b *Backend) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	return call(ctx, b, "HeadObject", b.next.HeadObject, in)
}

// GetObjectAttributes implements backends.AttributesReader.
func (b *Backend) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	f := func(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
		return backends.GetObjectAttributes(ctx, b.next, in)
	}
	return call(ctx, b, "GetObjectAttributes", f, in)
}

// PutObject implements backends.ObjectWriter.
func (b *Backend) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	return call(ctx, b, "PutObject", b.next.PutObject, in)
}

// CopyObject implements backends.ObjectWriter.
func (b *Backend) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	f := func(ctx context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
		return b.next.CopyObject(ctx, src, in)
	}
	return call(ctx, b, "CopyObject", f, in)
}

// DeleteObject implements backends.ObjectWriter.
func (b *Backend) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	return call(ctx, b, "DeleteObject", b.next.DeleteObject, in)
}

// DeleteObjects implements backends.ObjectWriter.
func (b *Backend) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	return call(ctx, b, "DeleteObjects", b.next.DeleteObjects, in)
}

// ListObjectsV2 implements backends.Lister.
func (b *Backend) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	return call(ctx, b, "ListObjectsV2", b.next.ListObjectsV2, in)
}

// Can implements [backends.Abilities].
func (b *Backend) Can(a any) bool { return backends.Passing(a, b.next) }

// GetObjectTagging implements [backends.Tagger].
func (b *Backend) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	return call(ctx, b, "GetObjectTagging", backends.TaggerOf(b.next).GetObjectTagging, in)
}

// PutObjectTagging implements [backends.Tagger].
func (b *Backend) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	return call(ctx, b, "PutObjectTagging", backends.TaggerOf(b.next).PutObjectTagging, in)
}

// DeleteObjectTagging implements [backends.Tagger].
func (b *Backend) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	return call(ctx, b, "DeleteObjectTagging", backends.TaggerOf(b.next).DeleteObjectTagging, in)
}

// CreateMultipartUpload implements backends.MultipartUploader.
func (b *Backend) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	if b.multipart == nil {
		return nil, absent("multipart uploads")
	}
	return call(ctx, b, "CreateMultipartUpload", b.multipart.CreateMultipartUpload, in)
}

// UploadPart implements backends.MultipartUploader.
func (b *Backend) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if b.multipart == nil {
		return nil, absent("multipart uploads")
	}
	return call(ctx, b, "UploadPart", b.multipart.UploadPart, in)
}

// UploadPartCopy implements backends.MultipartUploader.
func (b *Backend) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	if b.multipart == nil {
		return nil, absent("multipart uploads")
	}
	f := func(ctx context.Context, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
		return b.multipart.UploadPartCopy(ctx, src, in)
	}
	return call(ctx, b, "UploadPartCopy", f, in)
}

// CompleteMultipartUpload implements backends.MultipartUploader.
func (b *Backend) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	if b.multipart == nil {
		return nil, absent("multipart uploads")
	}
	return call(ctx, b, "CompleteMultipartUpload", b.multipart.CompleteMultipartUpload, in)
}

// AbortMultipartUpload implements backends.MultipartUploader.
func (b *Backend) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	if b.multipart == nil {
		return nil, absent("multipart uploads")
	}
	return call(ctx, b, "AbortMultipartUpload", b.multipart.AbortMultipartUpload, in)
}

// ListParts implements backends.MultipartUploader.
func (b *Backend) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	if b.multipart == nil {
		return nil, absent("multipart uploads")
	}
	return call(ctx, b, "ListParts", b.multipart.ListParts, in)
}

// ListMultipartUploads implements backends.MultipartUploader.
func (b *Backend) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	if b.multipart == nil {
		return nil, absent("multipart uploads")
	}
	return call(ctx, b, "ListMultipartUploads", b.multipart.ListMultipartUploads, in)
}

// CreateBucket implements backends.BucketManager.
func (b *Backend) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	if b.buckets == nil {
		return nil, absent("buckets to create")
	}
	return call(ctx, b, "CreateBucket", b.buckets.CreateBucket, in)
}

// HeadBucket implements backends.BucketManager.
func (b *Backend) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	if b.buckets == nil {
		return nil, absent("buckets to look at")
	}
	return call(ctx, b, "HeadBucket", b.buckets.HeadBucket, in)
}

// DeleteBucket implements backends.BucketManager.
func (b *Backend) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	if b.buckets == nil {
		return nil, absent("buckets to delete")
	}
	return call(ctx, b, "DeleteBucket", b.buckets.DeleteBucket, in)
}
