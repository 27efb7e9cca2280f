package policy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// RenameObject implements [backends.Renamer]. It is a deletion of the one name and a write of the other. An object takes its
// storage class and its encryption along, so both names must be of the same.
func (b *bucket) RenameObject(ctx context.Context, from string, in *s3.RenameObjectInput) (*s3.RenameObjectOutput, error) {
	c, source, p := *in, b.of(&from), b.of(in.Key)
	if err := source.remove(); err != nil {
		return nil, err
	}
	if err := p.part(); err != nil {
		return nil, err
	}
	if err := p.guard(in.DestinationIfMatch, &c.DestinationIfNoneMatch); err != nil {
		return nil, err
	}
	if source.StorageClass != p.StorageClass || source.KMSKeyID != p.KMSKeyID {
		return nil, backends.ErrNoRename()
	}
	out, err := backends.RenamerOf(b.Backend).RenameObject(ctx, from, &c)
	return out, p.refusal(err, in.DestinationIfNoneMatch)
}
