package s3api

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// guard runs a part of the request's path. A panic in it ends here.
func (c *call) guard(f func(*call) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f(c)
}

// writeError answers with err: the only place that writes one. Whatever the
// operation had put into the response is dropped.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses
func (c *call) writeError(err error) {
	e := s3err.From(err)
	c.err = e
	c.streaming = false
	resp := &c.fc.Response
	_ = resp.CloseBodyStream()
	resp.Reset()
	resp.Header.DisableNormalizing()
	c.set("x-amz-request-id", c.id)
	c.set("x-amz-id-2", hostID(c.id))
	resp.SetStatusCode(e.Status)
	if e.Code == s3err.MethodNotAllowed {
		c.set("Allow", strings.Join(ops.allowed(c), ", "))
	}
	c.detailHeaders(e)
	if e.Status == http.StatusServiceUnavailable {
		c.set("Retry-After", retryAfter)
	}
	if e.Status == http.StatusNotModified {
		return
	}
	resp.Header.SetContentType("application/xml")
	if c.fc.IsHead() {
		resp.SkipBody = true
		return
	}
	resp.SetBody(c.errorDocument(e))
}

// retryAfter is when a client may try again, in seconds, for whoever does not know by
// itself: SDKs do.
const retryAfter = "2"

// detailHeaders writes the details that travel as headers: the validators of
// an object that was not modified, the size that a range missed, and the region
// to sign for. SDKs sign again for that, and have nothing else to learn it from
// in an answer to HEAD; some ask for it by a HeadBucket that is not signed.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func (c *call) detailHeaders(e *s3err.Error) {
	if c.op != nil && c.op.name == "HeadBucket" && e.Status == http.StatusForbidden {
		c.set("x-amz-bucket-region", c.s.Region)
	}
	for _, h := range e.Headers {
		c.set(h.Name, h.Value)
	}
	for _, d := range e.Details {
		switch {
		case e.Status == http.StatusNotModified:
			c.set(d.Name, d.Value)
		case d.Name == "ActualObjectSize":
			c.set("Content-Range", "bytes */"+d.Value)
		case d.Name == "Region":
			c.set("x-amz-bucket-region", d.Value)
		}
	}
}

// errorDocument is the body of an error response.
func (c *call) errorDocument(e *s3err.Error) []byte {
	d := newDoc()
	d.open("Error")
	d.text("Code", string(e.Code))
	d.text("Message", e.Message)
	if e.Code == s3err.MethodNotAllowed {
		d.unless(e, "Method", c.method)
	}
	for _, t := range e.Details {
		d.text(t.Name, t.Value)
	}
	switch e.Code {
	case s3err.NoSuchBucket, s3err.BucketNotEmpty, s3err.BucketAlreadyExists, s3err.BucketAlreadyOwnedByYou, s3err.InvalidBucketName:
		d.unless(e, "BucketName", c.bucket)
	case s3err.NoSuchKey:
		d.unless(e, "Key", c.key)
	}
	resource := e.Resource
	if resource == "" {
		resource = c.resource()
	}
	d.text("Resource", resource)
	d.text("RequestId", c.id)
	d.text("HostId", hostID(c.id))
	d.close("Error")
	return d.b
}

// unless writes an element that e does not have among its details.
func (d *doc) unless(e *s3err.Error, name, value string) {
	if !slices.ContainsFunc(e.Details, func(t s3err.Detail) bool { return t.Name == name }) {
		d.text(name, value)
	}
}
