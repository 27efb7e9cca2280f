package versioned

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RestoreObject implements [backends.Restorer]. What is restored is what a read of the version comes to: its body, or the copy
// that is in place of it.
func (b *bucket) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	var at backends.Backend
	c := *in
	look := func(ctx context.Context, s backends.Backend, of *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
		at, c.Bucket, c.Key, c.VersionId = s, of.Bucket, of.Key, nil
		return headAsGet(ctx, s, of)
	}
	if _, err := read(ctx, b, &s3.GetObjectInput{Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId}, look); err != nil {
		return nil, err
	}
	return backends.RestoreObject(ctx, at, &c)
}
