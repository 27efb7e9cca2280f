package versioned

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/versions"
)

// ListObjectsV2 implements [backends.Lister].
func (b *bucket) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	if b.Complete {
		return index{b}.ListObjectsV2(ctx, in)
	}
	return backends.MergeObjects(ctx, []backends.ListSource{
		{Lister: index{b}},
		{Lister: before{b.Heads, asOf(ctx)}, Filter: b.unknown(ctx, in.Prefix, in.MaxKeys, showsObject)},
	}, in)
}

// showsObject reports whether ListObjectsV2 shows an object.
func showsObject(s versions.State) bool { return s.Current.Meta() != nil }

// showsVersions reports whether ListObjectVersions shows versions of an object.
func showsVersions(s versions.State) bool { return s.Current != nil }

// showsNone is for listings of the past, in which nothing becomes known.
func showsNone(versions.State) bool { return false }

// index is the part of a bucket that the index knows.
type index struct{ *bucket }

// ListObjectsV2 implements [backends.Lister].
func (x index) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	if at := asOf(ctx); !at.IsZero() {
		return versions.ListObjectsAsOf(ctx, x.Index, versions.Past{BucketID: x.BucketID, At: at}, in)
	}
	return versions.ListObjects(ctx, x.Index, x.BucketID, in)
}

// ListObjectVersions implements [backends.Versioned].
func (x index) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	return versions.ListVersionsAsOf(ctx, x.Index, versions.Past{BucketID: x.BucketID, At: asOf(ctx)}, in)
}

// unknown shows the keys of the plain place that the index does not know. It is asked in the order of keys, and
// reads the index along with the place.
func (b *bucket) unknown(ctx context.Context, prefix *string, maxKeys *int32, shows func(versions.State) bool) backends.Filter {
	if !asOf(ctx).IsZero() {
		shows = showsNone
	}
	k := &knownKeys{b: b, prefix: aws.ToString(prefix), limit: backends.DefaultMaxKeys, shows: shows}
	if maxKeys != nil {
		k.limit = min(int(*maxKeys)+1, k.limit)
	}
	return backends.Filter{Keep: k.keep, KeepPrefix: k.keepPrefix}
}

// ListObjectVersions implements [backends.Versioned].
func (b *bucket) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	if b.Complete {
		return index{b}.ListObjectVersions(ctx, in)
	}
	return backends.MergeVersions(ctx, []backends.VersionSource{
		{Versioned: index{b}},
		{Lister: before{b.Heads, asOf(ctx)}, Filter: b.unknown(ctx, in.Prefix, in.MaxKeys, showsVersions)},
	}, in)
}
