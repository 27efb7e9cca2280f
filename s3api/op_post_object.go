package s3api

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// postObject implements PostObject: PutObject for browsers, in a form.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
func (s *Server) postObject(c *call) error {
	file, err := c.form.open(c.contentLength()-c.form.in.n, s.TempDir)
	if file != nil {
		defer file.close()
	}
	if err != nil {
		return err
	}
	out, err := c.putFile(file)
	if err != nil {
		return err
	}
	// What follows the file is taken off the connection, so that it can be used again.
	_, _ = io.CopyN(io.Discard, c.form.in.r, maxIgnoredBytes)
	c.setPut(out)
	c.answerForm(out)
	return nil
}

// putFile has the backend take the file; again, if its length was promised wrongly.
func (c *call) putFile(file *formFile) (out *s3.PutObjectOutput, err error) {
	put := func() error {
		c.file = file
		in, err := c.putObjectInput()
		if err == nil {
			out, err = c.route.Backend.PutObject(c.ctx, in)
		}
		return err
	}
	if !file.wrong {
		err = put()
	}
	if file.wrong {
		if err = file.settle(); err == nil {
			err = put()
		}
	}
	return out, err
}

// form reads the fields of a form: the key and the credential are among them. That comes before anybody
// is authenticated, and is bounded for that. A client that waits to be told that it may send has it sent.
func (s *Server) form(c *call) error {
	switch {
	case c.op.scope != onForm:
		return nil
	case c.expecting:
		return errBodyFirst
	}
	c.body = &uploadBody{wire: c.newWire()}
	f, err := readForm(c.body.wire, c.header("Content-Type"))
	switch {
	case err != nil:
		return err
	case !c.hasHeader("Content-Length"):
		return s3err.New(s3err.MissingContentLength)
	}
	c.form = f
	c.key, err = f.key()
	return err
}

// key is the key that the form is for.
func (f *form) key() (string, error) {
	key, ok := f.lookup("key")
	switch {
	case !ok:
		return "", missingField("key")
	case key == "":
		return "", s3err.InvalidArg("key", key, "User key must have a length greater than 0.")
	}
	return key, checkKey(key)
}

// missingField is the error for a field that is not there, or after the file.
func missingField(name string) error {
	return s3err.InvalidArg(name, "", "Bucket POST must contain a field named '"+name+"'.  If it is specified, please check the order of the fields.")
}

// answerForm answers as the form wants it. What it wants and cannot have is as if it
// wanted nothing.
func (c *call) answerForm(out *s3.PutObjectOutput) {
	location := c.urlOf(strings.ReplaceAll(string(appendURLEncoded(nil, c.key)), "/", "%2F"))
	c.set("Location", location)
	status := http.StatusNoContent
	to, redirect := c.form.redirect()
	wanted := c.form.value("success_action_status")
	switch {
	case redirect:
		status = http.StatusSeeOther
		c.set("Location", to+"bucket="+url.QueryEscape(c.bucket)+"&key="+url.QueryEscape(c.key)+"&etag="+url.QueryEscape(*orDefault(out.ETag, "")))
	case wanted == "200":
		status = http.StatusOK
	case wanted == "201":
		status = http.StatusCreated
		d := newDoc()
		d.open("PostResponse")
		d.text("Location", location)
		d.text("Bucket", c.bucket)
		d.text("Key", c.key)
		d.ptr("ETag", out.ETag)
		d.close("PostResponse")
		c.writeDoc(d)
	}
	c.fc.Response.SetStatusCode(status)
}

// redirect is where the browser is to go, ready for a query to be appended.
func (f *form) redirect() (to string, ok bool) {
	if to, ok = f.lookup("success_action_redirect"); !ok {
		to, _ = f.lookup("redirect") // its old name
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", false
	}
	if strings.Contains(to, "?") {
		return to + "&", true
	}
	return to + "?", true
}
