package mount

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// kindUploadID is the kind of token that an UploadId is.
const kindUploadID = 'u'

// uploads is a mount of a backend that does multipart uploads. The UploadIds it
// gives out are those from below, sealed and bound to bucket, mount and key; in a listing
// they keep the order that they have below.
type uploads struct {
	*mount
	below backends.MultipartUploader
}

// seal returns the UploadId that the client sees.
func (m *uploads) seal(uploadID *string, key string) *string {
	if m.Sealer == nil {
		return uploadID
	}
	return aws.String(m.Sealer.Seal(kindUploadID, []byte(aws.ToString(uploadID)), m.BucketID, m.MountID, m.Within+m.physical(key)))
}

// open replaces the client's UploadId by the one from below: NoSuchUpload for
// one that was not given out for this key.
func (m *uploads) open(uploadID **string, key *string) error {
	if m.Sealer == nil {
		return nil
	}
	id, err := m.Sealer.Open(kindUploadID, aws.ToString(*uploadID), m.BucketID, m.MountID, m.Within+m.physical(aws.ToString(key)))
	if err != nil {
		e := s3err.New(s3err.NoSuchUpload).Because(err)
		if *uploadID != nil {
			e = e.With("UploadId", **uploadID)
		}
		return e
	}
	*uploadID = aws.String(string(id))
	return nil
}

// enterUpload is enter for an input that names an upload.
func (m *uploads) enterUpload(bucket, key, uploadID **string) error {
	virtual := *key
	if err := m.enter(bucket, key); err != nil {
		return err
	}
	return m.open(uploadID, virtual)
}

// CreateMultipartUpload implements [backends.MultipartUploader].
func (m *uploads) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	below, err := m.below.CreateMultipartUpload(ctx, &c)
	if err != nil {
		return nil, m.outward(err, names{in.Bucket, in.Key, nil})
	}
	out := *below
	out.Bucket, out.Key, out.UploadId = in.Bucket, in.Key, m.seal(below.UploadId, *in.Key)
	return &out, nil
}

// UploadPart implements [backends.MultipartUploader].
func (m *uploads) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	c := *in
	if err := m.enterUpload(&c.Bucket, &c.Key, &c.UploadId); err != nil {
		return nil, err
	}
	out, err := m.below.UploadPart(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, in.UploadId})
}

// UploadPartCopy implements [backends.MultipartUploader].
func (m *uploads) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	id := in.UploadId
	if err := m.open(&id, in.Key); err != nil { // Whether there is such an upload comes before the source.
		return nil, err
	}
	return backends.UploadPartCopy(ctx, m, backends.Source{Backend: m, CopySource: src}, in)
}

// ImportPart implements [backends.PartImporter].
func (m *uploads) ImportPart(ctx context.Context, src backends.Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	c := *in
	if err := m.enterUpload(&c.Bucket, &c.Key, &c.UploadId); err != nil {
		return nil, err
	}
	out, err := backends.UploadPartCopy(ctx, m.Backend, src, &c)
	return out, m.outward(err, names{in.Bucket, nil, in.UploadId})
}

// CompleteMultipartUpload implements [backends.MultipartUploader].
func (m *uploads) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	c := *in
	if err := m.enterUpload(&c.Bucket, &c.Key, &c.UploadId); err != nil {
		return nil, err
	}
	below, err := m.below.CompleteMultipartUpload(ctx, &c)
	if err != nil {
		return nil, m.outward(err, names{in.Bucket, in.Key, in.UploadId})
	}
	out := *below
	out.Bucket, out.Key, out.Location = in.Bucket, in.Key, nil // the edge knows where it is
	return &out, nil
}

// AbortMultipartUpload implements [backends.MultipartUploader].
func (m *uploads) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	c := *in
	if err := m.enterUpload(&c.Bucket, &c.Key, &c.UploadId); err != nil {
		return nil, err
	}
	out, err := m.below.AbortMultipartUpload(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, in.UploadId})
}

// ListParts implements [backends.MultipartUploader].
func (m *uploads) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	c := *in
	if err := m.enterUpload(&c.Bucket, &c.Key, &c.UploadId); err != nil {
		return nil, err
	}
	below, err := m.below.ListParts(ctx, &c)
	if err != nil {
		return nil, m.outward(err, names{in.Bucket, in.Key, in.UploadId})
	}
	out := *below
	out.Bucket, out.Key, out.UploadId = in.Bucket, in.Key, in.UploadId
	return &out, nil
}
