package s3api

import "github.com/xronox/xronox-proxy/router"

// getBucketVersioning implements GetBucketVersioning. The document has no Status as long as none is
// in force.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
func (s *Server) getBucketVersioning(c *call) error {
	d := newResult("VersioningConfiguration")
	if set := &c.route.Settings; set.Versioning != router.Unversioned && !set.Enabling {
		d.text("Status", string(set.Versioning))
	}
	d.close("VersioningConfiguration")
	c.writeDoc(d)
	return nil
}
