package localbackend

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// object reads the row of an object; nil when there is none. Parts, and the
// body of an object of parts, come with [Backend.lookup] only.
func (b *Backend) object(p place) (*object, error) {
	o := new(object)
	found, err := b.meta.get(objectKey(p.bkt.id, p.key), o.decode)
	if err != nil || !found {
		return nil, err
	}
	return o, nil
}

// loadManifest adds what only the manifest has. It returns errGone when the
// manifest went with its object.
func (b *Backend) loadManifest(o *object) error {
	if o.manifest == (name{}) || o.body != nil {
		return nil
	}
	found, err := b.meta.get(manifestKey(o.manifest), o.decodeManifest)
	if err == nil && !found {
		return errGone
	}
	return err
}

// lookup finds an object that is to be read. An object of parts may be
// replaced between its row and its manifest, and then is looked up again.
func (b *Backend) lookup(p place) (*object, error) {
	for {
		o, err := b.object(p)
		if err != nil {
			return nil, err
		}
		if o == nil {
			return nil, s3err.New(s3err.NoSuchKey)
		}
		if err = b.loadManifest(o); err == nil {
			return o, nil
		}
		if again, e := b.replaced(p, o, err); !again {
			return nil, e
		}
	}
}

// replaced tells, of an object whose reading failed with err, whether that was
// because it is there no longer. Else it returns the error to give up with.
func (b *Backend) replaced(p place, o *object, err error) (bool, error) {
	if !errors.Is(err, errGone) {
		return false, err
	}
	same, lookupErr := b.isCurrent(p, o)
	if same && lookupErr == nil {
		lookupErr = fmt.Errorf("localbackend: the body of an object is missing: %v", o.body)
	}
	return lookupErr == nil, lookupErr
}

// isCurrent reports whether what is at p still has o's body.
func (b *Backend) isCurrent(p place, o *object) (bool, error) {
	now, err := b.object(p)
	if err != nil || now == nil {
		return false, err
	}
	if o.manifest != (name{}) {
		return o.manifest == now.manifest, nil
	}
	return slices.Equal(o.body, now.body), nil
}

// GetObject implements backends.ObjectReader.
func (b *Backend) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o, err := b.lookup(p)
		if err != nil {
			return nil, err
		}
		out, span, err := backends.Read(&o.ObjectMeta, in)
		if err != nil {
			return nil, err
		}
		c, err := b.keys.open(p, o, backends.GetKey(in))
		if err != nil {
			return nil, err
		}
		out.Body, err = b.openBody(o.body, c, span, func() (bool, error) { return b.isCurrent(p, o) })
		if err == nil {
			return out, nil
		}
		if again, e := b.replaced(p, o, err); !again {
			return nil, e
		}
	}
}

// HeadObject implements backends.ObjectReader.
func (b *Backend) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	o, err := b.object(p)
	if err == nil && o == nil {
		err = s3err.New(s3err.NoSuchKey)
	}
	if err == nil && in.PartNumber != nil {
		o, err = b.lookup(p) // with its parts
	}
	if err != nil {
		return nil, err
	}
	return backends.ReadHead(&o.ObjectMeta, in)
}

// GetObjectAttributes implements backends.AttributesReader.
func (b *Backend) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	o, err := b.lookup(p)
	if err != nil {
		return nil, err
	}
	return backends.Attributes(&o.ObjectMeta, in)
}
