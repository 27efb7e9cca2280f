package localbackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// RenameObject implements [backends.Renamer]. The rows of the old name and the new one change in one batch, and the body
// stays where it is.
func (b *Backend) RenameObject(ctx context.Context, from string, in *s3.RenameObjectInput) (*s3.RenameObjectOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	to, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	src := place{to.bkt, from}
	if err := b.changeTwo(ctx, src, to, func(t *tx) error { return t.rename(src, to, in) }); err != nil {
		return nil, err
	}
	return &s3.RenameObjectOutput{}, nil
}

// rename builds the change.
func (t *tx) rename(src, to place, in *s3.RenameObjectInput) error {
	o, err := t.b.object(src)
	if err != nil {
		return err
	}
	old, err := t.b.object(to)
	if err != nil {
		return err
	}
	done, err := backends.CheckRename(src.key, o.meta(), old.meta(), in)
	if err != nil {
		return err
	}
	if done || src == to {
		t.affirm()
		return nil
	}
	if err := t.b.keys.move(o, src, to); err != nil {
		return err
	}
	if old != nil {
		if err := t.free(old); err != nil {
			return err
		}
	}
	o.ObjectMeta = backends.RenamedMeta(o.ObjectMeta, src.key, in)
	t.delete(objectKey(src.bkt.id, src.key))
	t.set(objectKey(to.bkt.id, to.key), o.encode())
	return nil
}

// meta is what conditions want to know of an object; nil when there is none.
func (o *object) meta() *backends.ObjectMeta {
	if o == nil {
		return nil
	}
	return &o.ObjectMeta
}

// move seals the key of an object for another place. A customer's key would be needed, and the request has none.
func (r *keyring) move(o *object, src, to place) error {
	if o.Encryption == (backends.Encryption{}) {
		return nil
	}
	if o.Encryption.Customer != "" {
		return s3err.Newf(s3err.NotImplemented, "RenameObject is not implemented for objects that are encrypted with customer provided keys.")
	}
	c, err := r.open(src, o, backends.CustomerKey{})
	if err != nil {
		return err
	}
	o.sealed, err = r.seal(c, to, &o.Encryption, backends.CustomerKey{})
	return err
}
