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
	id, err := u.enter(&c.Key, &c.UploadId)
	if err != nil {
		return nil, err
	}
	h, err := u.top(ctx, u.object(in.Key))
	if err != nil {
		return nil, err
	}
	switch done, err := u.completed(ctx, h, id, backends.PartsETag(in)); {
	case err != nil:
		return nil, err
	case done != nil:
		return answerComplete(in, &s3.CompleteMultipartUploadOutput{}, done), nil
	}
	if err := backends.CheckWrite(h.Top.State.Current.Meta(), in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	c.IfMatch, c.IfNoneMatch = nil, nil
	w := &write{b: u.bucket, head: h, began: u.Now(), upload: true, version: versions.Version{ID: id, By: by(ctx)}}
	out, err := u.completeBody(ctx, w, &c)
	if err != nil {
		return nil, err
	}
	if err := w.measure(ctx); err != nil {
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
	head, e := u.Bodies.HeadObject(ctx, &s3.HeadObjectInput{Key: c.Key})
	if e != nil || etag == "" || aws.ToString(head.ETag) != etag || !names(head.Metadata, &w.version) {
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

// completed returns the version that was made of an upload; nil when there was none at the top row of h. When it
// is not current any more, or was made of other parts, the upload is gone.
func (b *bucket) completed(ctx context.Context, h versions.Head, id versions.VersionID, etag string) (*versions.Version, error) {
	about, err := b.Index.Find(ctx, h.Object, id.N)
	if err != nil || about.Seq == 0 || about.Seq > h.Top.Seq {
		return nil, err
	}
	if about.Version.ID.Nonce != id.Nonce {
		return nil, s3err.New(s3err.NoSuchUpload) // It is a copy by parts of an object from before, and not the client's.
	}
	v := h.Top.State.Current
	if !about.Version.Is(v) || v.ETag != etag {
		return nil, s3err.New(s3err.NoSuchUpload)
	}
	return v, nil
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
