package membackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// GetObjectTagging implements [backends.Tagger].
func (b *Backend) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := b.lookup(in.Bucket, in.Key, deref(in.VersionId))
	if err != nil {
		return nil, err
	}
	return &s3.GetObjectTaggingOutput{TagSet: backends.TagSet(o.meta.Tags).TagSet}, nil
}

// PutObjectTagging implements [backends.Tagger].
func (b *Backend) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	err := b.setTags(ctx, in.Bucket, in.Key, in.VersionId, backends.TagsOf(in.Tagging))
	return &s3.PutObjectTaggingOutput{}, err
}

// DeleteObjectTagging implements [backends.Tagger].
func (b *Backend) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	err := b.setTags(ctx, in.Bucket, in.Key, in.VersionId, nil)
	return &s3.DeleteObjectTaggingOutput{}, err
}

// setTags puts the object, with other tags, in its own place.
func (b *Backend) setTags(ctx context.Context, bucketName, key, versionID *string, tags []backends.Tag) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, err := b.bucket(bucketName)
	if err != nil {
		return err
	}
	if err := backends.CheckVersion(deref(versionID)); err != nil {
		return err
	}
	old, ok := k.objects[deref(key)]
	if !ok {
		return s3err.New(s3err.NoSuchKey)
	}
	o := *old
	o.meta.Tags = tags
	k.put(deref(key), &o)
	return nil
}
