package versioned

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// nullVersionID is the id of objects from before there were versions.
const nullVersionID = "null"

// maxLooks is how often a read finds the same version without its body. Once can be: of an object from before the
// body may have been put in its place meanwhile.
const maxLooks = 3

// GetObject implements [backends.ObjectReader].
func (b *bucket) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	return read(ctx, b, in, func(ctx context.Context, s backends.Backend, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
		return s.GetObject(ctx, in)
	})
}

// HeadObject implements [backends.ObjectReader].
func (b *bucket) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	out, err := read(ctx, b, backends.HeadAsGet(in), headAsGet)
	if err != nil {
		return nil, err
	}
	head := backends.GetAsHead(out)
	head.VersionId, head.TagCount = out.VersionId, out.TagCount
	head.Restore, head.ArchiveStatus = out.Restore, ""
	headLock(head, out)
	return head, nil
}

// getter reads an object of a store.
type getter func(context.Context, backends.Backend, *s3.GetObjectInput) (*s3.GetObjectOutput, error)

// headAsGet is a getter that reads no body.
func headAsGet(ctx context.Context, s backends.Backend, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	out, err := s.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: in.Bucket, Key: in.Key, ChecksumMode: in.ChecksumMode, PartNumber: in.PartNumber, Range: in.Range,
		IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch,
		IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	})
	if err != nil {
		return nil, err
	}
	got := &s3.GetObjectOutput{
		AcceptRanges: out.AcceptRanges, BucketKeyEnabled: out.BucketKeyEnabled, CacheControl: out.CacheControl,
		ChecksumType: out.ChecksumType, ContentDisposition: out.ContentDisposition, ContentEncoding: out.ContentEncoding, ContentLanguage: out.ContentLanguage,
		ContentLength: out.ContentLength, ContentRange: out.ContentRange, ContentType: out.ContentType, ETag: out.ETag,
		Expires: out.Expires, ExpiresString: out.ExpiresString, LastModified: out.LastModified, Metadata: out.Metadata, //nolint:staticcheck // readers of the old field get it too
		PartsCount: out.PartsCount, Restore: out.Restore, SSEKMSKeyId: out.SSEKMSKeyId, ServerSideEncryption: out.ServerSideEncryption,
		StorageClass: out.StorageClass, TagCount: out.TagCount, WebsiteRedirectLocation: out.WebsiteRedirectLocation,
		SSECustomerAlgorithm: out.SSECustomerAlgorithm, SSECustomerKeyMD5: out.SSECustomerKeyMD5,
	}
	checksum.Copy(got, out)
	return got, nil
}

// errNoBody is for the operator: a version is in the index and its body is not in the store.
var errNoBody = errors.New("the body of a version is missing; see `xronox-proxy index verify`")

// read reads what in asks for. What was found may be removed or written over before it is read: then
// something else is found.
func read(ctx context.Context, b *bucket, in *s3.GetObjectInput, get getter) (*s3.GetObjectOutput, error) {
	f, err := b.find(ctx, in.Key, in.VersionId)
	for looks := 1; err == nil; {
		var out *s3.GetObjectOutput
		if out, err = b.readFound(ctx, f, in, get); !s3err.Is(err, s3err.NoSuchKey) {
			return out, err
		}
		before := f
		if f, err = b.find(ctx, in.Key, in.VersionId); err != nil {
			return nil, err
		}
		switch looks++; {
		case f.version == nil:
			return nil, f.notThere(in.VersionId)
		case !f.version.Is(before.version):
			looks = 1
		case looks > maxLooks:
			return nil, s3err.New(s3err.InternalError).Because(fmt.Errorf("%q %s: %w", f.Key, f.version.ID, errNoBody))
		}
	}
	return nil, err
}

// readFound reads what was found; NoSuchKey when it is there no more.
func (b *bucket) readFound(ctx context.Context, f found, in *s3.GetObjectInput, get getter) (*s3.GetObjectOutput, error) {
	c := *in
	c.Key, c.VersionId = &f.Key, nil
	v := f.version
	if v == nil {
		out, err := b.getBefore(ctx, f.Object, &c, get)
		if err != nil {
			return nil, err
		}
		return plain(out), nil
	}
	if err := checkKey(v, backends.GetKey(in)); err != nil {
		return nil, err
	}
	if err := backends.CheckRead(v.Meta(), backends.GetConditions(in)); err != nil {
		var e *s3err.Error
		if errors.As(err, &e) {
			err = e.WithHeader("x-amz-version-id", v.ID.String())
		}
		return nil, err
	}
	c.IfMatch, c.IfNoneMatch, c.IfModifiedSince, c.IfUnmodifiedSince = nil, nil, nil, nil
	if f.current && !v.Plain && !b.Private && !v.Encryption.Customer && (c.PartNumber == nil || v.Parts == 0) { // A copy has no parts.
		out, err := get(ctx, b.Heads, &c)
		if err == nil && names(out.Metadata, v) {
			return shown(out, v, in), nil
		}
		if err != nil && !s3err.Is(err, s3err.NoSuchKey) && !s3err.Is(err, s3err.InvalidRange) {
			return nil, err
		}
		if err == nil {
			closeBody(out)
		}
		if err != nil || !underWay(out, v) {
			b.Repairs.add(b, f.Object) // It shows something else, for now or since somebody crashed.
		}
	}
	return b.readBody(ctx, f, &c, in, get)
}

// underWay reports whether what is in place of a version's head may be an upload from before that is being completed: if it
// were made to show the version now, the upload would be lost.
func underWay(out *s3.GetObjectOutput, v *versions.Version) bool {
	return maybeUpload(out.Metadata, out.ETag) && (v.UploadID == "" || v.ETag != aws.ToString(out.ETag))
}

// readBody reads the body of a version: where it is when it was there before versions, if that is so.
func (b *bucket) readBody(ctx context.Context, f found, c, in *s3.GetObjectInput, get getter) (*s3.GetObjectOutput, error) {
	key, v := b.body(f.Key, f.version.ID), f.version
	c.Key = &key
	out, err := get(ctx, b.Bodies, c)
	if v.Plain && (s3err.Is(err, s3err.NoSuchKey) || s3err.Is(err, s3err.KeyTooLong)) { // There is no body yet, or never will be.
		c.Key, c.IfMatch = &f.Key, &v.ETag
		if out, err = b.getBefore(ctx, f.Object, c, get); s3err.Is(err, s3err.PreconditionFailed) {
			err = s3err.New(s3err.NoSuchKey) // It was written over, after its body was put in its place.
		}
	}
	if err != nil {
		return nil, err
	}
	return shown(out, v, in), nil
}

// getBefore reads an object from before at its plain place; NoSuchKey when by now the head of a version is there, or
// what is to become one.
func (b *bucket) getBefore(ctx context.Context, o versions.Object, in *s3.GetObjectInput, get getter) (*s3.GetObjectOutput, error) {
	out, err := get(ctx, b.Heads, in)
	if err != nil {
		return nil, err
	}
	other, err := b.isHead(ctx, o, out.Metadata)
	if err == nil && !other && maybeUpload(out.Metadata, out.ETag) {
		other, err = b.isCleared(ctx, o)
	}
	if err == nil && other {
		err = s3err.New(s3err.NoSuchKey)
	}
	if err != nil {
		closeBody(out)
		return nil, err
	}
	return out, nil
}

// isHead reports whether metadata is that of a head, which shows a version in the object's log. An object
// from before can have a mark, too: that of a log that was lost.
func (b *bucket) isHead(ctx context.Context, o versions.Object, metadata map[string]string) (bool, error) {
	m, ok := ReadMark(metadata)
	if !ok {
		return false, nil
	}
	about, err := b.Index.Find(ctx, o, m.ID.N)
	return err == nil && about.Seq > 0 && about.Version.ID.Nonce == m.ID.Nonce, err
}

// isCleared reports whether the index says that nothing is to be looked for at the plain place: an upload may be there that is
// being completed.
func (b *bucket) isCleared(ctx context.Context, o versions.Object) (bool, error) {
	top, err := b.Index.Top(ctx, o)
	v := top.State.Current
	return err == nil && top.Seq > 0 && (v == nil || !v.Plain), err
}

// plain is an object from before as a version.
func plain(out *s3.GetObjectOutput) *s3.GetObjectOutput {
	c := *out
	c.Metadata, c.VersionId = unmarked(out.Metadata), aws.String(nullVersionID)
	showLock(&c, nil)
	return &c
}

// shown is what was read of a version, in its own words: where a copy differs from the original, the
// index knows how the original was.
func shown(out *s3.GetObjectOutput, v *versions.Version, in *s3.GetObjectInput) *s3.GetObjectOutput {
	c := *out
	c.Metadata, c.VersionId = unmarked(out.Metadata), aws.String(v.ID.String())
	c.ETag, c.LastModified = &v.ETag, shownTime(v.Time)
	if c.StorageClass = v.StorageClass; c.StorageClass == types.StorageClassStandard {
		c.StorageClass = "" // S3 leaves the usual one out
	}
	c.TagCount = backends.TagCount(v.Tags)
	showLock(&c, v)
	if e := &v.Encryption; e.Algorithm != "" {
		c.ServerSideEncryption, c.SSEKMSKeyId, c.BucketKeyEnabled = e.Algorithm, optional(e.KMSKeyID), nil
		if e.BucketKey {
			c.BucketKeyEnabled = &e.BucketKey
		}
	}
	if in.PartNumber != nil && v.Parts > 0 {
		return &c // The store has counted, and summed, the part.
	}
	checksum.Clear(&c)
	c.ChecksumType, c.PartsCount = "", nil
	whole := aws.ToInt64(c.ContentLength) == v.Size && (c.ContentRange == nil || in.PartNumber != nil)
	if in.ChecksumMode == types.ChecksumModeEnabled && whole && v.Checksum.Value != "" {
		checksum.Set(&c, v.Checksum.Algorithm, &v.Checksum.Value)
		c.ChecksumType = v.Checksum.Type
	}
	return &c
}

// closeBody closes the body of what is not used.
func closeBody(out *s3.GetObjectOutput) {
	if out.Body != nil {
		_ = out.Body.Close()
	}
}
