package localbackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// GetObjectTagging implements [backends.Tagger].
func (b *Backend) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := b.taggedAt(in.Bucket, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	o, err := b.object(p)
	switch {
	case err != nil:
		return nil, err
	case o == nil:
		return nil, s3err.New(s3err.NoSuchKey)
	}
	return &s3.GetObjectTaggingOutput{TagSet: backends.TagSet(o.Tags).TagSet}, nil
}

// PutObjectTagging implements [backends.Tagger].
func (b *Backend) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	p, err := b.taggedAt(in.Bucket, in.Key, in.VersionId)
	if err == nil {
		err = b.setTags(ctx, p, backends.TagsOf(in.Tagging))
	}
	return &s3.PutObjectTaggingOutput{}, err
}

// DeleteObjectTagging implements [backends.Tagger].
func (b *Backend) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	p, err := b.taggedAt(in.Bucket, in.Key, in.VersionId)
	if err == nil {
		err = b.setTags(ctx, p, nil)
	}
	return &s3.DeleteObjectTaggingOutput{}, err
}

// taggedAt finds the place of a key whose tags are asked for.
func (b *Backend) taggedAt(bucketName, key, versionID *string) (place, error) {
	p, err := b.at(bucketName, key)
	if err == nil {
		err = backends.CheckVersion(aws.ToString(versionID))
	}
	return p, err
}

// setTags writes the row of an object, as it is under the lock of its key, with other tags. Whatever else the row names stays.
func (b *Backend) setTags(ctx context.Context, p place, tags []backends.Tag) error {
	return b.change(ctx, p, func(t *tx) error {
		o, err := b.object(p)
		switch {
		case err != nil:
			return err
		case o == nil:
			return s3err.New(s3err.NoSuchKey)
		}
		o.Tags = tags
		t.set(objectKey(p.bkt.id, p.key), o.encode())
		return nil
	})
}
