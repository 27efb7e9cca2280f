package fanout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RenameObject implements [backends.Renamer]. From one mount to another it would be more than one change.
func (f *fanout) RenameObject(ctx context.Context, from string, in *s3.RenameObjectInput) (*s3.RenameObjectOutput, error) {
	to, err := f.owner(in.Key)
	if err != nil {
		return nil, err
	}
	i, err := f.reader(&from, new(*string))
	if err != nil {
		return nil, err
	}
	if f.Mounts[i].Backend != to {
		return nil, backends.ErrNoRename()
	}
	return backends.RenamerOf(to).RenameObject(ctx, from, in)
}
