package membackend

import (
	"bytes"
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// bufferSize is how much of a body is read at once; of a shorter one, all.
const bufferSize = 32 << 10

// GetObject implements [backends.ObjectReader].
func (b *Backend) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := b.lookup(in.Bucket, in.Key, deref(in.VersionId))
	if err != nil {
		return nil, err
	}
	out, span, err := backends.Read(&o.meta, in)
	if err != nil {
		return nil, err
	}
	out.Body = io.NopCloser(bytes.NewReader(o.body[span.Start : span.Start+span.Length]))
	return out, nil
}

// HeadObject implements [backends.ObjectReader].
func (b *Backend) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	out, err := b.GetObject(ctx, backends.HeadAsGet(in))
	if err != nil {
		return nil, err
	}
	return backends.GetAsHead(out), nil
}

// GetObjectAttributes implements [backends.AttributesReader].
func (b *Backend) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := b.lookup(in.Bucket, in.Key, deref(in.VersionId))
	if err != nil {
		return nil, err
	}
	return backends.Attributes(&o.meta, in)
}

// PutObject implements [backends.ObjectWriter].
func (b *Backend) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	o := &object{meta: backends.PutMeta(in)}
	encrypt(&o.meta)
	digest, body, err := readBody(ctx, &o.meta, backends.PutKey(in), backends.NewBody(in.Body, in.ContentLength))
	if err != nil {
		return nil, err
	}
	digest.Finish(&o.meta)
	o.body = body
	if err := b.commit(in.Bucket, deref(in.Key), o, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	return backends.PutOutput(&o.meta, backends.PutKey(in)), nil
}

// readBody reads a whole body, of an object or part, that is m and written with that key.
func readBody(ctx context.Context, m *backends.ObjectMeta, k backends.CustomerKey, body backends.Body) (*backends.Digest, []byte, error) {
	digest := backends.NewDigest(m.Checksum.Algorithm)
	if m.Encryption.Hides() {
		digest.Hide(append(k.Bytes(), m.Encryption.KMSKeyID...))
	}
	var data bytes.Buffer
	buffer := make([]byte, max(1, min(bufferSize, body.Length)))
	if err := digest.CopyBody(ctx, &data, body, buffer); err != nil {
		return nil, nil, err
	}
	return digest, data.Bytes(), nil
}

// commit stores o if the conditions hold, and dates it.
func (b *Backend) commit(bucketName *string, key string, o *object, ifMatch, ifNoneMatch *string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, err := b.bucket(bucketName)
	if err != nil {
		return err
	}
	if err := backends.CheckWrite(k.meta(key), ifMatch, ifNoneMatch); err != nil {
		return err
	}
	o.meta.LastModified = b.now()
	k.put(key, o)
	return nil
}

// CopyObject implements [backends.ObjectWriter].
func (b *Backend) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	from, err := b.lookup(&src.Bucket, &src.Key, src.VersionID)
	if err != nil {
		return nil, err
	}
	ontoItself := src.Bucket == deref(in.Bucket) && src.Key == deref(in.Key)
	if err := backends.CheckCopy(&from.meta, ontoItself, in); err != nil {
		return nil, err
	}
	o := &object{meta: backends.CopyMeta(&from.meta, in)}
	encrypt(&o.meta)
	body := backends.Body{Reader: bytes.NewReader(from.body), Length: from.meta.Size}
	digest, data, err := readBody(ctx, &o.meta, backends.CopyKey(in), body)
	if err != nil {
		return nil, err
	}
	digest.Finish(&o.meta)
	o.body = data
	if err := b.commit(in.Bucket, deref(in.Key), o, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	return backends.CopyOutput(&o.meta, backends.CopyKey(in)), nil
}

// DeleteObject implements [backends.ObjectWriter].
func (b *Backend) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, err := b.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	if err := backends.CheckVersion(deref(in.VersionId)); err != nil {
		return nil, err
	}
	key := deref(in.Key)
	if err := backends.CheckDelete(k.meta(key), in); err != nil {
		return nil, err
	}
	k.remove(key)
	return &s3.DeleteObjectOutput{}, nil
}

// DeleteObjects implements [backends.ObjectWriter].
func (b *Backend) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	if _, err := b.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: in.Bucket}); err != nil {
		return nil, err
	}
	return backends.DeleteEach(ctx, b, in)
}
