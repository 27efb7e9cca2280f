// Package versioned makes of the objects at a place a bucket that keeps their versions. The
// index says which versions there are ([versions]); the bytes are in two places of one
// or two stores:
//
//   - each version, the current one too, has a body of its own, which is never changed, in the
//     place of versions;
//   - the current version has a copy, the head, at its plain place, for who reads the store itself.
//
// A write takes a slot, writes its body, and commits; then the head is made to show what is current
// (see settle.go). Whoever writes repeats that last step until nobody else has come in
// between, and a reader takes the head for what it says it is a copy of: so readers see
// what was committed, whatever became of heads.
//
// Objects that were there before the bucket had versions are the null versions of their keys. They are taken
// into the index when they are first written over, deleted or tagged, or imported; till then
// listings show them from the store.
package versioned

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
)

// Options is what a versioned bucket is made of. All but what says so are needed.
type Options struct {
	Heads  backends.Backend // the plain place; takes keys of the bucket
	Bodies backends.Backend // the place of versions; takes keys of [versions.Layout]

	Index      versions.Index
	BucketID   string            // under which the index knows the bucket
	DataType   string            // of all its objects, as the layout wants it
	Layout     versions.Layout   // its zero value is CR-001's
	Versioning router.Versioning // Enabled or Suspended
	Complete   bool              // the index knows all objects: no need to look for those from before

	// Private says that nobody but this process uses the stores: nobody reads heads, so that none are made, and with
	// the process end its writes.
	Private bool

	// Immutable says that no version can be removed by clients.
	Immutable bool

	HeadKMSKeyID string             // encrypts heads; empty: the store's own default
	BodyClass    types.StorageClass // of bodies, whatever class their objects have; empty: the object's
	BodyKMSKeyID string             // encrypts bodies; empty: as the object is

	Door    *router.Door     // what commits pass through; nil: it is always open
	Repairs *Repairs         // gets the objects whose heads could not be shown; nil: nobody does
	Now     func() time.Time // time.Now when nil
	Log     *slog.Logger     // silent when nil
}

// New returns the bucket. It does multipart uploads when the place of versions does.
func New(o Options) backends.Backend {
	v := newBucket(o)
	if m, ok := backends.As[backends.MultipartUploader](o.Bodies); ok {
		plain, _ := backends.As[backends.MultipartUploader](o.Heads)
		return &uploads{bucket: v, below: m, plain: plain}
	}
	return v
}

// newBucket returns the bucket without its uploads.
func newBucket(o Options) *bucket {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &bucket{o}
}

// bucket implements [backends.Backend], [backends.Versioned], [backends.Tagger] and [backends.Locker]. It has no
// Unwrap: what is below has other keys.
type bucket struct{ Options }

// object names the object of a key in the index.
func (b *bucket) object(key *string) versions.Object {
	return versions.Object{BucketID: b.BucketID, Key: aws.ToString(key)}
}

// body is the key of a version's body.
func (b *bucket) body(key string, id versions.VersionID) string {
	return b.Layout.Body(b.DataType, key, id.N)
}

// by is who is behind a request.
func by(ctx context.Context) versions.By {
	r := backends.RequestOf(ctx)
	return versions.By{Operation: r.Operation, AccessKey: r.AccessKey, UserID: r.UserID, TenantID: r.TenantID}
}

// event is a change that is made now.
func (b *bucket) event(ctx context.Context) versions.Event {
	return versions.Event{Now: b.Now(), By: by(ctx)}
}
