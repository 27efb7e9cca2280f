package s3api

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// putObjectTagging implements PutObjectTagging.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
func (s *Server) putObjectTagging(c *call) error {
	t, err := c.tagger()
	if err != nil {
		return err
	}
	version, err := c.versionID()
	if err != nil {
		return err
	}
	tags := tagSet{max: maxTags, tooMany: objectTags}
	if err := c.readXML(taggingDocument, tags.read); err != nil {
		return err
	}
	out, err := t.PutObjectTagging(c.ctx, &s3.PutObjectTaggingInput{
		Bucket: &c.bucket, Key: &c.key, VersionId: version, Tagging: &types.Tagging{TagSet: tags.tags},
	})
	if err != nil {
		return err
	}
	c.setVersion(out.VersionId)
	return nil
}
