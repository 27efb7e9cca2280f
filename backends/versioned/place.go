package versioned

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// Place is a bucket to who looks after it: what no request of S3 does. All of it may be done while the
// bucket is in use.
type Place struct{ *bucket }

// NewPlace returns the place of a bucket.
func NewPlace(o Options) *Place { return &Place{newBucket(o)} }

// Backend is the bucket to who uses it.
func (p *Place) Backend() backends.Backend { return New(p.Options) }

// Object names the object of a key in the index.
func (p *Place) Object(key string) versions.Object { return p.object(&key) }

// Body is the key of the body number n of an object.
func (p *Place) Body(key string, n int64) string { return p.Layout.Body(p.DataType, key, n) }

// Settle makes the head of an object show what is current.
func (p *Place) Settle(ctx context.Context, key string) error { return p.resettle(ctx, p.Object(key)) }

// Tell writes the object that tells of the delete marker that a row has added.
func (p *Place) Tell(ctx context.Context, key string, row versions.Row) error {
	return p.putMarker(ctx, p.Object(key), row)
}

// ErrLostRows says that the plain place has a copy of a version that the index has lost.
var ErrLostRows = errors.New("the index has lost rows: run `xronox-proxy index rebuild` first")

// Adopt takes the object of a key that was there before versions into the index, and reports whether
// there was one that the index did not know. A copy of a version is none: [ErrLostRows].
func (p *Place) Adopt(ctx context.Context, key string) (bool, error) {
	head, err := backends.HeadKeyless(ctx, p.Heads, &s3.HeadObjectInput{Key: &key})
	if s3err.Is(err, s3err.NoSuchKey) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	copied := false
	if m, ok := ReadMark(head.Metadata); ok {
		body := p.body(key, m.ID)
		out, err := backends.HeadKeyless(ctx, p.Bodies, &s3.HeadObjectInput{Key: &body})
		if err != nil && !s3err.Is(err, s3err.NoSuchKey) {
			return false, err
		}
		copied = err == nil && out.Metadata[markVersion] == m.ID.Name()
	}
	top, err := p.Index.Top(ctx, p.Object(key))
	switch {
	case err != nil || top.Seq > 0:
		return false, err
	case copied:
		return false, fmt.Errorf("%q: %w", key, ErrLostRows)
	}
	top, err = p.adopt(ctx, p.Object(key))
	return top.Seq > 0, err
}

// BringBack makes the body of the current version again, of the head that is a copy of it. It
// reports whether the head still is.
func (p *Place) BringBack(ctx context.Context, key string, v *versions.Version) (bool, error) {
	head, err := backends.HeadKeyless(ctx, p.Heads, &s3.HeadObjectInput{Key: &key})
	if err != nil || !names(head.Metadata, v) || aws.ToInt64(head.ContentLength) != v.Size {
		if s3err.Is(err, s3err.NoSuchKey) {
			err = nil
		}
		return false, err
	}
	body := p.body(key, v.ID)
	in := &s3.CopyObjectInput{
		Key: &body, MetadataDirective: types.MetadataDirectiveCopy, TaggingDirective: types.TaggingDirectiveReplace, CopySourceIfMatch: head.ETag,
		WebsiteRedirectLocation: optional(v.Redirect),
	}
	in.ServerSideEncryption, in.SSEKMSKeyId = v.Encryption.Algorithm, optional(v.Encryption.KMSKeyID)
	p.bodyPolicy(&in.StorageClass, &in.ServerSideEncryption, &in.SSEKMSKeyId, nil)
	src := backends.Source{Backend: p.Heads, CopySource: backends.CopySource{Key: key}}
	return true, copyWithParts(ctx, p.Bodies, src, in, v)
}

// MaybeUpload reports whether an object at the plain place may be that of an upload from before that is being completed.
func MaybeUpload(out *s3.HeadObjectOutput) bool { return maybeUpload(out.Metadata, out.ETag) }

// Names reports whether the metadata of a body or head says that it is that version.
func Names(metadata map[string]string, v *versions.Version) bool { return names(metadata, v) }

// DeleteBody removes a body that belongs to no version, unless the bucket is being changed.
func (p *Place) DeleteBody(ctx context.Context, key string, n int64) error {
	return p.deleteBody(ctx, &s3.DeleteObjectInput{Key: aws.String(p.Body(key, n))})
}

// DeleteOldBody is DeleteBody for the body that was written at a time; it reports whether it is still that one.
func (p *Place) DeleteOldBody(ctx context.Context, key string, n int64, modified *time.Time) (bool, error) {
	err := p.deleteBody(ctx, &s3.DeleteObjectInput{Key: aws.String(p.Body(key, n)), IfMatchLastModifiedTime: modified})
	if s3err.Is(err, s3err.PreconditionFailed) {
		return false, nil
	}
	return err == nil, err
}

// deleteBody deletes a body, unless the bucket is being changed.
func (p *Place) deleteBody(ctx context.Context, in *s3.DeleteObjectInput) error {
	_, err := through(ctx, p.Door, func() (*s3.DeleteObjectOutput, error) { return p.Bodies.DeleteObject(ctx, in) })
	return err
}

// Expire removes a version for good, unless it is current or cannot be removed yet. It reports whether it did.
func (p *Place) Expire(ctx context.Context, key string, id versions.VersionID) (bool, error) {
	o, removed := p.Object(key), false
	top, err := p.Index.Top(ctx, o)
	if err != nil {
		return false, err
	}
	_, _, err = p.change(ctx, versions.Head{Object: o, Top: top}, func(top versions.Row) (versions.Row, error) {
		removed = false
		v, err := versions.Lookup(ctx, p.Index, versions.Head{Object: o, Top: top}, id)
		if err != nil || v == nil || v.ID.N != id.N || v.Is(top.State.Current) || v.Held(p.Now(), false) {
			return top, err
		}
		removed = true
		return versions.Remove(top, *v, nil, p.event(ctx)), nil
	})
	if err != nil || !removed {
		return false, err
	}
	p.removeBody(ctx, key, id)
	return true, nil
}

// Restore makes a copy of a version the current one, with its tags.
func (p *Place) Restore(ctx context.Context, key string, v *versions.Version) error {
	b, src := p.Backend(), backends.CopySource{Key: key, VersionID: v.ID.String()}
	in := &s3.CopyObjectInput{
		Key: &key, MetadataDirective: types.MetadataDirectiveCopy, StorageClass: v.StorageClass, WebsiteRedirectLocation: optional(v.Redirect),
		ServerSideEncryption: v.Encryption.Algorithm, SSEKMSKeyId: optional(v.Encryption.KMSKeyID),
	}
	if err := copyAny(ctx, b, backends.Source{Backend: b, CopySource: src}, in, v.Size); err != nil || len(v.Tags) == 0 || v.Size <= backends.MaxCopySize {
		return err // A copy takes the tags along, unless it is made by parts.
	}
	_, err := p.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Key: &key, Tagging: backends.TagSet(v.Tags)})
	return err
}

// Writable says why nothing can be written now; nil when it can.
func (p *Place) Writable(ctx context.Context) error {
	if p.Versioning == router.Unversioned {
		return s3err.Newf(s3err.InvalidRequest, "The bucket keeps no versions.")
	}
	leave, err := p.Door.Enter(ctx)
	if err == nil {
		leave()
	}
	return err
}

// Measure completes a version from its body.
func Measure(v *versions.Version, out *s3.HeadObjectOutput) {
	v.Size, v.ETag, v.Parts = aws.ToInt64(out.ContentLength), aws.ToString(out.ETag), partsOf(aws.ToString(out.ETag))
	v.Checksum, v.Redirect = checksumOf(out, out.ChecksumType), aws.ToString(out.WebsiteRedirectLocation)
	v.Encryption = versions.Encryption{Customer: out.SSECustomerAlgorithm != nil}
	if m, ok := ReadMark(out.Metadata); ok && m.Encrypted {
		v.Encryption = encryptionOf(out)
	}
}
