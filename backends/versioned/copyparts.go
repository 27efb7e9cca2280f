package versioned

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// partSize is how much a copy of a large object copies at once, and copiesAtOnce how many parts.
const (
	partSize     = 1 << 30
	copiesAtOnce = 4
)

// copyAny is [backends.CopyObject] of an object of ours of any size. Its metadata is the source's.
func copyAny(ctx context.Context, dst backends.Backend, src backends.Source, in *s3.CopyObjectInput, size int64) error {
	if size <= backends.MaxCopySize {
		_, err := backends.CopyObject(ctx, dst, src, in)
		return err
	}
	return copyByParts(ctx, dst, src, in, &copyUpload{
		size: size, count: int32((size + partSize - 1) / partSize),
		span: func(_ context.Context, number int32) (backends.Span, error) {
			start := int64(number-1) * partSize
			return backends.Span{Start: start, Length: min(partSize, size-start)}, nil
		},
	})
}

// copyWithParts is copyAny of the object of a version. When it was made of parts, so is the copy, of the same ones: so that its
// ETag stays what it is, and reads of parts find them. Where a store does not tell of parts, or does
// not take them, it is copied as one.
func copyWithParts(ctx context.Context, dst backends.Backend, src backends.Source, in *s3.CopyObjectInput, v *versions.Version) error {
	if v.Parts > 0 {
		err := copyByParts(ctx, dst, src, in, &copyUpload{
			size: v.Size, count: v.Parts, checksum: v.Checksum,
			span: func(ctx context.Context, number int32) (backends.Span, error) {
				return spanOfPart(ctx, src, in, v.Parts, number)
			},
		})
		if !cannotKeepParts(err) {
			return err
		}
	}
	return copyAny(ctx, dst, src, in, v.Size)
}

// errNoParts is that of a source whose parts are not known.
var errNoParts = errors.New("the store does not tell the parts of an object")

// spanOfPart is where one of so many parts is in the source.
func spanOfPart(ctx context.Context, src backends.Source, in *s3.CopyObjectInput, count, number int32) (backends.Span, error) {
	out, err := src.Backend.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &src.Bucket, Key: &src.Key, VersionId: optional(src.VersionID), PartNumber: &number, IfMatch: in.CopySourceIfMatch,
		SSECustomerAlgorithm: in.CopySourceSSECustomerAlgorithm, SSECustomerKey: in.CopySourceSSECustomerKey, SSECustomerKeyMD5: in.CopySourceSSECustomerKeyMD5,
	})
	if err != nil {
		return backends.Span{}, err
	}
	span := backends.Span{Start: -1, Length: aws.ToInt64(out.ContentLength)}
	if out.ContentRange != nil {
		if _, err := fmt.Sscanf(*out.ContentRange, "bytes %d-", &span.Start); err != nil {
			return backends.Span{}, errNoParts
		}
	}
	if aws.ToInt32(out.PartsCount) != count || span.Start < 0 && span.Length > 0 {
		return backends.Span{}, errNoParts
	}
	return span, nil
}

// cannotKeepParts reports whether a copy failed because it was one by parts: the next attempt would, too.
func cannotKeepParts(err error) bool {
	var e *s3err.Error
	switch {
	case errors.Is(err, errNoParts):
		return true
	case !errors.As(err, &e) || e.Code == s3err.NoSuchKey || e.Code == s3err.PreconditionFailed:
		return false
	}
	return e.Status < http.StatusInternalServerError || e.Code == s3err.NotImplemented
}

// copyUpload copies an object by parts.
type copyUpload struct {
	size     int64
	count    int32
	checksum backends.Checksum                                              // of the copy; without Algorithm, one of the whole
	span     func(ctx context.Context, number int32) (backends.Span, error) // of a part in the source

	to  backends.MultipartUploader
	dst backends.Backend
	src backends.Source
	in  *s3.CopyObjectInput
	id  *string
}

// copyByParts copies as u says. What a crash leaves is an unfinished upload to the place of the copy.
func copyByParts(ctx context.Context, dst backends.Backend, src backends.Source, in *s3.CopyObjectInput, u *copyUpload) error {
	to, ok := backends.As[backends.MultipartUploader](dst)
	if !ok {
		return s3err.New(s3err.NotImplemented)
	}
	if _, err := u.span(ctx, 1); err != nil {
		return err // before anything is begun
	}
	c := *in
	if in.MetadataDirective != types.MetadataDirectiveReplace {
		if err := takeHeaders(ctx, &c, src); err != nil {
			return err
		}
	}
	u.to, u.dst, u.src, u.in = to, dst, src, &c
	if err := u.begin(ctx); err != nil {
		return err
	}
	if err := u.run(ctx); err != nil {
		_, _ = to.AbortMultipartUpload(context.WithoutCancel(ctx), &s3.AbortMultipartUploadInput{Key: c.Key, UploadId: u.id})
		return err
	}
	return nil
}

// begin begins the upload.
func (u *copyUpload) begin(ctx context.Context) error {
	c, sum := u.in, u.checksum
	if sum.Algorithm == "" {
		sum = backends.Checksum{Algorithm: types.ChecksumAlgorithmCrc64nvme, Type: types.ChecksumTypeFullObject}
	}
	begun, err := u.to.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Key: c.Key, StorageClass: c.StorageClass, Metadata: c.Metadata, CacheControl: c.CacheControl,
		ContentDisposition: c.ContentDisposition, ContentEncoding: c.ContentEncoding, ContentLanguage: c.ContentLanguage,
		ContentType: c.ContentType, Expires: c.Expires, WebsiteRedirectLocation: c.WebsiteRedirectLocation,
		ServerSideEncryption: c.ServerSideEncryption, SSEKMSKeyId: c.SSEKMSKeyId,
		SSEKMSEncryptionContext: c.SSEKMSEncryptionContext, BucketKeyEnabled: c.BucketKeyEnabled,
		SSECustomerAlgorithm: c.SSECustomerAlgorithm, SSECustomerKey: c.SSECustomerKey, SSECustomerKeyMD5: c.SSECustomerKeyMD5,
		ChecksumAlgorithm: sum.Algorithm, ChecksumType: sum.Type, Tagging: c.Tagging,
	})
	if err == nil {
		u.id = begun.UploadId
	}
	return err
}

// run copies all parts and makes the object of them, if they are all of the source.
func (u *copyUpload) run(ctx context.Context) error {
	parts, spans := make([]types.CompletedPart, u.count), make([]backends.Span, u.count)
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(copiesAtOnce)
	for i := range parts {
		g.Go(func() (err error) {
			number := int32(i + 1)
			if spans[i], err = u.span(groupCtx, number); err == nil {
				parts[i], err = u.copy(groupCtx, number, spans[i])
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	at := int64(0)
	for _, s := range spans {
		if s.Length > 0 && s.Start != at {
			return errNoParts
		}
		at += s.Length
	}
	if at != u.size {
		return errNoParts
	}
	_, err := u.to.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Key: u.in.Key, UploadId: u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		SSECustomerAlgorithm: u.in.SSECustomerAlgorithm, SSECustomerKey: u.in.SSECustomerKey, SSECustomerKeyMD5: u.in.SSECustomerKeyMD5,
	})
	return err
}

// copy copies a part. No range has no bytes: an empty part is uploaded.
func (u *copyUpload) copy(ctx context.Context, number int32, s backends.Span) (types.CompletedPart, error) {
	part := types.CompletedPart{PartNumber: &number}
	if s.Length == 0 {
		out, err := u.to.UploadPart(ctx, &s3.UploadPartInput{
			Key: u.in.Key, UploadId: u.id, PartNumber: &number, Body: strings.NewReader(""), ContentLength: aws.Int64(0),
			SSECustomerAlgorithm: u.in.SSECustomerAlgorithm, SSECustomerKey: u.in.SSECustomerKey, SSECustomerKeyMD5: u.in.SSECustomerKeyMD5,
		})
		if err == nil {
			complete(&part, out.ETag, out)
		}
		return part, err
	}
	out, err := backends.UploadPartCopy(ctx, u.dst, u.src, &s3.UploadPartCopyInput{
		Key: u.in.Key, UploadId: u.id, PartNumber: &number, CopySourceIfMatch: u.in.CopySourceIfMatch,
		SSECustomerAlgorithm: u.in.SSECustomerAlgorithm, SSECustomerKey: u.in.SSECustomerKey, SSECustomerKeyMD5: u.in.SSECustomerKeyMD5,
		CopySourceSSECustomerAlgorithm: u.in.CopySourceSSECustomerAlgorithm,
		CopySourceSSECustomerKey:       u.in.CopySourceSSECustomerKey, CopySourceSSECustomerKeyMD5: u.in.CopySourceSSECustomerKeyMD5,
		CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", s.Start, s.Start+s.Length-1)),
	})
	if err == nil {
		complete(&part, out.CopyPartResult.ETag, out.CopyPartResult)
	}
	return part, err
}

// complete is what is known of a part that was stored.
func complete(part *types.CompletedPart, etag *string, out any) {
	part.ETag = etag
	checksum.Copy(part, out)
}
