package versioned

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// Locate implements [backends.Locator]: what a copy reads is the body, which nobody changes.
func (b *bucket) Locate(ctx context.Context, src backends.CopySource) (backends.Source, error) {
	f, err := b.find(ctx, &src.Key, optional(src.VersionID))
	switch {
	case s3err.Is(err, s3err.MethodNotAllowed):
		return backends.Source{}, errMarkerSource()
	case err != nil:
		return backends.Source{}, err
	case f.version != nil && (!f.version.Plain || !f.current):
		return b.bodySource(f.Key, f.version), nil
	case src.VersionID != "":
		return b.locateKept(ctx, f.Object)
	case f.version == nil:
		if _, err := backends.HeadKeyless(ctx, b.Heads, &s3.HeadObjectInput{Key: &f.Key}); err != nil {
			return backends.Source{}, err
		}
	}
	at := backends.Source{Backend: b.Heads, CopySource: backends.CopySource{Key: f.Key}, Shown: nullVersionID}
	if f.version != nil {
		at.Tags = backends.TagSet(f.version.Tags)
	}
	return at, nil
}

// bodySource is the body of a version as the source of a copy.
func (b *bucket) bodySource(key string, v *versions.Version) backends.Source {
	return backends.Source{
		Backend: b.Bodies, CopySource: backends.CopySource{Key: b.body(key, v.ID)}, Shown: v.ID.String(), Tags: backends.TagSet(v.Tags),
	}
}

// errMarkerSource is what a copy is told whose source is a delete marker.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func errMarkerSource() error {
	return s3err.Newf(s3err.InvalidRequest, "The source of a copy request may not specifically refer to a delete marker by version id.")
}

// locateKept is Locate for an object from before that is asked for as the null version. Another may be written
// over it before it is read: so its body is put in its place.
func (b *bucket) locateKept(ctx context.Context, o versions.Object) (backends.Source, error) {
	h, err := b.top(ctx, o)
	if err == nil {
		err = b.keep(ctx, o, h.Top, false)
	}
	if err != nil {
		return backends.Source{}, err
	}
	v, err := versions.Lookup(ctx, b.Index, h, versions.VersionID{Null: true})
	switch {
	case err != nil:
		return backends.Source{}, err
	case v == nil:
		return backends.Source{}, noSuchVersion(o.Key, nullVersionID)
	case v.Marker:
		return backends.Source{}, errMarkerSource()
	}
	return b.bodySource(o.Key, v), nil
}

// optional is nil for an empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return new(s)
}

// CopyObject implements [backends.ObjectWriter].
func (b *bucket) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	return backends.CopyObject(ctx, b, backends.Source{Backend: b, CopySource: src}, in)
}

// ImportObject implements [backends.ObjectImporter]. The copy gets a mark, so that its metadata is always
// given; it is the source's when the directive says so.
func (b *bucket) ImportObject(ctx context.Context, src backends.Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	if err := b.checkOntoItself(ctx, src, in); err != nil {
		return nil, err
	}
	w, err := b.begin(ctx, in.Key, true, in.IfMatch, in.IfNoneMatch)
	if err != nil {
		return nil, err
	}
	w.version.StorageClass = in.StorageClass
	w.version.Encryption = asked(in.ServerSideEncryption, in.SSECustomerKey)
	out, err := w.copyBody(ctx, src, in)
	if err != nil {
		return nil, err
	}
	if err := w.measure(ctx, backends.CopyKey(in)); err != nil {
		return nil, err
	}
	row, err := w.commit(ctx, in.IfMatch, in.IfNoneMatch)
	if err != nil {
		return nil, err
	}
	answer := *out
	answer.VersionId = aws.String(row.Version.ID.String())
	if out.CopyObjectResult != nil {
		result := *out.CopyObjectResult
		result.LastModified = shownTime(row.Version.Time)
		answer.CopyObjectResult = &result
	}
	return &answer, nil
}

// maxChanges is how often a source may be written over between the two looks at it that a copy takes.
const maxChanges = 100

// copyBody makes the body as a copy. Its tags are those of the version.
func (w *write) copyBody(ctx context.Context, src backends.Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	for changes := 0; ; changes++ {
		c := *in
		w.takeLock(&c.ObjectLockMode, &c.ObjectLockRetainUntilDate, &c.ObjectLockLegalHoldStatus)
		c.Key, c.IfMatch, c.IfNoneMatch = w.key(), nil, nil
		ours, err := w.take(ctx, &c, src)
		if err != nil {
			return nil, err
		}
		c.MetadataDirective = types.MetadataDirectiveReplace
		c.Metadata = marked(c.Metadata, w.mark())
		w.b.bodyPolicy(&c.StorageClass, &c.ServerSideEncryption, &c.SSEKMSKeyId, c.SSECustomerKey)
		out, err := backends.CopyObject(ctx, w.b.Bodies, src, &c)
		if !ours || !s3err.Is(err, s3err.PreconditionFailed) || changes == maxChanges {
			return out, err
		}
	}
}

// take gives a copy the headers, and its version the tags, that they are to have. Of what is the source's, the copy is held to one
// state of it: the condition on its ETag is ours then, and not the client's.
func (w *write) take(ctx context.Context, c *s3.CopyObjectInput, src backends.Source) (ours bool, err error) {
	headers := c.MetadataDirective != types.MetadataDirectiveReplace
	tags := c.TaggingDirective != types.TaggingDirectiveReplace
	switch {
	case !tags:
		w.version.Tags = givenTags(c.Tagging)
	case src.Tags != nil:
		w.version.Tags = backends.TagsOf(src.Tags)
	}
	c.TaggingDirective, c.Tagging = types.TaggingDirectiveReplace, nil
	stored := tags && src.Tags == nil
	if !headers && !stored {
		return false, nil
	}
	head, err := pin(ctx, c, src)
	if err == nil && headers {
		copyHeaders(c, head)
	}
	if err == nil && stored {
		w.version.Tags, err = backends.StoredTags(ctx, src, head.TagCount)
	}
	return true, err
}

// checkOntoItself refuses a copy of the current version onto itself that changes nothing. One of an
// older version is how it is restored.
func (b *bucket) checkOntoItself(ctx context.Context, src backends.Source, in *s3.CopyObjectInput) error {
	f, err := b.findCurrent(ctx, b.object(in.Key))
	if s3err.Is(err, s3err.NoSuchKey) {
		return nil
	}
	if err != nil {
		return err
	}
	own, err := b.isSource(ctx, f, src)
	if err != nil || !own {
		return err
	}
	if f.version != nil {
		return backends.CheckCopy(metaFor(f.version, backends.CopySourceKey(in)), true, in)
	}
	head, err := backends.HeadKeyless(ctx, b.Heads, &s3.HeadObjectInput{Key: &f.Key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return err
	}
	before := &versions.Version{Encryption: versions.Encryption{Customer: head.SSECustomerAlgorithm != nil}}
	return backends.CheckCopy(&backends.ObjectMeta{
		Encryption: metaFor(before, backends.CopySourceKey(in)).Encryption,
		Size:       aws.ToInt64(head.ContentLength), ETag: aws.ToString(head.ETag), LastModified: aws.ToTime(head.LastModified),
		Checksum: checksumOf(head, head.ChecksumType),
	}, true, in)
}

// isSource reports whether a located source is a place of what was found.
func (b *bucket) isSource(ctx context.Context, f found, src backends.Source) (bool, error) {
	var places []backends.Source
	if f.version == nil || f.version.Plain {
		places = append(places, backends.Source{Backend: b.Heads, CopySource: backends.CopySource{Key: f.Key}})
	}
	if f.version != nil {
		places = append(places, b.bodySource(f.Key, f.version))
	}
	for _, p := range places {
		p, err := p.Located(ctx)
		if err != nil || p.Backend == src.Backend && p.CopySource == src.CopySource {
			return err == nil, err
		}
	}
	return false, nil
}

// takeHeaders gives a copy the headers and metadata of its source, which it reads with the copy's key for that, and has it be of no other state of it.
func takeHeaders(ctx context.Context, c *s3.CopyObjectInput, src backends.Source) error {
	head, err := pin(ctx, c, src)
	if err == nil {
		copyHeaders(c, head)
	}
	return err
}

// copyHeaders gives a copy headers and metadata.
func copyHeaders(c *s3.CopyObjectInput, head *s3.HeadObjectOutput) {
	c.CacheControl, c.ContentDisposition, c.ContentEncoding = head.CacheControl, head.ContentDisposition, head.ContentEncoding
	c.ContentLanguage, c.ContentType, c.Expires = head.ContentLanguage, head.ContentType, head.Expires //nolint:staticcheck // a copy takes no ExpiresString
	c.Metadata = head.Metadata
}

// pin reads the headers of a copy's source, with its key, and has the copy be of no other state of it.
func pin(ctx context.Context, c *s3.CopyObjectInput, src backends.Source) (*s3.HeadObjectOutput, error) {
	in := &s3.HeadObjectInput{
		Bucket: &src.Bucket, Key: &src.Key, VersionId: optional(src.VersionID),
		SSECustomerAlgorithm: c.CopySourceSSECustomerAlgorithm, SSECustomerKey: c.CopySourceSSECustomerKey, SSECustomerKeyMD5: c.CopySourceSSECustomerKeyMD5,
	}
	head, err := src.Backend.HeadObject(ctx, in)
	if err != nil {
		return nil, err
	}
	meta := &backends.ObjectMeta{ETag: aws.ToString(head.ETag), LastModified: aws.ToTime(head.LastModified)}
	if err := backends.CheckCopySource(meta, backends.CopyConditions(c)); err != nil {
		return nil, err
	}
	c.CopySourceIfMatch, c.CopySourceIfNoneMatch = head.ETag, nil
	c.CopySourceIfModifiedSince, c.CopySourceIfUnmodifiedSince = nil, nil
	return head, nil
}
