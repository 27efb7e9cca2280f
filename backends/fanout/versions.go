package fanout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

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
	bucket := aws.ToString(in.Bucket)
	sources := make([]backends.VersionSource, len(f.Mounts))
	for i, m := range f.Mounts {
		sources[i] = backends.VersionsOf(m.Backend, bucket, f.shown(i, func(ctx context.Context) backends.Cursor[types.Object] {
			return backends.NewKeyCursor(ctx, m.Backend, bucket, aws.ToString(in.Prefix))
		}))
	}
	return backends.MergeVersions(ctx, sources, in)
}

// nulls says of which mounts the objects are null versions: those without versions, in a bucket that has some.
func nulls(mounts []Mount) []bool {
	all, some := make([]bool, len(mounts)), false
	for i, m := range mounts {
		_, ok := backends.As[backends.Versioned](m.Backend)
		all[i], some = !ok, some || ok
	}
	if !some {
		return make([]bool, len(mounts))
	}
	return all
}

// enterVersion makes what is asked of a mount that has null versions only a request for its object. The store
// is not asked for "null": its own bucket may have versions that are no business of ours.
func (f *fanout) enterVersion(mount int, id **string) error {
	if !f.null[mount] || *id == nil {
		return nil
	}
	err := backends.CheckVersion(**id)
	*id = nil
	return err
}

// shownVersion is the VersionId of what a mount has read.
func (f *fanout) shownVersion(mount int, id *string) *string {
	if f.null[mount] {
		return aws.String(backends.NullVersion)
	}
	return id
}

// GetObjectTagging implements [backends.Tagger].
func (f *fanout) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	c := *in
	i, err := f.reader(in.Key, &c.VersionId)
	if err != nil {
		return nil, err
	}
	below, err := backends.TaggerOf(f.Mounts[i].Backend).GetObjectTagging(ctx, &c)
	if err != nil {
		return nil, err
	}
	out := *below
	out.VersionId = f.shownVersion(i, below.VersionId)
	return &out, nil
}

// PutObjectTagging implements [backends.Tagger].
func (f *fanout) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	c := *in
	i, err := f.reader(in.Key, &c.VersionId)
	if err != nil {
		return nil, err
	}
	below, err := backends.TaggerOf(f.Mounts[i].Backend).PutObjectTagging(ctx, &c)
	if err != nil {
		return nil, err
	}
	out := *below
	out.VersionId = f.shownVersion(i, below.VersionId)
	return &out, nil
}

// DeleteObjectTagging implements [backends.Tagger].
func (f *fanout) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	c := *in
	i, err := f.reader(in.Key, &c.VersionId)
	if err != nil {
		return nil, err
	}
	below, err := backends.TaggerOf(f.Mounts[i].Backend).DeleteObjectTagging(ctx, &c)
	if err != nil {
		return nil, err
	}
	out := *below
	out.VersionId = f.shownVersion(i, below.VersionId)
	return &out, nil
}
