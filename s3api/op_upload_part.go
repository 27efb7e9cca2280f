package s3api

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// uploadPart implements UploadPart.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
func (s *Server) uploadPart(c *call) error {
	m, err := c.multipart()
	if err != nil {
		return err
	}
	in, err := c.uploadPartInput()
	if err != nil {
		return err
	}
	out, err := m.UploadPart(c.ctx, in)
	if err != nil {
		return err
	}
	c.setPtr("ETag", out.ETag)
	c.setChecksums(out, "")
	c.setEncryption(shownEncryption{out.ServerSideEncryption, out.SSEKMSKeyId, nil, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5})
	return nil
}

// uploadPartInput reads the request; its Body verifies itself.
func (c *call) uploadPartInput() (*s3.UploadPartInput, error) {
	part, err := c.partNumber()
	if err != nil {
		return nil, err
	}
	k, err := c.customerKey("")
	if err != nil {
		return nil, err
	}
	body, algorithm, err := c.dataBody()
	if err != nil {
		return nil, err
	}
	if err := c.lockDefault().digest(body, "Put Part"); err != nil {
		return nil, err
	}
	if algorithm == "" {
		algorithm = backends.NoChecksum
	}
	in := &s3.UploadPartInput{
		Bucket: &c.bucket, Key: &c.key, UploadId: c.uploadID(), PartNumber: part,
		Body: body, ContentLength: &body.length, ChecksumAlgorithm: algorithm,
		SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	}
	body.declared(in)
	return in, nil
}
