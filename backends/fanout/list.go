package fanout

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// ListObjectsV2 implements [backends.Lister].
func (f *fanout) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	sources := make([]backends.ListSource, len(f.Mounts))
	for i, m := range f.Mounts {
		sources[i] = backends.ListSource{Lister: m.Backend, Bucket: aws.ToString(in.Bucket), Filter: f.objectsOf(i, in)}
	}
	return backends.MergeObjects(ctx, sources, in)
}

// objectsOf shows the objects of a mount that are its own, and what they make common prefixes of.
func (f *fanout) objectsOf(mount int, in *s3.ListObjectsV2Input) backends.Filter {
	return f.shown(mount, func(ctx context.Context) backends.Cursor[types.Object] {
		return backends.NewListCursor(ctx, f.Mounts[mount].Backend, aws.ToString(in.Bucket), aws.ToString(in.Prefix))
	})
}

// shown shows the keys of a mount that are its own, and what those that a cursor walks over make
// common prefixes of. One walk looks below all prefixes that a page asks about, in their order:
// where few keys are below each, it costs fewer calls than there are prefixes.
func (f *fanout) shown(mount int, walk func(context.Context) backends.Cursor[types.Object]) backends.Filter {
	m := f.Mounts[mount]
	filter := backends.Filter{Keep: f.keysOf(mount)}
	if m.Mixed == nil {
		return filter
	}
	var c backends.Cursor[types.Object]
	filter.KeepPrefix = func(ctx context.Context, prefix string) (bool, error) {
		if !m.Mixed(prefix) {
			return true, nil
		}
		if c == nil {
			c = walk(ctx)
		}
		for ok := c.SeekGE(prefix, ""); ok && strings.HasPrefix(c.Key(), prefix); ok = c.Next() {
			if own, err := filter.Keep(ctx, c.Key()); err != nil || own {
				return own, err
			}
		}
		return false, c.Err()
	}
	return filter
}

// keysOf reports which keys are a mount's own.
func (f *fanout) keysOf(mount int) func(context.Context, string) (bool, error) {
	return func(_ context.Context, key string) (bool, error) {
		owner, err := f.Select(key)
		return err == nil && owner == mount, nil
	}
}

// ListMultipartUploads implements [backends.MultipartUploader].
func (f *uploads) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	if aws.ToString(in.KeyMarker) != "" && aws.ToString(in.UploadIdMarker) != "" {
		if _, err := f.Select(*in.KeyMarker); err != nil {
			return nil, s3err.InvalidArg("upload-id-marker", *in.UploadIdMarker, "Invalid uploadId marker")
		}
	}
	sources := make([]backends.UploadSource, len(f.Mounts))
	for i, u := range f.uploaders {
		sources[i] = backends.UploadSource{
			MultipartUploader: u, Bucket: aws.ToString(in.Bucket), Filter: backends.Filter{Keep: f.keysOf(i)},
		}
	}
	return backends.MergeUploads(ctx, sources, in)
}
