package s3api

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
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
	in := &s3.AbortMultipartUploadInput{
		Bucket: &c.bucket, Key: &c.key, UploadId: c.uploadID(),
		IfMatchInitiatedTime: c.timeHeader("X-Amz-If-Match-Initiated-Time"),
	}
	_, err = m.AbortMultipartUpload(c.ctx, in)
	if in.IfMatchInitiatedTime != nil && s3err.Is(err, s3err.NoSuchUpload) {
		err = nil // So it is documented, of the header.
	}
	if err != nil {
		return err
	}
	c.fc.SetStatusCode(http.StatusNoContent)
	return nil
}
