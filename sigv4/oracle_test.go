package sigv4

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/xronox/xronox-proxy/s3err"
)

// oracle makes random requests and has the SDK sign them.
type oracle struct {
	*rand.Rand
	t *testing.T
}

// newOracle returns an oracle with a random seed, which it logs.
func newOracle(t *testing.T) oracle {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return oracle{rand.New(rand.NewPCG(seed, 0)), t}
}

// text is a random string over an alphabet that holds what breaks signatures.
func (o oracle) text(alphabet []string, n int) string {
	var b strings.Builder
	for range o.IntN(n + 1) {
		b.WriteString(alphabet[o.IntN(len(alphabet))])
	}
	return b.String()
}

var (
	pathLetters  = []string{"a", "Z", "0", "/", "//", ".", "..", "/./", "/../", "+", " ", "%", "%2F", "%25", "é", "日本", "~", "-", "_", "!", "'", "(", ")", "*", "&", "=", "$", "@", ":", ";", ",", "#", "?", "[", "\\", "\x00", "\x7f", "\xff", "\r\n", "<", "|"}
	valueLetters = []string{"a", "B", "7", " ", "  ", "   ", ",", ";", "=", ":", "/", "\t", "é", "\"", "%20", "+"}
)

// escapePath escapes a key as SDKs do for S3's paths.
func escapePath(s string) string {
	var b []byte
	for i := range len(s) {
		if s[i] == '/' {
			b = append(b, '/')
		} else {
			b = appendEscaped(b, s[i])
		}
	}
	return string(b)
}

// request is a random request to an S3 endpoint.
func (o oracle) request() *http.Request {
	methods := []string{"GET", "PUT", "HEAD", "POST", "DELETE"}
	raw := "/bucket/" + escapePath(o.text(pathLetters, 12))
	if o.IntN(8) == 0 {
		raw = "/"
	}
	query := url.Values{}
	for range o.IntN(4) {
		name := []string{"prefix", "uploadId", "partNumber", "versions", "response-content-type", "delimiter", "a-b", "a.b", "a_b", "A"}[o.IntN(10)]
		query.Set(name, o.text(pathLetters, 6))
	}
	u, err := url.Parse("http://" + []string{"localhost:9000", "s3.example.com", "[::1]:9000", "bucket.s3.example.com:8080"}[o.IntN(4)] + raw)
	if err != nil {
		o.t.Fatal(err)
	}
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	req := &http.Request{Method: methods[o.IntN(len(methods))], URL: u, Host: u.Host, Header: http.Header{}}
	for range o.IntN(5) {
		name := []string{"X-Amz-Meta-A", "X-Amz-Meta-B-C", "Content-Type", "X-Amz-Acl", "Range", "If-None-Match", "Cache-Control", "Content-Md5"}[o.IntN(8)]
		req.Header.Add(name, strings.Trim(o.text(valueLetters, 8), " \t"))
	}
	return req
}

// payload is a random payload.
func (o oracle) payload() string {
	return []string{string(Unsigned), sha256Hex(o.text(valueLetters, 3)), string(StreamingUnsignedTrailer), string(StreamingSigned)}[o.IntN(4)]
}

// disableEscaping is how the SDK signs for S3.
func disableEscaping(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }

// onWire is the request as it arrives at a server.
func onWire(req *http.Request) *Request {
	r := &Request{Method: req.Method, Path: req.URL.EscapedPath(), Query: req.URL.RawQuery, Host: req.Host}
	for name, values := range req.Header {
		if name == "Host" {
			continue // Request.Host it is
		}
		for _, v := range values {
			r.Headers = append(r.Headers, Header{name, strings.Trim(v, " \t")})
		}
	}
	return r
}

// header is a random request that the SDK signed in its header.
func (o oracle) header(at time.Time) *Request {
	req, payload := o.request(), o.payload()
	req.Header.Set("X-Amz-Content-Sha256", payload)
	err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: exampleKey, SecretAccessKey: exampleSecret},
		req, payload, "s3", "us-east-1", at, disableEscaping)
	if err != nil {
		o.t.Fatal(err)
	}
	return onWire(req)
}

// presigned is a random request that the SDK signed in its query.
func (o oracle) presigned(at time.Time) *Request {
	req := o.request()
	query := req.URL.Query()
	query.Set("X-Amz-Expires", fmt.Sprint(60+o.IntN(600000)))
	req.URL.RawQuery = query.Encode()
	signed, header, err := v4.NewSigner().PresignHTTP(context.Background(), aws.Credentials{AccessKeyID: exampleKey, SecretAccessKey: exampleSecret},
		req, string(Unsigned), "s3", "us-east-1", at, disableEscaping)
	if err != nil {
		o.t.Fatal(err)
	}
	u, err := url.Parse(signed)
	if err != nil {
		o.t.Fatal(err)
	}
	return onWire(&http.Request{Method: req.Method, URL: u, Host: req.Host, Header: header})
}

// TestOracle holds that what the SDK signs verifies, and that nothing verifies
// once a signed byte has changed.
func TestOracle(t *testing.T) {
	t.Parallel()
	o, v := newOracle(t), exampleVerifier()
	for range 2000 {
		r := o.header(exampleTime)
		presigned := o.IntN(2) == 0
		if presigned {
			r = o.presigned(exampleTime)
		}
		got, err := v.Verify(r)
		if err != nil {
			t.Fatalf("%+v\n%v", r, err)
		}
		if got.AccessKey != exampleKey || got.Presigned != presigned {
			t.Fatalf("%+v gave %+v", r, got)
		}
		for range 10 {
			changed := o.change(r)
			if changed == nil {
				continue
			}
			if got, err := v.Verify(changed); err == nil && got.AccessKey != "" {
				t.Fatalf("changed request verifies:\n%+v\n%+v", r, changed)
			}
		}
	}
}

// change returns r with one signed byte changed; nil if the change it thought
// of means the same.
func (o oracle) change(r *Request) *Request {
	c := clone(r)
	signedHeaders := get(r, "Authorization")
	if signedHeaders == "" {
		signedHeaders = "=" + queryValue(o.t, r.Query, "X-Amz-SignedHeaders")
	}
	signedHeaders = strings.ToLower(strings.Split(signedHeaders[strings.Index(signedHeaders, "=")+1:], ", signature")[0])
	switch o.IntN(5) {
	case 0:
		c.Method = o.mutate(c.Method)
	case 1:
		c.Path = o.mutate(c.Path)
		if c.Path == "" || samePath(c.Path, r.Path) {
			return nil
		}
	case 2:
		c.Query = o.mutate(c.Query)
		if sameQuery(c.Query, r.Query) {
			return nil
		}
	case 3:
		c.Host = o.mutate(c.Host)
		if c.Host == r.Host+":80" || c.Host == r.Host+":443" {
			return nil
		}
	case 4:
		i := o.IntN(len(c.Headers) + 1)
		if i == len(c.Headers) {
			return nil
		}
		h := &c.Headers[i]
		if !strings.Contains(signedHeaders, strings.ToLower(h.Name)) && h.Name != "Authorization" && !isAmz(h.Name) {
			return nil
		}
		was := h.Value
		h.Value = o.mutate(h.Value)
		if bytes.Equal(appendCollapsed(nil, was), appendCollapsed(nil, h.Value)) {
			return nil
		}
		if h.Name == "Authorization" && strings.ReplaceAll(strings.ReplaceAll(h.Value, " ", ""), "\t", "") == strings.ReplaceAll(was, " ", "") {
			return nil
		}
	}
	return c
}

// mutate changes, inserts or removes one byte.
func (o oracle) mutate(s string) string {
	b := []byte(s)
	i := o.IntN(len(b) + 1)
	switch kind := o.IntN(3); {
	case kind == 0 || i == len(b):
		return string(b[:i]) + string(byte(33+o.IntN(94))) + string(b[i:])
	case kind == 1:
		return string(b[:i]) + string(b[i+1:])
	}
	b[i] ^= byte(1 << o.IntN(8))
	return string(b)
}

// samePath reports whether two raw paths decode to the same bytes.
func samePath(a, b string) bool {
	x, err1 := url.PathUnescape(a)
	y, err2 := url.PathUnescape(b)
	return err1 == nil && err2 == nil && x == y
}

// sameQuery reports whether two raw queries hold the same parameters.
func sameQuery(a, b string) bool {
	x, err1 := url.ParseQuery(a)
	y, err2 := url.ParseQuery(b)
	return err1 == nil && err2 == nil && x.Encode() == y.Encode()
}

// queryValue is the decoded value of a query parameter.
func queryValue(t *testing.T, query, name string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values.Get(name)
}

// TestSignerLikeSDK holds that Sign gives the SDK's signature.
func TestSignerLikeSDK(t *testing.T) {
	t.Parallel()
	o := newOracle(t)
	for range 500 {
		req, payload := o.request(), o.payload()
		for name := range req.Header {
			if name != "Content-Type" && name != "Content-Md5" && !strings.HasPrefix(name, "X-Amz-") {
				req.Header.Del(name) // the SDK would sign it
			}
		}
		ours, token := onWire(req), o.text([]string{"token"}, 1)
		req.Header.Set("X-Amz-Content-Sha256", payload)
		credentials := aws.Credentials{AccessKeyID: exampleKey, SecretAccessKey: exampleSecret, SessionToken: token}
		if err := v4.NewSigner().SignHTTP(context.Background(), credentials, req, payload, "s3", "us-east-1", exampleTime, disableEscaping); err != nil {
			t.Fatal(err)
		}
		s := Signer{AccessKey: exampleKey, SecretKey: exampleSecret, SessionToken: token, Region: "us-east-1"}
		if err := s.Sign(ours, Payload(payload), exampleTime); err != nil {
			t.Fatal(err)
		}
		if got, want := get(ours, "Authorization"), req.Header.Get("Authorization"); got != want {
			t.Fatalf("%+v\n got %s\nwant %s", ours, got, want)
		}
		_, err := exampleVerifier().Verify(ours)
		if token != "" {
			wantCode(t, err, s3err.InvalidToken)
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
