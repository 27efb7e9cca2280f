package fanout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// uploads is a bucket all of whose mounts do multipart uploads.
type uploads struct {
	*fanout
	uploaders []backends.MultipartUploader // the mounts, in their order
}

// uploader is the mount that has an upload. There is none of a key that belongs to no mount.
func (f *uploads) uploader(key, uploadID *string) (backends.MultipartUploader, error) {
	i, err := f.Select(aws.ToString(key))
	if err != nil {
		return nil, s3err.New(s3err.NoSuchUpload).With("UploadId", aws.ToString(uploadID)).Because(err)
	}
	return f.uploaders[i], nil
}

// CreateMultipartUpload implements [backends.MultipartUploader].
func (f *uploads) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	i, err := f.Select(aws.ToString(in.Key))
	if err == nil {
		err = backends.CheckLock(f.Mounts[i].Backend, in.ObjectLockMode, in.ObjectLockLegalHoldStatus)
	}
	if err != nil {
		return nil, err
	}
	return f.uploaders[i].CreateMultipartUpload(ctx, in)
}

// UploadPart implements [backends.MultipartUploader].
func (f *uploads) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	u, err := f.uploader(in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	return u.UploadPart(ctx, in)
}

// CompleteMultipartUpload implements [backends.MultipartUploader].
func (f *uploads) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	u, err := f.uploader(in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	return u.CompleteMultipartUpload(ctx, in)
}

// AbortMultipartUpload implements [backends.MultipartUploader].
func (f *uploads) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	u, err := f.uploader(in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	return u.AbortMultipartUpload(ctx, in)
}

// ListParts implements [backends.MultipartUploader].
func (f *uploads) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	u, err := f.uploader(in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	return u.ListParts(ctx, in)
}
