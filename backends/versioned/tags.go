package versioned

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// GetObjectTagging implements [backends.Tagger].
func (b *bucket) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	f, err := b.find(ctx, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	out := &s3.GetObjectTaggingOutput{VersionId: aws.String(nullVersionID), TagSet: []types.Tag{}}
	if f.version == nil { // It has none, if it is there.
		if _, err = b.Heads.HeadObject(ctx, &s3.HeadObjectInput{Key: &f.Key}); s3err.Is(err, s3err.NoSuchKey) {
			err = f.notThere(in.VersionId)
		}
		return out, err
	}
	out.VersionId = aws.String(f.version.ID.String())
	for _, t := range f.version.Tags {
		out.TagSet = append(out.TagSet, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return out, nil
}

// PutObjectTagging implements [backends.Tagger].
func (b *bucket) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	tags := tagsOf(in.Tagging)
	id, err := b.amend(ctx, in.Key, in.VersionId, func(v *versions.Version) { v.Tags = tags })
	return &s3.PutObjectTaggingOutput{VersionId: id}, err
}

// tagsOf are tags as the index has them.
func tagsOf(t *types.Tagging) (tags []versions.Tag) {
	if t == nil {
		return nil
	}
	for _, t := range t.TagSet {
		tags = append(tags, versions.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)})
	}
	return tags
}

// DeleteObjectTagging implements [backends.Tagger].
func (b *bucket) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	id, err := b.amend(ctx, in.Key, in.VersionId, func(v *versions.Version) { v.Tags = nil })
	return &s3.DeleteObjectTaggingOutput{VersionId: id}, err
}

// amend changes what is known of a version, or of the current one. It returns its id.
func (b *bucket) amend(ctx context.Context, key, versionID *string, change func(*versions.Version)) (*string, error) {
	var id versions.VersionID
	if versionID != nil {
		var err error
		if id, err = versions.RequestedVersionID(*versionID); err != nil {
			return nil, err
		}
	}
	h, err := b.top(ctx, b.object(key))
	if err != nil {
		return nil, err
	}
	var shown string
	_, _, err = b.change(ctx, h, func(top versions.Row) (_ versions.Row, err error) {
		v := top.State.Current
		if versionID != nil {
			v, err = versions.Lookup(ctx, b.Index, versions.Head{Object: h.Object, Top: top}, id)
		}
		switch {
		case err != nil:
			return top, err
		case v == nil && versionID != nil:
			return top, noSuchVersion(h.Key, *versionID)
		case v == nil:
			return top, s3err.New(s3err.NoSuchKey).With("Key", h.Key)
		case v.Marker && versionID != nil:
			return top, markerNotAllowed(v)
		case v.Marker:
			return top, markerNoSuchKey(h.Key, v)
		}
		changed := *v
		change(&changed)
		shown = changed.ID.String()
		return versions.Amend(top, changed, b.event(ctx)), nil
	})
	return &shown, err
}
