package s3api

import "github.com/xronox/xronox-proxy/router"

// putBucketCors implements PutBucketCors.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
func (s *Server) putBucketCors(c *call) error {
	var rules corsRules
	if err := c.readXML(corsDocument, rules.read); err != nil {
		return err
	}
	return s.setBucketCors(c, rules)
}

// setBucketCors replaces the rules of a bucket.
func (s *Server) setBucketCors(c *call, rules []router.CORSRule) error {
	return s.Buckets.Configure(c.ctx, *c.identity, c.bucket, func(set router.Settings) (router.Configuration, error) {
		set.CORS = rules
		return set.Configuration, nil
	})
}
