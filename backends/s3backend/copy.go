package s3backend

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// errNoResult is a success that does not say of what: the answer broke off.
var errNoResult = errors.New("an answer without a result")

// CopyObject implements [backends.ObjectWriter]. The service copies on its side,
// unless the destination has conditions that it overlooks there.
func (b *Backend) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	if err := b.checkCopy(src, in.Key); err != nil {
		return nil, err
	}
	if err := b.checkClass(in.StorageClass); err != nil {
		return nil, err
	}
	if in.TaggingDirective == types.TaggingDirectiveReplace {
		if err := b.checkTagging(in.Tagging); err != nil {
			return nil, err
		}
	}
	key := backends.CopyKey(in)
	if err := b.checkEncryption(in.ServerSideEncryption, key); err != nil {
		return nil, err
	}
	can := b.can.Load()
	if in.IfMatch != nil && !can.CopyIfMatch || in.IfNoneMatch != nil && !can.CopyIfAbsent {
		return b.streamCopy(ctx, src, in)
	}
	c := *in
	if conditions := backends.CopyConditions(in); !b.onlyMatch(conditions) {
		meta, err := b.judge(ctx, src, backends.CopySourceKey(in), func(m *backends.ObjectMeta) error { return backends.CheckCopySource(m, conditions) })
		if err != nil {
			return nil, err
		}
		c.CopySourceIfMatch = &meta.ETag
		c.CopySourceIfNoneMatch, c.CopySourceIfModifiedSince, c.CopySourceIfUnmodifiedSince = nil, nil, nil
	}
	c.CopySource = copySourceHeader(src)
	c.ChecksumAlgorithm = can.keeps(in.ChecksumAlgorithm)
	b.copyTagging(&c)
	out, err := b.client.CopyObject(slow(ctx), &c, b.writing(nil, in.IfMatch, in.IfNoneMatch))
	if err == nil && (out.CopyObjectResult == nil || out.CopyObjectResult.ETag == nil) {
		err = errNoResult
	}
	if err == nil {
		err = encrypted(in.ServerSideEncryption, key, said{&out.ServerSideEncryption, &out.SSECustomerAlgorithm, &out.SSECustomerKeyMD5})
	}
	if err != nil {
		return nil, copyFailed(keyError(b.fail(ctx, "CopyObject", err), backends.CopySourceKey(in)))
	}
	b.completeResult(ctx, in, out.CopyObjectResult)
	return out, nil
}

// copyFailed is the error of a copy. Of what InvalidRequest can mean there, one thing is told in S3's words, which every
// service has taken over.
func copyFailed(err error) error {
	if s3err.Is(err, s3err.InvalidRequest) && strings.Contains(err.Error(), "trying to copy an object to itself") {
		return backends.UnchangedCopy().Because(err)
	}
	return err
}

// streamCopy copies by way of a write, whose conditions the service judges.
func (b *Backend) streamCopy(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	ontoItself := src.Bucket == value(in.Bucket) && src.Key == value(in.Key) && src.VersionID == ""
	meta, err := b.judge(ctx, src, backends.CopySourceKey(in), func(m *backends.ObjectMeta) error { return backends.CheckCopy(m, ontoItself, in) })
	if err != nil {
		return nil, err
	}
	c := *in
	c.CopySourceIfMatch = &meta.ETag
	c.CopySourceIfNoneMatch, c.CopySourceIfModifiedSince, c.CopySourceIfUnmodifiedSince = nil, nil, nil
	return backends.CopyObject(ctx, b, backends.Source{Backend: elsewhere{b}, CopySource: src}, &c)
}

// elsewhere is the store as another one than itself, so that a copy inside it
// streams.
type elsewhere struct{ *Backend }

// checkCopy refuses keys that the service takes for others.
func (b *Backend) checkCopy(src backends.CopySource, key *string) error {
	if err := b.checkKey(&src.Key); err != nil {
		return err
	}
	return b.checkKey(key)
}

// onlyMatch reports whether there is no condition but If-Match with one ETag.
func (b *Backend) onlyMatch(c backends.ReadConditions) bool {
	return b.simple(c) && c.IfNoneMatch == nil && c.IfModifiedSince == nil && c.IfUnmodifiedSince == nil
}

// completeResult adds the checksum that some services keep and do not show. The
// copy has been made: that they do not show it now either is no error.
func (b *Backend) completeResult(ctx context.Context, in *s3.CopyObjectInput, result *types.CopyObjectResult) {
	if result.LastModified != nil {
		result.LastModified = new(result.LastModified.UTC().Truncate(time.Second))
	}
	if !b.can.Load().Checksums {
		return
	}
	for _, a := range checksum.All() {
		if checksum.Get(result, a) != nil {
			return
		}
	}
	head, err := b.head(ctx, &s3.GetObjectInput{
		Bucket: in.Bucket, Key: in.Key, IfMatch: result.ETag,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	}, types.ChecksumModeEnabled)
	if err != nil {
		return
	}
	copyChecksum(result, &result.ChecksumType, head)
}

// UploadPartCopy implements [backends.MultipartUploader]. Where the service
// does not copy parts, or not into uploads with checksums, the bytes stream.
func (b *Backend) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	if err := b.checkCopy(src, in.Key); err != nil {
		return nil, err
	}
	if in.CopySourceRange != nil {
		if _, err := backends.ParseCopyRange(*in.CopySourceRange, math.MaxInt64); err != nil {
			return nil, err
		}
	}
	key := backends.PartCopyKey(in)
	if err := b.checkEncryption("", key); err != nil {
		return nil, err
	}
	// What is missing is told in S3's order: first the upload.
	begun, err := b.upload(ctx, named(in.Bucket, in.Key, in.UploadId))
	if err != nil {
		return nil, err
	}
	if !b.can.Load().UploadPartCopy {
		return backends.UploadPartCopy(ctx, b, backends.Source{Backend: elsewhere{b}, CopySource: src}, in)
	}
	c := *in
	if in.CopySourceRange != nil || !b.onlyMatch(backends.PartCopyConditions(in)) {
		meta, err := b.judge(ctx, src, backends.PartCopySourceKey(in), func(m *backends.ObjectMeta) error {
			_, err := backends.CheckPartCopy(m, in)
			return err
		})
		if err != nil {
			return nil, err
		}
		c.CopySourceIfMatch = &meta.ETag
		c.CopySourceIfNoneMatch, c.CopySourceIfModifiedSince, c.CopySourceIfUnmodifiedSince = nil, nil, nil
	}
	c.CopySource = copySourceHeader(src)
	out, err := b.client.UploadPartCopy(slow(ctx), &c, b.again)
	if err == nil && (out.CopyPartResult == nil || out.CopyPartResult.ETag == nil) {
		err = errNoResult
	}
	if err == nil {
		err = partEncrypted(key, out.SSECustomerKeyMD5)
	}
	if err != nil {
		return nil, partKeyError(keyError(b.fail(ctx, "UploadPartCopy", err), backends.PartCopySourceKey(in)), key)
	}
	showCopied(out.CopyPartResult, begun)
	return out, nil
}
