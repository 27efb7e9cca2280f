package versioned

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// write is a version being written.
type write struct {
	b       *bucket
	head    versions.Head // the object, and its top row as it was read
	version versions.Version
	began   time.Time
	upload  bool // its body was made by an upload

	made time.Time // when the store says that the body was written, as far as it was asked

	plainETag string // of what an upload from before has become at the plain place; empty when that was left alone
}

// begin begins a write: it reads what there is, and takes a slot. Whether the write may happen is judged here for
// the first time, so that nobody uploads in vain, and again when it is committed.
// put says that the body is written at once.
func (b *bucket) begin(ctx context.Context, key *string, put bool, match, noneMatch *string) (*write, error) {
	leave, err := b.Door.Enter(ctx)
	if err != nil {
		return nil, err
	}
	leave() // until the commit
	h, err := b.top(ctx, b.object(key))
	if err != nil {
		return nil, err
	}
	if err := backends.CheckWrite(h.Top.State.Current.Meta(), match, noneMatch); err != nil {
		return nil, err
	}
	if err := b.fits(ctx, h.Key); err != nil {
		return nil, err
	}
	w := &write{b: b, head: h, began: b.Now()}
	s, err := versions.NextSlot(ctx, b.Index, versions.Slot{Object: h.Object, N: h.Top.State.NextN, Taken: w.began, Early: b.Private && put})
	if err != nil {
		return nil, err
	}
	w.version = versions.Version{ID: b.newID(s.N), By: by(ctx)}
	return w, nil
}

// newID is the ID of a new version, as the state of the bucket has it.
func (b *bucket) newID(n int64) versions.VersionID {
	id := versions.NewVersionID(n)
	id.Null = b.Versioning == router.Suspended
	return id
}

// top reads the top row of an object. An object from before is taken into the index first.
func (b *bucket) top(ctx context.Context, o versions.Object) (versions.Head, error) {
	top, err := b.Index.Top(ctx, o)
	if err == nil && top.Seq == 0 && !b.Complete {
		top, err = b.adopt(ctx, o)
	}
	return versions.Head{Object: o, Top: top}, err
}

// key is where the body of the version is.
func (w *write) key() *string { return aws.String(w.b.body(w.head.Key, w.version.ID)) }

// mark is what the body says of itself.
func (w *write) mark() Mark {
	return Mark{
		ID: w.version.ID, By: w.version.By, Time: w.began, StorageClass: w.version.StorageClass, Upload: w.version.UploadID,
		Encrypted: w.version.Encryption.Algorithm != "",
		Lock:      lockOf(&w.version),
		Rest:      versions.Rest(w.head.Key),
	}
}

// maxUncommitted is how long a body may be there without a row before its write gives up: long
// before somebody takes it for one that was left behind.
const maxUncommitted = versions.KeepDead / 24

// commit makes the version current, and shows it. Of a body that is not needed then nothing stays.
func (w *write) commit(ctx context.Context, match, noneMatch *string) (versions.Row, error) {
	ctx, cancel := context.WithTimeout(ctx, maxUncommitted)
	defer cancel()
	row, refused, err := w.insert(ctx, match, noneMatch)
	if err != nil {
		if refused { // Else it is not known whether it happened.
			err = errors.Join(err, w.refuse(ctx))
		}
		return row, err
	}
	w.b.replaced(ctx, w.head.Object, row)
	w.b.settle(ctx, w.head.Object, row)
	w.clearPrivate(ctx)
	return row, nil
}

// refuse undoes what was done for a version that there will not be. The body of an upload stays: two
// may be completing it at once, of which one succeeds. It is noted that there is no version of it.
func (w *write) refuse(ctx context.Context) error {
	if !w.upload {
		w.b.removeBody(ctx, w.head.Key, w.version.ID)
		return nil
	}
	_, err := w.b.Index.MarkSlot(ctx, versions.Slot{Object: w.head.Object, N: w.version.ID.N}, w.began)
	if w.plainETag != "" {
		err = errors.Join(err, w.b.resettle(ctx, w.head.Object))
		w.clearPrivate(ctx)
	}
	return err
}

// clearPrivate removes what an upload from before has become at the plain place, where there are no heads to take its place.
func (w *write) clearPrivate(ctx context.Context) {
	if w.plainETag == "" || !w.b.Private {
		return
	}
	_, err := w.b.Heads.DeleteObject(ctx, &s3.DeleteObjectInput{Key: &w.head.Key, IfMatch: &w.plainETag})
	if err != nil && !s3err.Is(err, s3err.PreconditionFailed) {
		w.b.Log.Warn("an upload that was completed stays at its plain place, too", slog.String("key", w.head.Key), slog.Any("cause", err))
	}
}

// insert inserts the row of the version; refused says that there will be none.
func (w *write) insert(ctx context.Context, match, noneMatch *string) (row versions.Row, refused bool, err error) {
	if w.b.Now().Sub(w.began) > time.Minute { // What was read then is no ground any more.
		if w.head.Top, err = w.b.Index.Top(ctx, w.head.Object); err != nil {
			return row, true, err
		}
	}
	return w.b.change(ctx, w.head, func(top versions.Row) (versions.Row, error) {
		if w.upload { // Somebody else may be completing it.
			at := versions.Head{Object: w.head.Object, Top: top}
			if done, err := w.b.completed(ctx, at, &w.version); done != nil || err != nil {
				return top, err
			}
		}
		if err := backends.CheckWrite(top.State.Current.Meta(), match, noneMatch); err != nil {
			return top, err
		}
		if err := w.b.checkReplaced(ctx, w.head.Object, top, w.version.ID.Null); err != nil {
			return top, err
		}
		if err := w.b.keep(ctx, w.head.Object, top, w.version.ID.Null); err != nil {
			return top, err
		}
		return versions.Put(top, w.version, w.b.Now()), nil
	})
}

// removeBody removes the body of a version that is no more, or never was. What stays is found by the sweeper.
func (b *bucket) removeBody(ctx context.Context, key string, id versions.VersionID) {
	body := b.body(key, id)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if _, err := b.Bodies.DeleteObject(ctx, &s3.DeleteObjectInput{Key: &body}); err != nil {
		b.Log.Warn("a body that is not needed any more stays", slog.String("key", key), slog.String("version", id.Name()), slog.Any("cause", err))
	}
}

// replaced removes the body of the null version, or what tells of the null marker, whose place a row's version took.
func (b *bucket) replaced(ctx context.Context, o versions.Object, row versions.Row) {
	if !row.Replaced.Time.IsZero() {
		b.removeBody(ctx, o.Key, versions.VersionID{N: row.Replaced.N, Null: true})
	}
}

// PutObject implements [backends.ObjectWriter].
func (b *bucket) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	w, err := b.begin(ctx, in.Key, true, in.IfMatch, in.IfNoneMatch)
	if err != nil {
		return nil, err
	}
	w.version.StorageClass, w.version.Tags = in.StorageClass, givenTags(in.Tagging)
	w.version.Encryption = asked(in.ServerSideEncryption, in.SSECustomerKey)
	c := *in
	w.takeLock(&c.ObjectLockMode, &c.ObjectLockRetainUntilDate, &c.ObjectLockLegalHoldStatus)
	c.Key, c.IfMatch, c.IfNoneMatch, c.Tagging = w.key(), nil, nil, nil
	c.Metadata = marked(in.Metadata, w.mark())
	b.bodyPolicy(&c.StorageClass, &c.ServerSideEncryption, &c.SSEKMSKeyId, c.SSECustomerKey)
	out, err := b.Bodies.PutObject(ctx, &c)
	if err != nil {
		return nil, err
	}
	w.version.Size, w.version.ETag = aws.ToInt64(in.ContentLength), aws.ToString(out.ETag)
	w.version.Checksum, w.version.Redirect = checksumOf(out, out.ChecksumType), aws.ToString(in.WebsiteRedirectLocation)
	w.encrypted(out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled)
	row, err := w.commit(ctx, in.IfMatch, in.IfNoneMatch)
	if err != nil {
		return nil, err
	}
	answer := *out
	answer.VersionId = aws.String(row.Version.ID.String())
	return &answer, nil
}

// bodyPolicy applies to a body what the place of versions is configured to; customer is its key of SSE-C.
func (b *bucket) bodyPolicy(class *types.StorageClass, sse *types.ServerSideEncryption, key **string, customer *string) {
	if b.BodyClass != "" {
		*class = b.BodyClass
	}
	if b.BodyKMSKeyID != "" && customer == nil {
		*sse, *key = types.ServerSideEncryptionAwsKms, aws.String(b.BodyKMSKeyID)
	}
}

// checksumOf is the checksum in an output of the SDK's.
func checksumOf(out any, kind types.ChecksumType) backends.Checksum {
	for _, a := range checksum.All() {
		if v := checksum.Get(out, a); v != nil {
			return backends.Checksum{Algorithm: a, Type: kind, Value: *v}
		}
	}
	return backends.Checksum{}
}

// partsOf is how many parts an object of that ETag was made of; 0 when it was not.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
func partsOf(etag string) int32 {
	_, count, ok := strings.Cut(strings.Trim(etag, `"`), "-")
	n, err := strconv.ParseInt(count, 10, 32)
	if !ok || err != nil {
		return 0
	}
	return int32(n)
}

// errGone is for the operator: what was just written is not there.
var errGone = errors.New("the store does not have what it has just stored")

// measure completes a version from its body, for writes whose answer does not say all. It may have been written with the
// customer's key k.
func (w *write) measure(ctx context.Context, k backends.CustomerKey) error {
	out, err := w.headBody(ctx, k)
	if s3err.Is(err, s3err.NoSuchKey) {
		return s3err.New(s3err.InternalError).Because(fmt.Errorf("%s: %w", *w.key(), errGone))
	}
	if err != nil {
		return err
	}
	if w.upload {
		if err := w.takeTags(ctx, out.TagCount); err != nil {
			return err
		}
	}
	w.made = aws.ToTime(out.LastModified)
	if out.SSECustomerAlgorithm != nil && out.Metadata == nil { // A listing has told.
		sum := w.version.Checksum
		defer func() { w.version.Checksum = sum }()
		w.version.StorageClass = out.StorageClass
	}
	Measure(&w.version, out)
	if m, ok := ReadMark(out.Metadata); ok {
		w.version.StorageClass = m.StorageClass
		m.Lock.On(&w.version)
	}
	return nil
}

// headBody asks for the headers of the body.
func (w *write) headBody(ctx context.Context, k backends.CustomerKey) (*s3.HeadObjectOutput, error) {
	in := &s3.HeadObjectInput{Key: w.key(), ChecksumMode: types.ChecksumModeEnabled}
	if k.Given() {
		with := *in
		with.SSECustomerAlgorithm, with.SSECustomerKey, with.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
		if out, err := w.b.Bodies.HeadObject(ctx, &with); err == nil {
			return out, nil
		}
	}
	return backends.HeadKeyless(ctx, w.b.Bodies, in)
}
