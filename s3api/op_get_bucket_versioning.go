package s3api

// getBucketVersioning implements GetBucketVersioning for buckets that never had
// versions: the document has no Status then.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
func (s *Server) getBucketVersioning(c *call) error {
	d := newResult("VersioningConfiguration")
	d.close("VersioningConfiguration")
	c.writeDoc(d)
	return nil
}
