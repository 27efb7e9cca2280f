package s3api

import "github.com/aws/aws-sdk-go-v2/service/s3"

// getObjectTagging implements GetObjectTagging as far as it goes without tags:
// writing them is refused, so that every object has none. aws-cli asks for
// them before it copies a large object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
func (s *Server) getObjectTagging(c *call) error {
	if err := c.nullVersion(); err != nil {
		return err
	}
	if _, err := c.route.Backend.HeadObject(c.ctx, &s3.HeadObjectInput{Bucket: &c.bucket, Key: &c.key}); err != nil {
		return err
	}
	d := newResult("Tagging")
	d.open("TagSet")
	d.close("TagSet")
	d.close("Tagging")
	c.writeDoc(d)
	return nil
}
