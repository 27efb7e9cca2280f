package s3api

import "github.com/xronox/xronox-proxy/s3err"

// getObjectLockConfiguration implements GetObjectLockConfiguration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html
func (s *Server) getObjectLockConfiguration(c *call) error {
	set, err := s.Buckets.Settings(c.ctx, c.route)
	switch {
	case err != nil:
		return err
	case set.ObjectLock == nil:
		return s3err.New(s3err.ObjectLockNotFound).With("BucketName", c.bucket)
	}
	d := newResult("ObjectLockConfiguration")
	d.text("ObjectLockEnabled", "Enabled")
	if l := set.ObjectLock; l.Mode != "" {
		d.open("Rule")
		d.open("DefaultRetention")
		d.text("Mode", l.Mode)
		if l.Years > 0 {
			d.int("Years", int64(l.Years))
		} else {
			d.int("Days", int64(l.Days))
		}
		d.close("DefaultRetention")
		d.close("Rule")
	}
	d.close("ObjectLockConfiguration")
	c.writeDoc(d)
	return nil
}
