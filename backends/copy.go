package backends

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// MaxCopySize is the size of the largest object that CopyObject copies, and
// of the largest part.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
const MaxCopySize = 5 << 30

// CheckCopy judges a CopyObject of an object: its key, the conditions on it, its
// size, and, when onto itself, whether anything changes.
func CheckCopy(src *ObjectMeta, ontoItself bool, in *s3.CopyObjectInput) error {
	if err := src.Encryption.CheckKey(CopySourceKey(in)); err != nil {
		return err
	}
	if err := CheckCopySource(src, CopyConditions(in)); err != nil {
		return err
	}
	if src.Size > MaxCopySize {
		return copySourceTooLarge()
	}
	if ontoItself && !changes(src, in) {
		return UnchangedCopy()
	}
	return nil
}

// UnchangedCopy refuses a copy of an object onto itself that changes nothing.
func UnchangedCopy() *s3err.Error {
	return s3err.Newf(s3err.InvalidRequest,
		"This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
}

// changes reports whether in names anything that may be different in the
// copy. S3 does not compare: clients copy an object onto itself with its own
// storage class to renew its date.
func changes(src *ObjectMeta, in *s3.CopyObjectInput) bool {
	return in.MetadataDirective == types.MetadataDirectiveReplace ||
		in.StorageClass != "" ||
		in.WebsiteRedirectLocation != nil ||
		in.ServerSideEncryption != "" || in.SSECustomerKey != nil || src.Encryption.Customer != "" ||
		in.ChecksumAlgorithm != "" && in.ChecksumAlgorithm != src.Checksum.Algorithm
}

// CheckPartCopy judges an UploadPartCopy of an object, and returns the bytes
// that become the part.
func CheckPartCopy(src *ObjectMeta, in *s3.UploadPartCopyInput) (Span, error) {
	if err := src.Encryption.CheckKey(PartCopySourceKey(in)); err != nil {
		return Span{}, err
	}
	if err := CheckCopySource(src, PartCopyConditions(in)); err != nil {
		return Span{}, err
	}
	span := Span{Length: src.Size}
	if in.CopySourceRange != nil {
		var err error
		if span, err = ParseCopyRange(*in.CopySourceRange, src.Size); err != nil {
			return Span{}, err
		}
	}
	if span.Length > MaxCopySize {
		return Span{}, copySourceTooLarge()
	}
	return span, nil
}

// copySourceTooLarge refuses a source of more than [MaxCopySize] bytes.
func copySourceTooLarge() error {
	return s3err.Newf(s3err.InvalidRequest,
		"The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(MaxCopySize))
}
