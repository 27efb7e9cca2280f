package s3api

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// createMultipartUpload implements CreateMultipartUpload.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
func (s *Server) createMultipartUpload(c *call) error {
	m, err := c.multipart()
	if err != nil {
		return err
	}
	in, err := c.createMultipartUploadInput()
	if err != nil {
		return err
	}
	out, err := m.CreateMultipartUpload(c.ctx, in)
	if err != nil {
		return err
	}
	if in.ChecksumAlgorithm != "" {
		kept := in
		if out.ChecksumAlgorithm != "" { // The storage has another one in place of it.
			kept = &s3.CreateMultipartUploadInput{ChecksumAlgorithm: out.ChecksumAlgorithm, ChecksumType: out.ChecksumType}
		}
		c.set("x-amz-checksum-algorithm", string(kept.ChecksumAlgorithm))
		c.set("x-amz-checksum-type", string(kept.ChecksumType))
	}
	c.setEncryption(shownEncryption{out.ServerSideEncryption, out.SSEKMSKeyId, out.SSEKMSEncryptionContext, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5})
	d := newResult("InitiateMultipartUploadResult")
	d.text("Bucket", c.bucket)
	d.text("Key", c.key)
	d.ptr("UploadId", out.UploadId)
	d.close("InitiateMultipartUploadResult")
	c.writeDoc(d)
	return nil
}

// createMultipartUploadInput reads the request.
func (c *call) createMultipartUploadInput() (*s3.CreateMultipartUploadInput, error) {
	h, err := c.objectHeaders()
	if err != nil {
		return nil, err
	}
	e, err := c.encryption()
	if err != nil {
		return nil, err
	}
	in := &s3.CreateMultipartUploadInput{
		Bucket: &c.bucket, Key: &c.key,
		CacheControl: h.cacheControl, ContentDisposition: h.contentDisposition, ContentEncoding: h.contentEncoding,
		ContentLanguage: h.contentLanguage, ContentType: orDefault(h.contentType, defaultContentType),
		WebsiteRedirectLocation: h.websiteRedirect, Expires: h.expires, Metadata: h.metadata, StorageClass: h.storageClass,
		ServerSideEncryption: e.algorithm, SSEKMSKeyId: e.keyID, SSEKMSEncryptionContext: e.context, BucketKeyEnabled: e.bucketKey,
		SSECustomerAlgorithm: e.customer.Algorithm, SSECustomerKey: e.customer.Key, SSECustomerKeyMD5: e.customer.MD5,
	}
	if in.Tagging, err = c.taggingHeader(); err != nil {
		return nil, err
	}
	l, err := c.lock()
	if err != nil {
		return nil, err
	}
	in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus = l.mode, l.until, l.hold
	if in.ChecksumAlgorithm, in.ChecksumType, err = c.uploadChecksum(); err != nil {
		return nil, err
	}
	return in, c.noBody()
}

// uploadChecksum reads which checksum an upload is to have; none when the client names none, which is for the
// backend to know. All but CRC64NVME are COMPOSITE unless the client says otherwise.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html#Full-object-checksums
func (c *call) uploadChecksum() (types.ChecksumAlgorithm, types.ChecksumType, error) {
	name := c.header("X-Amz-Checksum-Algorithm")
	kind, err := c.checksumType()
	if err != nil {
		return "", "", err
	}
	if name == "" {
		if kind != "" {
			return "", "", s3err.Newf(s3err.InvalidRequest, "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return "", "", nil
	}
	a, err := parseAlgorithm(name)
	if err != nil {
		return "", "", err
	}
	if kind == "" {
		kind = types.ChecksumTypeComposite
		if a == types.ChecksumAlgorithmCrc64nvme {
			kind = types.ChecksumTypeFullObject
		}
	}
	if !checksum.ValidType(a, kind) {
		return "", "", s3err.Newf(s3err.InvalidRequest, "The %s checksum type cannot be used with the %s checksum algorithm.", kind, strings.ToLower(string(a)))
	}
	return a, kind, nil
}
