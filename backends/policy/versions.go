package policy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Can implements [backends.Abilities].
func (b *bucket) Can(a any) bool { return backends.Passing(a, b.Backend) }

// ListObjectVersions implements [backends.Versioned].
func (b *bucket) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	v, ok := backends.As[backends.Versioned](b.Backend)
	if !ok {
		return nil, s3err.New(s3err.NotImplemented)
	}
	return v.ListObjectVersions(ctx, in)
}

// GetObjectTagging implements [backends.Tagger].
func (b *bucket) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	return backends.TaggerOf(b.Backend).GetObjectTagging(ctx, in)
}

// PutObjectTagging implements [backends.Tagger]. Tags can be changed where objects can be replaced.
func (b *bucket) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	if err := b.of(in.Key).remove(); err != nil {
		return nil, err
	}
	return backends.TaggerOf(b.Backend).PutObjectTagging(ctx, in)
}

// DeleteObjectTagging implements [backends.Tagger].
func (b *bucket) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	if err := b.of(in.Key).remove(); err != nil {
		return nil, err
	}
	return backends.TaggerOf(b.Backend).DeleteObjectTagging(ctx, in)
}
