package overlay

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Can implements [backends.Abilities].
func (o *overlay) Can(a any) bool { return backends.Passing(a, o.New) }

// ListObjectVersions implements [backends.Versioned]: the versions of the new place, and of keys that it has
// none of the objects of the old place.
func (o *overlay) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	bucket := aws.ToString(in.Bucket)
	old := &oldKeys{o: o, bucket: bucket, prefix: aws.ToString(in.Prefix), limit: backends.DefaultMaxKeys}
	filter := backends.Filter{KeepPrefix: old.keepPrefix, Keep: func(ctx context.Context, key string) (bool, error) {
		if shown, err := old.keep(ctx, key); err != nil || !shown {
			return false, err
		}
		return o.unversioned(ctx, key)
	}}
	return backends.MergeVersions(ctx, []backends.VersionSource{
		backends.VersionsOf(o.New, bucket, backends.Filter{}),
		{Lister: oldLister{o.Old}, Bucket: bucket, Filter: filter},
	}, in)
}

// unversioned reports whether the new place has no version of a key.
func (o *overlay) unversioned(ctx context.Context, key string) (bool, error) {
	v, ok := backends.As[backends.Versioned](o.New)
	if !ok {
		return true, nil
	}
	page, err := v.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Prefix: &key, MaxKeys: aws.Int32(1)})
	if err != nil {
		return false, err
	}
	is := func(k *string) bool { return aws.ToString(k) == key }
	return !(len(page.Versions) > 0 && is(page.Versions[0].Key)) &&
		!(len(page.DeleteMarkers) > 0 && is(page.DeleteMarkers[0].Key)), nil
}

// GetObjectTagging implements [backends.Tagger]. Objects of the old place have no tags.
func (o *overlay) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	out, err := backends.TaggerOf(o.New).GetObjectTagging(ctx, in)
	if in.VersionId != nil || !s3err.Is(err, s3err.NoSuchKey) {
		return out, err
	}
	old, failed := o.old(ctx, in.Bucket, in.Key)
	if failed != nil || old == nil {
		return nil, firstError(failed, err)
	}
	return &s3.GetObjectTaggingOutput{TagSet: []types.Tag{}}, nil
}

// firstError is the first that there is.
func firstError(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// PutObjectTagging implements [backends.Tagger].
func (o *overlay) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	return backends.TaggerOf(o.New).PutObjectTagging(ctx, in)
}

// DeleteObjectTagging implements [backends.Tagger].
func (o *overlay) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	return backends.TaggerOf(o.New).DeleteObjectTagging(ctx, in)
}
