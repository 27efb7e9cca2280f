package versioned

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	plain backends.MultipartUploader // has the uploads from before; nil when there can be none
}

// CreateMultipartUpload implements [backends.MultipartUploader].
func (u *uploads) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	w, err := u.beginUpload(ctx, in.Key)
	if err != nil {
		return nil, err
	}
	w.version.StorageClass = in.StorageClass
	w.version.Encryption = asked(in.ServerSideEncryption, in.SSECustomerKey)
	c := *in
	w.takeLock(&c.ObjectLockMode, &c.ObjectLockRetainUntilDate, &c.ObjectLockLegalHoldStatus)
	c.Key, c.Metadata = w.key(), marked(in.Metadata, w.mark())
	if err := w.tagLock(&c); err != nil {
		return nil, err
	}
	u.bodyPolicy(&c.StorageClass, &c.ServerSideEncryption, &c.SSEKMSKeyId, c.SSECustomerKey)
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
	e, err := u.enter(&c.Key, &c.UploadId)
	if err != nil {
		return nil, err
	}
	return e.at.UploadPart(ctx, &c)
}

// UploadPartCopy implements [backends.MultipartUploader].
func (u *uploads) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return backends.UploadPartCopy(ctx, u, backends.Source{Backend: u, CopySource: src}, in)
}

// ImportPart implements [backends.PartImporter].
func (u *uploads) ImportPart(ctx context.Context, src backends.Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	c := *in
	e, err := u.enter(&c.Key, &c.UploadId)
	if err != nil {
		return nil, err
	}
	return backends.UploadPartCopy(ctx, e.place, src, &c)
}

// AbortMultipartUpload implements [backends.MultipartUploader].
func (u *uploads) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	c := *in
	e, err := u.enter(&c.Key, &c.UploadId)
	if err != nil {
		return nil, err
	}
	out, err := e.at.AbortMultipartUpload(ctx, &c)
	if err != nil && !s3err.Is(err, s3err.NoSuchUpload) {
		return nil, err
	}
	o := u.object(in.Key)
	if e.before {
		if err == nil {
			return out, nil
		}
		if left, failed := u.abortLeft(ctx, o, uploadName(in.UploadId)); left || failed != nil {
			return &s3.AbortMultipartUploadOutput{}, failed
		}
		return nil, err
	}
	about, failed := u.Index.Find(ctx, o, e.version.N)
	if failed != nil || about.Seq > 0 {
		return out, cmp.Or(failed, err)
	}
	if err != nil {
		if refused, failed := u.wasRefused(ctx, o, e.version); refused || failed != nil {
			return &s3.AbortMultipartUploadOutput{}, failed
		}
	}
	// There will be no version of it: the sweeper takes the slot. Not before the store has said so, as the day of a body that
	// comes yet must not begin now.
	if _, failed := u.Index.MarkSlot(ctx, versions.Slot{Object: o, N: e.version.N}, u.Now()); failed != nil {
		return nil, failed
	}
	return out, err
}

// wasRefused reports whether an upload without a version was completed in the store, and its version refused: to the client it is
// unfinished. Its body stays for the sweeper: the client may be completing it again at this moment.
func (u *uploads) wasRefused(ctx context.Context, o versions.Object, id versions.VersionID) (bool, error) {
	marked, err := u.Index.Marked(ctx, versions.Slot{Object: o, N: id.N})
	if err != nil || marked.IsZero() {
		return false, err
	}
	_, err = backends.HeadKeyless(ctx, u.Bodies, &s3.HeadObjectInput{Key: aws.String(u.body(o.Key, id))})
	if s3err.Is(err, s3err.NoSuchKey) {
		return false, nil // It was aborted before.
	}
	return err == nil, err
}

// ListParts implements [backends.MultipartUploader].
func (u *uploads) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	c := *in
	e, err := u.enter(&c.Key, &c.UploadId)
	if err != nil {
		return nil, err
	}
	out, err := e.at.ListParts(ctx, &c)
	if err != nil {
		return nil, err
	}
	answer := *out
	answer.Key, answer.UploadId = in.Key, in.UploadId
	return &answer, nil
}
