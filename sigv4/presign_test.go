package sigv4

import (
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/s3err"
)

// TestPresignedQuery holds the errors of a query that does not parse, in S3's
// words.
func TestPresignedQuery(t *testing.T) {
	t.Parallel()
	query := presignedGET(t).Query
	f := func(old, replacement string, code s3err.Code, message string) {
		t.Helper()
		r := presignedGET(t)
		if r.Query = strings.Replace(query, old, replacement, 1); r.Query == query {
			t.Fatalf("no %q in %s", old, query)
		}
		_, err := exampleVerifier().Verify(r)
		if e := wantError(t, err, code); e.Message != message {
			t.Errorf("message %q\n   want %q", e.Message, message)
		}
	}
	const (
		code    = s3err.AuthorizationQueryParameters
		missing = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
		parsing = "Error parsing the X-Amz-Credential parameter; "
	)
	for _, name := range []string{"Algorithm", "Credential", "Signature", "Date", "SignedHeaders", "Expires"} {
		f("X-Amz-"+name+"=", "no-"+name+"=", code, missing)
	}
	f("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", code, `X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"`)
	f("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", code, `X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"`)
	f("Date=20130524T000000Z", "Date=20130524", code, `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	f("Date=20130524T000000Z", "Date=20130524T000000.1Z", code, `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	f("Expires=86400", "Expires=604801", code, "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	f("Expires=86400", "Expires=99999999999999999999", code, "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	f("Expires=86400", "Expires=-1", code, "X-Amz-Expires must be non-negative")
	f("Expires=86400", "Expires=1d", code, "X-Amz-Expires should be a number")
	f("Expires=86400", "Expires=86400&X-Amz-Expires=1", code, "The query parameter X-Amz-Expires was given more than once.")
	f("us-east-1", "eu-west-1", code, parsing+"the region 'eu-west-1' is wrong; expecting 'us-east-1'")
	f("%2Fs3%2F", "%2Fec2%2F", code, parsing+`incorrect service "ec2". This endpoint belongs to "s3".`)
	f("aws4_request", "aws3_request", code, parsing+`incorrect terminal "aws3_request". This endpoint uses "aws4_request".`)
	f("%2Fs3%2F", "%2F", code, parsing+`the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`)
	f("%2F20130524%2F", "%2F2013%2F", code, parsing+`incorrect date format "2013". This date in the credential must be in the format "yyyyMMdd".`)
	f("%2F20130524%2F", "%2F20130523%2F", code, `Invalid credential date "20130523". This date is not the same as X-Amz-Date: "20130524".`)
	f("AKIA", "BKIA", s3err.InvalidAccessKeyID, "The AWS Access Key Id you provided does not exist in our records.")
	f("&X-Amz-Date", "&X-Amz-Security-Token=x&X-Amz-Date", s3err.InvalidToken, "The provided token is malformed or otherwise invalid.")
	f("=host", "=host%ZZ", s3err.InvalidURI, "Couldn't parse the specified URI.")
}

// TestPresignedEscapedNames holds that an escaped name is the name it decodes
// to, in what is read and in what is signed.
func TestPresignedEscapedNames(t *testing.T) {
	t.Parallel()
	r := presignedGET(t)
	r.Query = strings.ReplaceAll(r.Query, "X-Amz", "X%2DAmz")
	if v, err := exampleVerifier().Verify(r); err != nil || !v.Presigned {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestPresignedPayload takes the payload from the query, else from the header,
// else it is unsigned.
func TestPresignedPayload(t *testing.T) {
	t.Parallel()
	f := func(r *Request, want Payload) {
		t.Helper()
		v, err := exampleVerifier().Verify(r)
		if err != nil || v.Payload != want {
			t.Errorf("%q, %v; want %q", v.Payload, err, want)
		}
	}
	hash := sha256Hex("x")
	f(presign(t, "PUT", "60", "", "host"), Unsigned)
	f(presign(t, "PUT", "60", "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", "host"), Unsigned)
	f(presign(t, "PUT", "60", "X-Amz-Content-Sha256="+hash, "host"), Payload(hash))
	f(set(presign(t, "PUT", "60", "", "host"), "x-amz-content-sha256", "UNSIGNED-PAYLOAD"), Unsigned)
	f(set(presign(t, "PUT", "60", "X-Amz-Content-Sha256="+hash, "host"), "x-amz-content-sha256", "UNSIGNED-PAYLOAD"), Payload(hash))

	// A header that the URL does not speak of cannot weaken what was signed.
	_, err := exampleVerifier().Verify(set(presign(t, "PUT", "60", "", "host"), "x-amz-content-sha256", hash))
	wantCode(t, err, s3err.SignatureDoesNotMatch)
}

// TestClaimed: whoever a refused request claims to be is known for the log, and
// nothing else of it counts.
func TestClaimed(t *testing.T) {
	t.Parallel()
	v := exampleVerifier()
	r := signed(t, parse("GET / HTTP/1.1\nHost: localhost"))
	if got, err := v.Verify(r); err != nil || got.Claimed != exampleKey {
		t.Errorf("accepted: %+v, %v", got, err)
	}
	f := func(r *Request, want string) {
		t.Helper()
		got, err := v.Verify(r)
		if err == nil || got != (Verified{Claimed: want}) {
			t.Errorf("got %+v, %v; want Claimed %q", got, err, want)
		}
	}
	expired := presignedGET(t)
	expired.Query = strings.Replace(expired.Query, "Expires=86400", "Expires=1", 1)
	f(expired, exampleKey)
	f(set(r, "authorization", strings.ReplaceAll(get(r, "Authorization"), exampleKey, "SOMEBODY")), "SOMEBODY")
	f(set(r, "authorization", strings.ReplaceAll(get(r, "Authorization"), "Signature=", "Signature=0")), exampleKey)
	f(set(r, "authorization", "nonsense"), "")
}
