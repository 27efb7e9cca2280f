package backends

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// Renamer renames objects where that is one change of metadata: at any time an object has its old name or its new one,
// and no byte of it is moved.
//
//   - The object takes everything along: LastModified, ETag, checksums, parts, tags, encryption.
//   - What had the new name is gone, as it would be with a PutObject.
//   - An object that is encrypted with a customer's key is not renamed where its key would be needed: NotImplemented.
//   - A rename within a composition that would be more than one change is NotImplemented, and nothing is done.
type Renamer interface {
	// RenameObject gives the object named from, of the same bucket, the name in.Key; in.RenameSource is not used.
	// Conditions and ClientToken as [CheckRename] judges them. NoSuchKey, NoSuchBucket.
	RenameObject(ctx context.Context, from string, in *s3.RenameObjectInput) (*s3.RenameObjectOutput, error)
}

// RenamerOf is the ability of b to rename, or one that refuses to.
func RenamerOf(b Backend) Renamer {
	if r, ok := As[Renamer](b); ok {
		return r
	}
	return staying{}
}

// staying renames nothing.
type staying struct{}

// RenameObject implements [Renamer].
func (staying) RenameObject(context.Context, string, *s3.RenameObjectInput) (*s3.RenameObjectOutput, error) {
	return nil, ErrNoRename()
}

// ErrNoRename is the error of a rename that would be more than one change.
func ErrNoRename() error {
	return s3err.Newf(s3err.NotImplemented, "RenameObject is not implemented for this bucket: the object would have to be copied.")
}

// CheckRename judges a rename of src to where dst is; both may be nil. done says that it is done already: by a request with
// the same ClientToken and the same parameters, whose object is still there. IdempotencyParameterMismatch for other
// parameters, NoSuchKey without src, else PreconditionFailed.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
func CheckRename(from string, src, dst *ObjectMeta, in *s3.RenameObjectInput) (done bool, err error) {
	if dst != nil && in.ClientToken != nil && strings.HasPrefix(dst.Renamed, *in.ClientToken+" ") {
		if dst.Renamed != RenamedBy(from, in) {
			return false, s3err.New(s3err.IdempotencyMismatch)
		}
		return true, nil
	}
	if src == nil {
		return false, s3err.New(s3err.NoSuchKey)
	}
	source := ReadConditions{in.SourceIfMatch, in.SourceIfNoneMatch, in.SourceIfModifiedSince, in.SourceIfUnmodifiedSince}
	if failed := source.failed(src); failed != "" {
		return false, preconditionFailed("x-amz-rename-source-" + failed)
	}
	if err := CheckWrite(dst, in.DestinationIfMatch, in.DestinationIfNoneMatch); err != nil {
		return false, err
	}
	return false, checkRenameDates(dst, in)
}

// checkRenameDates judges the dates that guard what is replaced: as those of reads, they yield to the conditions on ETags.
// What is not there has not been modified.
func checkRenameDates(dst *ObjectMeta, in *s3.RenameObjectInput) error {
	dates := ReadConditions{IfModifiedSince: in.DestinationIfModifiedSince, IfUnmodifiedSince: in.DestinationIfUnmodifiedSince}
	if in.DestinationIfMatch != nil {
		dates.IfUnmodifiedSince = nil
	}
	if in.DestinationIfNoneMatch != nil {
		dates.IfModifiedSince = nil
	}
	switch {
	case dst == nil && dates.IfModifiedSince != nil:
		return preconditionFailed(ifModifiedSince)
	case dst == nil:
		return nil
	}
	if failed := dates.failed(dst); failed != "" {
		return preconditionFailed(failed)
	}
	return nil
}

// RenamedBy is what an object keeps of the request that gave it its name; empty when that has no ClientToken.
func RenamedBy(from string, in *s3.RenameObjectInput) string {
	if in.ClientToken == nil {
		return ""
	}
	h := sha256.New()
	for _, s := range []*string{&from, in.Key, in.DestinationIfMatch, in.DestinationIfNoneMatch, in.SourceIfMatch, in.SourceIfNoneMatch} {
		_, _ = fmt.Fprintf(h, "%t %q\n", s != nil, value(s)) // It never fails.
	}
	for _, t := range []*time.Time{
		in.DestinationIfModifiedSince, in.DestinationIfUnmodifiedSince, in.SourceIfModifiedSince, in.SourceIfUnmodifiedSince,
	} {
		_, _ = fmt.Fprintf(h, "%s\n", httpDate(t))
	}
	return *in.ClientToken + " " + hex.EncodeToString(h.Sum(nil)[:16])
}

// RenamedMeta is an object with its new name. The upload that made it made an object of the old one.
func RenamedMeta(m ObjectMeta, from string, in *s3.RenameObjectInput) ObjectMeta {
	m.UploadID, m.Renamed = "", RenamedBy(from, in)
	return m
}
