package versioned

import (
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
)

// NewPlain returns a bucket that keeps no versions, and could be given some at any time: what is written to it
// passes through the door just before it takes effect, so that nothing is written without a version once
// the door is closed. Reads and listings are the backend's own.
func NewPlain(b backends.Backend, door *router.Door) backends.Backend {
	p := &unversioned{Backend: b, door: door}
	if m, ok := backends.As[backends.MultipartUploader](b); ok {
		return &plainUploads{unversioned: p, MultipartUploader: m}
	}
	return p
}

// unversioned implements [backends.Backend]. It has no Unwrap: nothing is to get past it.
type unversioned struct {
	backends.Backend
	door *router.Door
}

// GetObjectAttributes implements [backends.AttributesReader].
func (p *unversioned) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	return backends.GetObjectAttributes(ctx, p.Backend, in)
}

// RestoreObject implements [backends.Restorer]. It writes no object.
func (p *unversioned) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	return backends.RestoreObject(ctx, p.Backend, in)
}

// RenameObject implements [backends.Renamer].
func (p *unversioned) RenameObject(ctx context.Context, from string, in *s3.RenameObjectInput) (*s3.RenameObjectOutput, error) {
	return through(ctx, p.door, func() (*s3.RenameObjectOutput, error) {
		return backends.RenamerOf(p.Backend).RenameObject(ctx, from, in)
	})
}

// through makes a write that takes effect some time during the call.
func through[O any](ctx context.Context, d *router.Door, write func() (O, error)) (O, error) {
	leave, err := d.Enter(ctx)
	if err != nil {
		var none O
		return none, err
	}
	defer leave()
	return write()
}

// PutObject implements [backends.ObjectWriter]. It passes the door with the last byte of its body, which may take
// hours to come.
func (p *unversioned) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	if aws.ToInt64(in.ContentLength) == 0 {
		return through(ctx, p.door, func() (*s3.PutObjectOutput, error) { return p.Backend.PutObject(ctx, in) })
	}
	body := &lastByte{Reader: in.Body, enter: func() (func(), error) { return p.door.Enter(ctx) }}
	defer body.leave()
	c := *in
	c.Body = body
	return p.Backend.PutObject(ctx, &c)
}

// lastByte is a body that calls enter once before it ends.
type lastByte struct {
	io.Reader
	enter func() (leave func(), err error)
	inner func() // set when it has entered
}

// Read implements io.Reader.
func (l *lastByte) Read(b []byte) (int, error) {
	n, err := l.Reader.Read(b)
	if errors.Is(err, io.EOF) && l.inner == nil {
		inner, refused := l.enter()
		if refused != nil {
			return 0, refused
		}
		l.inner = inner
	}
	return n, err
}

// leave leaves, if it has entered.
func (l *lastByte) leave() {
	if l.inner != nil {
		l.inner()
	}
}

// DeleteObject implements [backends.ObjectWriter].
func (p *unversioned) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	return through(ctx, p.door, func() (*s3.DeleteObjectOutput, error) { return p.Backend.DeleteObject(ctx, in) })
}

// DeleteObjects implements [backends.ObjectWriter].
func (p *unversioned) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	return through(ctx, p.door, func() (*s3.DeleteObjectsOutput, error) { return p.Backend.DeleteObjects(ctx, in) })
}

// Can implements [backends.Abilities].
func (p *unversioned) Can(a any) bool { return backends.Passing(a, p.Backend) }

// GetObjectTagging implements [backends.Tagger].
func (p *unversioned) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	return backends.TaggerOf(p.Backend).GetObjectTagging(ctx, in)
}

// PutObjectTagging implements [backends.Tagger].
func (p *unversioned) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	return through(ctx, p.door, func() (*s3.PutObjectTaggingOutput, error) {
		return backends.TaggerOf(p.Backend).PutObjectTagging(ctx, in)
	})
}

// DeleteObjectTagging implements [backends.Tagger].
func (p *unversioned) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	return through(ctx, p.door, func() (*s3.DeleteObjectTaggingOutput, error) {
		return backends.TaggerOf(p.Backend).DeleteObjectTagging(ctx, in)
	})
}

// Locate implements [backends.Locator].
func (p *unversioned) Locate(_ context.Context, src backends.CopySource) (backends.Source, error) {
	return backends.Source{Backend: p.Backend, CopySource: src}, nil
}

// CopyObject implements [backends.ObjectWriter].
func (p *unversioned) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	return p.ImportObject(ctx, backends.Source{Backend: p.Backend, CopySource: src}, in)
}

// ImportObject implements [backends.ObjectImporter].
func (p *unversioned) ImportObject(ctx context.Context, src backends.Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	return through(ctx, p.door, func() (*s3.CopyObjectOutput, error) { return backends.CopyObject(ctx, p.Backend, src, in) })
}

// plainUploads is a bucket whose backend does multipart uploads.
type plainUploads struct {
	*unversioned
	backends.MultipartUploader
}

// UploadPartCopy implements [backends.MultipartUploader].
func (p *plainUploads) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return p.ImportPart(ctx, backends.Source{Backend: p.Backend, CopySource: src}, in)
}

// ImportPart implements [backends.PartImporter].
func (p *plainUploads) ImportPart(ctx context.Context, src backends.Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return backends.UploadPartCopy(ctx, p.Backend, src, in)
}

// CompleteMultipartUpload implements [backends.MultipartUploader].
func (p *plainUploads) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	return through(ctx, p.door, func() (*s3.CompleteMultipartUploadOutput, error) {
		return p.MultipartUploader.CompleteMultipartUpload(ctx, in)
	})
}
