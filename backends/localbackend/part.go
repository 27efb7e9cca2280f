package localbackend

import (
	"context"
	"errors"

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
	if err := u.meta.Encryption.CheckPartKey(backends.PartKey(in)); err != nil {
		return nil, err
	}
	c, err := b.keys.open(p, &object{ObjectMeta: u.meta, sealed: u.sealed}, backends.PartKey(in))
	if err != nil {
		return nil, err
	}
	info, err := b.storePart(ctx, u, c, aws.ToInt32(in.PartNumber), backends.NewBody(in.Body, in.ContentLength))
	if err != nil {
		return nil, err
	}
	return backends.UploadPartOutput(info, &u.meta, in), nil
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
	if err := u.meta.Encryption.CheckPartKey(backends.PartCopyKey(in)); err != nil {
		return nil, err
	}
	c, err := b.keys.open(p, &object{ObjectMeta: u.meta, sealed: u.sealed}, backends.PartCopyKey(in))
	if err != nil {
		return nil, err
	}
	from, span, body, err := b.openSource(ctx, src, backends.PartCopySourceKey(in), func(o *object) (backends.Span, error) {
		return backends.CheckPartCopy(&o.ObjectMeta, in)
	})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	number := aws.ToInt32(in.PartNumber)
	info, err := b.linkPart(ctx, u, number, from, span)
	if errors.Is(err, errNoLinks) {
		info, err = b.storePart(ctx, u, c, number, backends.Body{Reader: body, Length: span.Length})
	}
	if err != nil {
		return nil, err
	}
	return backends.UploadPartCopyOutput(info, &u.meta, backends.PartCopyKey(in)), nil
}

// storePart stores body as a part of u, which is encrypted with c, unless u ends before the body does.
func (b *Backend) storePart(ctx context.Context, u *uploadAt, c objectCipher, number int32, body backends.Body) (backends.PartInfo, error) {
	s, err := b.stage(ctx, body, &u.meta, staging{algorithm: u.meta.Checksum.Algorithm, part: number, cipher: c})
	defer s.discard()
	if err != nil {
		return backends.PartInfo{}, err
	}
	return b.addPart(ctx, u, s, s.digest.Part(number))
}

// linkPart stores, as a part of u, the part of another object that span is, without copying it: bodies never change. It
// fails with errNoLinks when span is no such part, or its file cannot be linked.
func (b *Backend) linkPart(ctx context.Context, u *uploadAt, number int32, from *object, span backends.Span) (backends.PartInfo, error) {
	i, ok := from.partAt(span)
	if a := u.meta.Checksum.Algorithm; !ok || u.sealed != nil || from.sealed != nil || a != "" && a != from.Checksum.Algorithm {
		return backends.PartInfo{}, errNoLinks
	}
	s, err := b.stageLinks(from.body[i:i+1], "")
	defer s.discard()
	if err != nil {
		return backends.PartInfo{}, errNoLinks
	}
	info := from.Parts[i]
	info.Number = number
	if u.meta.Checksum.Algorithm == "" {
		info.Checksum = ""
	}
	return b.addPart(ctx, u, s, info)
}

// partAt finds the part whose bytes a span is.
func (o *object) partAt(span backends.Span) (int, bool) {
	at := int64(0)
	for i, p := range o.Parts {
		if at == span.Start && p.Size == span.Length {
			return i, true
		}
		at += p.Size
	}
	return 0, false
}

// addPart makes what is staged a part of u.
func (b *Backend) addPart(ctx context.Context, u *uploadAt, s *staged, info backends.PartInfo) (backends.PartInfo, error) {
	err := b.change(ctx, u.place, func(t *tx) error {
		uploadID := u.name.String()
		if _, err := b.upload(u.place, &uploadID); err != nil {
			return err
		}
		var old part
		found, err := b.meta.get(partKey(u.name, info.Number), old.decode)
		if err != nil {
			return err
		}
		if found {
			t.freeBody([]segment{old.body})
		}
		info.LastModified = b.now()
		t.addBody(s)
		t.set(partKey(u.name, info.Number), (&part{info, s.body[0]}).encode())
		return nil
	})
	return info, err
}
