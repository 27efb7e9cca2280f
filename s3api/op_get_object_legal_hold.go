package s3api

import "github.com/aws/aws-sdk-go-v2/service/s3"

// getObjectLegalHold implements GetObjectLegalHold.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html
func (s *Server) getObjectLegalHold(c *call) error {
	l, version, err := c.lockReader()
	if err != nil {
		return err
	}
	out, err := l.GetObjectLegalHold(c.ctx, &s3.GetObjectLegalHoldInput{Bucket: &c.bucket, Key: &c.key, VersionId: version})
	if err != nil {
		return err
	}
	d := newResult("LegalHold")
	if h := out.LegalHold; h != nil {
		d.text("Status", string(h.Status))
	}
	d.close("LegalHold")
	c.writeDoc(d)
	return nil
}
