package s3api

import (
	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// multipart returns the multipart ability of the bucket's backend.
func (c *call) multipart() (backends.MultipartUploader, error) {
	m, ok := backends.As[backends.MultipartUploader](c.route.Backend)
	if !ok {
		return nil, s3err.Newf(s3err.NotImplemented, "The storage behind this bucket has no multipart uploads.")
	}
	return m, nil
}

// uploadID is the upload the request names.
func (c *call) uploadID() *string {
	v, _ := c.query.lookup("uploadId")
	return &v
}
