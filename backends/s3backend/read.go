package s3backend

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// errNoLength is an answer whose end nobody could tell from a broken connection.
var errNoLength = errors.New("an object without Content-Length")

// GetObject implements [backends.ObjectReader].
func (b *Backend) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	c := *in
	if err := b.prepareRead(ctx, &c); err != nil {
		return nil, err
	}
	out, err := b.client.GetObject(ctx, &c, b.again, withChecksums(in.ChecksumMode))
	if err != nil {
		return nil, readError(keyError(b.fail(ctx, "GetObject", err), backends.GetKey(in)), &c)
	}
	if out.ContentLength == nil || *out.ContentLength < 0 {
		return nil, errors.Join(b.fail(ctx, "GetObject", errNoLength), out.Body.Close())
	}
	if out.ContentRange, err = answeredRange(&c, *out.ContentLength, out.ContentRange); err != nil {
		return nil, errors.Join(err, out.Body.Close())
	}
	out.Body = &readBody{ReadCloser: out.Body, left: *out.ContentLength, fail: func(err error) error {
		return b.fail(ctx, "GetObject: the body", err)
	}}
	if out.StorageClass == types.StorageClassStandard {
		out.StorageClass = ""
	}
	out.TagCount = b.tagCount(out.TagCount)
	if c.Range != nil {
		checksum.Clear(out)
		out.ChecksumType = ""
	}
	return out, nil
}

// HeadObject implements [backends.ObjectReader].
func (b *Backend) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	c := backends.HeadAsGet(in)
	if err := b.prepareRead(ctx, c); err != nil {
		return nil, err
	}
	out, err := b.head(ctx, c, in.ChecksumMode)
	if err != nil {
		return nil, err
	}
	if out.ContentRange, err = answeredRange(c, *out.ContentLength, out.ContentRange); err != nil {
		return nil, err
	}
	if c.Range != nil {
		checksum.Clear(out)
		out.ChecksumType = ""
	}
	return out, nil
}

// head asks for the headers of what in reads.
func (b *Backend) head(ctx context.Context, in *s3.GetObjectInput, mode types.ChecksumMode) (*s3.HeadObjectOutput, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, PartNumber: in.PartNumber, Range: in.Range,
		IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch,
		IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	}, b.again, withChecksums(mode))
	if err != nil {
		return nil, b.headError(ctx, in, err)
	}
	if out.ContentLength == nil || out.ETag == nil || out.LastModified == nil {
		return nil, b.fail(ctx, "HeadObject", errNoLength)
	}
	if out.StorageClass == types.StorageClassStandard {
		out.StorageClass = ""
	}
	out.TagCount = b.tagCount(out.TagCount)
	return out, nil
}

// headError finds out what is missing: the answer to HEAD has only a status.
func (b *Backend) headError(ctx context.Context, in *s3.GetObjectInput, err error) error {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return readError(b.fail(ctx, "HeadObject", err), in)
	}
	switch response.HTTPStatusCode() {
	case http.StatusNotFound:
	case http.StatusBadRequest:
		if needs := b.needsKey(ctx, in); needs != nil {
			return needs
		}
		fallthrough
	default:
		return readError(keyError(b.fail(ctx, "HeadObject", err), backends.GetKey(in)), in)
	}
	if _, err := b.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: in.Bucket}); err != nil {
		return err
	}
	if in.VersionId != nil {
		return b.because(s3err.New(s3err.NoSuchVersion).With("VersionId", *in.VersionId), "HeadObject", err)
	}
	return b.because(s3err.New(s3err.NoSuchKey), "HeadObject", err)
}

// answeredRange is the Content-Range of an answer with length bytes: none when nothing was
// selected. Servers differ on the range of an empty object, which selects no byte.
func answeredRange(in *s3.GetObjectInput, length int64, contentRange *string) (*string, error) {
	switch {
	case in.Range == nil && in.PartNumber == nil:
		return nil, nil
	case length > 0:
		return contentRange, nil
	case in.Range != nil && !lastBytes(*in.Range):
		return nil, s3err.New(s3err.InvalidRange).With("RangeRequested", *in.Range).With("ActualObjectSize", "0")
	}
	return nil, nil
}

// lastBytes reports whether a range is the last bytes of an object: there are none of an empty one, which is no error.
func lastBytes(header string) bool {
	_, ok, err := backends.ParseRange(header, 0)
	return !ok && err == nil
}

// readError names what was refused where the service does not: a condition when
// there is only one that can have failed, and a part rather than a range.
func readError(err error, in *s3.GetObjectInput) error {
	var e *s3err.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Code == s3err.PreconditionFailed && in.IfMatch != nil:
		return e.With("Condition", "If-Match")
	case e.Code == s3err.PreconditionFailed && in.IfUnmodifiedSince != nil:
		return e.With("Condition", "If-Unmodified-Since")
	case e.Code == s3err.InvalidRange && in.PartNumber != nil:
		return s3err.New(s3err.InvalidPartNumber).Because(e.Cause)
	}
	return err
}

// withChecksums asks for checksums without the SDK verifying them: the client does,
// and has more use for the verdict.
func withChecksums(mode types.ChecksumMode) func(*s3.Options) {
	return withHeader("X-Amz-Checksum-Mode", string(mode))
}

// withHeader adds a header to the request, if it has a value.
func withHeader(name, value string) func(*s3.Options) {
	return func(o *s3.Options) {
		if value != "" {
			o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue(name, value))
		}
	}
}

// readBody ends in io.EOF after exactly the bytes that were announced, else in
// an error of S3's.
type readBody struct {
	io.ReadCloser
	left int64
	fail func(error) error
}

// Read implements io.Reader.
func (r *readBody) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF) && r.left == 0:
		return n, io.EOF
	case errors.Is(err, io.EOF) || r.left < 0:
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		err = r.fail(err)
	}
	return n, err
}
