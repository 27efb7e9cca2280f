package s3backend

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// PutObject implements [backends.ObjectWriter].
func (b *Backend) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	can := b.can.Load()
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	if err := refuseConditions(in.IfMatch, in.IfNoneMatch, can.PutIfMatch, can.PutIfAbsent); err != nil {
		return nil, err
	}
	if err := b.checkClass(in.StorageClass); err != nil {
		return nil, err
	}
	if err := b.checkTagging(in.Tagging); err != nil {
		return nil, err
	}
	key := backends.PutKey(in)
	if err := b.checkEncryption(in.ServerSideEncryption, key); err != nil {
		return nil, err
	}
	u, err := b.newUpload(ctx, backends.NewBody(in.Body, in.ContentLength), in.ChecksumAlgorithm, in)
	if err != nil {
		return nil, err
	}
	c := *in
	c.Body, c.ContentLength, c.ContentMD5 = nil, nil, nil
	c.ChecksumAlgorithm, c.Tagging = "", optional(value(in.Tagging))
	checksum.Clear(&c)
	out, err := b.client.PutObject(ctx, &c, u.options, b.writing(u, in.IfMatch, in.IfNoneMatch))
	if err == nil {
		err = encrypted(in.ServerSideEncryption, key, said{&out.ServerSideEncryption, &out.SSECustomerAlgorithm, &out.SSECustomerKeyMD5})
	}
	if err != nil {
		return nil, writeError(b.uploadError(ctx, "PutObject", u, err), in.IfMatch, in.IfNoneMatch)
	}
	u.answer(out)
	if u.algorithm != "" {
		out.ChecksumType = types.ChecksumTypeFullObject
	}
	return out, nil
}

// uploadError is the error of a call with a body: the body's own, if it has one.
func (b *Backend) uploadError(ctx context.Context, operation string, u *upload, err error) error {
	if err := u.err(); err != nil {
		return err
	}
	return b.fail(ctx, operation, err)
}

// answer completes an SDK output with the checksum that the service verified
// but does not repeat, and leaves out others.
func (u *upload) answer(out any) {
	if u.algorithm == "" {
		return
	}
	if sum := u.sent(); sum != "" {
		checksum.Clear(out)
		checksum.Set(out, u.algorithm, &sum)
	}
}

// refuseConditions refuses those that the service would overlook: it must not
// be asked to write then.
func refuseConditions(match, noneMatch *string, canMatch, canAbsent bool) error {
	switch {
	case match != nil && !canMatch:
		return cannot("The storage of this bucket has no conditional writes.", "If-Match")
	case noneMatch != nil && !canAbsent:
		return cannot("The storage of this bucket has no conditional writes.", "If-None-Match")
	}
	return nil
}

// writeError names the condition that a write was refused for, when there is one.
func writeError(err error, match, noneMatch *string) error {
	if !s3err.Is(err, s3err.PreconditionFailed) {
		return err
	}
	e := s3err.From(err)
	switch {
	case match != nil && noneMatch == nil:
		return e.With("Condition", "If-Match")
	case noneMatch != nil && match == nil:
		return e.With("Condition", "If-None-Match")
	}
	return err
}

// DeleteObject implements [backends.ObjectWriter].
func (b *Backend) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	can := b.can.Load()
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	if err := refuseConditions(in.IfMatch, nil, can.DeleteIfMatch, true); err != nil {
		return nil, err
	}
	if in.IfMatchLastModifiedTime != nil || in.IfMatchSize != nil {
		if !can.DeleteIfUnchanged {
			return nil, cannot("The storage of this bucket has no such conditional deletions.", "x-amz-if-match-size, x-amz-if-match-last-modified-time")
		}
	}
	option := b.again
	if in.IfMatch != nil || in.IfMatchLastModifiedTime != nil || in.IfMatchSize != nil {
		option = b.once
	}
	out, err := b.client.DeleteObject(ctx, in, option)
	if err != nil {
		err = writeError(b.fail(ctx, "DeleteObject", err), in.IfMatch, nil)
		if in.IfMatch == nil && s3err.Is(err, s3err.NoSuchKey) {
			return &s3.DeleteObjectOutput{}, nil
		}
		return nil, err
	}
	return out, nil
}

// DeleteObjects implements [backends.ObjectWriter].
func (b *Backend) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	if in.Delete == nil || len(in.Delete.Objects) == 0 {
		return &s3.DeleteObjectsOutput{}, nil
	}
	for i := range in.Delete.Objects {
		if !b.plain(&in.Delete.Objects[i]) {
			return backends.DeleteEach(ctx, b, in)
		}
	}
	c := *in
	c.Delete = &types.Delete{Objects: in.Delete.Objects}
	c.ChecksumAlgorithm = ""
	out, err := b.client.DeleteObjects(ctx, &c, b.again)
	if err != nil {
		return nil, b.fail(ctx, "DeleteObjects", err)
	}
	return reported(in.Delete.Objects, out), nil
}

// plain reports whether an object can be named in a document: without
// conditions, which services judge in DeleteObject only, and without
// characters that XML has not, for which SDKs put others.
func (b *Backend) plain(o *types.ObjectIdentifier) bool {
	if o.ETag != nil || o.Size != nil || o.LastModifiedTime != nil || o.Key == nil || b.checkKey(o.Key) != nil {
		return false
	}
	return inXML(*o.Key)
}

// reported is the service's report in the order in which objects were named.
func reported(objects []types.ObjectIdentifier, below *s3.DeleteObjectsOutput) *s3.DeleteObjectsOutput {
	type id struct{ key, version string }
	deleted, failed := map[id]types.DeletedObject{}, map[id]types.Error{}
	for _, d := range below.Deleted {
		deleted[id{value(d.Key), value(d.VersionId)}] = d
	}
	for _, e := range below.Errors {
		failed[id{value(e.Key), value(e.VersionId)}] = e
	}
	out := &s3.DeleteObjectsOutput{}
	for _, o := range objects {
		name := id{value(o.Key), value(o.VersionId)}
		if d, ok := deleted[name]; ok {
			out.Deleted = append(out.Deleted, d)
			continue
		}
		e := s3err.New(s3err.InternalError)
		if f, ok := failed[name]; ok {
			if value(f.Code) == string(s3err.NoSuchKey) {
				out.Deleted = append(out.Deleted, types.DeletedObject{Key: o.Key, VersionId: o.VersionId})
				continue
			}
			e = s3err.New(answeredCode(http.StatusForbidden, value(f.Code)))
		}
		code := string(e.Code)
		out.Errors = append(out.Errors, types.Error{Key: o.Key, VersionId: o.VersionId, Code: &code, Message: &e.Message})
	}
	return out
}

// value is *s, and empty for nil.
func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
