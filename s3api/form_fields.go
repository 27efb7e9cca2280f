package s3api

import (
	"net/url"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/sigv4"
)

// signatureFields are those that sign a form. They come together, or not at all.
var signatureFields = []string{"X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date"}

// verifyForm finds out who signed the form, and holds the form to what its policy allows.
// A form that nobody signed is anonymous.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
func (s *Server) verifyForm(c *call) (sigv4.Verified, error) {
	claim, err := c.form.signature()
	if claim == nil {
		return sigv4.Verified{}, err
	}
	claim.Elsewhere = c.header("Authorization")
	if algorithm, ok := c.query.lookup("X-Amz-Algorithm"); ok {
		claim.Elsewhere = algorithm
	}
	who, err := s.verifier.VerifyPost(claim)
	if err != nil {
		return who, err
	}
	p, err := parsePolicy(claim.Policy)
	if err == nil {
		c.form.size = p.size()
		err = p.allows(c.form, c.bucket, s.Now())
	}
	if err == nil {
		err = c.takeFields()
	}
	if err != nil {
		who.AccessKey = "" // Nobody, for this form.
	}
	return who, err
}

// signature is what the form says of its own; nil of one that nobody signed.
func (f *form) signature() (*sigv4.PostForm, error) {
	if !slices.ContainsFunc(signatureFields, f.has) {
		if f.has("AWSAccessKeyId") || f.has("Signature") {
			return &sigv4.PostForm{Version2: true}, nil
		}
		return nil, nil // nobody is no error
	}
	for _, name := range signatureFields {
		if !f.has(name) {
			return nil, missingField(name)
		}
	}
	if !f.has("policy") {
		return nil, missingField("policy")
	}
	return &sigv4.PostForm{
		Policy: f.value("policy"), Algorithm: f.value("x-amz-algorithm"), Credential: f.value("x-amz-credential"),
		Date: f.value("x-amz-date"), Signature: f.value("x-amz-signature"), Token: f.has("x-amz-security-token"),
	}, nil
}

// ofRequest are the headers that are about a request with a form. All others are about
// something else, such as what a browser's cache is to do.
var ofRequest = []string{
	"host", "content-length", "transfer-encoding", "x-amz-expected-bucket-owner", asOfHeader,
	"origin", "access-control-request-method", "access-control-request-headers",
}

// ofObject are the fields that are headers of PutObject, beside those of S3's own.
var ofObject = []string{
	"cache-control", "content-disposition", "content-encoding", "content-language", "content-md5", "content-type", "expires",
}

// renamed are the fields that are headers by another name.
var renamed = map[string]string{"acl": "x-amz-acl", "x-amz-checksum-algorithm": "x-amz-sdk-checksum-algorithm"}

// notForForms are headers that say how a request is signed or encoded, which is not
// what it is in a form.
var notForForms = []string{
	"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token",
	"x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer", "x-amz-copy-source",
}

// takeFields makes headers of the fields that PutObject has as headers. Whatever reads headers holds for
// forms then. Fields that S3 does not know mean nothing.
func (c *call) takeFields() error {
	headers := slices.DeleteFunc(slices.Clone(c.headers), func(h sigv4.Header) bool {
		return !slices.Contains(ofRequest, strings.ToLower(h.Name))
	})
	for _, field := range c.form.fields {
		name, value, err := asHeader(field)
		switch {
		case err != nil:
			return err
		case name == "":
			continue
		case hasPrefixFold(name, "x-amz-") && c.hasHeader(name) && c.header(name) != value:
			return s3err.Newf(s3err.InvalidRequest, "Conflicting values provided in HTTP headers and POST form fields.")
		}
		headers = append(headers, sigv4.Header{Name: name, Value: value})
	}
	c.headers = headers
	return nil
}

// asHeader is the header that a field stands for; its name is empty if there is none.
func asHeader(field param) (name, value string, err error) {
	name, value = strings.ToLower(field.name), strings.Trim(field.value, " \t")
	if name == "tagging" {
		value, err = tagsOfXML(field.value)
		return "x-amz-tagging", value, err
	}
	if other, ok := renamed[name]; ok {
		name = other
	}
	if slices.Contains(notForForms, name) || !hasPrefixFold(name, "x-amz-") && !slices.Contains(ofObject, name) {
		return "", "", nil
	}
	if !isHeader(name, value) {
		return "", "", s3err.InvalidArg(field.name, field.value, "The field cannot be represented as a header.")
	}
	return name, value, nil
}

// tagsOfXML reads the document of tags, and writes them as a header has them.
func tagsOfXML(text string) (string, error) {
	tags := tagSet{max: maxTags, tooMany: "Object tags"}
	if err := taggingDocument.decode(strings.NewReader(text), tags.read); err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range tags.tags {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(*tags.tags[i].Key) + "=" + url.QueryEscape(*tags.tags[i].Value))
	}
	return b.String(), nil
}
