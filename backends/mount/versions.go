package mount

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Can implements [backends.Abilities].
func (m *mount) Can(a any) bool { return backends.Passing(a, m.Backend) }

// ListObjectVersions implements [backends.Versioned].
func (m *mount) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	w := m.window(in.Prefix, in.Delimiter, in.KeyMarker)
	switch {
	case w.empty:
		return versionsPage(in, nil), nil
	case w.common != "":
		return m.versionsCommon(ctx, w.common, in)
	case w.walk:
		return backends.SplitVersions(ctx, m, in)
	}
	c := *in
	c.Bucket, c.Prefix, c.KeyMarker = &m.Bucket, w.prefix, w.after
	if aws.ToString(in.KeyMarker) == "" || aws.ToString(w.after) == "" {
		c.VersionIdMarker = nil // of a key that is not the mount's
	}
	below, err := m.versionsBelow(ctx, &c)
	if err != nil {
		return nil, m.outward(err, names{bucket: in.Bucket})
	}
	return m.leaveVersions(in, below)
}

// versionsBelow lists the versions of the physical bucket, less what is excluded.
func (m *mount) versionsBelow(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	v, ok := backends.As[backends.Versioned](m.Backend)
	switch {
	case !ok: // Whoever asks [backends.As] does not get here.
		return nil, s3err.New(s3err.NotImplemented)
	case len(m.Exclude) == 0:
		return v.ListObjectVersions(ctx, in)
	}
	return backends.MergeVersions(ctx, []backends.VersionSource{backends.VersionsOf(m.Backend, m.Bucket, m.filter(m.holdsVersion))}, in)
}

// holdsVersion reports whether there is a version, or a delete marker, of the mount below a physical prefix.
func (m *mount) holdsVersion(ctx context.Context, prefix string) (bool, error) {
	return m.holds(backends.NewKeyCursor(ctx, m.Backend, m.Bucket, prefix), prefix)
}

// versionsPage is the answer to in with these common prefixes and nothing else.
func versionsPage(in *s3.ListObjectVersionsInput, prefixes []types.CommonPrefix) *s3.ListObjectVersionsOutput {
	return &s3.ListObjectVersionsOutput{
		Name: in.Bucket, Prefix: in.Prefix, KeyMarker: in.KeyMarker, VersionIdMarker: in.VersionIdMarker,
		CommonPrefixes: prefixes, IsTruncated: aws.Bool(false),
	}
}

// versionsCommon answers in when one common prefix stands for all keys there are.
func (m *mount) versionsCommon(ctx context.Context, common string, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	if in.MaxKeys != nil && *in.MaxKeys == 0 {
		return versionsPage(in, nil), nil
	}
	first, err := m.versionsBelow(ctx, &s3.ListObjectVersionsInput{Bucket: &m.Bucket, Prefix: &m.Prefix, MaxKeys: aws.Int32(1)})
	switch {
	case err != nil:
		return nil, m.outward(err, names{bucket: in.Bucket})
	case len(first.Versions)+len(first.DeleteMarkers) == 0:
		return versionsPage(in, nil), nil
	}
	return versionsPage(in, []types.CommonPrefix{{Prefix: &common}}), nil
}

// leaveVersions is below's page as the client of in sees it.
func (m *mount) leaveVersions(in *s3.ListObjectVersionsInput, below *s3.ListObjectVersionsOutput) (_ *s3.ListObjectVersionsOutput, err error) {
	out := *below
	out.Name, out.Prefix, out.KeyMarker, out.VersionIdMarker = in.Bucket, in.Prefix, in.KeyMarker, in.VersionIdMarker
	if aws.ToString(below.NextKeyMarker) != "" {
		if out.NextKeyMarker, err = m.leave(below.NextKeyMarker); err != nil {
			return nil, err
		}
	}
	out.Versions = make([]types.ObjectVersion, len(below.Versions))
	for i, v := range below.Versions {
		if v.Key, err = m.leave(v.Key); err != nil {
			return nil, err
		}
		out.Versions[i] = v
	}
	out.DeleteMarkers = make([]types.DeleteMarkerEntry, len(below.DeleteMarkers))
	for i, d := range below.DeleteMarkers {
		if d.Key, err = m.leave(d.Key); err != nil {
			return nil, err
		}
		out.DeleteMarkers[i] = d
	}
	out.CommonPrefixes, err = m.leavePrefixes(below.CommonPrefixes)
	return &out, err
}

// GetObjectTagging implements [backends.Tagger].
func (m *mount) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.TaggerOf(m.Backend).GetObjectTagging(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}

// PutObjectTagging implements [backends.Tagger].
func (m *mount) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.TaggerOf(m.Backend).PutObjectTagging(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}

// DeleteObjectTagging implements [backends.Tagger].
func (m *mount) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.TaggerOf(m.Backend).DeleteObjectTagging(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}
