package overlay

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RestoreObject implements [backends.Restorer]. It makes an object readable where it is, also in the old place, and changes nothing
// of it.
func (o *overlay) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	return read(ctx, o, wanted{in.Bucket, in.Key, in.VersionId}, func() (*backends.Restoring, error) {
		return backends.RestoreObject(ctx, o.New, in)
	}, func() (*backends.Restoring, error) {
		c := *in
		c.VersionId = nil
		return backends.RestoreObject(ctx, o.Old, &c)
	})
}
