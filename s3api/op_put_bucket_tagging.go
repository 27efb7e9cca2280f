package s3api

import (
	"net/http"

	"github.com/xronox/xronox-proxy/router"
)

// putBucketTagging implements PutBucketTagging.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
func (s *Server) putBucketTagging(c *call) error {
	set := tagSet{max: maxBucketTags, tooMany: "Bucket tag count"}
	if err := c.readXML(taggingDocument, set.read); err != nil {
		return err
	}
	return s.setBucketTags(c, set.ofBucket())
}

// setBucketTags replaces the tags of a bucket.
func (s *Server) setBucketTags(c *call, tags []router.Tag) error {
	err := s.Buckets.Configure(c.ctx, *c.identity, c.bucket, func(set router.Settings) (router.Configuration, error) {
		set.Tags = tags
		return set.Configuration, nil
	})
	if err == nil {
		c.fc.SetStatusCode(http.StatusNoContent)
	}
	return err
}
