package policy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RestoreObject implements [backends.Restorer]. It changes nothing of the object: a policy has no say in it.
func (b *bucket) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	return backends.RestoreObject(ctx, b.Backend, in)
}
