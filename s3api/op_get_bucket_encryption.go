package s3api

// getBucketEncryption implements GetBucketEncryption.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html
func (s *Server) getBucketEncryption(c *call) error {
	set, err := s.Buckets.Settings(c.ctx, c.route)
	if err != nil {
		return err
	}
	c.writeDoc(encryptionDoc(set.Encryption))
	return nil
}
