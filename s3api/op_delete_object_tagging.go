package s3api

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// deleteObjectTagging implements DeleteObjectTagging.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html
func (s *Server) deleteObjectTagging(c *call) error {
	t, err := c.tagger()
	if err != nil {
		return err
	}
	version, err := c.versionID()
	if err != nil {
		return err
	}
	if err := c.noBody(); err != nil {
		return err
	}
	out, err := t.DeleteObjectTagging(c.ctx, &s3.DeleteObjectTaggingInput{Bucket: &c.bucket, Key: &c.key, VersionId: version})
	if err != nil {
		return err
	}
	c.setVersion(out.VersionId)
	c.fc.SetStatusCode(http.StatusNoContent)
	return nil
}
