// Package fanout makes one bucket of several: every key belongs to one mount,
// which does what is asked of the key, and listings are merged. It keeps nothing
// and decides nothing else: which key belongs where is the business of a function,
// and mounts speak the virtual names and seal their UploadIds themselves.
//
// A key that belongs to no mount can be written under no circumstances, so there
// is no object and no upload of it: writing it fails with what the function said,
// reading it with NoSuchKey, and deleting it succeeds, as deleting
// what is not there does. An upload of it is NoSuchUpload.
//
// A bucket has versions when one of its mounts has. Objects of the other mounts are the null versions
// of their keys, and the current ones; deleting one leaves no delete marker.
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

// New returns the bucket. It does multipart uploads when all mounts do, and keeps versions, tags or locks when one does.
func New(o Options) backends.Backend {
	f := &fanout{Options: o, null: nulls(o.Mounts)}
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
type fanout struct {
	Options
	null []bool // of which mounts the objects are null versions
}

// owner is the mount that a key belongs to.
func (f *fanout) owner(key *string) (backends.Backend, error) {
	i, err := f.Select(aws.ToString(key))
	if err != nil {
		return nil, err
	}
	return f.Mounts[i].Backend, nil
}

// reader is the mount that a key, or a version of it, is read from. The version becomes what the mount calls it.
func (f *fanout) reader(key *string, version **string) (mount int, err error) {
	mount, err = f.Select(aws.ToString(key))
	if err != nil {
		return 0, s3err.New(s3err.NoSuchKey).Because(err)
	}
	return mount, f.enterVersion(mount, version)
}

// GetObject implements [backends.ObjectReader].
func (f *fanout) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	id := in.VersionId
	i, err := f.reader(in.Key, &id)
	if err != nil {
		return nil, err
	}
	if !f.null[i] { // Fast path: the mount knows its versions.
		return f.Mounts[i].Backend.GetObject(ctx, in)
	}
	c := *in
	c.VersionId = id
	below, err := f.Mounts[i].Backend.GetObject(ctx, &c)
	if err != nil {
		return nil, err
	}
	out := *below
	out.VersionId = f.shownVersion(i, below.VersionId)
	return &out, nil
}

// HeadObject implements [backends.ObjectReader].
func (f *fanout) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	id := in.VersionId
	i, err := f.reader(in.Key, &id)
	if err != nil {
		return nil, err
	}
	if !f.null[i] { // Fast path: the mount knows its versions.
		return f.Mounts[i].Backend.HeadObject(ctx, in)
	}
	c := *in
	c.VersionId = id
	below, err := f.Mounts[i].Backend.HeadObject(ctx, &c)
	if err != nil {
		return nil, err
	}
	out := *below
	out.VersionId = f.shownVersion(i, below.VersionId)
	return &out, nil
}

// GetObjectAttributes implements [backends.AttributesReader].
func (f *fanout) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	c := *in
	i, err := f.reader(in.Key, &c.VersionId)
	if err != nil {
		return nil, err
	}
	below, err := backends.GetObjectAttributes(ctx, f.Mounts[i].Backend, &c)
	if err != nil {
		return nil, err
	}
	out := *below
	out.VersionId = f.shownVersion(i, below.VersionId)
	return &out, nil
}

// PutObject implements [backends.ObjectWriter].
func (f *fanout) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	b, err := f.owner(in.Key)
	if err == nil {
		err = backends.CheckLock(b, in.ObjectLockMode, in.ObjectLockLegalHoldStatus)
	}
	if err != nil {
		return nil, err
	}
	return b.PutObject(ctx, in)
}
