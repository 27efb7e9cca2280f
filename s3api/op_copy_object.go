package s3api

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// copyObject implements CopyObject.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func (s *Server) copyObject(c *call) error {
	in, err := c.copyObjectInput()
	if err != nil {
		return err
	}
	src, err := c.copySource()
	if err != nil {
		return err
	}
	if err := c.noBody(); err != nil {
		return err
	}
	out, err := backends.CopyObject(c.ctx, c.route.Backend, src.Source, in)
	if err != nil {
		if in.IfMatch == nil { // Else it may be the destination that is missing.
			err = src.error(err)
		}
		return err
	}
	c.setWritten(out.VersionId)
	c.setEncryption(shownEncryption{out.ServerSideEncryption, out.SSEKMSKeyId, out.SSEKMSEncryptionContext, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5})
	c.setPtr("x-amz-copy-source-version-id", out.CopySourceVersionId)
	d := newResult("CopyObjectResult")
	if r := out.CopyObjectResult; r != nil {
		d.time("LastModified", r.LastModified)
		d.ptr("ETag", r.ETag)
		d.checksums(r, r.ChecksumType)
	}
	d.close("CopyObjectResult")
	c.writeDoc(d)
	return nil
}

// copyObjectInput reads the request but for its source.
func (c *call) copyObjectInput() (*s3.CopyObjectInput, error) {
	if err := c.noVersion(); err != nil {
		return nil, err
	}
	h, err := c.objectHeaders()
	if err != nil {
		return nil, err
	}
	e, err := c.encryption()
	if err != nil {
		return nil, err
	}
	source, err := c.customerKey(backends.CopySourceHeader)
	if err != nil {
		return nil, err
	}
	in := &s3.CopyObjectInput{
		Bucket: &c.bucket, Key: &c.key,
		CopySourceIfMatch: c.headerPtr("X-Amz-Copy-Source-If-Match"), CopySourceIfNoneMatch: c.headerPtr("X-Amz-Copy-Source-If-None-Match"),
		CopySourceIfModifiedSince:   c.sinceHeader("X-Amz-Copy-Source-If-Modified-Since"),
		CopySourceIfUnmodifiedSince: c.timeHeader("X-Amz-Copy-Source-If-Unmodified-Since"),
		CacheControl:                h.cacheControl, ContentDisposition: h.contentDisposition, ContentEncoding: h.contentEncoding,
		ContentLanguage: h.contentLanguage, ContentType: h.contentType,
		WebsiteRedirectLocation: h.websiteRedirect, Expires: h.expires, Metadata: h.metadata, StorageClass: h.storageClass,
		ServerSideEncryption: e.algorithm, SSEKMSKeyId: e.keyID, SSEKMSEncryptionContext: e.context, BucketKeyEnabled: e.bucketKey,
		SSECustomerAlgorithm: e.customer.Algorithm, SSECustomerKey: e.customer.Key, SSECustomerKeyMD5: e.customer.MD5,
		CopySourceSSECustomerAlgorithm: source.Algorithm, CopySourceSSECustomerKey: source.Key, CopySourceSSECustomerKeyMD5: source.MD5,
	}
	switch d := types.MetadataDirective(c.header("X-Amz-Metadata-Directive")); d {
	case "", types.MetadataDirectiveCopy:
		in.MetadataDirective = types.MetadataDirectiveCopy
	case types.MetadataDirectiveReplace:
		in.MetadataDirective = d
		in.ContentType = orDefault(in.ContentType, defaultContentType)
	default:
		return nil, s3err.InvalidArg("x-amz-metadata-directive", string(d), "Unknown metadata directive.")
	}
	d := c.header("X-Amz-Tagging-Directive")
	if d != "" && d != string(types.TaggingDirectiveCopy) && d != string(types.TaggingDirectiveReplace) {
		return nil, s3err.InvalidArg("x-amz-tagging-directive", d, "Unknown tagging directive.")
	}
	in.TaggingDirective = types.TaggingDirective(d)
	if in.Tagging, err = c.taggingHeader(); err != nil {
		return nil, err
	}
	if name := c.header("X-Amz-Checksum-Algorithm"); name != "" {
		if in.ChecksumAlgorithm, err = parseAlgorithm(name); err != nil {
			return nil, err
		}
	}
	l, err := c.lock()
	if err != nil {
		return nil, err
	}
	in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus = l.mode, l.until, l.hold
	in.IfMatch, in.IfNoneMatch, err = c.writeConditions()
	return in, err
}
