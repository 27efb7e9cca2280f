package s3api

import "github.com/xronox/xronox-proxy/s3err"

// getBucketCors implements GetBucketCors.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html
func (s *Server) getBucketCors(c *call) error {
	set, err := s.Buckets.Settings(c.ctx, c.route)
	switch {
	case err != nil:
		return err
	case len(set.CORS) == 0:
		return s3err.New(s3err.NoSuchCORSConfiguration).With("BucketName", c.bucket)
	}
	c.writeDoc(corsDoc(set.CORS))
	return nil
}
