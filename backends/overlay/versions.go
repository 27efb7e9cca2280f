package overlay

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Can implements [backends.Abilities].
func (o *overlay) Can(a any) bool { return backends.Passing(a, o.New) }

// shownVersion is the VersionId of what was read from the old place.
func (o *overlay) shownVersion(id *string) *string {
	if o.Can((*backends.Versioned)(nil)) {
		return aws.String(backends.NullVersion)
	}
	return id
}

// ListObjectVersions implements [backends.Versioned]: the versions of the new place, and of keys that it has
// none of the objects of the old place.
func (o *overlay) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	bucket := aws.ToString(in.Bucket)
	old := o.oldKeys(bucket, in.Prefix, in.MaxKeys)
	return backends.MergeVersions(ctx, []backends.VersionSource{
		backends.VersionsOf(o.New, bucket, backends.Filter{}),
		{Lister: oldLister{o.Old}, Bucket: bucket, Filter: backends.Filter{Keep: old.keep, KeepPrefix: old.keepPrefix}},
	}, in)
}

// unversioned reports whether the new place has no version of a key.
func (o *overlay) unversioned(ctx context.Context, w wanted) (bool, error) {
	c := backends.NewKeyCursor(ctx, o.New, aws.ToString(w.bucket), aws.ToString(w.key))
	some := c.SeekGE(aws.ToString(w.key), "") && c.Key() == aws.ToString(w.key)
	return !some, c.Err()
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

// GetObjectTagging implements [backends.Tagger].
func (o *overlay) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	return read(ctx, o, wanted{in.Bucket, in.Key, in.VersionId}, func() (*s3.GetObjectTaggingOutput, error) {
		return backends.TaggerOf(o.New).GetObjectTagging(ctx, in)
	}, func() (*s3.GetObjectTaggingOutput, error) {
		c := *in
		c.VersionId = nil
		below, err := backends.TaggerOf(o.Old).GetObjectTagging(ctx, &c)
		if err != nil {
			return nil, err
		}
		out := *below
		out.VersionId = o.shownVersion(below.VersionId)
		return &out, nil
	})
}

// errOldTags refuses to change tags in the old place, where nothing is ever written. To move the object for it would bring back what
// somebody has deleted meanwhile.
func errOldTags() error {
	return s3err.Newf(s3err.NotImplemented, "The object has not been moved to its new place yet; until it is written, its tags cannot be changed.")
}

// PutObjectTagging implements [backends.Tagger]. Objects of the old place cannot be changed.
func (o *overlay) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	return read(ctx, o, wanted{in.Bucket, in.Key, in.VersionId}, func() (*s3.PutObjectTaggingOutput, error) {
		return backends.TaggerOf(o.New).PutObjectTagging(ctx, in)
	}, func() (*s3.PutObjectTaggingOutput, error) {
		_, err := backends.HeadKeyless(ctx, o.Old, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key})
		return nil, firstError(err, errOldTags())
	})
}

// DeleteObjectTagging implements [backends.Tagger]. Objects of the old place cannot be changed.
func (o *overlay) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	return read(ctx, o, wanted{in.Bucket, in.Key, in.VersionId}, func() (*s3.DeleteObjectTaggingOutput, error) {
		return backends.TaggerOf(o.New).DeleteObjectTagging(ctx, in)
	}, func() (*s3.DeleteObjectTaggingOutput, error) {
		below, err := backends.TaggerOf(o.Old).GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: in.Bucket, Key: in.Key})
		if err == nil && len(below.TagSet) > 0 {
			err = errOldTags()
		}
		return &s3.DeleteObjectTaggingOutput{VersionId: o.shownVersion(nil)}, err
	})
}
