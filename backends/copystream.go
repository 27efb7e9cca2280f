package backends

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// streamObject copies between stores: one read of the source, one write. The
// largest source of a copy is also the largest single write, so it never
// takes a multipart upload.
func streamObject(ctx context.Context, dst Backend, src Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	from, err := src.read(ctx, CopyConditions(in), CopySourceKey(in), nil)
	if err != nil {
		return nil, err
	}
	defer from.Body.Close()
	put := putOf(from, in)
	if put.Tagging, err = src.copiedTags(ctx, from, in); err != nil {
		return nil, err
	}
	out, err := dst.PutObject(ctx, put)
	if err != nil {
		return nil, err
	}
	result := &types.CopyObjectResult{
		ETag: out.ETag, ChecksumType: out.ChecksumType,
		LastModified: lastModified(ctx, dst, put, out),
	}
	checksum.Copy(result, out)
	return &s3.CopyObjectOutput{
		CopyObjectResult: result, CopySourceVersionId: from.VersionId, VersionId: out.VersionId,
		Expiration:           out.Expiration,
		ServerSideEncryption: out.ServerSideEncryption, SSEKMSKeyId: out.SSEKMSKeyId,
		SSEKMSEncryptionContext: out.SSEKMSEncryptionContext, BucketKeyEnabled: out.BucketKeyEnabled,
		SSECustomerAlgorithm: out.SSECustomerAlgorithm, SSECustomerKeyMD5: out.SSECustomerKeyMD5,
	}, nil
}

// streamPart copies between stores into a part.
func streamPart(ctx context.Context, dst MultipartUploader, src Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	from, err := src.read(ctx, PartCopyConditions(in), PartCopySourceKey(in), in.CopySourceRange)
	if err != nil {
		return nil, err
	}
	defer from.Body.Close()
	out, err := dst.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, PartNumber: in.PartNumber,
		Body: from.Body, ContentLength: from.ContentLength,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	})
	if err != nil {
		return nil, err
	}
	result := &types.CopyPartResult{ETag: out.ETag, LastModified: shown(time.Now())}
	checksum.Copy(result, out)
	return &s3.UploadPartCopyOutput{
		CopyPartResult: result, CopySourceVersionId: from.VersionId,
		ServerSideEncryption: out.ServerSideEncryption, SSEKMSKeyId: out.SSEKMSKeyId, BucketKeyEnabled: out.BucketKeyEnabled,
		SSECustomerAlgorithm: out.SSECustomerAlgorithm, SSECustomerKeyMD5: out.SSECustomerKeyMD5,
	}, nil
}

// read opens the source, with its key, or the copyRange of it, for a copy under conditions.
func (s Source) read(ctx context.Context, c ReadConditions, k CustomerKey, copyRange *string) (*s3.GetObjectOutput, error) {
	in := &s3.GetObjectInput{
		Bucket: &s.Bucket, Key: &s.Key, Range: copyRange,
		IfMatch: c.IfMatch, IfNoneMatch: c.IfNoneMatch,
		IfModifiedSince: c.IfModifiedSince, IfUnmodifiedSince: c.IfUnmodifiedSince,
		SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	}
	if s.VersionID != "" {
		in.VersionId = &s.VersionID
	}
	span := Span{}
	if copyRange == nil {
		in.ChecksumMode = types.ChecksumModeEnabled
	} else {
		var err error
		if span, err = ParseCopyRange(*copyRange, math.MaxInt64); err != nil {
			return nil, err
		}
	}
	out, err := s.Backend.GetObject(ctx, in)
	if err != nil {
		if copyRange != nil && s3err.Is(err, s3err.InvalidRange) {
			return nil, s.outside(ctx, in, err)
		}
		return nil, c.asCopy(err)
	}
	length := aws.ToInt64(out.ContentLength)
	switch {
	case length > MaxCopySize:
		err = copySourceTooLarge()
	case copyRange != nil && length != span.Length: // A read is cut short at the end of the object, a copy refused.
		_, err = ParseCopyRange(*copyRange, span.Start+length)
	}
	if err != nil {
		return nil, errors.Join(err, out.Body.Close())
	}
	return out, nil
}

// outside makes of the answer to a range that begins beyond the end of the source that to a copy of it.
func (s Source) outside(ctx context.Context, read *s3.GetObjectInput, err error) error {
	size := int64(-1)
	var e *s3err.Error
	if errors.As(err, &e) {
		for _, d := range e.Details {
			if d.Name == "ActualObjectSize" {
				size, _ = strconv.ParseInt(d.Value, 10, 64)
			}
		}
	}
	if size < 0 { // There are services that do not say it.
		out, err := s.Backend.HeadObject(ctx, &s3.HeadObjectInput{
			Bucket: read.Bucket, Key: read.Key, VersionId: read.VersionId,
			SSECustomerAlgorithm: read.SSECustomerAlgorithm, SSECustomerKey: read.SSECustomerKey, SSECustomerKeyMD5: read.SSECustomerKeyMD5,
		})
		if err != nil {
			return err
		}
		size = aws.ToInt64(out.ContentLength)
	}
	if _, wrong := ParseCopyRange(*read.Range, size); wrong != nil {
		return wrong
	}
	return err
}

// asCopy makes of the answer to a conditional read that to a conditional copy,
// which knows no NotModified.
func (c ReadConditions) asCopy(err error) error {
	var e *s3err.Error
	switch {
	case s3err.Is(err, s3err.NotModified) && c.IfNoneMatch != nil:
		return preconditionFailed("x-amz-copy-source-" + ifNoneMatch)
	case s3err.Is(err, s3err.NotModified):
		return preconditionFailed("x-amz-copy-source-" + ifModifiedSince)
	case s3err.Is(err, s3err.PreconditionFailed) && errors.As(err, &e):
		for _, d := range e.Details {
			if d.Name == "Condition" {
				return preconditionFailed("x-amz-copy-source-" + d.Value)
			}
		}
	}
	return err
}

// putOf is the write of a streamed copy: from's bytes, in's destination, and
// the metadata of whichever MetadataDirective says.
func putOf(from *s3.GetObjectOutput, in *s3.CopyObjectInput) *s3.PutObjectInput {
	put := &s3.PutObjectInput{
		Bucket: in.Bucket, Key: in.Key, IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch,
		Body: from.Body, ContentLength: from.ContentLength,
		// Of these a copy takes in's whatever the directive says.
		StorageClass: in.StorageClass, WebsiteRedirectLocation: in.WebsiteRedirectLocation,
		ServerSideEncryption: in.ServerSideEncryption, SSEKMSKeyId: in.SSEKMSKeyId,
		ObjectLockMode: in.ObjectLockMode, ObjectLockRetainUntilDate: in.ObjectLockRetainUntilDate,
		ObjectLockLegalHoldStatus: in.ObjectLockLegalHoldStatus,
		SSEKMSEncryptionContext:   in.SSEKMSEncryptionContext, BucketKeyEnabled: in.BucketKeyEnabled,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	}
	if in.MetadataDirective == types.MetadataDirectiveReplace {
		put.CacheControl, put.ContentDisposition = in.CacheControl, in.ContentDisposition
		put.ContentEncoding, put.ContentLanguage = in.ContentEncoding, in.ContentLanguage
		put.ContentType, put.Expires, put.Metadata = in.ContentType, in.Expires, in.Metadata
	} else {
		put.CacheControl, put.ContentDisposition = from.CacheControl, from.ContentDisposition
		put.ContentEncoding, put.ContentLanguage = from.ContentEncoding, from.ContentLanguage
		put.ContentType, put.Metadata = from.ContentType, from.Metadata
		put.Expires = from.Expires //nolint:staticcheck // a put takes no ExpiresString
	}
	setChecksum(put, from, in.ChecksumAlgorithm)
	return put
}

// setChecksum keeps the algorithm of the source unless another is wanted, and
// gives the value along where it is that of the whole object, so that a store
// that can verify it does.
func setChecksum(put *s3.PutObjectInput, from *s3.GetObjectOutput, want types.ChecksumAlgorithm) {
	put.ChecksumAlgorithm = want
	for _, a := range checksum.All() {
		value := checksum.Get(from, a)
		if value == nil || (want != "" && want != a) {
			continue
		}
		put.ChecksumAlgorithm = a
		if from.ChecksumType == types.ChecksumTypeFullObject {
			checksum.Set(put, a, value)
		}
	}
	if put.ChecksumAlgorithm == "" {
		put.ChecksumAlgorithm = types.ChecksumAlgorithmCrc64nvme
	}
}

// lastModified asks for the time of what was just written: a copy reports it,
// a put does not. When somebody else has written since, ours was about now.
func lastModified(ctx context.Context, dst Backend, put *s3.PutObjectInput, out *s3.PutObjectOutput) *time.Time {
	head, err := dst.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: put.Bucket, Key: put.Key, VersionId: out.VersionId, IfMatch: out.ETag,
		SSECustomerAlgorithm: put.SSECustomerAlgorithm, SSECustomerKey: put.SSECustomerKey, SSECustomerKeyMD5: put.SSECustomerKeyMD5,
	})
	if err != nil || head.LastModified == nil {
		return shown(time.Now())
	}
	return head.LastModified
}
