package versioned

import (
	"context"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// DeleteObject implements [backends.ObjectWriter]: it adds a delete marker, or removes a version.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
func (b *bucket) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if aws.ToString(in.VersionId) != "" {
		return b.removeVersion(ctx, in)
	}
	h, err := b.top(ctx, b.object(in.Key))
	if err == nil {
		err = b.fits(ctx, h.Key)
	}
	if err != nil {
		return nil, err
	}
	suspended := b.Versioning == router.Suspended
	row, _, err := b.change(ctx, h, func(top versions.Row) (versions.Row, error) {
		if err := backends.CheckDelete(top.State.Current.Meta(), in); err != nil {
			return top, err
		}
		if err := b.checkReplaced(ctx, h.Object, top, suspended); err != nil {
			return top, err
		}
		if err := b.keep(ctx, h.Object, top, suspended); err != nil {
			return top, err
		}
		return versions.PutMarker(top, suspended, b.event(ctx)), nil
	})
	if err != nil {
		return nil, err
	}
	b.replaced(ctx, h.Object, row)
	if row.Seq > 1 {
		b.settle(ctx, h.Object, row)
	} else { // There was no head, and whoever makes one sees this row.
		b.tell(ctx, h.Object, row)
	}
	return &s3.DeleteObjectOutput{DeleteMarker: aws.Bool(true), VersionId: aws.String(row.Version.ID.String())}, nil
}

// tell writes the object of a delete marker.
func (b *bucket) tell(ctx context.Context, o versions.Object, row versions.Row) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	err := b.putMarker(ctx, o, row)
	if err == nil {
		var top versions.Row
		if top, err = b.Index.Top(ctx, o); err == nil && top.Seq != row.Seq {
			err = b.untell(ctx, o, row, top)
		}
	}
	if err != nil {
		b.Log.Warn("the object that tells of a delete marker will be written again", slog.String("key", o.Key), slog.Any("cause", err))
		b.Repairs.add(b, o)
	}
}

// removeVersion removes a version, or a delete marker, for good.
func (b *bucket) removeVersion(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	id, err := versions.RequestedVersionID(*in.VersionId)
	if err != nil {
		return nil, err
	}
	h, err := b.top(ctx, b.object(in.Key))
	if err != nil {
		return nil, err
	}
	var v *versions.Version
	wasCurrent := false
	row, _, err := b.change(ctx, h, func(top versions.Row) (_ versions.Row, err error) {
		at := versions.Head{Object: h.Object, Top: top}
		if v, err = versions.Lookup(ctx, b.Index, at, id); err != nil {
			return top, err
		}
		if err := backends.CheckDelete(v.Meta(), in); err != nil || v == nil {
			return top, err
		}
		if b.Immutable && !v.Marker {
			return top, s3err.New(s3err.AccessDenied)
		}
		if v.Held(b.Now(), aws.ToBool(in.BypassGovernanceRetention)) {
			return top, errLocked()
		}
		var previous *versions.Version
		if wasCurrent = v.Is(top.State.Current); wasCurrent {
			if previous, err = versions.Previous(ctx, b.Index, at, v); err != nil {
				return top, err
			}
		}
		return versions.Remove(top, *v, previous, b.event(ctx)), nil
	})
	if err != nil {
		return nil, err
	}
	out := &s3.DeleteObjectOutput{VersionId: in.VersionId}
	if v == nil {
		return out, nil
	}
	if v.Marker {
		out.DeleteMarker = aws.Bool(true)
	}
	if wasCurrent {
		b.settle(ctx, h.Object, row)
	}
	b.removeBody(ctx, h.Key, v.ID)
	return out, nil
}

// DeleteObjects implements [backends.ObjectWriter].
func (b *bucket) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	return backends.DeleteEach(ctx, b, in)
}
