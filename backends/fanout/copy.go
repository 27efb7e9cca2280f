package fanout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// Locate implements [backends.Locator].
func (f *fanout) Locate(_ context.Context, src backends.CopySource) (backends.Source, error) {
	id := &src.VersionID
	if *id == "" {
		id = nil
	}
	i, err := f.reader(&src.Key, &id)
	if err != nil {
		return backends.Source{}, err
	}
	src.VersionID = aws.ToString(id)
	return backends.Source{Backend: f.Mounts[i].Backend, CopySource: src, Shown: aws.ToString(f.shownVersion(i, nil))}, nil
}

// CopyObject implements [backends.ObjectWriter].
func (f *fanout) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	return backends.CopyObject(ctx, f, backends.Source{Backend: f, CopySource: src}, in)
}

// ImportObject implements [backends.ObjectImporter].
func (f *fanout) ImportObject(ctx context.Context, src backends.Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	b, err := f.owner(in.Key)
	if err == nil {
		err = backends.CheckLock(b, in.ObjectLockMode, in.ObjectLockLegalHoldStatus)
	}
	if err != nil {
		return nil, err
	}
	return backends.CopyObject(ctx, b, src, in)
}

// UploadPartCopy implements [backends.MultipartUploader].
func (f *uploads) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return backends.UploadPartCopy(ctx, f, backends.Source{Backend: f, CopySource: src}, in)
}

// ImportPart implements [backends.PartImporter].
func (f *uploads) ImportPart(ctx context.Context, src backends.Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	if _, err := f.uploader(in.Key, in.UploadId); err != nil {
		return nil, err
	}
	b, err := f.owner(in.Key)
	if err != nil {
		return nil, err
	}
	return backends.UploadPartCopy(ctx, b, src, in)
}
