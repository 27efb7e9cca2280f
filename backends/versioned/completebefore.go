package versioned

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// An upload that began before the bucket had versions is one to the plain place, where the head is. Some stores
// can complete it to the place of versions ([backends.UploadPlacer]). With the others it is completed where it is, and
// copied: the head then shows for a while what is no version yet, so that first nobody must be looking for
// anything there. What breaks off is gone on with when the upload is completed again.

// nameBytes is how much of a hash names an upload, or its parts.
const nameBytes = 9

// shortHash is a hash as text.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:nameBytes])
}

// uploadName names an upload from before in bodies and rows. Ids of stores can be long.
func uploadName(id *string) string { return shortHash("upload\x00" + aws.ToString(id)) }

// completion names an upload from before and the parts that it is completed of.
func completion(in *s3.CompleteMultipartUploadInput) string {
	var parts strings.Builder
	if in.MultipartUpload != nil {
		for _, p := range in.MultipartUpload.Parts {
			fmt.Fprintf(&parts, "%d %s\n", aws.ToInt32(p.PartNumber), strings.Trim(aws.ToString(p.ETag), `"`))
		}
	}
	return uploadName(in.UploadId) + shortHash(parts.String())
}

// isGone reports whether the store has no such upload from before.
func (u *uploads) isGone(ctx context.Context, c *s3.CompleteMultipartUploadInput) (bool, error) {
	_, err := u.plain.ListParts(ctx, &s3.ListPartsInput{Key: c.Key, UploadId: c.UploadId, MaxParts: aws.Int32(1)})
	if s3err.Is(err, s3err.NoSuchUpload) {
		return true, nil
	}
	return false, err
}

// completeBefore makes the body of an upload from before.
func (u *uploads) completeBefore(ctx context.Context, w *write, c *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	leave, err := u.Door.Enter(ctx)
	if err != nil {
		return nil, err
	}
	leave() // until the commit
	gone, err := u.isGone(ctx, c)
	if err != nil {
		return nil, err
	}
	if gone {
		return u.goOn(ctx, w, c)
	}
	at, err := u.locatePlacer(ctx, w)
	if err != nil {
		return nil, err
	}
	complete := u.completePlain
	if at != nil {
		complete = at.complete
	}
	out, err := complete(ctx, w, c)
	if s3err.Is(err, s3err.NoSuchUpload) { // Somebody else has completed it meanwhile.
		return u.goOn(ctx, w, c)
	}
	return out, err
}

// placer is a store that can complete an upload to the place of versions.
type placer struct {
	*uploads
	store backends.UploadPlacer
	plain backends.CopySource // where the upload is
}

// locatePlacer returns the store when it can, and both places are in one bucket of it; else nil.
func (u *uploads) locatePlacer(ctx context.Context, w *write) (*placer, error) {
	plain, err := backends.Source{Backend: u.Heads, CopySource: backends.CopySource{Key: w.head.Key}}.Located(ctx)
	if err != nil {
		return nil, err
	}
	store, ok := backends.As[backends.UploadPlacer](plain.Backend)
	if !ok {
		return nil, nil
	}
	body, err := backends.Source{Backend: u.Bodies, CopySource: backends.CopySource{Key: *w.key()}}.Located(ctx)
	if err != nil || body.Backend != plain.Backend || body.Bucket != plain.Bucket {
		return nil, err
	}
	return &placer{u, store, plain.CopySource}, nil
}

// complete makes the body.
func (p *placer) complete(ctx context.Context, w *write, c *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	if err := w.takeSlot(ctx); err != nil {
		return nil, err
	}
	body, err := backends.Source{Backend: p.Bodies, CopySource: backends.CopySource{Key: *w.key()}}.Located(ctx)
	if err != nil {
		return nil, err
	}
	in := *c
	in.Bucket, in.Key = &p.plain.Bucket, &p.plain.Key
	return p.store.CompleteUploadAt(ctx, &in, body.Key, marked(nil, w.mark()))
}

// takeSlot takes the slot of a version whose write began without one. If a crash leaves a copy of it unfinished, that is listed as
// an upload: so it has an upload's version.
func (w *write) takeSlot(ctx context.Context) error {
	s, err := versions.NextSlot(ctx, w.b.Index, versions.Slot{Object: w.head.Object, N: w.head.Top.State.NextN, Taken: w.began})
	w.version.ID = w.b.uploadVersion(w.head.Object, s.N)
	return err
}

// completePlain completes an upload where it is, and copies the object to be the body.
func (u *uploads) completePlain(ctx context.Context, w *write, c *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	if err := u.clearPlain(ctx, w); err != nil {
		return nil, err
	}
	out, err := through(ctx, u.Door, func() (*s3.CompleteMultipartUploadOutput, error) {
		return u.plain.CompleteMultipartUpload(ctx, c)
	})
	if err != nil {
		return nil, err
	}
	return &s3.CompleteMultipartUploadOutput{}, u.copyPlain(ctx, w, aws.ToString(out.ETag))
}

// clearPlain sees to it that nobody looks for what is current at the plain place, unless it has the mark of that. A
// row says so: whoever has decided otherwise decides again.
func (u *uploads) clearPlain(ctx context.Context, w *write) error {
	row, _, err := u.change(ctx, w.head, func(top versions.Row) (versions.Row, error) {
		v := top.State.Current
		switch {
		case top.Seq == 0:
			return versions.Known(u.event(ctx)), nil
		case v == nil || !v.Plain:
			return top, nil
		}
		if err := u.keep(ctx, w.head.Object, top, false); err != nil {
			return top, err
		}
		kept := *v
		kept.Plain = false
		return versions.Amend(top, kept, u.event(ctx)), nil
	})
	if err == nil {
		w.head.Top = row
	}
	return err
}

// errOverwritten is for the operator.
var errOverwritten = errors.New("the upload began before the bucket had versions, and was written over while it was completed")

// copyPlain makes a body of what an upload has become at the plain place, which has that ETag. The
// copy has the same parts, and so the same ETag, in stores that have S3's.
func (u *uploads) copyPlain(ctx context.Context, w *write, etag string) error {
	key := &w.head.Key
	w.plainETag = etag
	head, err := backends.HeadKeyless(ctx, u.Heads, &s3.HeadObjectInput{Key: key, ChecksumMode: types.ChecksumModeEnabled})
	if err == nil && aws.ToString(head.ETag) != etag {
		err = s3err.New(s3err.PreconditionFailed)
	}
	if err != nil {
		return overwritten(err)
	}
	if err := w.takeSlot(ctx); err != nil {
		return err
	}
	if head.SSECustomerAlgorithm != nil {
		return errCannotKeep()
	}
	w.version.StorageClass, w.version.Encryption = head.StorageClass, encryptionOf(head)
	src, err := backends.Source{Backend: u.Heads, CopySource: backends.CopySource{Key: *key}}.Located(ctx)
	if err != nil {
		return err
	}
	in := &s3.CopyObjectInput{
		Key: w.key(), MetadataDirective: types.MetadataDirectiveReplace, CopySourceIfMatch: &etag, StorageClass: head.StorageClass,
		TaggingDirective: types.TaggingDirectiveReplace, WebsiteRedirectLocation: head.WebsiteRedirectLocation,
	}
	tags, err := backends.StoredTags(ctx, u.plainSource(*key), head.TagCount)
	if err != nil {
		return overwritten(err)
	}
	in.Tagging = backends.EncodeTags(tags) // See takeTags.
	if err := takeHeaders(ctx, in, src); err != nil {
		return overwritten(err)
	}
	in.Metadata = marked(in.Metadata, w.mark())
	in.ServerSideEncryption, in.SSEKMSKeyId = head.ServerSideEncryption, head.SSEKMSKeyId
	u.bodyPolicy(&in.StorageClass, &in.ServerSideEncryption, &in.SSEKMSKeyId, nil)
	parts := &versions.Version{
		Size: aws.ToInt64(head.ContentLength), Parts: partsOf(etag), Checksum: checksumOf(head, head.ChecksumType),
	}
	return overwritten(copyKept(ctx, u.Bodies, src, in, parts))
}

// overwritten is the error when what an upload has become is not there any more: a write to the same key was
// committed meanwhile, and its head shown. For the client there is no such upload.
func overwritten(err error) error {
	if s3err.Is(err, s3err.NoSuchKey) || s3err.Is(err, s3err.PreconditionFailed) {
		return s3err.New(s3err.NoSuchUpload).Because(fmt.Errorf("%w: %w", errOverwritten, err))
	}
	return err
}

// goOn goes on with an upload from before that is no more in the store: somebody has begun to complete it. Either it is
// a version by now, or its body is there, or what it has become at the plain place.
func (u *uploads) goOn(ctx context.Context, w *write, c *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	var err error
	if w.head.Top, err = u.Index.Top(ctx, w.head.Object); err != nil {
		return nil, err
	}
	done, err := u.completed(ctx, w.head, &w.version)
	if err != nil {
		return nil, err
	}
	if done != nil { // The commit will find it, too.
		w.version.ID = done.ID
		return &s3.CompleteMultipartUploadOutput{}, nil
	}
	left, err := u.leftBody(ctx, w.head.Object, w.version.UploadID)
	if err != nil {
		return nil, err
	}
	if left != nil {
		w.version.ID, w.version.By = left.ID, left.By
		w.version.ID.Null = u.newID(0).Null
		return &s3.CompleteMultipartUploadOutput{}, nil
	}
	etag := backends.PartsETag(c)
	head, err := backends.HeadKeyless(ctx, u.Heads, &s3.HeadObjectInput{Key: c.Key})
	if err != nil && !s3err.Is(err, s3err.NoSuchKey) {
		return nil, err
	}
	// Without a row nobody has begun: it is an object that was written past the proxy.
	if err != nil || w.head.Top.Seq == 0 || etag == "" || aws.ToString(head.ETag) != etag || !maybeUpload(head.Metadata, head.ETag) {
		return nil, s3err.New(s3err.NoSuchUpload)
	}
	return &s3.CompleteMultipartUploadOutput{}, u.copyPlain(ctx, w, etag)
}

// maybeUpload reports whether an object at the plain place may have been made by an upload from before: it
// has no mark, and the ETag of a multipart object.
func maybeUpload(metadata map[string]string, etag *string) bool {
	_, isMarked := ReadMark(metadata)
	return !isMarked && partsOf(aws.ToString(etag)) > 0
}

// maxLeft is how many slots back a body is looked for that an attempt to complete has left.
const maxLeft = 1000

// leftBody finds the body of an upload from before that is no version yet, by the beginning of its name; nil when there is none.
func (u *uploads) leftBody(ctx context.Context, o versions.Object, name string) (*Mark, error) {
	last, err := u.Index.LastSlot(ctx, o)
	if err != nil || last < 0 {
		return nil, err
	}
	slots, err := u.Index.Slots(ctx, versions.Slot{Object: o, N: max(0, last-maxLeft+1)}, maxLeft)
	if err != nil {
		return nil, err
	}
	for _, s := range slices.Backward(slots) {
		if s.Object != o {
			continue
		}
		about, err := u.Index.Find(ctx, o, s.N)
		if err != nil {
			return nil, err
		}
		if about.Seq > 0 {
			continue
		}
		head, err := backends.HeadKeyless(ctx, u.Bodies, &s3.HeadObjectInput{Key: aws.String(u.body(o.Key, versions.VersionID{N: s.N}))})
		if err != nil && !s3err.Is(err, s3err.NoSuchKey) {
			return nil, err
		}
		if err == nil {
			if m, ok := ReadMark(head.Metadata); ok && strings.HasPrefix(m.Upload, name) {
				return &m, nil
			}
		}
	}
	return nil, nil
}

// abortLeft leaves to the sweeper what an upload from before has become that is no version, and reports whether there is such a
// body. To the client it is unfinished.
func (u *uploads) abortLeft(ctx context.Context, o versions.Object, name string) (bool, error) {
	left, err := u.leftBody(ctx, o, name)
	if err != nil || left == nil {
		return false, err
	}
	_, err = u.Index.MarkSlot(ctx, versions.Slot{Object: o, N: left.ID.N}, u.Now())
	return true, err
}

// pageOfRows is how many rows are read at once.
const pageOfRows = 1000

// madeByBefore finds the version that was made of an upload from before; nil when there was none at the top row of h.
func (b *bucket) madeByBefore(ctx context.Context, h versions.Head, name string) (*versions.Version, error) {
	for before := h.Top.Seq + 1; before > 1; {
		rows, err := b.Index.Rows(ctx, h.Object, before, pageOfRows)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if rows[i].Version.UploadID == name {
				return &rows[i].Version, nil
			}
			before = rows[i].Seq
		}
		if len(rows) < pageOfRows {
			return nil, nil
		}
	}
	return nil, nil
}
