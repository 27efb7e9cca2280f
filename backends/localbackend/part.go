package localbackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// UploadPart implements backends.MultipartUploader.
func (b *Backend) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	u, err := b.upload(p, in.UploadId)
	if err != nil {
		return nil, err
	}
	if err := backends.CheckPart(u.meta.Checksum, in); err != nil {
		return nil, err
	}
	info, err := b.storePart(ctx, u, aws.ToInt32(in.PartNumber), backends.NewBody(in.Body, in.ContentLength))
	if err != nil {
		return nil, err
	}
	return backends.UploadPartOutput(info, u.meta.Checksum.Algorithm), nil
}

// UploadPartCopy implements backends.MultipartUploader.
func (b *Backend) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	u, err := b.upload(p, in.UploadId)
	if err != nil {
		return nil, err
	}
	_, span, body, err := b.openSource(ctx, src, func(o *object) (backends.Span, error) {
		return backends.CheckPartCopy(&o.ObjectMeta, in)
	})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	info, err := b.storePart(ctx, u, aws.ToInt32(in.PartNumber), backends.Body{Reader: body, Length: span.Length})
	if err != nil {
		return nil, err
	}
	return backends.UploadPartCopyOutput(info, u.meta.Checksum.Algorithm), nil
}

// storePart stores body as a part of u, unless u ends before the body does.
func (b *Backend) storePart(ctx context.Context, u *uploadAt, number int32, body backends.Body) (backends.PartInfo, error) {
	s, err := b.stage(ctx, body, u.meta.Checksum.Algorithm, true)
	defer s.discard()
	if err != nil {
		return backends.PartInfo{}, err
	}
	info := s.digest.Part(number)
	err = b.change(ctx, u.place, func(t *tx) error {
		uploadID := u.name.String()
		if _, err := b.upload(u.place, &uploadID); err != nil {
			return err
		}
		var old part
		found, err := b.meta.get(partKey(u.name, number), old.decode)
		if err != nil {
			return err
		}
		if found {
			t.freeBody([]segment{old.body})
		}
		info.LastModified = b.now()
		t.addBody(s)
		t.set(partKey(u.name, number), (&part{info, s.body[0]}).encode())
		return nil
	})
	return info, err
}
