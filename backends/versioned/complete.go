package versioned

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// CompleteMultipartUpload implements [backends.MultipartUploader]. It can break off between the store's
// part of it and the commit: then it is completed again, and finds the body.
func (u *uploads) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	c := *in
	e, err := u.enter(&c.Key, &c.UploadId)
	if err != nil {
		return nil, err
	}
	h, err := u.top(ctx, u.object(in.Key))
	if err != nil {
		return nil, err
	}
	w := &write{b: u.bucket, head: h, began: u.Now(), upload: true, version: versions.Version{ID: e.version, By: by(ctx)}}
	w.version.ETag = backends.PartsETag(in)
	makeBody := u.completeBody
	if e.before {
		w.version.UploadID, makeBody = completion(in), u.completeBefore
	}
	switch done, err := u.answered(ctx, w, &c); {
	case err != nil:
		return nil, err
	case done != nil:
		if e.before { // Whoever completed it may have got no further.
			u.settle(ctx, h.Object, h.Top)
		}
		return answerComplete(in, &s3.CompleteMultipartUploadOutput{}, done), nil
	}
	if err := backends.CheckWrite(h.Top.State.Current.Meta(), in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	c.IfMatch, c.IfNoneMatch = nil, nil
	out, err := makeBody(ctx, w, &c)
	if err != nil {
		return nil, err
	}
	w.version.Checksum = checksumOf(out, out.ChecksumType)
	if err := w.measure(ctx, backends.CustomerKey{Algorithm: in.SSECustomerAlgorithm, Key: in.SSECustomerKey, MD5: in.SSECustomerKeyMD5}); err != nil {
		return nil, err
	}
	if err := u.checkSwept(ctx, w); err != nil {
		return nil, err
	}
	row, err := w.commit(ctx, in.IfMatch, in.IfNoneMatch)
	if err != nil {
		return nil, err
	}
	return answerComplete(in, out, row.State.Current), nil
}

// completeBody makes the body of the parts. When it was made before, and nobody knows of it, that is as good.
func (u *uploads) completeBody(ctx context.Context, w *write, c *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	out, err := u.below.CompleteMultipartUpload(ctx, c)
	if !s3err.Is(err, s3err.NoSuchUpload) {
		return out, err
	}
	etag := backends.PartsETag(c)
	head, e := backends.HeadKeyless(ctx, u.Bodies, &s3.HeadObjectInput{Key: c.Key})
	if e != nil || etag == "" || aws.ToString(head.ETag) != etag || head.SSECustomerAlgorithm == nil && !names(head.Metadata, &w.version) {
		return nil, err
	}
	return &s3.CompleteMultipartUploadOutput{ETag: &etag}, nil
}

// checkSwept refuses to complete an upload whose body was left behind by an earlier attempt and is about to be
// swept. A body that is young by the store's clock cannot have been seen so long ago.
func (u *uploads) checkSwept(ctx context.Context, w *write) error {
	now := u.Now()
	if now.Sub(w.made) < versions.KeepDead/2 {
		return nil
	}
	seen, err := u.Index.MarkSlot(ctx, versions.Slot{Object: w.head.Object, N: w.version.ID.N}, now)
	if err == nil && now.Sub(seen) > versions.KeepDead-2*maxUncommitted {
		err = s3err.New(s3err.NoSuchUpload)
	}
	return err
}

// answered returns the version that was made when the upload was completed before; nil when it was not.
func (u *uploads) answered(ctx context.Context, w *write, c *s3.CompleteMultipartUploadInput) (*versions.Version, error) {
	done, err := u.completed(ctx, w.head, &w.version)
	if done != nil || err != nil || w.version.UploadID == "" {
		return done, err
	}
	v := w.head.Top.State.Current
	if v.Meta() == nil || !v.Plain || v.ETag != w.version.ETag {
		return nil, nil
	}
	if gone, err := u.isGone(ctx, c); !gone { // It may have been completed before the bucket had versions.
		return nil, err
	}
	return v, nil
}

// completed returns the version that was made of the upload that v would be made of; nil when there was none at the
// top row of h. When it is not current any more, or was made of other parts, the upload is gone.
func (b *bucket) completed(ctx context.Context, h versions.Head, v *versions.Version) (*versions.Version, error) {
	about, err := b.madeBy(ctx, h, v)
	if err != nil || about == nil {
		return nil, err
	}
	current := h.Top.State.Current
	if !about.Is(current) || v.UploadID == "" && current.ETag != v.ETag {
		return nil, s3err.New(s3err.NoSuchUpload)
	}
	return current, nil
}

// madeBy finds that version, current or not.
func (b *bucket) madeBy(ctx context.Context, h versions.Head, v *versions.Version) (*versions.Version, error) {
	if v.UploadID != "" {
		return b.madeByBefore(ctx, h, v.UploadID)
	}
	about, err := b.Index.Find(ctx, h.Object, v.ID.N)
	if err != nil || about.Seq == 0 || about.Seq > h.Top.Seq {
		return nil, err
	}
	if about.Version.ID.Nonce != v.ID.Nonce {
		return nil, s3err.New(s3err.NoSuchUpload) // It is a copy by parts of an object from before, and not the client's.
	}
	return &about.Version, nil
}

// answerComplete is what is said of the version that was made.
func answerComplete(in *s3.CompleteMultipartUploadInput, out *s3.CompleteMultipartUploadOutput, v *versions.Version) *s3.CompleteMultipartUploadOutput {
	answer := *out
	answer.Key, answer.ETag, answer.VersionId = in.Key, &v.ETag, aws.String(v.ID.String())
	if v.Checksum.SetOn(&answer) {
		answer.ChecksumType = v.Checksum.Type
	}
	return &answer
}
