package overlay

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Locate implements [backends.Locator]. An object that neither place has is
// looked for in the new one, to be told so.
func (o *overlay) Locate(ctx context.Context, src backends.CopySource) (backends.Source, error) {
	in := backends.Source{Backend: o.New, CopySource: src}
	w := wanted{bucket: &src.Bucket, key: &src.Key}
	if src.VersionID != "" {
		w.versionID = &src.VersionID
	}
	_, err := backends.HeadKeyless(ctx, o.New, &s3.HeadObjectInput{Bucket: w.bucket, Key: w.key, VersionId: w.versionID})
	if w.versionID != nil && s3err.Is(err, s3err.MethodNotAllowed) {
		return in, nil // The new place has the words for copies of delete markers.
	}
	if maybe, failed := o.maybeOld(ctx, w, err); failed != nil || !maybe {
		return in, firstError(failed, err)
	}
	old, failed := o.old(ctx, &src.Bucket, &src.Key)
	switch {
	case old != nil:
		in.Backend, in.VersionID, in.Shown = o.Old, "", aws.ToString(o.shownVersion(nil))
		return in, nil
	case failed == nil && unfit(err):
		return in, err
	}
	return in, failed
}

// CopyObject implements [backends.ObjectWriter].
func (o *overlay) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	return backends.CopyObject(ctx, o, backends.Source{Backend: o, CopySource: src}, in)
}

// ImportObject implements [backends.ObjectImporter].
func (o *overlay) ImportObject(ctx context.Context, src backends.Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	if err := o.checkOntoItself(ctx, src, in); err != nil {
		return nil, err
	}
	w := write{in.Bucket, in.Key, in.IfMatch, in.IfNoneMatch}
	return guarded(ctx, o, w, func() (*s3.CopyObjectOutput, error) { return backends.CopyObject(ctx, o.New, src, in) })
}

// checkOntoItself judges a copy of an object of the old place onto itself, which the
// new place, where it arrives, cannot recognise as such.
func (o *overlay) checkOntoItself(ctx context.Context, src backends.Source, in *s3.CopyObjectInput) error {
	here := backends.CopySource{Bucket: aws.ToString(in.Bucket), Key: aws.ToString(in.Key), VersionID: src.VersionID}
	old, err := backends.Source{Backend: o.Old, CopySource: here}.Located(ctx)
	if absent(err) || err == nil && (old.Backend != src.Backend || old.CopySource != src.CopySource) {
		return nil
	}
	if err != nil {
		return err
	}
	head, err := o.old(ctx, in.Bucket, in.Key)
	if err != nil || head == nil {
		return err
	}
	return backends.CheckCopy(metaOf(head), true, in)
}

// UploadPartCopy implements [backends.MultipartUploader].
func (u *uploads) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return backends.UploadPartCopy(ctx, u, backends.Source{Backend: u, CopySource: src}, in)
}

// ImportPart implements [backends.PartImporter].
func (u *uploads) ImportPart(ctx context.Context, src backends.Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return backends.UploadPartCopy(ctx, u.New, src, in)
}
