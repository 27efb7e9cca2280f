package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// The credential of AWS's published examples, and their time.
const (
	exampleKey    = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	exampleScope  = "20130524/us-east-1/s3/aws4_request"
	exampleStamp  = "20130524T000000Z"
)

var exampleTime = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

// secrets is the simplest Keys.
type secrets map[string]string

func (s secrets) SecretKey(accessKey string) (string, bool) {
	secret, ok := s[accessKey]
	return secret, ok
}

// exampleVerifier knows the example credential and lives at the examples' time.
func exampleVerifier() *Verifier {
	return New(Options{
		Keys: secrets{exampleKey: exampleSecret}, Region: "us-east-1",
		Now: func() time.Time { return exampleTime.Add(time.Minute) },
	})
}

// parse reads a request as it stands on the wire: request line, headers.
func parse(text string) *Request {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	method, target, _ := strings.Cut(strings.TrimSpace(lines[0]), " ")
	r := &Request{Method: method}
	r.Path, r.Query, _ = strings.Cut(strings.TrimSuffix(target, " HTTP/1.1"), "?")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		h := Header{name, strings.TrimSpace(value)}
		if strings.EqualFold(h.Name, "host") {
			r.Host = h.Value
		}
		r.Headers = append(r.Headers, h)
	}
	return r
}

// signed is a plain GET, signed at the examples' time.
func signed(t *testing.T, r *Request) *Request {
	t.Helper()
	s := Signer{AccessKey: exampleKey, SecretKey: exampleSecret, Region: "us-east-1"}
	if err := s.Sign(r, Unsigned, exampleTime); err != nil {
		t.Fatal(err)
	}
	return r
}

// clone returns a deep copy of r.
func clone(r *Request) *Request {
	c := *r
	c.Headers = append([]Header(nil), r.Headers...)
	return &c
}

// set sets the header called name, or appends it.
func set(r *Request, name, value string) *Request {
	r = clone(r)
	for i, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			r.Headers[i].Value = value
			return r
		}
	}
	r.Headers = append(r.Headers, Header{name, value})
	return r
}

// get returns the value of the first header called name.
func get(r *Request, name string) string {
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// without returns r without the headers called name.
func without(r *Request, name string) *Request {
	c := clone(r)
	c.Headers = c.Headers[:0]
	for _, h := range r.Headers {
		if !strings.EqualFold(h.Name, name) {
			c.Headers = append(c.Headers, h)
		}
	}
	return c
}

// wantError fails the test unless err is the *s3err.Error with that code, and
// returns it.
func wantError(t *testing.T, err error, code s3err.Code) *s3err.Error {
	t.Helper()
	var e *s3err.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got error %v, want %s", err, code)
	}
	return e
}

// wantCode is wantError for who needs to know no more.
func wantCode(t *testing.T, err error, code s3err.Code) {
	t.Helper()
	_ = wantError(t, err, code)
}

// detail returns a detail of an error.
func detail(e *s3err.Error, name string) string {
	for _, d := range e.Details {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}

// sha256Hex is the SHA-256 of s, in hex.
func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// hmacHex is the plain way to a signature, for comparison.
func hmacHex(secret, day, region, message string) string {
	key := []byte("AWS4" + secret)
	for _, s := range []string{day, region, "s3", "aws4_request", message} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		key = h.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// encoder writes aws-chunked bodies, as the examples' client would.
type encoder struct {
	payload  Payload
	previous string // signature
	strings.Builder
}

// chunk writes one chunk; an empty one is the last.
func (e *encoder) chunk(data string) {
	fmt.Fprintf(e, "%x", len(data))
	if e.payload.signed() {
		e.previous = hmacHex(exampleSecret, "20130524", "us-east-1",
			"AWS4-HMAC-SHA256-PAYLOAD\n"+exampleStamp+"\n"+exampleScope+"\n"+e.previous+"\n"+sha256Hex("")+"\n"+sha256Hex(data))
		fmt.Fprintf(e, ";chunk-signature=%s", e.previous)
	}
	fmt.Fprintf(e, "\r\n")
	if data != "" {
		fmt.Fprintf(e, "%s\r\n", data)
	}
}

// end writes the trailer and the end.
func (e *encoder) end(trailer ...Header) {
	canonical := ""
	for _, h := range trailer {
		fmt.Fprintf(e, "%s:%s\r\n", h.Name, h.Value)
		canonical += h.Name + ":" + h.Value + "\n"
	}
	if e.payload == StreamingSignedTrailer {
		fmt.Fprintf(e, "x-amz-trailer-signature:%s\r\n", hmacHex(exampleSecret, "20130524", "us-east-1",
			"AWS4-HMAC-SHA256-TRAILER\n"+exampleStamp+"\n"+exampleScope+"\n"+e.previous+"\n"+sha256Hex(canonical)))
	}
	fmt.Fprintf(e, "\r\n")
}

// streaming is a verified request with a streaming payload, and the encoder of
// its body.
func streaming(p Payload, decoded int, trailer string) (Verified, *encoder) {
	seed := strings.Repeat("5", 64)
	n := scopeName{exampleKey, exampleSecret, "20130524", "us-east-1"}
	return Verified{
		AccessKey: exampleKey, Payload: p,
		chain:         chain{n.derive(), exampleKey, exampleStamp, exampleScope, seed},
		decodedLength: fmt.Sprint(decoded), trailer: trailer,
	}, &encoder{payload: p, previous: seed}
}

// presignedGET is a GET presigned for a day, with more of a query and signed
// headers besides the host when given: "name" or "name;name".
func presignedGET(t testing.TB, more ...string) *Request {
	t.Helper()
	return presign(t, "GET", "86400", "", "host"+strings.Join(append([]string{""}, more...), ";"))
}

// presign signs a request for /bucket/key in its query.
func presign(t testing.TB, method, expires, query, signedHeaders string, headers ...Header) *Request {
	t.Helper()
	if query != "" {
		query = "&" + query
	}
	r := &Request{Method: method, Path: "/bucket/key", Host: "localhost:9000", Headers: headers}
	r.Query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + exampleKey + "%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=" +
		exampleStamp + "&X-Amz-Expires=" + expires + "&X-Amz-SignedHeaders=" + strings.ReplaceAll(signedHeaders, ";", "%3B") + query
	q, err := readQuery(r.Query + "&X-Amz-Signature=0")
	if err != nil {
		t.Fatal(err)
	}
	payload := Unsigned
	if q.contentSHA256 != "" {
		payload = Payload(q.contentSHA256)
	}
	c := claim{presigned: true, signedHeaders: signedHeaders, payload: payload, stamp: exampleStamp, scope: exampleScope}
	var s scratch
	if err := s.canonicalize(r, &c, form{host: r.Host}); err != nil {
		t.Fatal(err)
	}
	s.stringToSign(&c)
	r.Query += "&X-Amz-Signature=" + hmacHex(exampleSecret, "20130524", "us-east-1", string(s.toSign))
	return r
}
