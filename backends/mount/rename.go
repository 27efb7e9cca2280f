package mount

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RenameObject implements [backends.Renamer].
func (m *mount) RenameObject(ctx context.Context, from string, in *s3.RenameObjectInput) (*s3.RenameObjectOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	bucket, source := in.Bucket, &from
	if err := m.enter(&bucket, &source); err != nil {
		return nil, err
	}
	out, err := backends.RenamerOf(m.Backend).RenameObject(ctx, *source, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}
