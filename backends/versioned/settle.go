package versioned

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// settleTimeout bounds what is done after a commit, which goes on when the client has left.
const settleTimeout = 5 * time.Minute

// change is [versions.Commit] through the door. refused says that decide gave the error, and that nothing has changed. Of any other it is
// not known whether it did, so that somebody has to look at the head later.
func (b *bucket) change(ctx context.Context, h versions.Head, decide func(versions.Row) (versions.Row, error)) (row versions.Row, refused bool, err error) {
	leave, err := b.Door.Enter(ctx)
	if err != nil {
		return row, true, err
	}
	defer leave()
	row, err = versions.Commit(ctx, b.Index, h, func(top versions.Row) (versions.Row, error) {
		next, err := decide(top)
		refused = err != nil
		return next, err
	})
	if err != nil && !refused {
		b.Repairs.add(b, h.Object)
	}
	return row, refused, err
}

// settle makes the head show what a row says is current. Who comes later may have been here earlier: so it looks
// whether the row is still the top one, and if not does it again. The last to write a head
// has seen the top row after it; whoever commits later will write the head again.
//
// It cannot fail the write that it follows, which has happened: an object that it
// cannot settle is left to [Repairs].
func (b *bucket) settle(ctx context.Context, o versions.Object, row versions.Row) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := b.trySettle(ctx, o, row); err != nil {
		b.Log.Warn("the copy of the current version is not up to date, and will be made again", slog.String("key", o.Key), slog.Any("cause", err))
		b.Repairs.add(b, o)
	}
}

// trySettle is settle, or says why not.
func (b *bucket) trySettle(ctx context.Context, o versions.Object, row versions.Row) error {
	for {
		if b.Private && row.Kind != versions.KindMarker && !b.leavesBehind(row) {
			return nil // Fast path: nothing is shown anywhere.
		}
		if err := b.showHead(ctx, o, row); err != nil {
			return err
		}
		top, err := b.Index.Top(ctx, o)
		if err != nil {
			return err
		}
		if top.Seq == row.Seq {
			return nil
		}
		if err := b.untell(ctx, o, row, top); err != nil {
			return err
		}
		row = top
	}
}

// untell removes the object that was just written of a delete marker, if the marker is no more: whoever removed it
// may have done his part before.
func (b *bucket) untell(ctx context.Context, o versions.Object, row, top versions.Row) error {
	if row.Kind != versions.KindMarker {
		return nil
	}
	about, err := b.Index.Find(ctx, o, row.Version.ID.N)
	if err == nil && !top.State.Live(about) {
		b.removeBody(ctx, o.Key, row.Version.ID)
	}
	return err
}

// showHead makes the head a copy of what the row says is current.
func (b *bucket) showHead(ctx context.Context, o versions.Object, row versions.Row) error {
	if row.Kind == versions.KindMarker {
		if err := b.putMarker(ctx, o, row); err != nil {
			return err
		}
	}
	v := row.State.Current
	if b.Private && !b.leavesBehind(row) {
		return nil
	}
	if b.Private || v == nil || v.Marker || v.Encryption.Customer && !v.Plain {
		return b.removeHead(ctx, o)
	}
	return b.copyHead(ctx, o, v)
}

// removeHead removes what is at the plain place.
func (b *bucket) removeHead(ctx context.Context, o versions.Object) error {
	_, err := b.Heads.DeleteObject(ctx, &s3.DeleteObjectInput{Key: &o.Key})
	return err
}

// leavesBehind reports whether there may be an object from before at the plain place that is not needed
// there any more: it is in the place of versions, or gone.
func (b *bucket) leavesBehind(row versions.Row) bool {
	if v := row.State.Current; v != nil && v.Plain {
		return false
	}
	return !b.Complete || !row.State.Null.Time.IsZero() && row.State.Null.N == 0
}

// copyHead copies the body of a version to the head. What is encrypted because its writer asked for it has no head in a store
// that cannot do so. A body that is gone belonged to a version that is not
// current any more, or is at the plain place itself.
func (b *bucket) copyHead(ctx context.Context, o versions.Object, v *versions.Version) error {
	in := &s3.CopyObjectInput{
		Key: &o.Key, MetadataDirective: types.MetadataDirectiveCopy, TaggingDirective: types.TaggingDirectiveReplace, StorageClass: v.StorageClass,
		ServerSideEncryption: v.Encryption.Algorithm, SSEKMSKeyId: optional(v.Encryption.KMSKeyID),
		WebsiteRedirectLocation: optional(v.Redirect),
	}
	if b.HeadKMSKeyID != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &b.HeadKMSKeyID
	}
	from := backends.Source{Backend: b.Bodies, CopySource: backends.CopySource{Key: b.body(o.Key, v.ID)}}
	err := copyAny(ctx, b.Heads, from, in, v.Size)
	switch {
	case s3err.Is(err, s3err.NoSuchKey):
		return nil
	case s3err.Is(err, s3err.NotImplemented) && v.Encryption.Algorithm != "":
		return b.removeHead(ctx, o)
	}
	return err
}

// putMarker writes the object that tells of a delete marker, for who has nothing but the storage.
func (b *bucket) putMarker(ctx context.Context, o versions.Object, row versions.Row) error {
	key := b.body(o.Key, row.Version.ID)
	_, err := b.Bodies.PutObject(ctx, &s3.PutObjectInput{
		Key: &key, Body: strings.NewReader(""), ContentLength: aws.Int64(0), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		Metadata: marked(nil, Mark{ID: row.Version.ID, By: row.Version.By, Time: row.Time, Rest: versions.Rest(o.Key)}),
	})
	return err
}
