// Package overlay shows two places as one bucket while objects move from the old one
// to the new: writes go to the new place, reads ask there and then in the old, listings
// show both. Nothing is ever written to the old place, which may be gone one day.
//
// Deleting an object that the old place has leaves a tombstone, which hides it for
// good: tombstones are never removed, and the old place gains no objects. So that
// the old place shows nothing under a key is true forever once it is true, and inserting
// the tombstone, of which one insert succeeds, is deleting the object there.
// All conditions are atomic because of this, with one exception:
//
//   - If-None-Match "*" fails when the old place shows an object; when it shows none, it never
//     will, and the new place decides.
//   - If-Match on a deletion is judged on the object that is there: the new place's by the new place,
//     the old one's, which does not change, before its tombstone is inserted.
//   - If-Match on a write is the new place's business, and NotImplemented when only the old
//     place has the object: somebody may delete it after its ETag was compared and before
//     the write, and nothing that the write does could tell.
//
// When the new place keeps versions, so does the bucket. An object of the old place is the null version of its
// key, and the current one, as long as the new place has no version of the key. Deleting it hides it for good, also
// where a delete marker is added: that is in the new place, and inserted after the tombstone, so none is ever in front
// of an old object that reads would come to. A deletion under a condition on an old object adds no marker.
package overlay

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Tombstones are the keys, by bucket, of objects in an old place that were deleted. Keys
// are UTF-8. Each call is durable when it returns nil, and every later one sees it.
type Tombstones interface {
	// Hide inserts the tombstone of a key. Of several calls, whenever they are
	// made, exactly one reports that it did; that there is one already is no error.
	Hide(ctx context.Context, bucketID, key string) (inserted bool, err error)

	// Hidden reports whether a key has a tombstone.
	Hidden(ctx context.Context, bucketID, key string) (bool, error)

	// HiddenKeys returns up to limit keys with tombstones in byte order: those that
	// begin with prefix and are not less than from.
	HiddenKeys(ctx context.Context, bucketID, prefix, from string, limit int) ([]string, error)
}

// Options is what an overlay is made of. All are needed.
type Options struct {
	New, Old   backends.Backend
	BucketID   string // of the bucket; its tombstones are kept under it
	Tombstones Tombstones
}

// New returns the bucket. It does multipart uploads when the new place does, and shows only its.
func New(o Options) backends.Backend {
	v := &overlay{o}
	if m, ok := backends.As[backends.MultipartUploader](o.New); ok {
		return &uploads{overlay: v, MultipartUploader: m}
	}
	return v
}

// overlay implements [backends.Backend]. It has no Unwrap: it is not one backend.
type overlay struct{ Options }

// old returns what the old place shows under key; nil when nothing, and then
// it never will.
func (o *overlay) old(ctx context.Context, bucket, key *string) (*s3.HeadObjectOutput, error) {
	hidden, err := o.hidden(ctx, key)
	if err != nil || hidden {
		return nil, err
	}
	head, err := backends.HeadKeyless(ctx, o.Old, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	if absent(err) {
		return nil, nil
	}
	return head, err
}

// hidden reports whether a key has a tombstone.
func (o *overlay) hidden(ctx context.Context, key *string) (bool, error) {
	hidden, err := o.Tombstones.Hidden(ctx, o.BucketID, aws.ToString(key))
	if err != nil {
		return false, fmt.Errorf("overlay: look for a tombstone: %w", err)
	}
	return hidden, nil
}

// absent reports whether an error of the old place says that there is no such
// object: also because the bucket is gone, or could never have had the key.
func absent(err error) bool {
	return s3err.Is(err, s3err.NoSuchKey) || s3err.Is(err, s3err.NoSuchBucket) || s3err.Is(err, s3err.KeyTooLong)
}

// unfit reports whether an error of the new place may say that it can never have such a key, as its
// prefix makes the key too long, or its keys are paths: the old place may have it.
func unfit(err error) bool {
	return s3err.Is(err, s3err.KeyTooLong) || s3err.Is(err, s3err.InvalidArgument)
}

// metaOf is what conditions want to know of an object.
func metaOf(head *s3.HeadObjectOutput) *backends.ObjectMeta {
	return &backends.ObjectMeta{
		ETag: aws.ToString(head.ETag), Size: aws.ToInt64(head.ContentLength), LastModified: aws.ToTime(head.LastModified),
	}
}

// GetObject implements [backends.ObjectReader].
func (o *overlay) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	return read(ctx, o, wanted{in.Bucket, in.Key, in.VersionId}, func() (*s3.GetObjectOutput, error) {
		return o.New.GetObject(ctx, in)
	}, func() (*s3.GetObjectOutput, error) {
		c := *in
		c.VersionId = nil
		below, err := o.Old.GetObject(ctx, &c)
		if err != nil {
			return nil, err
		}
		out := *below
		out.VersionId = o.shownVersion(below.VersionId)
		return &out, nil
	})
}

// HeadObject implements [backends.ObjectReader].
func (o *overlay) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	return read(ctx, o, wanted{in.Bucket, in.Key, in.VersionId}, func() (*s3.HeadObjectOutput, error) {
		return o.New.HeadObject(ctx, in)
	}, func() (*s3.HeadObjectOutput, error) {
		c := *in
		c.VersionId = nil
		below, err := o.Old.HeadObject(ctx, &c)
		if err != nil {
			return nil, err
		}
		out := *below
		out.VersionId = o.shownVersion(below.VersionId)
		return &out, nil
	})
}

// GetObjectAttributes implements [backends.AttributesReader].
func (o *overlay) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	return read(ctx, o, wanted{in.Bucket, in.Key, in.VersionId}, func() (*s3.GetObjectAttributesOutput, error) {
		return backends.GetObjectAttributes(ctx, o.New, in)
	}, func() (*s3.GetObjectAttributesOutput, error) {
		c := *in
		c.VersionId = nil
		below, err := backends.GetObjectAttributes(ctx, o.Old, &c)
		if err != nil {
			return nil, err
		}
		out := *below
		out.VersionId = o.shownVersion(below.VersionId)
		return &out, nil
	})
}

// wanted is what a read is about: an object, or a version of it.
type wanted struct{ bucket, key, versionID *string }

// read reads an object from the place that has it.
func read[Out any](ctx context.Context, o *overlay, w wanted, newer, older func() (*Out, error)) (*Out, error) {
	out, err := newer()
	if maybe, failed := o.maybeOld(ctx, w, err); failed != nil || !maybe {
		return out, firstError(failed, err)
	}
	hidden, failed := o.hidden(ctx, w.key)
	if failed != nil {
		return nil, failed
	}
	if hidden {
		// It may have been written, and the old one hidden by a deletion that went no
		// further, since we asked. From now on the new place alone knows.
		return newer()
	}
	old, oldErr := older()
	if absent(oldErr) {
		return nil, err
	}
	return old, oldErr
}

// maybeOld reports whether, after what the new place said, the old one may have what is wanted.
func (o *overlay) maybeOld(ctx context.Context, w wanted, err error) (bool, error) {
	switch {
	case backends.CheckVersion(aws.ToString(w.versionID)) != nil:
		return false, nil // It has no versions.
	case w.versionID != nil && s3err.Is(err, s3err.NoSuchVersion):
		return o.unversioned(ctx, w)
	}
	return s3err.Is(err, s3err.NoSuchKey) || unfit(err), nil
}
