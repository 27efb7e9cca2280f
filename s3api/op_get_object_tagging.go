package s3api

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

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
	// AWS promises no order. This one is the same however the tags were set, wherever they are kept.
	tags := slices.SortedFunc(slices.Values(out.TagSet), func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	c.setVersion(out.VersionId)
	c.writeTags(tags)
	return nil
}
