package versioned

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// GetObjectTagging implements [backends.Tagger].
func (b *bucket) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	for {
		f, err := b.find(ctx, in.Key, in.VersionId)
		if err != nil {
			return nil, tagsOfMarker(err)
		}
		if f.version != nil {
			return &s3.GetObjectTaggingOutput{VersionId: aws.String(f.version.ID.String()), TagSet: backends.TagSet(f.version.Tags).TagSet}, nil
		}
		below, err := backends.TaggerOf(b.Heads).GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Key: &f.Key})
		if err != nil && !s3err.Is(err, s3err.NoSuchKey) {
			return nil, err
		}
		// By now a version may have taken its place, and what was read be that of a copy of it.
		top, failed := b.Index.Top(ctx, f.Object)
		switch {
		case failed != nil:
			return nil, failed
		case top.Seq > 0:
			continue
		case err != nil:
			return nil, f.notThere(in.VersionId)
		}
		return &s3.GetObjectTaggingOutput{VersionId: aws.String(nullVersionID), TagSet: below.TagSet}, nil
	}
}

// PutObjectTagging implements [backends.Tagger].
func (b *bucket) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	tags := backends.TagsOf(in.Tagging)
	id, err := b.amend(ctx, in.Key, in.VersionId, func(v *versions.Version) error { v.Tags = tags; return nil })
	return &s3.PutObjectTaggingOutput{VersionId: id}, tagsOfMarker(err)
}

// givenTags are the tags of an input, which the edge has checked. They belong to the version, and not to its body.
func givenTags(encoded *string) []versions.Tag {
	tags, _ := backends.ParseTags(aws.ToString(encoded))
	return tags
}

// takeTags gives the version of an upload the tags that its body got when the upload began: till it is completed, there is no other
// place for them. From then on they are the version's, and nobody looks at those of the body.
func (w *write) takeTags(ctx context.Context, count *int32) (err error) {
	body := backends.Source{Backend: w.b.Bodies, CopySource: backends.CopySource{Key: *w.key()}}
	w.version.Tags, err = backends.StoredTags(ctx, body, count)
	w.untagLock()
	return err
}

// DeleteObjectTagging implements [backends.Tagger].
func (b *bucket) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	id, err := b.amend(ctx, in.Key, in.VersionId, func(v *versions.Version) error { v.Tags = nil; return nil })
	return &s3.DeleteObjectTaggingOutput{VersionId: id}, tagsOfMarker(err)
}

// tagsOfMarker makes the error for a delete marker out of the one for an object whose current version is that. About tags S3
// says the same of both.
func tagsOfMarker(err error) error {
	if !s3err.Is(err, s3err.NoSuchKey) || len(s3err.From(err).Headers) == 0 {
		return err
	}
	e := s3err.New(s3err.MethodNotAllowed).With("ResourceType", "DeleteMarker").WithHeader("Allow", "DELETE")
	e.Headers = append(e.Headers, s3err.From(err).Headers...)
	return e
}

// amend changes what is known of a version, or of the current one, unless change refuses. It returns its id.
func (b *bucket) amend(ctx context.Context, key, versionID *string, change func(*versions.Version) error) (*string, error) {
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
		if err := change(&changed); err != nil {
			return top, err
		}
		shown = changed.ID.String()
		return versions.Amend(top, changed, b.event(ctx)), nil
	})
	return &shown, err
}
