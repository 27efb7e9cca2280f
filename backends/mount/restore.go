package mount

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RestoreObject implements [backends.Restorer].
func (m *mount) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.RestoreObject(ctx, m.Backend, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}
