package sigv4

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// Limits of what a request may claim.
const (
	maxSkew          = 15 * time.Minute // of the request's time against ours
	maxExpires       = 604800           // seconds; a week
	maxSignedHeaders = 256              // names; each is looked for among all headers
)

// stampLayout is the form of X-Amz-Date.
const stampLayout = "20060102T150405Z"

// claim is what a request says of its own signature, from the Authorization
// header or from the query.
type claim struct {
	presigned     bool
	posted        bool   // in the fields of a form
	credential    string // as sent: access key and scope
	accessKey     string
	scope         string // "20130524/us-east-1/s3/aws4_request"
	day, region   string // of the scope
	signedHeaders string // names, joined by ";"
	signature     string
	payload       Payload
	stamp         string // the time as the string to sign has it
	time          time.Time
	expires       time.Duration // presigned only
}

// malformed is the error for a claim that does not parse: each of the three
// places has its code and its way to begin the sentence.
func (c *claim) malformed(format string, args ...any) *s3err.Error {
	switch {
	case c.posted:
		return s3err.InvalidArg("X-Amz-Credential", c.credential, fmt.Sprintf(format, args...))
	case c.presigned:
		return s3err.Newf(s3err.AuthorizationQueryParameters, "Error parsing the X-Amz-Credential parameter; "+format, args...)
	}
	return s3err.Newf(s3err.AuthorizationHeaderMalformed, "The authorization header is malformed; "+format, args...)
}

// malformedCredential is said of a credential that does not have five parts.
const malformedCredential = `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`

// checkScope splits the credential and judges its scope.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
func (c *claim) checkScope(region string) error {
	rest, terminal, ok4 := cutLast(c.credential)
	rest, service, ok3 := cutLast(rest)
	rest, c.region, _ = cutLast(rest)
	accessKey, day, ok1 := cutLast(rest)
	if !ok1 || !ok3 || !ok4 || accessKey == "" || c.region == "" {
		return c.malformed(malformedCredential)
	}
	c.accessKey, c.day, c.scope = accessKey, day, c.credential[len(accessKey)+1:]
	if terminal != "aws4_request" {
		if strings.Count(c.credential, "/") > 4 {
			return c.malformed(malformedCredential)
		}
		return c.malformed(`incorrect terminal %q. This endpoint uses "aws4_request".`, terminal)
	}
	if service != "s3" {
		return c.malformed(`incorrect service %q. This endpoint belongs to "s3".`, service)
	}
	if region != "" && c.region != region {
		return c.malformed("the region '%s' is wrong; expecting '%s'", c.region, region).With("Region", region)
	}
	if _, err := time.Parse("20060102", c.day); err != nil {
		return c.malformed(`incorrect date format %q. This date in the credential must be in the format "yyyyMMdd".`, c.day)
	}
	return nil
}

// checkDay compares the day of the scope with the request's. A time that is wrong in itself comes before that.
func (c *claim) checkDay() error {
	if c.day == c.stamp[:8] {
		return nil
	}
	if c.presigned {
		return s3err.Newf(s3err.AuthorizationQueryParameters, "Invalid credential date %q. This date is not the same as X-Amz-Date: %q.", c.day, c.stamp[:8])
	}
	return c.malformed("Invalid credential date %q. This date is not the same as X-Amz-Date: %q.", c.day, c.stamp[:8])
}

// cutLast cuts s around its last slash. An access key may contain slashes; the
// scope behind it may not.
func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// parseStamp parses a time as X-Amz-Date has it. The length is checked because
// time.Parse takes fractions of a second that no layout mentions.
func parseStamp(s string) (time.Time, bool) {
	t, err := time.Parse(stampLayout, s)
	return t, err == nil && len(s) == len(stampLayout)
}

// checkTime judges the request's time against now.
func (c *claim) checkTime(now time.Time) error {
	ahead := c.time.Sub(now)
	if !c.presigned {
		if ahead.Abs() <= maxSkew {
			return nil
		}
		return s3err.New(s3err.RequestTimeTooSkewed).
			With("RequestTime", c.stamp).
			With("ServerTime", now.UTC().Format(time.RFC3339)).
			With("MaxAllowedSkewMilliseconds", strconv.FormatInt(maxSkew.Milliseconds(), 10))
	}
	expires := c.time.Add(c.expires)
	if ahead > maxSkew {
		return s3err.Newf(s3err.AccessDenied, "Request is not yet valid").
			With("X-Amz-Date", strconv.FormatInt(c.time.UnixMilli(), 10)).
			With("Expires", expires.Format(time.RFC3339)).
			With("ServerTime", now.UTC().Format(time.RFC3339))
	}
	if now.After(expires) {
		return s3err.Newf(s3err.AccessDenied, "Request has expired").
			With("X-Amz-Expires", strconv.Itoa(int(c.expires/time.Second))).
			With("Expires", expires.Format(time.RFC3339)).
			With("ServerTime", now.UTC().Format(time.RFC3339))
	}
	return nil
}

// checkSigned refuses a request whose signature leaves out the host or an
// x-amz-* or x-xronox-* header: whoever holds a presigned URL could add, say, an
// x-amz-copy-source to it. Like S3, it lets x-amz-content-sha256 stand
// outside of SignedHeaders: the canonical request holds its value anyway.
func (c *claim) checkSigned(headers []Header) error {
	if n := strings.Count(c.signedHeaders, ";"); n >= maxSignedHeaders {
		return c.malformed("there are %d signed headers; at most %d are allowed.", n+1, maxSignedHeaders)
	}
	var unsigned []string
	if !c.signs("host") {
		unsigned = append(unsigned, "host")
	}
	for _, h := range headers {
		if mustSign(h.Name) && !c.signs(h.Name) && !sameName(h.Name, "x-amz-content-sha256") {
			unsigned = append(unsigned, strings.ToLower(h.Name))
		}
	}
	if unsigned == nil {
		return nil
	}
	return s3err.Newf(s3err.AccessDenied, "There were headers present in the request which were not signed").
		With("HeadersNotSigned", strings.Join(unsigned, ", "))
}

// signs reports whether the header called name is covered by the signature.
func (c *claim) signs(name string) bool {
	for s := range strings.SplitSeq(c.signedHeaders, ";") {
		if sameName(s, name) {
			return true
		}
	}
	return false
}

// sameName reports whether a and b name the same header. Names are ASCII: that
// EqualFold takes a Kelvin sign for a k must not matter.
func sameName(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// mustSign reports whether a header is one that must be signed: S3's, and those that
// this server has besides.
func mustSign(name string) bool { return isOf(name, "x-amz-") || isOf(name, "x-xronox-") }

// isAmz reports whether a header is S3's.
func isAmz(name string) bool { return isOf(name, "x-amz-") }

// isOf reports whether a header begins with prefix, and does not end with it.
func isOf(name, prefix string) bool {
	return len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}
