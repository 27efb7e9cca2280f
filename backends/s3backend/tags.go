package s3backend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// Can implements [backends.Abilities].
func (b *Backend) Can(a any) bool {
	if _, ok := a.(*backends.Tagger); ok {
		return b.can.Load().ObjectTags
	}
	return true
}

// checkTagging refuses tags that the service would overlook.
func (b *Backend) checkTagging(encoded *string) error {
	if value(encoded) == "" || b.can.Load().ObjectTags {
		return nil
	}
	return cannot("The storage of this bucket has no tags.", "x-amz-tagging")
}

// copyTagging says of the tags of a copy only what differs from the usual, and nothing where there are none.
func (b *Backend) copyTagging(in *s3.CopyObjectInput) {
	if in.TaggingDirective != types.TaggingDirectiveReplace {
		in.Tagging = nil
	}
	if !b.can.Load().ObjectTags {
		in.TaggingDirective = ""
	}
	in.Tagging = optional(value(in.Tagging))
}

// tagCount is how many tags an object has, as the service counts them; nil for none, and where nobody can see them.
func (b *Backend) tagCount(n *int32) *int32 {
	if n == nil || *n == 0 || !b.can.Load().ObjectTags {
		return nil
	}
	return n
}

// GetObjectTagging implements [backends.Tagger].
func (b *Backend) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	out, err := b.client.GetObjectTagging(ctx, in, b.again)
	if err != nil {
		return nil, b.fail(ctx, "GetObjectTagging", err)
	}
	return out, nil
}

// PutObjectTagging implements [backends.Tagger].
func (b *Backend) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	if in.Tagging != nil && in.Tagging.TagSet == nil { // The SDK takes that for one that was forgotten.
		none := *in
		none.Tagging = &types.Tagging{TagSet: []types.Tag{}}
		in = &none
	}
	out, err := b.client.PutObjectTagging(ctx, in, b.again)
	if err != nil {
		return nil, b.fail(ctx, "PutObjectTagging", err)
	}
	return out, nil
}

// DeleteObjectTagging implements [backends.Tagger].
func (b *Backend) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	out, err := b.client.DeleteObjectTagging(ctx, in, b.again)
	if err != nil {
		return nil, b.fail(ctx, "DeleteObjectTagging", err)
	}
	return out, nil
}
