package versioned

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/versions"
)

// ListObjectsV2 implements [backends.Lister].
func (b *bucket) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	if b.Complete {
		return index{bucket: b}.ListObjectsV2(ctx, in)
	}
	k := knownKeys{b: b, prefix: aws.ToString(in.Prefix), after: aws.ToString(in.StartAfter), shows: showsObject}
	return listAll(ctx, k, in.MaxKeys, func(x index, plain before, f backends.Filter) (*s3.ListObjectsV2Output, error) {
		return backends.MergeObjects(ctx, []backends.ListSource{{Lister: x}, {Lister: plain, Filter: f}}, in)
	})
}

// listAll lists what the index knows and what it does not, until nothing of the one has become the other meanwhile.
//
// The plain place is read first: what is not there any more by then is known to the index.
func listAll[Out any](ctx context.Context, k knownKeys, maxKeys *int32, merge func(index, before, backends.Filter) (*Out, error)) (*Out, error) {
	k.limit = backends.DefaultMaxKeys
	if maxKeys != nil {
		k.limit = min(int(*maxKeys)+1, k.limit)
	}
	at := asOf(ctx)
	if !at.IsZero() {
		k.shows = showsNone
	}
	for {
		once, read := k, make(chan struct{})
		f := backends.Filter{Keep: once.keep, KeepPrefix: once.keepPrefix}
		out, err := merge(index{k.b, read}, before{k.b.Heads, at, sync.OnceFunc(func() { close(read) })}, f)
		if err != nil || !once.late {
			return out, err
		}
	}
}

// showsObject reports whether ListObjectsV2 shows an object.
func showsObject(s versions.State) bool { return s.Current.Meta() != nil }

// showsVersions reports whether ListObjectVersions shows versions of an object.
func showsVersions(s versions.State) bool { return s.Current != nil }

// showsNone is for listings of the past, in which nothing becomes known.
func showsNone(versions.State) bool { return false }

// index is the part of a bucket that the index knows.
type index struct {
	*bucket
	after chan struct{} // is closed when it may be read; nil: at once
}

// wait waits for that.
func (x index) wait(ctx context.Context) error {
	if x.after == nil {
		return nil
	}
	select {
	case <-x.after:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ListObjectsV2 implements [backends.Lister].
func (x index) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	if err := x.wait(ctx); err != nil {
		return nil, err
	}
	if at := asOf(ctx); !at.IsZero() {
		return versions.ListObjectsAsOf(ctx, x.Index, versions.Past{BucketID: x.BucketID, At: at}, in)
	}
	return versions.ListObjects(ctx, x.Index, x.BucketID, in)
}

// ListObjectVersions implements [backends.Versioned].
func (x index) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	if err := x.wait(ctx); err != nil {
		return nil, err
	}
	return versions.ListVersionsAsOf(ctx, x.Index, versions.Past{BucketID: x.BucketID, At: asOf(ctx)}, in)
}

// ListObjectVersions implements [backends.Versioned].
func (b *bucket) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	if b.Complete {
		return index{bucket: b}.ListObjectVersions(ctx, in)
	}
	k := knownKeys{b: b, prefix: aws.ToString(in.Prefix), after: aws.ToString(in.KeyMarker), shows: showsVersions}
	return listAll(ctx, k, in.MaxKeys, func(x index, plain before, f backends.Filter) (*s3.ListObjectVersionsOutput, error) {
		return backends.MergeVersions(ctx, []backends.VersionSource{{Versioned: x}, {Lister: plain, Filter: f}}, in)
	})
}
