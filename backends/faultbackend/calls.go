package faultbackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// GetObject implements [backends.ObjectReader].
func (b *Backend) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	f := b.arrive("GetObject", in.Key)
	out, err := call(ctx, f, b.store.GetObject, in)
	if err != nil || !f.Body {
		return out, err
	}
	out.Body = body{breakOff(f, out.Body), out.Body}
	return out, nil
}

// PutObject implements [backends.ObjectWriter].
func (b *Backend) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	f := b.arrive("PutObject", in.Key)
	broken := *in
	broken.Body = breakOff(f, in.Body)
	return call(ctx, f, b.store.PutObject, &broken)
}

// UploadPart implements [backends.MultipartUploader].
func (b *Backend) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	f := b.arrive("UploadPart", in.Key)
	broken := *in
	broken.Body = breakOff(f, in.Body)
	return call(ctx, f, b.store.UploadPart, &broken)
}

// CopyObject implements [backends.ObjectWriter].
func (b *Backend) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	return call(ctx, b.arrive("CopyObject", in.Key), func(ctx context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
		return b.store.CopyObject(ctx, src, in)
	}, in)
}

// UploadPartCopy implements [backends.MultipartUploader].
func (b *Backend) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return call(ctx, b.arrive("UploadPartCopy", in.Key), func(ctx context.Context, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
		return b.store.UploadPartCopy(ctx, src, in)
	}, in)
}

// HeadObject implements [backends.ObjectReader].
func (b *Backend) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	return call(ctx, b.arrive("HeadObject", in.Key), b.store.HeadObject, in)
}

// GetObjectAttributes implements [backends.AttributesReader].
func (b *Backend) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	return call(ctx, b.arrive("GetObjectAttributes", in.Key), func(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
		return backends.GetObjectAttributes(ctx, b.store, in)
	}, in)
}

// RestoreObject implements [backends.Restorer].
func (b *Backend) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	return call(ctx, b.arrive("RestoreObject", in.Key), func(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
		return backends.RestoreObject(ctx, b.store, in)
	}, in)
}

// GetObjectTagging implements [backends.Tagger].
func (b *Backend) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	return call(ctx, b.arrive("GetObjectTagging", in.Key), backends.TaggerOf(b.store).GetObjectTagging, in)
}

// PutObjectTagging implements [backends.Tagger].
func (b *Backend) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	return call(ctx, b.arrive("PutObjectTagging", in.Key), backends.TaggerOf(b.store).PutObjectTagging, in)
}

// DeleteObjectTagging implements [backends.Tagger].
func (b *Backend) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	return call(ctx, b.arrive("DeleteObjectTagging", in.Key), backends.TaggerOf(b.store).DeleteObjectTagging, in)
}

// DeleteObject implements [backends.ObjectWriter].
func (b *Backend) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	return call(ctx, b.arrive("DeleteObject", in.Key), b.store.DeleteObject, in)
}

// DeleteObjects implements [backends.ObjectWriter].
func (b *Backend) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	return call(ctx, b.arrive("DeleteObjects", nil), b.store.DeleteObjects, in)
}

// ListObjectsV2 implements [backends.Lister].
func (b *Backend) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	return call(ctx, b.arrive("ListObjectsV2", nil), b.store.ListObjectsV2, in)
}

// CreateMultipartUpload implements [backends.MultipartUploader].
func (b *Backend) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	return call(ctx, b.arrive("CreateMultipartUpload", in.Key), b.store.CreateMultipartUpload, in)
}

// CompleteMultipartUpload implements [backends.MultipartUploader].
func (b *Backend) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	return call(ctx, b.arrive("CompleteMultipartUpload", in.Key), b.store.CompleteMultipartUpload, in)
}

// CompleteUploadAt implements [backends.UploadPlacer].
func (b *Backend) CompleteUploadAt(ctx context.Context, in *s3.CompleteMultipartUploadInput, key string, metadata map[string]string) (*s3.CompleteMultipartUploadOutput, error) {
	p, ok := backends.As[backends.UploadPlacer](b.store)
	if !ok {
		return nil, s3err.New(s3err.NotImplemented)
	}
	return call(ctx, b.arrive("CompleteUploadAt", &key), func(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
		return p.CompleteUploadAt(ctx, in, key, metadata)
	}, in)
}

// Can implements [backends.Abilities].
func (b *Backend) Can(a any) bool {
	if _, asked := a.(*backends.UploadPlacer); !asked {
		return backends.Passing(a, b.store)
	}
	_, ok := backends.As[backends.UploadPlacer](b.store)
	return ok
}

// AbortMultipartUpload implements [backends.MultipartUploader].
func (b *Backend) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	return call(ctx, b.arrive("AbortMultipartUpload", in.Key), b.store.AbortMultipartUpload, in)
}

// ListParts implements [backends.MultipartUploader].
func (b *Backend) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	return call(ctx, b.arrive("ListParts", in.Key), b.store.ListParts, in)
}

// ListMultipartUploads implements [backends.MultipartUploader].
func (b *Backend) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	return call(ctx, b.arrive("ListMultipartUploads", nil), b.store.ListMultipartUploads, in)
}

// CreateBucket implements [backends.BucketManager].
func (b *Backend) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	return call(ctx, b.arrive("CreateBucket", nil), b.store.CreateBucket, in)
}

// HeadBucket implements [backends.BucketManager].
func (b *Backend) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	return call(ctx, b.arrive("HeadBucket", nil), b.store.HeadBucket, in)
}

// DeleteBucket implements [backends.BucketManager].
func (b *Backend) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	return call(ctx, b.arrive("DeleteBucket", nil), b.store.DeleteBucket, in)
}
