package localbackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// CompleteMultipartUpload implements backends.MultipartUploader. No byte is
// copied: the object's body is the files of its parts.
func (b *Backend) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	var o *object
	err = b.change(ctx, p, func(t *tx) error {
		u, err := b.upload(p, in.UploadId)
		if s3err.Is(err, s3err.NoSuchUpload) {
			if o = b.completed(p, in); o != nil {
				t.affirm()
				return nil
			}
		}
		if err != nil {
			return err
		}
		o, err = t.complete(u, in, p, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := backends.CompleteOutput(&o.ObjectMeta)
	out.Bucket, out.Key = in.Bucket, in.Key
	return out, nil
}

// CompleteUploadAt implements [backends.UploadPlacer]. Nobody else writes what is at key: it need not be locked.
func (b *Backend) CompleteUploadAt(ctx context.Context, in *s3.CompleteMultipartUploadInput, key string, metadata map[string]string) (*s3.CompleteMultipartUploadOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	to, err := b.at(in.Bucket, &key)
	if err != nil {
		return nil, err
	}
	c := *in
	c.IfMatch, c.IfNoneMatch = nil, nil
	var o *object
	err = b.change(ctx, p, func(t *tx) error {
		u, err := b.upload(p, in.UploadId)
		if err != nil {
			return err
		}
		o, err = t.complete(u, &c, to, metadata)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := backends.CompleteOutput(&o.ObjectMeta)
	out.Bucket, out.Key = in.Bucket, &key
	return out, nil
}

// completed returns the object that in made already, as long as it is the
// current one; else nil.
func (b *Backend) completed(p place, in *s3.CompleteMultipartUploadInput) *object {
	o, err := b.lookup(p)
	if err != nil || !backends.CompletedBy(&o.ObjectMeta, in) {
		return nil
	}
	return o
}

// complete puts the object that u becomes at a place, with metadata beside its own.
func (t *tx) complete(u *uploadAt, in *s3.CompleteMultipartUploadInput, at place, metadata map[string]string) (*object, error) {
	stored, err := t.b.parts(u.name)
	if err != nil {
		return nil, err
	}
	byNumber := make(map[int32]part, len(stored))
	for _, p := range stored {
		byNumber[p.Number] = p
	}
	meta, err := backends.PlanComplete(u.meta, func(number int32) (backends.PartInfo, bool) {
		p, ok := byNumber[number]
		return p.PartInfo, ok
	}, in)
	if err != nil {
		return nil, err
	}
	if err := t.clear(at, writeConditions{in.IfMatch, in.IfNoneMatch}); err != nil {
		return nil, err
	}
	o := &object{ObjectMeta: meta, manifest: t.b.names.next()}
	if err := t.reseal(o, u, at); err != nil {
		return nil, err
	}
	o.LastModified = t.b.now()
	if len(metadata) > 0 {
		o.Metadata = backends.WithMetadata(o.Metadata, metadata)
	}
	chosen := make([]part, len(meta.Parts))
	taken := make(map[name]bool, len(chosen))
	for i, info := range meta.Parts {
		chosen[i] = part{info, byNumber[info.Number].body}
		taken[chosen[i].body.name] = true
	}
	t.encrypted(o)
	t.set(manifestKey(o.manifest), encodeManifest(chosen))
	t.set(objectKey(at.bkt.id, at.key), o.encode())
	t.delete(uploadKey(u.bkt.id, u.key, u.name))
	return o, t.removeParts(u.name, taken)
}

// reseal gives o the key of the upload that it is made of, for the place where it is to be.
func (t *tx) reseal(o *object, u *uploadAt, at place) error {
	o.sealed = u.sealed
	if u.sealed == nil || at == u.place {
		return nil
	}
	if o.Encryption.Customer != "" {
		return s3err.Newf(s3err.NotImplemented, "The upload has a customer's key, and began before the bucket had versions: it cannot be completed any more.")
	}
	c, err := t.b.keys.open(u.place, &object{ObjectMeta: u.meta, sealed: u.sealed}, backends.CustomerKey{})
	if err == nil {
		o.sealed, err = t.b.keys.seal(c, at, &o.Encryption, backends.CustomerKey{})
	}
	return err
}
