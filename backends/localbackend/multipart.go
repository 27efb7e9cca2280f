package localbackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// CreateMultipartUpload implements backends.MultipartUploader.
func (b *Backend) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	var upload name
	o := object{ObjectMeta: backends.UploadMeta(in)}
	if _, o.sealed, err = b.keys.newCipher(p, &o.Encryption, backends.UploadKey(in)); err != nil {
		return nil, err
	}
	err = b.change(ctx, p, func(t *tx) error {
		upload = b.names.next() // under the lock: in the order of initiation
		o.LastModified = b.now()
		t.encrypted(&o)
		t.set(uploadKey(p.bkt.id, p.key, upload), o.encode())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return backends.UploadOutput(upload.String(), &o.ObjectMeta, in), nil
}

// uploadAt is an upload and its row.
type uploadAt struct {
	place
	name   name
	meta   backends.ObjectMeta
	sealed []byte // see object
}

// upload finds an upload to a key. NoSuchUpload.
func (b *Backend) upload(p place, uploadID *string) (*uploadAt, error) {
	n, ok := parseName(aws.ToString(uploadID))
	if !ok {
		return nil, s3err.New(s3err.NoSuchUpload)
	}
	var o object
	found, err := b.meta.get(uploadKey(p.bkt.id, p.key, n), o.decode)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, s3err.New(s3err.NoSuchUpload)
	}
	return &uploadAt{p, n, o.ObjectMeta, o.sealed}, nil
}

// AbortMultipartUpload implements backends.MultipartUploader.
func (b *Backend) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	err = b.change(ctx, p, func(t *tx) error {
		u, err := b.upload(p, in.UploadId)
		if err == nil {
			err = backends.CheckAbort(u.meta.LastModified, in)
		}
		if err != nil {
			return err
		}
		t.delete(uploadKey(p.bkt.id, p.key, u.name))
		return t.removeParts(u.name, nil)
	})
	if err != nil {
		return nil, err
	}
	return &s3.AbortMultipartUploadOutput{}, nil
}

// ListParts implements backends.MultipartUploader.
func (b *Backend) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	if err := ctx.Err(); err != nil {
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
	parts, err := b.parts(u.name)
	if err != nil {
		return nil, err
	}
	infos := make([]backends.PartInfo, len(parts))
	for i := range parts {
		infos[i] = parts[i].PartInfo
	}
	out, err := backends.ListParts(&u.meta, infos, in)
	if err != nil {
		return nil, err
	}
	out.Bucket, out.Key, out.UploadId = in.Bucket, in.Key, in.UploadId
	return out, nil
}

// parts reads the parts of an upload, by number.
func (b *Backend) parts(upload name) (parts []part, err error) {
	prefix := named(tableParts, upload)
	err = b.meta.scan(prefix, after(prefix), func(it *pebble.Iterator) error {
		for ok := it.First(); ok; ok = it.Next() {
			v, err := it.ValueAndErr()
			if err != nil {
				return err
			}
			var p part
			if err := p.decode(v); err != nil {
				return err
			}
			parts = append(parts, p)
		}
		return nil
	})
	return parts, err
}

// removeParts removes the rows of all parts of an upload, and the bodies of
// those that an object did not take.
func (t *tx) removeParts(upload name, taken map[name]bool) error {
	parts, err := t.b.parts(upload)
	for _, p := range parts {
		t.delete(partKey(upload, p.Number))
		if !taken[p.body.name] {
			t.freeBody([]segment{p.body})
		}
	}
	return err
}

// removeUploads removes all uploads of a bucket.
func (t *tx) removeUploads(bkt *bucket) error {
	var uploads []name
	prefix := inBucket(tableUploads, bkt.id, 0)
	err := t.b.meta.scan(prefix, after(prefix), func(it *pebble.Iterator) error {
		for ok := it.First(); ok; ok = it.Next() {
			_, upload := parseUploadKey(it.Key())
			uploads = append(uploads, upload)
			t.delete(it.Key())
		}
		return nil
	})
	for _, upload := range uploads {
		if err == nil {
			err = t.removeParts(upload, nil)
		}
	}
	return err
}
