// Package fanout makes one bucket of several: every key belongs to one mount,
// which does what is asked of the key, and listings are merged. It keeps nothing
// and decides nothing else: which key belongs where is the business of a function,
// and mounts speak the virtual names and seal their UploadIds themselves.
//
// A key that belongs to no mount can be written under no circumstances, so there
// is no object and no upload of it: writing it fails with what the function said,
// reading it with NoSuchKey, and deleting it succeeds, as deleting
// what is not there does. An upload of it is NoSuchUpload.
package fanout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Mount is one part of the bucket.
type Mount struct {
	Backend backends.Backend

	// Mixed reports whether Backend may list keys below prefix that belong to
	// another mount. Then a common prefix costs a look at what is below it. Nil
	// says that it never does, because nobody else writes what it shows.
	Mixed func(prefix string) bool
}

// Options is what a bucket is made of.
type Options struct {
	Mounts []Mount

	// Select returns which of the mounts a key belongs to, or why to none. It always says the same of
	// a key. What a mount lists and Select gives to another, which could not be read, is not shown.
	Select func(key string) (int, error)
}

// New returns the bucket. It does multipart uploads when all mounts do.
func New(o Options) backends.Backend {
	f := &fanout{o}
	all := make([]backends.MultipartUploader, len(o.Mounts))
	for i, m := range o.Mounts {
		var ok bool
		if all[i], ok = backends.As[backends.MultipartUploader](m.Backend); !ok {
			return f
		}
	}
	return &uploads{fanout: f, uploaders: all}
}

// fanout implements [backends.Backend]. It has no Unwrap: it is not one backend.
type fanout struct{ Options }

// owner is the mount that a key belongs to.
func (f *fanout) owner(key *string) (backends.Backend, error) {
	i, err := f.Select(aws.ToString(key))
	if err != nil {
		return nil, err
	}
	return f.Mounts[i].Backend, nil
}

// reader is the mount that a key is read from.
func (f *fanout) reader(key *string) (backends.Backend, error) {
	b, err := f.owner(key)
	if err != nil {
		return nil, s3err.New(s3err.NoSuchKey).Because(err)
	}
	return b, nil
}

// GetObject implements [backends.ObjectReader].
func (f *fanout) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	b, err := f.reader(in.Key)
	if err != nil {
		return nil, err
	}
	return b.GetObject(ctx, in)
}

// HeadObject implements [backends.ObjectReader].
func (f *fanout) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	b, err := f.reader(in.Key)
	if err != nil {
		return nil, err
	}
	return b.HeadObject(ctx, in)
}

// PutObject implements [backends.ObjectWriter].
func (f *fanout) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	b, err := f.owner(in.Key)
	if err != nil {
		return nil, err
	}
	return b.PutObject(ctx, in)
}
