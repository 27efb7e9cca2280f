package backends

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// ReadConditions are the conditions on an object that is read; nil means absent.
type ReadConditions struct {
	IfMatch, IfNoneMatch               *string
	IfModifiedSince, IfUnmodifiedSince *time.Time
}

// CheckRead judges the conditions of a GetObject or HeadObject on an object
// that exists: PreconditionFailed when If-Match or, without it,
// If-Unmodified-Since does not hold; then NotModified when If-None-Match or,
// without it, If-Modified-Since does not. Both carry details for the answer:
// the one the name of the condition, the other ETag and Last-Modified, which
// RFC 7232 wants as headers of a 304.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax
func CheckRead(m *ObjectMeta, c ReadConditions) error {
	switch failed := c.failed(m); failed {
	case "":
		return nil
	case ifMatch, ifUnmodifiedSince:
		return preconditionFailed(failed)
	default:
		return s3err.New(s3err.NotModified).
			With("ETag", m.ETag).With("Last-Modified", httpDate(&m.LastModified))
	}
}

// CheckCopySource judges the CopySourceIf* conditions: as [CheckRead], but
// there is no NotModified, only PreconditionFailed.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func CheckCopySource(m *ObjectMeta, c ReadConditions) error {
	if failed := c.failed(m); failed != "" {
		return preconditionFailed("x-amz-copy-source-" + failed)
	}
	return nil
}

// The conditions by the names that S3's error documents have for them.
const (
	ifMatch           = "If-Match"
	ifNoneMatch       = "If-None-Match"
	ifModifiedSince   = "If-Modified-Since"
	ifUnmodifiedSince = "If-Unmodified-Since"
)

// failed names the first condition that does not hold, in the order of RFC 7232 §6.
func (c ReadConditions) failed(m *ObjectMeta) string {
	modified := *shown(m.LastModified)
	switch {
	case c.IfMatch != nil:
		if !matchETag(*c.IfMatch, m.ETag) {
			return ifMatch
		}
	case c.IfUnmodifiedSince != nil && modified.After(*shown(*c.IfUnmodifiedSince)):
		return ifUnmodifiedSince
	}
	switch {
	case c.IfNoneMatch != nil:
		if matchETag(*c.IfNoneMatch, m.ETag) {
			return ifNoneMatch
		}
	case c.IfModifiedSince != nil && !modified.After(*shown(*c.IfModifiedSince)):
		return ifModifiedSince
	}
	return ""
}

// CheckWrite judges the conditions of a PutObject, CompleteMultipartUpload or
// CopyObject on the object that it would replace; existing is nil when there
// is none: NoSuchKey for If-Match on a missing object, else
// PreconditionFailed. If-None-Match knows "*" only.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func CheckWrite(existing *ObjectMeta, match, noneMatch *string) error {
	if noneMatch != nil && strings.TrimSpace(*noneMatch) != "*" {
		return s3err.New(s3err.NotImplemented).With("Header", ifNoneMatch)
	}
	if match != nil {
		if existing == nil {
			return s3err.New(s3err.NoSuchKey)
		}
		if !matchETag(*match, existing.ETag) {
			return preconditionFailed(ifMatch)
		}
	}
	if noneMatch != nil && existing != nil {
		return preconditionFailed(ifNoneMatch)
	}
	return nil
}

// CheckDelete judges the conditions of a DeleteObject; existing is nil when
// there is no such object: then If-Match is NoSuchKey and the others hold.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
func CheckDelete(existing *ObjectMeta, in *s3.DeleteObjectInput) error {
	if existing == nil {
		if in.IfMatch != nil {
			return s3err.New(s3err.NoSuchKey)
		}
		return nil
	}
	switch {
	case in.IfMatch != nil && !matchETag(*in.IfMatch, existing.ETag):
		return preconditionFailed(ifMatch)
	case in.IfMatchLastModifiedTime != nil &&
		!shown(*in.IfMatchLastModifiedTime).Equal(*shown(existing.LastModified)):
		return preconditionFailed("x-amz-if-match-last-modified-time")
	case in.IfMatchSize != nil && *in.IfMatchSize != existing.Size:
		return preconditionFailed("x-amz-if-match-size")
	}
	return nil
}

// CheckAbort judges IfMatchInitiatedTime: PreconditionFailed for an upload that was initiated at another second.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
func CheckAbort(initiated time.Time, in *s3.AbortMultipartUploadInput) error {
	if in.IfMatchInitiatedTime != nil && !shown(*in.IfMatchInitiatedTime).Equal(*shown(initiated)) {
		return preconditionFailed("x-amz-if-match-initiated-time")
	}
	return nil
}

// preconditionFailed names the condition, as S3's error document does.
func preconditionFailed(condition string) error {
	return s3err.New(s3err.PreconditionFailed).With("Condition", condition)
}

// matchETag reports whether a condition's list of ETags has etag or is "*".
// Clients leave quotes out, and intermediaries that compress make ETags weak;
// S3 takes both.
func matchETag(list, etag string) bool {
	etag = bareETag(etag)
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item == "*" || bareETag(item) == etag {
			return true
		}
	}
	return false
}

// bareETag strips what may be around the characters of an ETag.
func bareETag(etag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(etag), "W/"), `"`)
}

// GetConditions are the conditions of in.
func GetConditions(in *s3.GetObjectInput) ReadConditions {
	return ReadConditions{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince}
}

// CopyConditions are the conditions of in on its source.
func CopyConditions(in *s3.CopyObjectInput) ReadConditions {
	return ReadConditions{
		in.CopySourceIfMatch, in.CopySourceIfNoneMatch,
		in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince,
	}
}

// PartCopyConditions are the conditions of in on its source.
func PartCopyConditions(in *s3.UploadPartCopyInput) ReadConditions {
	return ReadConditions{
		in.CopySourceIfMatch, in.CopySourceIfNoneMatch,
		in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince,
	}
}
