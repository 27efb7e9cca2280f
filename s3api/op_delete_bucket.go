package s3api

import (
	"net/http"

	"github.com/xronox/xronox-proxy/s3err"
)

// deleteBucket implements DeleteBucket: the virtual bucket must be empty.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
func (s *Server) deleteBucket(c *call) error {
	err := s.Buckets.DeleteBucket(c.ctx, *c.identity, c.bucket)
	if s3err.Is(err, s3err.BucketNotEmpty) && versioned(c.route) {
		return s3err.Newf(s3err.BucketNotEmpty, "The bucket you tried to delete is not empty. You must delete all versions in the bucket.").Because(err)
	}
	if err != nil {
		return err
	}
	c.fc.SetStatusCode(http.StatusNoContent)
	return nil
}
