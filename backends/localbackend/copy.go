package localbackend

import (
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// openSource looks an object up that is to be copied, and opens the span that
// choose selects of it, with its key, together, so that they are of one version.
func (b *Backend) openSource(ctx context.Context, src backends.CopySource, k backends.CustomerKey,
	choose func(*object) (backends.Span, error),
) (o *object, span backends.Span, body io.ReadCloser, err error) {
	p, err := b.at(&src.Bucket, &src.Key)
	if err != nil {
		return nil, span, nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, span, nil, err
		}
		if o, err = b.lookup(p); err != nil {
			return nil, span, nil, err
		}
		if span, err = choose(o); err != nil {
			return nil, span, nil, err
		}
		c, err := b.keys.open(p, o, k)
		if err != nil {
			return nil, span, nil, err
		}
		body, err = b.openBody(o.body, c, span, func() (bool, error) { return b.isCurrent(p, o) })
		if err == nil {
			return o, span, body, nil
		}
		if again, e := b.replaced(p, o, err); !again {
			return nil, span, nil, e
		}
	}
}

// CopyObject implements backends.ObjectWriter.
func (b *Backend) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	ontoItself := src.Bucket == *in.Bucket && src.Key == *in.Key
	from, span, body, err := b.openSource(ctx, src, backends.CopySourceKey(in), func(o *object) (backends.Span, error) {
		return backends.Span{Length: o.Size}, backends.CheckCopy(&o.ObjectMeta, ontoItself, in)
	})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	o := &object{ObjectMeta: backends.CopyMeta(&from.ObjectMeta, in)}
	c, sealed, err := b.keys.newCipher(p, &o.Encryption, backends.CopyKey(in))
	if err != nil {
		return nil, err
	}
	o.sealed = sealed
	s, err := b.stageCopy(ctx, from, o, backends.Body{Reader: body, Length: span.Length}, c)
	defer s.discard()
	if err != nil {
		return nil, err
	}
	err = b.change(ctx, p, func(t *tx) error {
		return t.replace(p, o, s, writeConditions{in.IfMatch, in.IfNoneMatch})
	})
	if err != nil {
		return nil, err
	}
	return backends.CopyOutput(&o.ObjectMeta, backends.CopyKey(in)), nil
}

// stageCopy stages the body of from for its copy o, and completes o. A body in
// files is not copied: bodies never change, so the copy has links to the same
// files, unless either is encrypted: each body has a key of its own. What from knows of its bytes is not calculated again.
func (b *Backend) stageCopy(ctx context.Context, from, o *object, body backends.Body, c objectCipher) (*staged, error) {
	s, err := &staged{b: b, digest: backends.NewDigest("")}, errNoLinks
	if from.sealed == nil && c == nil {
		s, err = b.stageLinks(from.body, o.Checksum.Algorithm)
	}
	if err != nil {
		s.discard()
		s, err = b.stage(ctx, body, &o.ObjectMeta, staging{algorithm: o.Checksum.Algorithm, cipher: c})
		s.digest.Finish(&o.ObjectMeta)
		return s, err
	}
	if from.manifest == (name{}) && (o.Checksum.Algorithm == "" || o.Checksum.Algorithm == from.Checksum.Algorithm) {
		o.Size, o.ETag, o.Checksum = from.Size, from.ETag, from.Checksum
		return s, nil
	}
	err = s.passLarge(ctx, io.Discard, body)
	s.digest.Finish(&o.ObjectMeta)
	return s, err
}
