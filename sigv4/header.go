package sigv4

import (
	"strings"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// algorithm is the only one we verify and sign with.
const algorithm = "AWS4-HMAC-SHA256"

// fields are the headers that authentication looks at.
type fields struct {
	authorized    bool // there is an Authorization header
	authorization string
	date, amzDate string
	contentSHA256 string
	decodedLength string
	trailer       string
	token         bool // there is an x-amz-security-token
}

// readFields finds them, in one pass.
func readFields(headers []Header) (f fields, err error) {
	for _, h := range headers {
		switch {
		case sameName(h.Name, "date"):
			f.date = h.Value
		case sameName(h.Name, "authorization"):
			if f.authorized {
				return f, s3err.InvalidArg("Authorization", h.Value, onlyOneMechanism)
			}
			f.authorized, f.authorization = h.Value != "", h.Value // One that says nothing is none.
		case !isAmz(h.Name):
		case sameName(h.Name, "x-amz-date"):
			f.amzDate = h.Value
		case sameName(h.Name, "x-amz-content-sha256"):
			f.contentSHA256 = h.Value
		case sameName(h.Name, "x-amz-decoded-content-length"):
			f.decodedLength = h.Value
		case sameName(h.Name, "x-amz-trailer"):
			f.trailer = joinComma(f.trailer, h.Value)
		case sameName(h.Name, "x-amz-security-token"):
			f.token = true
		}
	}
	return f, nil
}

// joinComma joins the values of two lines of the same header.
func joinComma(a, b string) string {
	if a == "" {
		return b
	}
	return a + "," + b
}

// fromHeader reads a claim from the Authorization header:
//
//	AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
func (c *claim) fromHeader(f *fields) error {
	name, components, ok := strings.Cut(f.authorization, " ")
	if !ok {
		return s3err.InvalidArg("Authorization", f.authorization, "Authorization header is invalid -- one and only one ' ' (space) required")
	}
	switch name {
	case algorithm:
	case "AWS4-ECDSA-P256-SHA256":
		return unsupportedECDSA()
	default:
		return s3err.InvalidArg("Authorization", f.authorization, "Unsupported Authorization Type")
	}
	if err := c.readComponents(components); err != nil {
		return err
	}
	if f.contentSHA256 == "" {
		return s3err.Newf(s3err.InvalidRequest, "Missing required header for this request: x-amz-content-sha256")
	}
	var err error
	if c.payload, err = parsePayload(f.contentSHA256); err != nil {
		return err
	}
	return c.readDate(f)
}

// readComponents reads what follows the algorithm. Like S3, it says of a component with another name
// that the one it expected is missing.
func (c *claim) readComponents(s string) error {
	if strings.Count(s, ",") != 2 {
		return c.malformed("the authorization header requires three components: Credential, SignedHeaders, and Signature.")
	}
	for component := range strings.SplitSeq(s, ",") {
		component = strings.Trim(component, " \t")
		name, value, ok := strings.Cut(component, "=")
		var to *string
		switch name {
		case "Credential":
			to = &c.credential
		case "SignedHeaders":
			to = &c.signedHeaders
		case "Signature":
			to = &c.signature
		}
		switch {
		case !ok || to != nil && *to != "":
			return c.malformed("the authorization component %q is malformed.", component)
		case to != nil:
			*to = value
		}
	}
	switch "" {
	case c.credential:
		return c.malformed("missing Credential.")
	case c.signedHeaders:
		return c.malformed("missing SignedHeaders.")
	case c.signature:
		return c.malformed("missing Signature.")
	}
	return nil
}

// readDate takes the time from x-amz-date, else from Date.
func (c *claim) readDate(f *fields) error {
	var ok bool
	c.stamp = f.amzDate
	if c.time, ok = parseStamp(f.amzDate); ok && c.time.Unix() >= 0 { // S3 knows no time before its epoch.
		return nil
	}
	if f.amzDate == "" {
		for _, layout := range []string{time.RFC1123, time.RFC1123Z, stampLayout} {
			t, err := time.Parse(layout, f.date)
			if err == nil {
				c.time, c.stamp = t, t.UTC().Format(stampLayout)
				return nil
			}
		}
	}
	return s3err.Newf(s3err.AccessDenied, "AWS authentication requires a valid Date or x-amz-date header")
}
