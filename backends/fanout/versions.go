package fanout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// Can implements [backends.Abilities]: a bucket has versions when one of its mounts has. Objects of
// the others are their own null versions.
func (f *fanout) Can(a any) bool {
	all := make([]backends.Backend, len(f.Mounts))
	for i, m := range f.Mounts {
		all[i] = m.Backend
	}
	return backends.Passing(a, all...)
}

// ListObjectVersions implements [backends.Versioned].
func (f *fanout) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	sources := make([]backends.VersionSource, len(f.Mounts))
	page := &s3.ListObjectsV2Input{Bucket: in.Bucket, Prefix: in.Prefix}
	for i, m := range f.Mounts {
		sources[i] = backends.VersionsOf(m.Backend, aws.ToString(in.Bucket), f.objectsOf(i, page))
	}
	return backends.MergeVersions(ctx, sources, in)
}

// GetObjectTagging implements [backends.Tagger].
func (f *fanout) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	b, err := f.reader(in.Key)
	if err != nil {
		return nil, err
	}
	return backends.TaggerOf(b).GetObjectTagging(ctx, in)
}

// PutObjectTagging implements [backends.Tagger].
func (f *fanout) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	b, err := f.reader(in.Key)
	if err != nil {
		return nil, err
	}
	return backends.TaggerOf(b).PutObjectTagging(ctx, in)
}

// DeleteObjectTagging implements [backends.Tagger].
func (f *fanout) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	b, err := f.reader(in.Key)
	if err != nil {
		return nil, err
	}
	return backends.TaggerOf(b).DeleteObjectTagging(ctx, in)
}
