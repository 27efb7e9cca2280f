package s3api

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// putObject implements PutObject.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (s *Server) putObject(c *call) error {
	in, err := c.putObjectInput()
	if err != nil {
		return err
	}
	out, err := c.route.Backend.PutObject(c.ctx, in)
	if err != nil {
		return err
	}
	c.setPut(out)
	return nil
}

// setPut writes what is said of an object that was put.
func (c *call) setPut(out *s3.PutObjectOutput) {
	c.setPtr("ETag", out.ETag)
	c.setWritten(out.VersionId)
	c.setEncryption(shownEncryption{out.ServerSideEncryption, out.SSEKMSKeyId, out.SSEKMSEncryptionContext, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5})
	c.setChecksums(out, out.ChecksumType)
}

// putObjectInput reads the request; its Body verifies itself.
func (c *call) putObjectInput() (*s3.PutObjectInput, error) {
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
	in := &s3.PutObjectInput{
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
	if in.IfMatch, in.IfNoneMatch, err = c.writeConditions(); err != nil {
		return nil, err
	}
	l, err := c.lock()
	if err != nil {
		return nil, err
	}
	in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus = l.mode, l.until, l.hold
	body, algorithm, err := c.dataBody()
	if err != nil {
		return nil, err
	}
	if err := l.digest(body, "Put Object"); err != nil {
		return nil, err
	}
	body.declared(in)
	in.Body, in.ContentLength = body, &body.length
	in.ChecksumAlgorithm = orAlgorithm(algorithm)
	return in, nil
}

// writeConditions reads the conditions S3 knows for writes.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (c *call) writeConditions() (ifMatch, ifNoneMatch *string, err error) {
	ifMatch, ifNoneMatch = c.headerPtr("If-Match"), c.headerPtr("If-None-Match")
	if ifNoneMatch != nil && *ifNoneMatch != "*" {
		return nil, nil, s3err.New(s3err.NotImplemented).With("Header", "If-None-Match").
			With("additionalMessage", "We don't accept the provided value of If-None-Match header for this API")
	}
	if ifMatch != nil && ifNoneMatch != nil {
		return nil, nil, s3err.New(s3err.NotImplemented).With("Header", "If-Match,If-None-Match").
			With("additionalMessage", "Multiple conditional request headers present in the request")
	}
	return ifMatch, ifNoneMatch, nil
}

// orDefault is s, or a pointer to def when s is nil.
func orDefault(s *string, def string) *string {
	if s == nil {
		return aws.String(def)
	}
	return s
}

// orAlgorithm is a, or the one S3 uses when the client chose none.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
func orAlgorithm(a types.ChecksumAlgorithm) types.ChecksumAlgorithm {
	if a == "" {
		return types.ChecksumAlgorithmCrc64nvme
	}
	return a
}
