package mount

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// Locate implements [backends.Locator].
func (m *mount) Locate(_ context.Context, src backends.CopySource) (backends.Source, error) {
	bucket, key := &src.Bucket, &src.Key
	if err := m.enter(&bucket, &key); err != nil {
		return backends.Source{}, err
	}
	src.Bucket, src.Key = *bucket, *key
	return backends.Source{Backend: m.Backend, CopySource: src}, nil
}

// CopyObject implements [backends.ObjectWriter].
func (m *mount) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	return backends.CopyObject(ctx, m, backends.Source{Backend: m, CopySource: src}, in)
}

// ImportObject implements [backends.ObjectImporter]. An error may be
// about the source, whose key is not in.Key.
func (m *mount) ImportObject(ctx context.Context, src backends.Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.CopyObject(ctx, m.Backend, src, &c)
	return out, m.outward(err, names{in.Bucket, nil, nil})
}
