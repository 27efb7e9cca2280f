package s3api

import (
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// deleteObject implements DeleteObject.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
func (s *Server) deleteObject(c *call) error {
	version, err := c.versionID()
	if err != nil {
		return err
	}
	in := &s3.DeleteObjectInput{
		Bucket: &c.bucket, Key: &c.key, VersionId: version, IfMatch: c.headerPtr("If-Match"),
		IfMatchLastModifiedTime: c.timeHeader("X-Amz-If-Match-Last-Modified-Time"), BypassGovernanceRetention: c.bypass(),
	}
	if v := c.header("X-Amz-If-Match-Size"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			return s3err.InvalidArg("x-amz-if-match-size", v, "The size must be a number of bytes.")
		}
		in.IfMatchSize = &n
	}
	if err := c.noBody(); err != nil {
		return err
	}
	out, err := c.route.Backend.DeleteObject(c.ctx, in)
	if err != nil {
		return err
	}
	c.setVersion(out.VersionId)
	c.setMarker(out.DeleteMarker)
	c.fc.SetStatusCode(http.StatusNoContent)
	return nil
}
