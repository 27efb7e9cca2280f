package s3backend

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// CreateMultipartUpload implements [backends.MultipartUploader].
func (b *Backend) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	if err := b.checkClass(in.StorageClass); err != nil {
		return nil, err
	}
	if err := b.checkTagging(in.Tagging); err != nil {
		return nil, err
	}
	key := backends.UploadKey(in)
	if err := b.checkEncryption(in.ServerSideEncryption, key); err != nil {
		return nil, err
	}
	c := *in
	c.Tagging = optional(value(in.Tagging))
	begun := b.can.Load().uploadChecksum(in)
	c.ChecksumAlgorithm, c.ChecksumType = begun.Algorithm, begun.Type
	out, err := b.client.CreateMultipartUpload(ctx, &c, b.once)
	if err == nil && value(out.UploadId) == "" {
		err = errNoResult
	}
	if err == nil {
		err = encrypted(in.ServerSideEncryption, key, said{&out.ServerSideEncryption, &out.SSECustomerAlgorithm, &out.SSECustomerKeyMD5})
	}
	if err != nil {
		return nil, b.fail(ctx, "CreateMultipartUpload", err)
	}
	out.ChecksumAlgorithm, out.ChecksumType = begun.Named().Algorithm, begun.Named().Type
	b.begun.Add(named(in.Bucket, in.Key, out.UploadId), begun)
	return out, nil
}

// UploadPart implements [backends.MultipartUploader].
func (b *Backend) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	key := backends.PartKey(in)
	if err := b.checkEncryption("", key); err != nil {
		return nil, err
	}
	begun, err := b.upload(ctx, named(in.Bucket, in.Key, in.UploadId))
	if err != nil {
		return nil, err
	}
	if err := backends.CheckPart(begun, in); err != nil {
		return nil, err
	}
	u, err := b.newUpload(ctx, backends.NewBody(in.Body, in.ContentLength), begun.Algorithm, in)
	if err != nil {
		return nil, err
	}
	c := *in
	c.Body, c.ContentLength, c.ContentMD5 = nil, nil, nil
	c.ChecksumAlgorithm = ""
	checksum.Clear(&c)
	out, err := b.client.UploadPart(ctx, &c, u.options, b.writing(u))
	if err == nil {
		err = partEncrypted(key, out.SSECustomerKeyMD5)
	}
	if err != nil {
		return nil, partKeyError(b.uploadError(ctx, "UploadPart", u, err), key)
	}
	u.answer(out)
	if in.ChecksumAlgorithm == "" {
		showCopied(out, begun)
	}
	return out, nil
}

// showCopied leaves out of an answer what that to a copied part does not show: a checksum that no client named.
func showCopied(out any, begun backends.Checksum) {
	if begun.Named().Algorithm == "" {
		checksum.Clear(out)
	}
}

// uploadName names an upload as the service does.
type uploadName struct{ bucket, key, id string }

// named is the name that the fields of an input make.
func named(bucket, key, id *string) uploadName {
	return uploadName{value(bucket), value(key), value(id)}
}

// upload tells how an upload was begun. Its parts must have checksums of its
// algorithm, whatever the client sent. Another proxy may have begun it.
func (b *Backend) upload(ctx context.Context, u uploadName) (backends.Checksum, error) {
	if c, ok := b.begun.Get(u); ok {
		return c, nil
	}
	out, err := b.ListParts(ctx, &s3.ListPartsInput{Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, MaxParts: new(int32(1))})
	if err != nil {
		return backends.Checksum{}, err
	}
	c := backends.Checksum{Algorithm: out.ChecksumAlgorithm, Type: out.ChecksumType}
	b.begun.Add(u, c)
	return c, nil
}

// AbortMultipartUpload implements [backends.MultipartUploader].
func (b *Backend) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	c := *in
	c.IfMatchInitiatedTime = nil
	if in.IfMatchInitiatedTime != nil {
		initiated, err := b.initiated(ctx, named(in.Bucket, in.Key, in.UploadId))
		if err == nil {
			err = backends.CheckAbort(initiated, in)
		}
		if err != nil {
			return nil, err
		}
	}
	out, err := b.client.AbortMultipartUpload(ctx, &c, b.once)
	return out, b.fail(ctx, "AbortMultipartUpload", err)
}

// initiated tells when an upload was, which never changes: whoever aborts the upload afterwards aborts that one. Most
// services would overlook the condition. NoSuchUpload.
func (b *Backend) initiated(ctx context.Context, u uploadName) (time.Time, error) {
	in := &s3.ListMultipartUploadsInput{Bucket: &u.bucket, Prefix: &u.key}
	for {
		out, err := b.ListMultipartUploads(ctx, in)
		if err != nil {
			return time.Time{}, err
		}
		for _, l := range out.Uploads {
			if value(l.Key) == u.key && value(l.UploadId) == u.id && l.Initiated != nil {
				return *l.Initiated, nil
			}
		}
		if out.IsTruncated == nil || !*out.IsTruncated || value(out.NextKeyMarker) != u.key {
			return time.Time{}, s3err.New(s3err.NoSuchUpload)
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}

// ListParts implements [backends.MultipartUploader].
func (b *Backend) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	c := *in
	none := in.MaxParts != nil && *in.MaxParts == 0
	if none {
		c.MaxParts = new(int32(1)) // Services disagree on what 0 is.
	}
	out, err := b.client.ListParts(ctx, &c, b.again)
	if err != nil {
		return nil, b.fail(ctx, "ListParts", err)
	}
	out.Owner, out.Initiator = nil, nil
	out.ChecksumAlgorithm, out.ChecksumType = b.shownChecksum(named(in.Bucket, in.Key, in.UploadId), out.ChecksumAlgorithm, out.ChecksumType)
	if none {
		out.Parts, out.IsTruncated, out.NextPartNumberMarker = nil, new(false), nil
	}
	if len(out.Parts) > 0 {
		out.NextPartNumberMarker = new(itoa(int64(*out.Parts[len(out.Parts)-1].PartNumber)))
	}
	return out, nil
}

// shownChecksum is what a service says of an upload's checksum, and nothing when nobody but we asked for it. Of an upload
// that another proxy began, or this one long ago, that is not known: it is shown as the service shows it.
func (b *Backend) shownChecksum(u uploadName, a types.ChecksumAlgorithm, t types.ChecksumType) (types.ChecksumAlgorithm, types.ChecksumType) {
	if begun, ok := b.begun.Peek(u); ok && begun.Default {
		return "", ""
	}
	return knownChecksum(a, t)
}

// knownChecksum is what a service says of an upload's checksum, and nothing when
// it says something else: "null", or an algorithm that S3 got later.
func knownChecksum(a types.ChecksumAlgorithm, t types.ChecksumType) (types.ChecksumAlgorithm, types.ChecksumType) {
	known, ok := checksum.Parse(string(a))
	if !ok {
		return "", ""
	}
	if t != types.ChecksumTypeComposite && t != types.ChecksumTypeFullObject {
		t = ""
	}
	return known, t
}
