package s3api

import "net/http"

// deleteBucket implements DeleteBucket: the virtual bucket must be empty.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
func (s *Server) deleteBucket(c *call) error {
	if err := s.Buckets.DeleteBucket(c.ctx, *c.identity, c.bucket); err != nil {
		return err
	}
	c.fc.SetStatusCode(http.StatusNoContent)
	return nil
}
