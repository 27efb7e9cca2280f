package s3api

import "net/http"

// deleteBucketCors implements DeleteBucketCors.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html
func (s *Server) deleteBucketCors(c *call) error {
	if err := c.noBody(); err != nil {
		return err
	}
	if err := s.setBucketCors(c, nil); err != nil {
		return err
	}
	c.fc.SetStatusCode(http.StatusNoContent)
	return nil
}
