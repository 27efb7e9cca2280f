package sigv4

import (
	"strings"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// plainGET is a plain GET, signed.
func plainGET(t *testing.T) *Request {
	t.Helper()
	return signed(t, parse("GET /bucket/key HTTP/1.1\nHost: localhost:9000"))
}

// TestAuthorizationHeader holds the errors of a header that does not parse, in
// S3's words.
func TestAuthorizationHeader(t *testing.T) {
	t.Parallel()
	f := func(authorization string, code s3err.Code, message string) {
		t.Helper()
		_, err := exampleVerifier().Verify(set(plainGET(t), "Authorization", authorization))
		if e := wantError(t, err, code); e.Message != message {
			t.Errorf("message %q\n   want %q", e.Message, message)
		}
	}
	const (
		malformed = "The authorization header is malformed; "
		rest      = ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00"
		scope     = "AWS4-HMAC-SHA256 Credential=" + exampleKey + "/20130524/us-east-1/s3/aws4_request"
	)
	f("AWS4-HMAC-SHA256", s3err.InvalidArgument, "Authorization header is invalid -- one and only one ' ' (space) required")
	f("Bearer token", s3err.InvalidArgument, "Unsupported Authorization Type")
	f("AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", s3err.InvalidRequest,
		"The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
	f("AWS4-ECDSA-P256-SHA256 Credential=x", s3err.UnsupportedSignature, "AWS4-ECDSA-P256-SHA256 is not supported. Please use AWS4-HMAC-SHA256.")

	f(scope+", SignedHeaders=host, Odd=1", s3err.AuthorizationHeaderMalformed, malformed+"missing Signature.")
	f(scope+", Odd=1, Signature=00", s3err.AuthorizationHeaderMalformed, malformed+"missing SignedHeaders.")
	f("AWS4-HMAC-SHA256 Odd=1, SignedHeaders=host, Signature=00", s3err.AuthorizationHeaderMalformed, malformed+"missing Credential.")
	const three = malformed + "the authorization header requires three components: Credential, SignedHeaders, and Signature."
	f(scope+", SignedHeaders=host", s3err.AuthorizationHeaderMalformed, three)
	f(scope+rest+", Odd=1", s3err.AuthorizationHeaderMalformed, three)
	f(scope+rest+", Signature=11", s3err.AuthorizationHeaderMalformed, three)
	f(scope+rest+",", s3err.AuthorizationHeaderMalformed, three)
	f(scope+", Signature=00, Signature=11", s3err.AuthorizationHeaderMalformed, malformed+`the authorization component "Signature=11" is malformed.`)
	f(scope+", SignedHeaders=host, odd", s3err.AuthorizationHeaderMalformed, malformed+`the authorization component "odd" is malformed.`)
	f(scope+", SignedHeaders=host"+strings.Repeat(";x", 300)+", Signature=00", s3err.AuthorizationHeaderMalformed,
		malformed+"there are 301 signed headers; at most 256 are allowed.")

	credential := func(c string) string { return "AWS4-HMAC-SHA256 Credential=" + c + rest }
	expecting := malformed + `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`
	f(credential("AKID"), s3err.AuthorizationHeaderMalformed, expecting)
	f(credential("20130524/us-east-1/s3/aws4_request"), s3err.AuthorizationHeaderMalformed, expecting)
	f(credential("/20130524/us-east-1/s3/aws4_request"), s3err.AuthorizationHeaderMalformed, expecting)
	f(credential("AKID/20130524//s3/aws4_request"), s3err.AuthorizationHeaderMalformed, expecting)
	f(credential("AKID/20130524/us-east-1/s3/aws4/request"), s3err.AuthorizationHeaderMalformed, expecting)
	f(credential("AKID/20130524/us-east-1/s3/aws4"), s3err.AuthorizationHeaderMalformed,
		malformed+`incorrect terminal "aws4". This endpoint uses "aws4_request".`)
	f(credential("AKID/20130524/us-east-1/ec2/aws4_request"), s3err.AuthorizationHeaderMalformed,
		malformed+`incorrect service "ec2". This endpoint belongs to "s3".`)
	f(credential("AKID/20130524/eu-west-1/s3/aws4_request"), s3err.AuthorizationHeaderMalformed,
		malformed+"the region 'eu-west-1' is wrong; expecting 'us-east-1'")
	f(credential("AKID/2013-05-24/us-east-1/s3/aws4_request"), s3err.AuthorizationHeaderMalformed,
		malformed+`incorrect date format "2013-05-24". This date in the credential must be in the format "yyyyMMdd".`)
	f(credential("AKID/20130525/us-east-1/s3/aws4_request"), s3err.AuthorizationHeaderMalformed,
		malformed+`Invalid credential date "20130525". This date is not the same as X-Amz-Date: "20130524".`)
	f(credential("AKID/20130524/us-east-1/s3/aws4_request"), s3err.InvalidAccessKeyID,
		"The AWS Access Key Id you provided does not exist in our records.")
}

// TestEmptyAuthorization holds that a header that says nothing is none.
func TestEmptyAuthorization(t *testing.T) {
	t.Parallel()
	v, err := exampleVerifier().Verify(set(plainGET(t), "Authorization", ""))
	if err != nil || v.AccessKey != "" || v.Presigned {
		t.Errorf("%+v, %v; want nobody", v, err)
	}
}

// TestWrongTimes holds what is said of a time that its credential does not fit, either: what is wrong with the time.
func TestWrongTimes(t *testing.T) {
	t.Parallel()
	f := func(stamp string, code s3err.Code) {
		t.Helper()
		_, err := exampleVerifier().Verify(set(plainGET(t), "X-Amz-Date", stamp))
		wantCode(t, err, code)
	}
	f("20100707T215304Z", s3err.RequestTimeTooSkewed)
	f("20300707T215304Z", s3err.RequestTimeTooSkewed)
	f("99990707T215304Z", s3err.RequestTimeTooSkewed)
	f("19500707T215304Z", s3err.AccessDenied)
	f("19691231T235959Z", s3err.AccessDenied)
	f("19700101T000000Z", s3err.RequestTimeTooSkewed)
	f("Tue, 07 Jul 2010 21:53:04 GMT", s3err.AccessDenied)
	f("20130523T235959Z", s3err.AuthorizationHeaderMalformed) // a second before, on another day
}

// TestComponentSpacing accepts what clients put between the components.
func TestComponentSpacing(t *testing.T) {
	t.Parallel()
	r := plainGET(t)
	for _, separator := range []string{",", ", ", ",  ", " , ", ",\t"} {
		if _, err := exampleVerifier().Verify(set(r, "authorization", strings.ReplaceAll(get(r, "Authorization"), ", ", separator))); err != nil {
			t.Errorf("%q: %v", separator, err)
		}
	}
}

// TestRegion holds that the expected region is told, and that an empty one
// accepts all.
func TestRegion(t *testing.T) {
	t.Parallel()
	r := parse("GET / HTTP/1.1\nHost: localhost")
	s := Signer{AccessKey: exampleKey, SecretKey: exampleSecret, Region: "mars-north-1"}
	if err := s.Sign(r, Unsigned, exampleTime); err != nil {
		t.Fatal(err)
	}
	_, err := exampleVerifier().Verify(r)
	if e := wantError(t, err, s3err.AuthorizationHeaderMalformed); detail(e, "Region") != "us-east-1" {
		t.Errorf("details %v", e.Details)
	}
	v := exampleVerifier()
	v.o.Region = ""
	if _, err := v.Verify(r); err != nil {
		t.Error(err)
	}
}

// TestDate takes the time from x-amz-date, else from Date.
func TestDate(t *testing.T) {
	t.Parallel()
	const message = "AWS authentication requires a valid Date or x-amz-date header"
	// A client that signs Date and sends no x-amz-date.
	r := parse("GET /bucket/key HTTP/1.1\nHost: localhost\nDate: Fri, 24 May 2013 00:00:00 GMT\nx-amz-content-sha256: UNSIGNED-PAYLOAD")
	c := claim{signedHeaders: "date;host;x-amz-content-sha256", payload: Unsigned, stamp: exampleStamp, scope: exampleScope}
	var s scratch
	if err := s.canonicalize(r, &c, form{host: r.Host}); err != nil {
		t.Fatal(err)
	}
	s.stringToSign(&c)
	r = set(r, "Authorization", "AWS4-HMAC-SHA256 Credential="+exampleKey+"/"+exampleScope+", SignedHeaders="+c.signedHeaders+
		", Signature="+hmacHex(exampleSecret, "20130524", "us-east-1", string(s.toSign)))
	if _, err := exampleVerifier().Verify(r); err != nil {
		t.Error(err)
	}

	f := func(r *Request) {
		t.Helper()
		_, err := exampleVerifier().Verify(r)
		if e := wantError(t, err, s3err.AccessDenied); e.Message != message {
			t.Errorf("message %q", e.Message)
		}
	}
	f(set(r, "Date", "yesterday"))
	f(without(r, "Date"))
	f(set(r, "x-amz-date", "20130524"))
	f(set(r, "x-amz-date", "20130524T000000.5Z"))
	f(set(r, "x-amz-date", "Fri, 24 May 2013 00:00:00 GMT"))
}

// TestContentSHA256 requires the header, with a value we know.
func TestContentSHA256(t *testing.T) {
	t.Parallel()
	_, err := exampleVerifier().Verify(without(plainGET(t), "x-amz-content-sha256"))
	if e := wantError(t, err, s3err.InvalidRequest); e.Message != "Missing required header for this request: x-amz-content-sha256" {
		t.Errorf("message %q", e.Message)
	}
	f := func(value string, code s3err.Code) {
		t.Helper()
		_, err := exampleVerifier().Verify(set(plainGET(t), "x-amz-content-sha256", value))
		wantCode(t, err, code)
	}
	f("unsigned-payload", s3err.InvalidArgument)
	f("STREAMING-EVERYTHING", s3err.InvalidArgument)
	f(strings.Repeat("0", 63), s3err.InvalidArgument)
	f(strings.Repeat("x", 64), s3err.InvalidArgument)
	f("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", s3err.UnsupportedSignature)
	f("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", s3err.UnsupportedSignature)
	f(strings.Repeat("0", 64), s3err.SignatureDoesNotMatch)
}

// TestMismatchDetails shows the author of a client what we signed.
func TestMismatchDetails(t *testing.T) {
	t.Parallel()
	r := plainGET(t)
	r.Path = "/bucket/other"
	_, err := exampleVerifier().Verify(r)
	e := wantError(t, err, s3err.SignatureDoesNotMatch)
	canonical := "GET\n/bucket/other\n\nhost:localhost:9000\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:20130524T000000Z\n\n" +
		"host;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD"
	toSign := "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n" + sha256Hex(canonical)
	want := []s3err.Detail{
		{Name: "AWSAccessKeyId", Value: exampleKey},
		{Name: "StringToSign", Value: toSign},
		{Name: "SignatureProvided", Value: strings.Split(get(r, "Authorization"), "Signature=")[1]},
		{Name: "StringToSignBytes", Value: hexBytes(toSign)},
		{Name: "CanonicalRequest", Value: canonical},
		{Name: "CanonicalRequestBytes", Value: hexBytes(canonical)},
	}
	for i, d := range want {
		if e.Details[i] != d {
			t.Errorf("got %q\nwant %q", e.Details[i], d)
		}
	}
}

// hexBytes is s as S3 shows bytes.
func hexBytes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string("0123456789abcdef"[s[i]>>4]) + string("0123456789abcdef"[s[i]&15]))
	}
	return b.String()
}

// TestMechanisms refuses what is not one Version 4 signature.
func TestMechanisms(t *testing.T) {
	t.Parallel()
	f := func(r *Request, code s3err.Code) {
		t.Helper()
		_, err := exampleVerifier().Verify(r)
		wantCode(t, err, code)
	}
	both := plainGET(t)
	both.Query = presignedGET(t).Query
	f(both, s3err.InvalidArgument)
	both.Query = "AWSAccessKeyId=AKID&Expires=1&Signature=x"
	f(both, s3err.InvalidArgument)
	f(&Request{Method: "GET", Path: "/", Query: both.Query, Host: "localhost"}, s3err.InvalidRequest)
	twice := plainGET(t)
	twice.Headers = append(twice.Headers, Header{"authorization", get(twice, "authorization")})
	f(twice, s3err.InvalidArgument)
	f(set(plainGET(t), "x-amz-security-token", "token"), s3err.InvalidToken)
}

// TestAnonymous lets a request without authentication pass, as nobody's.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	r := parse("PUT /bucket/key?x-id=PutObject HTTP/1.1\nHost: localhost\nx-amz-acl: private")
	v, err := exampleVerifier().Verify(r)
	if err != nil || v != (Verified{Payload: Unsigned}) {
		t.Errorf("%+v, %v", v, err)
	}
	v, err = exampleVerifier().Verify(set(set(r, "x-amz-content-sha256", string(StreamingSigned)), "x-amz-decoded-content-length", "1"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Body(strings.NewReader(""), 0)
	wantCode(t, err, s3err.AccessDenied)
}

// TestChangedSecret holds that a remembered key does not outlive its secret.
func TestChangedSecret(t *testing.T) {
	t.Parallel()
	keys := secrets{exampleKey: exampleSecret}
	v := New(Options{Keys: keys, Now: func() time.Time { return exampleTime }})
	if _, err := v.Verify(plainGET(t)); err != nil {
		t.Fatal(err)
	}
	keys[exampleKey] = "another"
	_, err := v.Verify(plainGET(t))
	wantCode(t, err, s3err.SignatureDoesNotMatch)
}
