package backends

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// Source is an object that a copy reads, and the backend in whose namespace it
// is named.
type Source struct {
	Backend Backend
	CopySource

	// Shown is the VersionId of the object as clients know it, set by the composition that
	// found it; empty where there are no versions.
	Shown string

	// Tags are the object's, which a copy takes over, set by the composition that knows them, also when
	// there are none; nil when they are with the object in its store.
	Tags *types.Tagging
}

// samePlace reports whether two sources are one object.
func (s Source) samePlace(o Source) bool {
	return s.Backend == o.Backend && s.CopySource == o.CopySource
}

// Locator is a composition in which reading an object is nothing but reading
// another object, of a backend below it.
type Locator interface {
	// Locate names the object as the backend below does.
	Locate(context.Context, CopySource) (Source, error)
}

// ObjectImporter is a composition in which a copy to it is nothing but a copy to
// a backend below it. ImportObject puts in into that backend's words and calls
// [CopyObject] again.
type ObjectImporter interface {
	ImportObject(ctx context.Context, src Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error)
}

// PartImporter is the same for [UploadPartCopy].
type PartImporter interface {
	ImportPart(ctx context.Context, src Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error)
}

// CopyObject copies src to in.Key of dst, as ObjectWriter.CopyObject says. It picks
// the road: when both are names for one store, that store copies on its
// side; otherwise the bytes stream through here.
func CopyObject(ctx context.Context, dst Backend, src Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	src, out, err := copyLocated(ctx, src, func(src Source) (*s3.CopyObjectOutput, error) {
		return copyObject(ctx, dst, src, in)
	})
	if err == nil && src.Shown != "" {
		c := *out
		c.CopySourceVersionId, out = &src.Shown, &c
	}
	return out, err
}

// copyLocated locates a source and copies it. Between the two it may have been written over, and be
// somewhere else: then it is located again. It returns what it has copied.
func copyLocated[Out any](ctx context.Context, src Source, do func(Source) (*Out, error)) (Source, *Out, error) {
	at, err := src.Located(ctx)
	for err == nil {
		out, failed := do(at)
		if !s3err.Is(failed, s3err.NoSuchKey) || at.samePlace(src) {
			return at, out, failed
		}
		before := at
		if at, err = src.Located(ctx); err == nil && at.samePlace(before) {
			return at, nil, failed
		}
	}
	return at, nil, err
}

// copyObject is CopyObject from a source that was located.
func copyObject(ctx context.Context, dst Backend, src Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	if d, ok := dst.(ObjectImporter); ok {
		return d.ImportObject(ctx, src, in)
	}
	if src.Backend == dst {
		return dst.CopyObject(ctx, src.CopySource, src.tagged(in))
	}
	return streamObject(ctx, dst, src, in)
}

// UploadPartCopy copies src, or in.CopySourceRange of it, to a part of an
// upload in dst; see [CopyObject].
func UploadPartCopy(ctx context.Context, dst Backend, src Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	src, out, err := copyLocated(ctx, src, func(src Source) (*s3.UploadPartCopyOutput, error) {
		return uploadPartCopy(ctx, dst, src, in)
	})
	if _, lost := src.Backend.(Locator); lost && err != nil {
		return nil, errorOfPart(ctx, dst, err, in)
	}
	if err == nil && src.Shown != "" {
		c := *out
		c.CopySourceVersionId, out = &src.Shown, &c
	}
	return out, err
}

// errorOfPart is what UploadPartCopy answers when its source was not found. Whether there is such an
// upload comes before that.
func errorOfPart(ctx context.Context, dst Backend, missing error, in *s3.UploadPartCopyInput) error {
	_, err := uploadPartCopy(ctx, dst, Source{Backend: &unread{err: missing}}, in)
	if err == nil || errors.Is(err, missing) {
		return missing // in the words of the source
	}
	return err
}

// unread is where a source is that was not found.
type unread struct {
	Backend
	err error
}

// GetObject implements [ObjectReader].
func (u *unread) GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	return nil, u.err
}

// HeadObject implements [ObjectReader].
func (u *unread) HeadObject(context.Context, *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	return nil, u.err
}

// uploadPartCopy is UploadPartCopy from a source that was located.
func uploadPartCopy(ctx context.Context, dst Backend, src Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	if d, ok := dst.(PartImporter); ok {
		return d.ImportPart(ctx, src, in)
	}
	m, ok := As[MultipartUploader](dst)
	if !ok {
		return nil, s3err.New(s3err.NotImplemented)
	}
	if src.Backend == dst {
		return m.UploadPartCopy(ctx, src.CopySource, in)
	}
	return streamPart(ctx, m, src, in)
}

// Located follows compositions down to the store that has the object.
func (s Source) Located(ctx context.Context) (Source, error) {
	for {
		l, ok := s.Backend.(Locator)
		if !ok {
			return s, nil
		}
		below, err := l.Locate(ctx, s.CopySource)
		if err != nil {
			return s, err
		}
		if below.Shown == "" {
			below.Shown = s.Shown
		}
		if below.Tags == nil {
			below.Tags = s.Tags
		}
		s = below
	}
}
