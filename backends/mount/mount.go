// Package mount shows a part of a physical bucket, the keys below a prefix, as
// a bucket of its own, or as the part of one below a virtual prefix. It is the one
// place where a virtual key becomes a physical one and back, and where UploadIds are
// sealed; a store behind it is only ever named keys under the prefix.
package mount

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
)

// maxKeyBytes is the longest physical key that every store takes.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const maxKeyBytes = 1024

// Options is what a mount is made of. Backend, and with a Sealer BucketID and
// MountID, are needed.
type Options struct {
	Backend  backends.Backend
	Bucket   string        // physical
	Prefix   string        // physical key = Prefix + what follows Under in the key
	Under    string        // every key of the mount begins with it; calls with others are mistakes
	Exclude  []string      // physical prefixes below Prefix that are not the mount's
	BucketID string        // of the virtual bucket; UploadIds are bound to it,
	MountID  string        // and to this
	Sealer   *token.Sealer // nil for what another mount is on top of: UploadIds are those from below
	Within   string        // where the backend is a mount itself, its Prefix: UploadIds are bound to keys of the store
}

// New returns the Backend of the virtual bucket. It ignores the Bucket of its inputs, takes virtual keys, and does
// multipart uploads, and keeps versions and tags, exactly when the backend below does.
func New(o Options) backends.Backend {
	m := &mount{o}
	if uploader, ok := backends.As[backends.MultipartUploader](o.Backend); ok {
		return &uploads{mount: m, below: uploader}
	}
	return m
}

// mount implements [backends.Backend]. It has no Unwrap on purpose: the
// backend below knows no virtual keys.
type mount struct{ Options }

// enter makes the bucket and the key of an input physical. It is the last
// moment before they leave, so it looks once more at what it made. A key that would
// be in an excluded part has no object here: NoSuchKey.
func (m *mount) enter(bucket, key **string) error {
	if *key == nil || **key == "" {
		return s3err.New(s3err.InternalError).Because(errNoKey)
	}
	physical, ok := m.physical(**key), strings.HasPrefix(**key, m.Under)
	switch {
	case ok && m.excluded(physical):
		return s3err.New(s3err.NoSuchKey).With("Key", **key)
	case !ok || !m.owns(physical):
		return s3err.New(s3err.InternalError).Because(errOutside)
	case len(physical) > maxKeyBytes:
		return m.keyTooLong(len(physical))
	}
	*bucket, *key = &m.Bucket, &physical
	return nil
}

// physical is the physical key of a key that begins with Under.
func (m *mount) physical(key string) string { return m.Prefix + strings.TrimPrefix(key, m.Under) }

// owns reports whether a physical key is in the image of this mount. The prefix
// itself is when it stands for the key Under, and not when it would be the empty key.
func (m *mount) owns(physical string) bool {
	return strings.HasPrefix(physical, m.Prefix) && physical != "" &&
		(len(physical) > len(m.Prefix) || m.Under != "") && !m.excluded(physical)
}

// excluded reports whether a physical key is in a part that is not the mount's.
func (m *mount) excluded(physical string) bool {
	for _, x := range m.Exclude {
		if strings.HasPrefix(physical, x) {
			return true
		}
	}
	return false
}

// leave returns the virtual name of a key that came from below.
func (m *mount) leave(physical *string) (*string, error) {
	if physical == nil || !m.owns(*physical) {
		return nil, s3err.New(s3err.InternalError).Because(errOutside)
	}
	return m.virtual(*physical), nil
}

// virtual is the virtual name of a key, or prefix of keys, that begins with Prefix.
func (m *mount) virtual(physical string) *string {
	key := m.Under + physical[len(m.Prefix):]
	return &key
}

// keyTooLong is the error of a key that was fine until the prefix came in front. The
// figures are those of the client's key.
func (m *mount) keyTooLong(physical int) error {
	longer := len(m.Prefix) - len(m.Under)
	return s3err.New(s3err.KeyTooLong).
		With("Size", strconv.Itoa(physical-longer)).
		With("MaxSizeAllowed", strconv.Itoa(maxKeyBytes-longer))
}

// GetObject implements [backends.ObjectReader].
func (m *mount) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := m.Backend.GetObject(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}

// HeadObject implements [backends.ObjectReader].
func (m *mount) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := m.Backend.HeadObject(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}

// GetObjectAttributes implements [backends.AttributesReader].
func (m *mount) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.GetObjectAttributes(ctx, m.Backend, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}

// PutObject implements [backends.ObjectWriter].
func (m *mount) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := m.Backend.PutObject(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}

// DeleteObject implements [backends.ObjectWriter].
func (m *mount) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := m.Backend.DeleteObject(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}
