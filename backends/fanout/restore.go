package fanout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RestoreObject implements [backends.Restorer].
func (f *fanout) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	c := *in
	i, err := f.reader(in.Key, &c.VersionId)
	if err != nil {
		return nil, err
	}
	return backends.RestoreObject(ctx, f.Mounts[i].Backend, &c)
}
