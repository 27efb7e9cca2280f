package metered

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RestoreObject implements [backends.Restorer].
func (b *Backend) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	f := func(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
		return backends.RestoreObject(ctx, b.next, in)
	}
	return call(ctx, b, "RestoreObject", f, in)
}
