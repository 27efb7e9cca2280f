package backends

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// Source is an object that a copy reads, and the backend in whose namespace it
// is named.
type Source struct {
	Backend Backend
	CopySource
}

// Locator is a composition in which reading an object is nothing but reading
// another object, of a backend below it.
type Locator interface {
	// Locate names the object as the backend below does.
	Locate(CopySource) (Source, error)
}

// ObjectImporter is a composition in which a copy to it is nothing but a copy to
// a backend below it. ImportObject puts in into that backend's words and calls
// [CopyObject] again.
type ObjectImporter interface {
	ImportObject(ctx context.Context, src Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error)
}

// PartImporter is the same for [UploadPartCopy].
type PartImporter interface {
	ImportPart(ctx context.Context, src Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error)
}

// CopyObject copies src to in.Key of dst, as ObjectWriter.CopyObject says. It picks
// the road: when both are names for one store, that store copies on its
// side; otherwise the bytes stream through here.
func CopyObject(ctx context.Context, dst Backend, src Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	src, err := src.located()
	if err != nil {
		return nil, err
	}
	if d, ok := dst.(ObjectImporter); ok {
		return d.ImportObject(ctx, src, in)
	}
	if src.Backend == dst {
		return dst.CopyObject(ctx, src.CopySource, in)
	}
	return streamObject(ctx, dst, src, in)
}

// UploadPartCopy copies src, or in.CopySourceRange of it, to a part of an
// upload in dst; see [CopyObject].
func UploadPartCopy(ctx context.Context, dst Backend, src Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	src, err := src.located()
	if err != nil {
		return nil, err
	}
	if d, ok := dst.(PartImporter); ok {
		return d.ImportPart(ctx, src, in)
	}
	m, ok := As[MultipartUploader](dst)
	if !ok {
		return nil, s3err.New(s3err.NotImplemented)
	}
	if src.Backend == dst {
		return m.UploadPartCopy(ctx, src.CopySource, in)
	}
	return streamPart(ctx, m, src, in)
}

// located follows compositions down to the store that has the object.
func (s Source) located() (Source, error) {
	for {
		l, ok := s.Backend.(Locator)
		if !ok {
			return s, nil
		}
		below, err := l.Locate(s.CopySource)
		if err != nil {
			return s, err
		}
		s = below
	}
}

// maxCopyBytes is the largest source of a copy, and the largest single upload.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
const maxCopyBytes = 5 << 30

// errSourceTooLarge is what S3 says to larger ones.
func errSourceTooLarge() error {
	return s3err.Newf(s3err.InvalidRequest,
		"The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(maxCopyBytes))
}

// streamObject copies between stores: one read of the source, one write.
func streamObject(ctx context.Context, dst Backend, src Source, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	get := src.input()
	get.IfMatch, get.IfNoneMatch = in.CopySourceIfMatch, in.CopySourceIfNoneMatch
	get.IfModifiedSince, get.IfUnmodifiedSince = in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince
	from, err := src.Backend.GetObject(ctx, get)
	if err != nil {
		return nil, sourceError(err)
	}
	defer from.Body.Close() //nolint:errcheck // it was only read
	if aws.ToInt64(from.ContentLength) > maxCopyBytes {
		return nil, errSourceTooLarge()
	}
	put := putOf(from, in)
	out, err := dst.PutObject(ctx, put)
	if err != nil {
		return nil, err
	}
	result := &types.CopyObjectResult{
		ETag: out.ETag, ChecksumType: out.ChecksumType,
		LastModified: lastModified(ctx, dst, put, out),
	}
	for _, a := range checksum.All() {
		checksum.Set(result, a, checksum.Get(out, a))
	}
	return &s3.CopyObjectOutput{
		CopyObjectResult: result, CopySourceVersionId: from.VersionId, VersionId: out.VersionId,
		ServerSideEncryption: out.ServerSideEncryption, SSEKMSKeyId: out.SSEKMSKeyId, Expiration: out.Expiration,
	}, nil
}

// input is the read of the source, whole and with its checksums.
func (s Source) input() *s3.GetObjectInput {
	in := &s3.GetObjectInput{Bucket: &s.Bucket, Key: &s.Key, ChecksumMode: types.ChecksumModeEnabled}
	if s.VersionID != "" {
		in.VersionId = &s.VersionID
	}
	return in
}

// sourceError makes of the answer to a conditional read that to a conditional copy.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func sourceError(err error) error {
	if s3err.Is(err, s3err.NotModified) {
		return s3err.New(s3err.PreconditionFailed).Because(err)
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
	}
	if in.MetadataDirective == types.MetadataDirectiveReplace {
		put.CacheControl, put.ContentDisposition = in.CacheControl, in.ContentDisposition
		put.ContentEncoding, put.ContentLanguage = in.ContentEncoding, in.ContentLanguage
		put.ContentType, put.Expires, put.Metadata = in.ContentType, in.Expires, in.Metadata
	} else {
		put.CacheControl, put.ContentDisposition = from.CacheControl, from.ContentDisposition
		put.ContentEncoding, put.ContentLanguage = from.ContentEncoding, from.ContentLanguage
		put.ContentType, put.Expires, put.Metadata = from.ContentType, from.Expires, from.Metadata //nolint:staticcheck // PutObjectInput has no ExpiresString
	}
	setChecksum(put, from, in.ChecksumAlgorithm)
	return put
}

// setChecksum keeps the algorithm of the source unless another is wanted, and
// has the value verified where it is still that of the whole object.
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
		return
	}
	if put.ChecksumAlgorithm == "" {
		put.ChecksumAlgorithm = types.ChecksumAlgorithmCrc64nvme
	}
}

// lastModified asks for the time of what was just written: a copy reports it,
// a put does not. When somebody else has written since, ours was about now.
func lastModified(ctx context.Context, dst Backend, put *s3.PutObjectInput, out *s3.PutObjectOutput) *time.Time {
	head, err := dst.HeadObject(ctx, &s3.HeadObjectInput{Bucket: put.Bucket, Key: put.Key, VersionId: out.VersionId, IfMatch: out.ETag})
	if err != nil || head.LastModified == nil {
		return aws.Time(time.Now())
	}
	return head.LastModified
}

// streamPart copies between stores into a part.
func streamPart(ctx context.Context, dst MultipartUploader, src Source, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	get := src.input()
	get.IfMatch, get.IfNoneMatch = in.CopySourceIfMatch, in.CopySourceIfNoneMatch
	get.IfModifiedSince, get.IfUnmodifiedSince = in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince
	if in.CopySourceRange != nil {
		get.Range, get.ChecksumMode = in.CopySourceRange, ""
	}
	from, err := src.Backend.GetObject(ctx, get)
	if err != nil {
		return nil, sourceError(err)
	}
	defer from.Body.Close() //nolint:errcheck // it was only read
	if err := checkCopied(from, in.CopySourceRange); err != nil {
		return nil, err
	}
	out, err := dst.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, PartNumber: in.PartNumber,
		Body: from.Body, ContentLength: from.ContentLength,
	})
	if err != nil {
		return nil, err
	}
	result := &types.CopyPartResult{ETag: out.ETag, LastModified: aws.Time(time.Now())}
	for _, a := range checksum.All() {
		checksum.Set(result, a, checksum.Get(out, a))
	}
	return &s3.UploadPartCopyOutput{CopyPartResult: result, CopySourceVersionId: from.VersionId}, nil
}

// checkCopied fails unless the read delivers exactly the range that was asked
// for: a range beyond the end is cut short by a read, and refused by a copy.
func checkCopied(from *s3.GetObjectOutput, copyRange *string) error {
	if aws.ToInt64(from.ContentLength) > maxCopyBytes {
		return errSourceTooLarge()
	}
	if copyRange == nil {
		return nil
	}
	first, last, ok := parseFirstLast(*copyRange)
	if !ok {
		return s3err.InvalidArg("x-amz-copy-source-range", *copyRange,
			"The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
	}
	if aws.ToInt64(from.ContentLength) != last-first+1 {
		return s3err.Newf(s3err.InvalidArgument, "Range specified is not valid for source object")
	}
	return nil
}

// parseFirstLast parses "bytes=N-M".
func parseFirstLast(s string) (first, last int64, ok bool) {
	rest, unit := strings.CutPrefix(s, "bytes=")
	a, b, dash := strings.Cut(rest, "-")
	first, err1 := strconv.ParseInt(a, 10, 64)
	last, err2 := strconv.ParseInt(b, 10, 64)
	return first, last, unit && dash && errors.Join(err1, err2) == nil && first <= last
}
