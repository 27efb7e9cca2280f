package s3api

// headBucket implements HeadBucket; that the route was found is the answer.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func (s *Server) headBucket(c *call) error {
	c.set("x-amz-bucket-region", c.route.Region)
	c.set("x-amz-access-point-alias", "false")
	c.set("Content-Type", "application/xml")
	return nil
}
