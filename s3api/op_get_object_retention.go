package s3api

import "github.com/aws/aws-sdk-go-v2/service/s3"

// getObjectRetention implements GetObjectRetention.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html
func (s *Server) getObjectRetention(c *call) error {
	l, version, err := c.lockReader()
	if err != nil {
		return err
	}
	out, err := l.GetObjectRetention(c.ctx, &s3.GetObjectRetentionInput{Bucket: &c.bucket, Key: &c.key, VersionId: version})
	if err != nil {
		return err
	}
	d := newResult("Retention")
	if r := out.Retention; r != nil {
		d.text("Mode", string(r.Mode))
		d.time("RetainUntilDate", r.RetainUntilDate)
	}
	d.close("Retention")
	c.writeDoc(d)
	return nil
}
