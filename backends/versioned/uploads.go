package versioned

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// uploads is a bucket that does multipart uploads. An upload takes its slot when it begins, and is one
// to the place of its body.
type uploads struct {
	*bucket
	below backends.MultipartUploader
}

// CreateMultipartUpload implements [backends.MultipartUploader].
func (u *uploads) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	w, err := u.beginUpload(ctx, in.Key)
	if err != nil {
		return nil, err
	}
	w.version.StorageClass = in.StorageClass
	c := *in
	c.Key, c.Metadata = w.key(), marked(in.Metadata, w.mark())
	u.bodyPolicy(&c.StorageClass, &c.ServerSideEncryption, &c.SSEKMSKeyId)
	out, err := u.below.CreateMultipartUpload(ctx, &c)
	if err != nil {
		return nil, err
	}
	answer := *out
	answer.Key, answer.UploadId = in.Key, uploadID(w.version.ID.N, out.UploadId)
	return &answer, nil
}

// UploadPart implements [backends.MultipartUploader].
func (u *uploads) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	c := *in
	if _, err := u.enter(&c.Key, &c.UploadId); err != nil {
		return nil, err
	}
	return u.below.UploadPart(ctx, &c)
}

// UploadPartCopy implements [backends.MultipartUploader].
func (u *uploads) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return backends.UploadPartCopy(ctx, u, backends.Source{Backend: u, CopySource: src}, in)
}

// ImportPart implements [backends.PartImporter].
func (u *uploads) ImportPart(ctx context.Context, src backends.Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	c := *in
	if _, err := u.enter(&c.Key, &c.UploadId); err != nil {
		return nil, err
	}
	return backends.UploadPartCopy(ctx, u.Bodies, src, &c)
}

// AbortMultipartUpload implements [backends.MultipartUploader].
func (u *uploads) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	c := *in
	if _, err := u.enter(&c.Key, &c.UploadId); err != nil {
		return nil, err
	}
	out, err := u.below.AbortMultipartUpload(ctx, &c)
	if s3err.Is(err, s3err.NoSuchUpload) {
		if refused, e := u.wasRefused(ctx, in); refused || e != nil {
			return &s3.AbortMultipartUploadOutput{}, e
		}
	}
	return out, err
}

// wasRefused reports whether an upload was completed in the store, and its version refused: to the client it is
// unfinished. Its body stays for the sweeper: the client may be completing it again at this moment.
func (u *uploads) wasRefused(ctx context.Context, in *s3.AbortMultipartUploadInput) (bool, error) {
	c := *in
	id, err := u.enter(&c.Key, &c.UploadId)
	if err != nil {
		return false, err
	}
	about, err := u.Index.Find(ctx, u.object(in.Key), id.N)
	if err != nil || about.Seq > 0 {
		return false, err
	}
	now := u.Now()
	marked, err := u.Index.MarkSlot(ctx, versions.Slot{Object: u.object(in.Key), N: id.N}, now)
	return err == nil && marked.Before(now.Truncate(time.Millisecond)), err
}

// ListParts implements [backends.MultipartUploader].
func (u *uploads) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	c := *in
	if _, err := u.enter(&c.Key, &c.UploadId); err != nil {
		return nil, err
	}
	out, err := u.below.ListParts(ctx, &c)
	if err != nil {
		return nil, err
	}
	answer := *out
	answer.Key, answer.UploadId = in.Key, in.UploadId
	return &answer, nil
}
