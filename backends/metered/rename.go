package metered

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RenameObject implements [backends.Renamer].
func (b *Backend) RenameObject(ctx context.Context, from string, in *s3.RenameObjectInput) (*s3.RenameObjectOutput, error) {
	f := func(ctx context.Context, in *s3.RenameObjectInput) (*s3.RenameObjectOutput, error) {
		return backends.RenamerOf(b.next).RenameObject(ctx, from, in)
	}
	return call(ctx, b, "RenameObject", f, in)
}
