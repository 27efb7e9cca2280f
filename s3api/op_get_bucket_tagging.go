package s3api

import (
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// getBucketTagging implements GetBucketTagging.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html
func (s *Server) getBucketTagging(c *call) error {
	set, err := s.Buckets.Settings(c.ctx, c.route)
	switch {
	case err != nil:
		return err
	case len(set.Tags) == 0:
		return s3err.New(s3err.NoSuchTagSet).With("BucketName", c.bucket)
	}
	tags := make([]types.Tag, len(set.Tags))
	for i := range set.Tags {
		tags[i] = types.Tag{Key: &set.Tags[i].Key, Value: &set.Tags[i].Value}
	}
	c.writeTags(tags)
	return nil
}
