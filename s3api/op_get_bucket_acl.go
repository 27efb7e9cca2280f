package s3api

// getBucketACL implements GetBucketAcl.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html
func (s *Server) getBucketACL(c *call) error {
	c.writeDoc(aclDoc(c.route.Owner))
	return nil
}
