package s3api

import "net/http"

// deleteBucketEncryption implements DeleteBucketEncryption: objects are encrypted as S3 does it anyway.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html
func (s *Server) deleteBucketEncryption(c *call) error {
	if err := c.noBody(); err != nil {
		return err
	}
	if err := s.setBucketEncryption(c, nil); err != nil {
		return err
	}
	c.fc.SetStatusCode(http.StatusNoContent)
	return nil
}
