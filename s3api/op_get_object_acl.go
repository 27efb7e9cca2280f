package s3api

import "github.com/aws/aws-sdk-go-v2/service/s3"

// getObjectACL implements GetObjectAcl: every object belongs to the owner of its bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html
func (s *Server) getObjectACL(c *call) error {
	version, err := c.versionID()
	if err != nil {
		return err
	}
	_, err = c.route.Backend.HeadObject(c.ctx, &s3.HeadObjectInput{Bucket: &c.bucket, Key: &c.key, VersionId: version})
	if err != nil {
		return err
	}
	c.writeDoc(aclDoc(c.route.Owner))
	return nil
}
