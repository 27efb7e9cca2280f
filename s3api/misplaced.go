package s3api

import (
	"io"
	"net/http"

	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/sigv4"
)

// misplaced refuses what a request names where nothing is called that, before an operation is chosen that would
// overlook it: a version of all objects asked of one, a part of no upload, a copy by an operation that copies nothing.
func (c *call) misplaced() error {
	has := func(name string) bool { _, ok := c.query.lookup(name); return ok }
	switch {
	case c.scope == onObject && has("versions"):
		return s3err.Newf(s3err.InvalidRequest, "There is no such thing as the ?versions sub-resource for a key")
	case c.scope == onObject && c.method == http.MethodGet && has("uploads"):
		return s3err.Newf(s3err.InvalidRequest, "Key is not expected for the GET method ?uploads subresource")
	case c.scope == onObject && c.method == http.MethodPut && has("partNumber") && !has("uploadId"):
		return s3err.InvalidArg("partNumber", "partNumber", "This operation does not accept partNumber without uploadId")
	case !c.mayCopy() && c.hasHeader("X-Amz-Copy-Source"):
		return s3err.InvalidArg("x-amz-copy-source", c.header("X-Amz-Copy-Source"), "You can only specify a copy source header for copy requests.")
	}
	return nil
}

// mayCopy reports whether S3 would look at a copy source, if only to overlook it.
func (c *call) mayCopy() bool {
	if c.method != http.MethodPost {
		return c.method == http.MethodPut
	}
	_, completes := c.query.lookup("uploadId")
	return !completes
}

// checkPayload refuses what x-amz-content-sha256 cannot say of the request: that settings of a bucket come in chunks, and
// that there is a body when there is none. Nobody who reads bodies would find out.
func (c *call) checkPayload() error {
	p := c.auth.Payload
	switch {
	case p.Streaming():
		if c.method == http.MethodPut && c.scope == onBucket {
			return s3err.Newf(s3err.InvalidRequest, "The value of x-amz-content-sha256 header is invalid.")
		}
	case p != sigv4.Empty && p != sigv4.Unsigned && c.contentLength() == 0 && !c.wantsLength():
		none, err := c.auth.Body(http.NoBody, 0)
		if err != nil {
			return err
		}
		if _, err = none.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // of Body, which does not wrap it
			return err
		}
	}
	return nil
}

// wantsLength reports whether the request brings an object, or a part, of a length that it does not tell. Whoever
// reads it says so.
func (c *call) wantsLength() bool {
	return (c.op.name == "PutObject" || c.op.name == "UploadPart") && !c.hasHeader("Content-Length")
}
