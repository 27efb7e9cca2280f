package versioned

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// found is what a read is about.
type found struct {
	versions.Object
	version *versions.Version // nil: an object from before, which the index does not know
	current bool              // the head may be a copy of it
}

// notThere is the error for an object from before that is not there.
func (f found) notThere(versionID *string) error {
	if versionID != nil {
		return noSuchVersion(f.Key, *versionID)
	}
	return s3err.New(s3err.NoSuchKey).With("Key", f.Key)
}

// find finds what a request for a key, or for a version of it, reads: an object that is there.
func (b *bucket) find(ctx context.Context, key, versionID *string) (found, error) {
	o := b.object(key)
	if at := asOf(ctx); !at.IsZero() {
		return b.findAsOf(ctx, o, versionID, at)
	}
	if versionID == nil {
		return b.findCurrent(ctx, o)
	}
	id, err := versions.RequestedVersionID(*versionID)
	if err != nil {
		return found{}, err
	}
	h := versions.Head{Object: o}
	if id.Null {
		if h.Top, err = b.Index.Top(ctx, o); err != nil {
			return found{}, err
		}
		if h.Top.Seq == 0 && !b.Complete {
			return found{Object: o, current: true}, nil
		}
	}
	v, err := versions.Lookup(ctx, b.Index, h, id)
	switch {
	case err != nil:
		return found{}, err
	case v == nil:
		return found{}, noSuchVersion(o.Key, *versionID)
	case v.Marker:
		return found{}, markerNotAllowed(v)
	}
	return found{Object: o, version: v, current: v.Is(h.Top.State.Current)}, nil
}

// findCurrent finds the current object of a key.
func (b *bucket) findCurrent(ctx context.Context, o versions.Object) (found, error) {
	top, err := b.Index.Top(ctx, o)
	if err != nil {
		return found{}, err
	}
	v := top.State.Current
	switch {
	case top.Seq == 0 && !b.Complete:
		return found{Object: o, current: true}, nil
	case v == nil:
		return found{}, s3err.New(s3err.NoSuchKey).With("Key", o.Key)
	case v.Marker:
		return found{}, markerNoSuchKey(o.Key, v)
	}
	return found{Object: o, version: v, current: true}, nil
}

// noSuchVersion is the error for a version that is not there.
func noSuchVersion(key, versionID string) error {
	return s3err.New(s3err.NoSuchVersion).With("Key", key).With("VersionId", versionID)
}

// markerNoSuchKey is the error for reading an object whose current version is a delete marker.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
func markerNoSuchKey(key string, v *versions.Version) error {
	return s3err.New(s3err.NoSuchKey).With("Key", key).
		WithHeader("x-amz-delete-marker", "true").WithHeader("x-amz-version-id", v.ID.String())
}

// markerNotAllowed is the error for reading a delete marker itself.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
func markerNotAllowed(v *versions.Version) error {
	return s3err.New(s3err.MethodNotAllowed).With("ResourceType", "DeleteMarker").
		WithHeader("x-amz-delete-marker", "true").WithHeader("x-amz-version-id", v.ID.String()).
		WithHeader("Last-Modified", v.Time.UTC().Format(http.TimeFormat)).WithHeader("Allow", "DELETE")
}

// shownTime is a time as clients see it: whole seconds.
func shownTime(t time.Time) *time.Time { return aws.Time(t.UTC().Truncate(time.Second)) }
