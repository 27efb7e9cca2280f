package s3api

import (
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// putBucketVersioning implements PutBucketVersioning.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
func (s *Server) putBucketVersioning(c *call) error {
	var v versioningConfiguration
	if err := c.readXML(versioningDocument, v.read); err != nil {
		return err
	}
	return s.Buckets.SetVersioning(c.ctx, *c.identity, c.bucket, v.status)
}

// versioningConfiguration is the document of PutBucketVersioning.
type versioningConfiguration struct{ status router.Versioning }

// read reads the document. To have deletions ask for a second factor is not offered; that they need not
// is what everybody has.
func (v *versioningConfiguration) read(e *elements) error {
	err := e.children(func(name string) error {
		switch name {
		case "Status":
			status, err := e.text()
			if v.status = router.Versioning(status); err == nil && v.status != router.Enabled && v.status != router.Suspended {
				err = malformed(nil)
			}
			return err
		case "MfaDelete":
			mfa, err := e.text()
			switch {
			case err != nil || mfa == "Disabled":
				return err
			case mfa == "Enabled":
				return s3err.Newf(s3err.NotImplemented, "MFA delete is not implemented.")
			}
			return malformed(nil)
		}
		return nil
	})
	if err == nil && v.status == router.Unversioned {
		return s3err.Newf(s3err.IllegalVersioning, "The Versioning element must be specified")
	}
	return err
}
