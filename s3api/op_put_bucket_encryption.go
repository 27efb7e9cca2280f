package s3api

import "github.com/xronox/xronox-proxy/router"

// putBucketEncryption implements PutBucketEncryption.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
func (s *Server) putBucketEncryption(c *call) error {
	var rule encryptionRule
	if err := c.readXML(encryptionDocument, rule.read); err != nil {
		return err
	}
	return s.setBucketEncryption(c, &rule.Encryption)
}

// setBucketEncryption replaces how new objects of a bucket are encrypted.
func (s *Server) setBucketEncryption(c *call, e *router.Encryption) error {
	return s.Buckets.Configure(c.ctx, *c.identity, c.bucket, func(set router.Settings) (router.Configuration, error) {
		set.Encryption = e
		return set.Configuration, nil
	})
}
