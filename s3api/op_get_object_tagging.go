package s3api

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// getObjectTagging implements GetObjectTagging. Objects of a bucket that keeps no tags have none: aws-cli
// asks for them before it copies a large object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
func (s *Server) getObjectTagging(c *call) error {
	version, err := c.versionID()
	if err != nil {
		return err
	}
	out, err := backends.TaggerOf(c.route.Backend).GetObjectTagging(c.ctx, &s3.GetObjectTaggingInput{
		Bucket: &c.bucket, Key: &c.key, VersionId: version,
	})
	if err != nil {
		return err
	}
	c.setVersion(out.VersionId)
	d := newResult("Tagging")
	d.open("TagSet")
	for i := range out.TagSet {
		d.open("Tag")
		d.ptr("Key", out.TagSet[i].Key)
		d.ptr("Value", out.TagSet[i].Value)
		d.close("Tag")
	}
	d.close("TagSet")
	d.close("Tagging")
	c.writeDoc(d)
	return nil
}
