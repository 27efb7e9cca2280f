package localbackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// PutObject implements backends.ObjectWriter.
func (b *Backend) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	o := &object{ObjectMeta: backends.PutMeta(in)}
	c, sealed, err := b.keys.newCipher(p, &o.Encryption, backends.PutKey(in))
	if err != nil {
		return nil, err
	}
	o.sealed = sealed
	body := backends.NewBody(in.Body, in.ContentLength)
	s, err := b.stage(ctx, body, &o.ObjectMeta, staging{algorithm: in.ChecksumAlgorithm, cipher: c})
	defer s.discard()
	if err != nil {
		return nil, err
	}
	s.digest.Finish(&o.ObjectMeta)
	err = b.change(ctx, p, func(t *tx) error {
		return t.replace(p, o, s, writeConditions{in.IfMatch, in.IfNoneMatch})
	})
	if err != nil {
		return nil, err
	}
	return backends.PutOutput(&o.ObjectMeta, backends.PutKey(in)), nil
}

// writeConditions guard what a write replaces.
type writeConditions struct{ ifMatch, ifNoneMatch *string }

// replace puts o, with the body that is staged, at p when c allows it.
func (t *tx) replace(p place, o *object, s *staged, c writeConditions) error {
	if err := t.clear(p, c); err != nil {
		return err
	}
	o.body = s.body
	o.LastModified = t.b.now()
	t.addBody(s)
	t.encrypted(o)
	t.set(objectKey(p.bkt.id, p.key), o.encode())
	return nil
}

// clear frees what is at p, for an object that is to replace it.
func (t *tx) clear(p place, c writeConditions) error {
	old, err := t.b.object(p)
	if err != nil {
		return err
	}
	if old == nil {
		return backends.CheckWrite(nil, c.ifMatch, c.ifNoneMatch)
	}
	if err := backends.CheckWrite(&old.ObjectMeta, c.ifMatch, c.ifNoneMatch); err != nil {
		return err
	}
	return t.free(old)
}

// free removes all of an object but its row.
func (t *tx) free(o *object) error {
	if err := t.b.loadManifest(o); err != nil {
		return err
	}
	if o.manifest != (name{}) {
		t.delete(manifestKey(o.manifest))
	}
	t.freeBody(o.body)
	return nil
}
