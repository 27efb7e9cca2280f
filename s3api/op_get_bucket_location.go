package s3api

// getBucketLocation implements GetBucketLocation. us-east-1 is written as an
// empty constraint.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
func (s *Server) getBucketLocation(c *call) error {
	d := newResult("LocationConstraint")
	if c.route.Region != "us-east-1" {
		d.escape(c.route.Region)
	}
	d.close("LocationConstraint")
	c.writeDoc(d)
	return nil
}
