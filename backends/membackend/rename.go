package membackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RenameObject implements [backends.Renamer].
func (b *Backend) RenameObject(ctx context.Context, from string, in *s3.RenameObjectInput) (*s3.RenameObjectOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, err := b.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	to := deref(in.Key)
	done, err := backends.CheckRename(from, k.meta(from), k.meta(to), in)
	if err != nil {
		return nil, err
	}
	if !done && from != to {
		o := *k.objects[from]
		o.meta = backends.RenamedMeta(o.meta, from, in)
		k.remove(from)
		k.put(to, &o)
	}
	return &s3.RenameObjectOutput{}, nil
}
