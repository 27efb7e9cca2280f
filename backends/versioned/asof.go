package versioned

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// findAsOf is find at a moment of the past: what was there then, as far as it is there still.
func (b *bucket) findAsOf(ctx context.Context, o versions.Object, versionID *string, at time.Time) (found, error) {
	h := versions.Head{Object: o}
	var err error
	if h.Top, err = b.Index.Top(ctx, o); err != nil {
		return found{}, err
	}
	if h.Top.Seq == 0 && !b.Complete {
		return b.beforeAsOf(ctx, o, versionID, at)
	}
	if versionID != nil {
		return b.versionAsOf(ctx, h, *versionID, at)
	}
	v, err := versions.At(ctx, b.Index, h, at)
	switch {
	case err != nil:
		return found{}, err
	case v == nil:
		return found{}, s3err.New(s3err.NoSuchKey).With("Key", o.Key)
	case v.Marker:
		return found{}, markerNoSuchKey(o.Key, v)
	}
	return found{Object: o, version: v, current: v.Is(h.Top.State.Current)}, nil
}

// versionAsOf finds a version that was there at a time.
func (b *bucket) versionAsOf(ctx context.Context, h versions.Head, versionID string, at time.Time) (found, error) {
	id, err := versions.RequestedVersionID(versionID)
	if err != nil {
		return found{}, err
	}
	v, err := versions.Lookup(ctx, b.Index, h, id)
	switch {
	case err != nil:
		return found{}, err
	case v == nil || v.Time.After(at):
		return found{}, noSuchVersion(h.Key, versionID)
	case v.Marker:
		return found{}, markerNotAllowed(v)
	}
	return found{Object: h.Object, version: v, current: v.Is(h.Top.State.Current)}, nil
}

// beforeAsOf finds an object that the index does not know, if it was there at a time.
func (b *bucket) beforeAsOf(ctx context.Context, o versions.Object, versionID *string, at time.Time) (found, error) {
	if versionID != nil && *versionID != nullVersionID {
		return found{}, noSuchVersion(o.Key, *versionID)
	}
	f := found{Object: o, current: true}
	head, err := backends.HeadKeyless(ctx, b.Heads, &s3.HeadObjectInput{Key: &o.Key})
	if s3err.Is(err, s3err.NoSuchKey) || err == nil && aws.ToTime(head.LastModified).After(at) {
		err = f.notThere(versionID)
	}
	return f, err
}
