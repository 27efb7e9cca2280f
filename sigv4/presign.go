package sigv4

import (
	"strconv"
	"strings"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// queryFields are the query parameters that authentication looks at, decoded.
type queryFields struct {
	v4, v2        bool // the query carries a signature of that version
	token         bool
	algorithm     string
	credential    string
	date, expires string
	signedHeaders string
	signature     string
	contentSHA256 string
}

// readQuery finds them. A parameter given twice is refused: no two readers
// would agree on which one counts.
func readQuery(query string) (q queryFields, err error) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		if name, err = unescape(name); err != nil {
			return q, err
		}
		to := q.field(name)
		if to == nil {
			continue
		}
		if *to != "" {
			return q, s3err.Newf(s3err.AuthorizationQueryParameters, "The query parameter %s was given more than once.", name)
		}
		if *to, err = unescape(value); err != nil {
			return q, err
		}
	}
	return q, nil
}

// field returns where the value of a parameter belongs, nil if nowhere, and
// notes what its presence says.
func (q *queryFields) field(name string) *string {
	switch name {
	case "X-Amz-Algorithm":
		q.v4 = true
		return &q.algorithm
	case "X-Amz-Credential":
		q.v4 = true
		return &q.credential
	case "X-Amz-Signature":
		q.v4 = true
		return &q.signature
	case "X-Amz-Date":
		return &q.date
	case "X-Amz-Expires":
		return &q.expires
	case "X-Amz-SignedHeaders":
		return &q.signedHeaders
	case "X-Amz-Content-Sha256":
		return &q.contentSHA256
	case "X-Amz-Security-Token":
		q.token = true
	case "AWSAccessKeyId", "Signature":
		q.v2 = true
	}
	return nil
}

// fromQuery reads a claim from a presigned URL.
//
// The payload is unsigned unless the URL, or else the header, says something
// different; the value counts in the canonical request wherever it comes from.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
func (c *claim) fromQuery(q *queryFields, f *fields) error {
	c.presigned = true
	refuse := func(message string) error { return s3err.Newf(s3err.AuthorizationQueryParameters, "%s", message) }
	switch {
	case q.algorithm == "AWS4-ECDSA-P256-SHA256":
		return refuse(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"`) // What S3 said before it knew the other one.
	case q.algorithm != "" && q.algorithm != algorithm:
		return refuse(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"`)
	case q.algorithm == "" || q.credential == "" || q.signature == "" || q.date == "" || q.signedHeaders == "" || q.expires == "":
		return refuse("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
	}
	c.credential, c.signedHeaders, c.signature, c.stamp = q.credential, q.signedHeaders, q.signature, q.date

	var ok bool
	if c.time, ok = parseStamp(q.date); !ok {
		return refuse(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	}
	seconds, err := strconv.ParseInt(q.expires, 10, 64)
	switch {
	case seconds > maxExpires: // also when out of range
		return refuse("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	case seconds < 0:
		return refuse("X-Amz-Expires must be non-negative")
	case err != nil:
		return refuse("X-Amz-Expires should be a number")
	}
	c.expires = time.Duration(seconds) * time.Second

	payload := q.contentSHA256
	if payload == "" {
		payload = f.contentSHA256
	}
	c.payload, err = parsePayload(payload)
	return err
}
