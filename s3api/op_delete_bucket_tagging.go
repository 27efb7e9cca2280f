package s3api

// deleteBucketTagging implements DeleteBucketTagging.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html
func (s *Server) deleteBucketTagging(c *call) error {
	if err := c.noBody(); err != nil {
		return err
	}
	return s.setBucketTags(c, nil)
}
