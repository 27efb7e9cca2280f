package s3api

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// uploadPartCopy implements UploadPartCopy.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
func (s *Server) uploadPartCopy(c *call) error {
	part, err := c.partNumber()
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
	k, err := c.customerKey("")
	if err != nil {
		return err
	}
	source, err := c.customerKey(backends.CopySourceHeader)
	if err != nil {
		return err
	}
	out, err := backends.UploadPartCopy(c.ctx, c.route.Backend, src.Source, &s3.UploadPartCopyInput{
		Bucket: &c.bucket, Key: &c.key, UploadId: c.uploadID(), PartNumber: part,
		CopySourceRange:             c.headerPtr("X-Amz-Copy-Source-Range"),
		CopySourceIfMatch:           c.headerPtr("X-Amz-Copy-Source-If-Match"),
		CopySourceIfNoneMatch:       c.headerPtr("X-Amz-Copy-Source-If-None-Match"),
		CopySourceIfModifiedSince:   c.sinceHeader("X-Amz-Copy-Source-If-Modified-Since"),
		CopySourceIfUnmodifiedSince: c.timeHeader("X-Amz-Copy-Source-If-Unmodified-Since"),
		SSECustomerAlgorithm:        k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
		CopySourceSSECustomerAlgorithm: source.Algorithm, CopySourceSSECustomerKey: source.Key, CopySourceSSECustomerKeyMD5: source.MD5,
	})
	if err != nil {
		return src.error(err)
	}
	c.setPtr("x-amz-copy-source-version-id", out.CopySourceVersionId)
	c.setEncryption(shownEncryption{out.ServerSideEncryption, out.SSEKMSKeyId, nil, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5})
	d := newResult("CopyPartResult")
	if r := out.CopyPartResult; r != nil {
		d.time("LastModified", r.LastModified)
		d.ptr("ETag", r.ETag)
		d.checksums(r, "")
	}
	d.close("CopyPartResult")
	c.writeDoc(d)
	return nil
}
