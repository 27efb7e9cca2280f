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

// ListMultipartUploads implements [backends.MultipartUploader].
func (m *uploads) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	w := m.window(in.Prefix, in.Delimiter, in.KeyMarker)
	switch {
	case w.empty:
		return uploadsPage(in, nil), nil
	case w.common != "":
		return m.uploadsCommon(ctx, w.common, in)
	case w.walk || len(m.Exclude) > 0:
		out, err := backends.ListUploads(&uploadCursor{ctx: ctx, m: m, in: in}, in)
		if err == nil {
			out.Bucket, out.Prefix, out.KeyMarker, out.UploadIdMarker = in.Bucket, in.Prefix, in.KeyMarker, in.UploadIdMarker
		}
		return out, err
	}
	return m.listBelowUploads(ctx, w, in)
}

// listBelowUploads is a page of the backend's, less what is excluded.
func (m *uploads) listBelowUploads(ctx context.Context, w window, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
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
	c := &uploadCursor{ctx: ctx, m: m, in: &s3.ListMultipartUploadsInput{Bucket: in.Bucket}, few: true}
	if !c.SeekGE("", "") {
		return uploadsPage(in, nil), c.Err()
	}
	return uploadsPage(in, []types.CommonPrefix{{Prefix: &common}}), nil
}

// leaveUploads is below's page as the client of in sees it.
func (m *uploads) leaveUploads(in *s3.ListMultipartUploadsInput, below *s3.ListMultipartUploadsOutput) (*s3.ListMultipartUploadsOutput, error) {
	out := *below
	out.Bucket, out.Prefix, out.KeyMarker, out.UploadIdMarker = in.Bucket, in.Prefix, in.KeyMarker, in.UploadIdMarker
	var err error
	if next := aws.ToString(below.NextKeyMarker); next != "" {
		if !strings.HasPrefix(next, m.Prefix) {
			return nil, s3err.New(s3err.InternalError).Because(errOutside)
		}
		out.NextKeyMarker = m.virtual(next) // which may be excluded
		if aws.ToString(below.NextUploadIdMarker) != "" {
			out.NextUploadIdMarker = m.seal(below.NextUploadIdMarker, *out.NextKeyMarker)
		}
	}
	out.Uploads = make([]types.MultipartUpload, 0, len(below.Uploads))
	for _, u := range below.Uploads {
		if m.excluded(aws.ToString(u.Key)) {
			continue
		}
		if u.Key, err = m.leave(u.Key); err != nil {
			return nil, err
		}
		u.UploadId = m.seal(u.UploadId, *u.Key)
		out.Uploads = append(out.Uploads, u)
	}
	out.CommonPrefixes, err = m.leavePrefixes(below.CommonPrefixes)
	return &out, err
}

// uploadCursor walks the uploads of a mount, for a delimiter that the backend cannot
// be asked to split at, and past what is excluded. It only moves forward, which is all that a page needs.
type uploadCursor struct {
	ctx  context.Context // of the one listing that the cursor is for
	m    *uploads
	in   *s3.ListMultipartUploadsInput
	page []types.MultipartUpload
	next *s3.ListMultipartUploadsOutput // whose markers lead to the next page; nil at first
	few  bool                           // only the first is asked for
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

// load reads a page without splitting it, and others as long as all of it is excluded.
func (c *uploadCursor) load(in *s3.ListMultipartUploadsInput) bool {
	in.Bucket = c.in.Bucket
	if c.few {
		in.MaxUploads = aws.Int32(1)
	}
	for {
		c.next, c.err = c.m.listBelowUploads(c.ctx, c.m.window(in.Prefix, nil, in.KeyMarker), in)
		if c.err != nil {
			return false
		}
		if c.page = c.next.Uploads; len(c.page) > 0 || !aws.ToBool(c.next.IsTruncated) {
			return len(c.page) > 0
		}
		in.KeyMarker, in.UploadIdMarker = c.pastExcluded(*c.next.NextKeyMarker), nil
	}
}

// pastExcluded is the marker to go on from behind the excluded part that a key is in.
func (c *uploadCursor) pastExcluded(key string) *string {
	for _, x := range c.m.Exclude {
		if strings.HasPrefix(c.m.physical(key), x) {
			return c.m.virtual(x + strings.Repeat("\U0010ffff", 4))
		}
	}
	return &key
}

// Key implements [backends.Cursor].
func (c *uploadCursor) Key() string { return *c.page[0].Key }

// Value implements [backends.Cursor].
func (c *uploadCursor) Value() (types.MultipartUpload, error) { return c.page[0], nil }

// Err implements [backends.Cursor].
func (c *uploadCursor) Err() error { return c.err }
