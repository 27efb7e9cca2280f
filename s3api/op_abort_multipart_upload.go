package s3api

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// abortMultipartUpload implements AbortMultipartUpload.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
func (s *Server) abortMultipartUpload(c *call) error {
	m, err := c.multipart()
	if err != nil {
		return err
	}
	if err := c.noBody(); err != nil {
		return err
	}
	_, err = m.AbortMultipartUpload(c.ctx, &s3.AbortMultipartUploadInput{
		Bucket: &c.bucket, Key: &c.key, UploadId: c.uploadID(),
	})
	if err != nil {
		return err
	}
	c.fc.SetStatusCode(http.StatusNoContent)
	return nil
}
