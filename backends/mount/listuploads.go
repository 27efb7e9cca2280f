package mount

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// ListMultipartUploads implements [backends.MultipartUploader]. A mount with excluded
// parts is only read, and shows no uploads.
func (m *uploads) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	w := m.window(in.Prefix, in.Delimiter, in.KeyMarker)
	switch {
	case w.empty || len(m.Exclude) > 0:
		return uploadsPage(in, nil), nil
	case w.common != "":
		return m.uploadsCommon(ctx, w.common, in)
	case w.walk:
		return backends.ListUploads(&uploadCursor{ctx: ctx, m: m, in: in}, in)
	}
	c := *in
	c.Bucket, c.Prefix, c.KeyMarker = &m.Bucket, w.prefix, w.after
	if aws.ToString(in.KeyMarker) == "" || aws.ToString(in.UploadIdMarker) == "" {
		c.UploadIdMarker = nil // it means nothing without the other
	} else if m.open(&c.UploadIdMarker, in.KeyMarker) != nil {
		return nil, s3err.InvalidArg("upload-id-marker", *in.UploadIdMarker, "Invalid uploadId marker")
	}
	below, err := m.below.ListMultipartUploads(ctx, &c)
	if err != nil {
		return nil, m.outward(err, names{bucket: in.Bucket})
	}
	return m.leaveUploads(in, below)
}

// uploadsPage is the answer to in with these common prefixes and nothing else.
func uploadsPage(in *s3.ListMultipartUploadsInput, prefixes []types.CommonPrefix) *s3.ListMultipartUploadsOutput {
	return &s3.ListMultipartUploadsOutput{
		Bucket: in.Bucket, Prefix: in.Prefix, KeyMarker: in.KeyMarker, UploadIdMarker: in.UploadIdMarker,
		CommonPrefixes: prefixes, IsTruncated: aws.Bool(false),
	}
}

// uploadsCommon answers in when one common prefix stands for all uploads there are.
func (m *uploads) uploadsCommon(ctx context.Context, common string, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	if in.MaxUploads != nil && *in.MaxUploads == 0 {
		return uploadsPage(in, nil), nil
	}
	first, err := m.below.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &m.Bucket, Prefix: &m.Prefix, MaxUploads: aws.Int32(1)})
	switch {
	case err != nil:
		return nil, m.outward(err, names{bucket: in.Bucket})
	case len(first.Uploads) == 0:
		return uploadsPage(in, nil), nil
	}
	return uploadsPage(in, []types.CommonPrefix{{Prefix: &common}}), nil
}

// leaveUploads is below's page as the client of in sees it.
func (m *uploads) leaveUploads(in *s3.ListMultipartUploadsInput, below *s3.ListMultipartUploadsOutput) (*s3.ListMultipartUploadsOutput, error) {
	out := *below
	out.Bucket, out.Prefix, out.KeyMarker, out.UploadIdMarker = in.Bucket, in.Prefix, in.KeyMarker, in.UploadIdMarker
	var err error
	if aws.ToString(below.NextKeyMarker) != "" {
		if out.NextKeyMarker, err = m.leave(below.NextKeyMarker); err != nil {
			return nil, err
		}
		if aws.ToString(below.NextUploadIdMarker) != "" {
			out.NextUploadIdMarker = m.seal(below.NextUploadIdMarker, *out.NextKeyMarker)
		}
	}
	out.Uploads = make([]types.MultipartUpload, len(below.Uploads))
	for i, u := range below.Uploads {
		if u.Key, err = m.leave(u.Key); err != nil {
			return nil, err
		}
		u.UploadId = m.seal(u.UploadId, *u.Key)
		out.Uploads[i] = u
	}
	out.CommonPrefixes, err = m.leavePrefixes(below.CommonPrefixes)
	return &out, err
}

// uploadCursor walks the uploads of a mount, for a delimiter that the backend cannot
// be asked to split at. It only moves forward, which is all that a page needs.
type uploadCursor struct {
	ctx  context.Context // of the one listing that the cursor is for
	m    *uploads
	in   *s3.ListMultipartUploadsInput
	page []types.MultipartUpload
	next *s3.ListMultipartUploadsOutput // whose markers lead to the next page; nil at first
	err  error
}

// SeekGE implements [backends.Cursor]. What is up to the marker is passed over by the
// listing that the first page comes from; the zero byte in what is sought then is not needed.
func (c *uploadCursor) SeekGE(key, _ string) bool {
	if c.next == nil && !c.load(&s3.ListMultipartUploadsInput{
		Prefix: c.in.Prefix, KeyMarker: c.in.KeyMarker, UploadIdMarker: c.in.UploadIdMarker,
	}) {
		return false
	}
	for c.err == nil && len(c.page) > 0 && c.Key() < strings.TrimSuffix(key, "\x00") {
		c.Next()
	}
	return c.err == nil && len(c.page) > 0
}

// Next implements [backends.Cursor].
func (c *uploadCursor) Next() bool {
	if c.page = c.page[1:]; len(c.page) > 0 {
		return true
	}
	return aws.ToBool(c.next.IsTruncated) && c.load(&s3.ListMultipartUploadsInput{
		Prefix: c.in.Prefix, KeyMarker: c.next.NextKeyMarker, UploadIdMarker: c.next.NextUploadIdMarker,
	})
}

// load reads a page without splitting it.
func (c *uploadCursor) load(in *s3.ListMultipartUploadsInput) bool {
	in.Bucket = c.in.Bucket
	c.next, c.err = c.m.ListMultipartUploads(c.ctx, in)
	if c.err != nil {
		return false
	}
	c.page = c.next.Uploads
	return len(c.page) > 0
}

// Key implements [backends.Cursor].
func (c *uploadCursor) Key() string { return *c.page[0].Key }

// Value implements [backends.Cursor].
func (c *uploadCursor) Value() (types.MultipartUpload, error) { return c.page[0], nil }

// Err implements [backends.Cursor].
func (c *uploadCursor) Err() error { return c.err }
