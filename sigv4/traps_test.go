package sigv4

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// The tests below are named by the rules of shared/S3-TRAPS.md: what has
// broken other people's servers.

// TestTrap01UnsignedAmzHeaders refuses x-amz-* headers that the signature does
// not cover, CVE-2026-54330: a presigned PUT must not become a copy.
func TestTrap01UnsignedAmzHeaders(t *testing.T) {
	t.Parallel()
	f := func(r *Request, names string) {
		t.Helper()
		_, err := exampleVerifier().Verify(r)
		e := wantError(t, err, s3err.AccessDenied)
		if e.Message != "There were headers present in the request which were not signed" || detail(e, "HeadersNotSigned") != names {
			t.Errorf("%q, details %v", e.Message, e.Details)
		}
	}
	header := func() *Request { return signed(t, parse("PUT /bucket/key HTTP/1.1\nHost: localhost:9000")) }
	presigned := func() *Request { return presign(t, "PUT", "60", "", "host") }
	for _, r := range []*Request{header(), presigned()} {
		f(set(r, "x-amz-copy-source", "/secret/key"), "x-amz-copy-source")
		f(set(r, "X-AMZ-Copy-Source", ""), "x-amz-copy-source")
		f(set(set(r, "X-Amz-Acl", "public-read"), "x-amz-meta-a", "b"), "x-amz-acl, x-amz-meta-a")
		f(set(r, "X-Xronox-As-Of", "2026-11-23T10:15:00Z"), "x-xronox-as-of")
		f(set(r, "x-amz-trailer", "x-amz-checksum-crc32"), "x-amz-trailer")
		f(set(r, "x-amz-decoded-content-length", "3"), "x-amz-decoded-content-length")
		if _, err := exampleVerifier().Verify(set(r, "If-Match", `"unsigned is fine"`)); err != nil {
			t.Error(err)
		}
	}

	// A signed one counts with the value that was signed, however often it came.
	r := signed(t, set(parse("PUT /bucket/key HTTP/1.1\nHost: localhost:9000"), "x-amz-copy-source", "/mine/key"))
	if _, err := exampleVerifier().Verify(r); err != nil {
		t.Error(err)
	}
	r.Headers = append(r.Headers, Header{"x-amz-copy-source", "/secret/key"})
	_, err := exampleVerifier().Verify(r)
	wantCode(t, err, s3err.SignatureDoesNotMatch)

	// A name that only looks the same is not the one that was signed.
	r = signed(t, set(parse("PUT /bucket/key HTTP/1.1\nHost: localhost:9000"), "x-amz-meta-k", "1"))
	r.Headers = append(r.Headers, Header{"x-amz-meta-\u212a", "2"}) // the Kelvin sign
	f(r, "x-amz-meta-k")

	// Without the host, a URL would be good for every server.
	f(presign(t, "GET", "60", "", "range", Header{"Range", "bytes=0-1"}), "host")
}

// TestTrap05Limits holds clock skew, expiry, and canonical duplicates.
func TestTrap05Limits(t *testing.T) {
	t.Parallel()
	verify := func(r *Request, at time.Duration) error {
		v := exampleVerifier()
		v.o.Now = func() time.Time { return exampleTime.Add(at) }
		_, err := v.Verify(r)
		return err
	}
	ok := func(r *Request, at time.Duration) {
		t.Helper()
		if err := verify(r, at); err != nil {
			t.Error(at, err)
		}
	}
	refused := func(r *Request, at time.Duration, code s3err.Code, message string, details ...s3err.Detail) {
		t.Helper()
		e := wantError(t, verify(r, at), code)
		if e.Message != message || !slices.Equal(e.Details, details) {
			t.Errorf("%q %v\nwant %q %v", e.Message, e.Details, message, details)
		}
	}
	r := plainGET(t)
	const skewed = "The difference between the request time and the current time is too large."
	skewDetails := func(now string) []s3err.Detail {
		return []s3err.Detail{{Name: "RequestTime", Value: exampleStamp}, {Name: "ServerTime", Value: now}, {Name: "MaxAllowedSkewMilliseconds", Value: "900000"}}
	}
	ok(r, 15*time.Minute)
	ok(r, -15*time.Minute)
	refused(r, 15*time.Minute+time.Second, s3err.RequestTimeTooSkewed, skewed, skewDetails("2013-05-24T00:15:01Z")...)
	refused(r, -15*time.Minute-time.Second, s3err.RequestTimeTooSkewed, skewed, skewDetails("2013-05-23T23:44:59Z")...)

	week := presign(t, "GET", "604800", "", "host")
	ok(week, 7*24*time.Hour)
	ok(week, -15*time.Minute)
	refused(week, 7*24*time.Hour+time.Second, s3err.AccessDenied, "Request has expired",
		s3err.Detail{Name: "X-Amz-Expires", Value: "604800"},
		s3err.Detail{Name: "Expires", Value: "2013-05-31T00:00:00Z"},
		s3err.Detail{Name: "ServerTime", Value: "2013-05-31T00:00:01Z"})
	refused(week, -16*time.Minute, s3err.AccessDenied, "Request is not yet valid",
		s3err.Detail{Name: "X-Amz-Date", Value: "1369353600000"},
		s3err.Detail{Name: "Expires", Value: "2013-05-31T00:00:00Z"},
		s3err.Detail{Name: "ServerTime", Value: "2013-05-23T23:44:00Z"})

	// Duplicates are canonical: headers in their order, parameters sorted.
	r = parse("GET /bucket?b=2&a=2&a=1&b HTTP/1.1\nHost: localhost\nx-amz-meta-a: 1\nX-Amz-Meta-A:   2  3")
	r = signed(t, r)
	ok(r, 0)
	r.Query = "b&a=1&b=2&a=2"
	ok(r, 0)
	r.Query = "a=1&a=2&b=2"
	wantCode(t, verify(r, 0), s3err.SignatureDoesNotMatch)
}

// TestTrap06NothingBeforeTheEnd holds that a reader of a bad body sees an
// error instead of io.EOF, and never the last byte.
func TestTrap06NothingBeforeTheEnd(t *testing.T) {
	t.Parallel()
	const size = 3 * 8192
	f := func(v Verified, body string, code s3err.Code) {
		t.Helper()
		b, err := v.Body(strings.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b)
		wantCode(t, err, code)
		if len(got) >= size {
			t.Errorf("released %d of %d bytes", len(got), size)
		}
		if n, again := b.Read(make([]byte, 1)); n != 0 || again == nil || errors.Is(again, io.EOF) {
			t.Errorf("read on: %d, %v", n, again)
		}
	}
	data := strings.Repeat("x", size)
	f(Verified{Payload: Payload(sha256Hex(data + "y"))}, data, s3err.XAmzContentSHA256Mismatch)
	for i := range 4 { // in each chunk, the final one too
		v, e := streaming(StreamingSigned, size, "")
		for at := 0; at <= size; at += 8192 {
			e.chunk(data[at:min(at+8192, size)])
		}
		e.end()
		body := strings.Split(e.String(), "chunk-signature=")
		body[i+1] = strings.Map(func(r rune) rune { return map[rune]rune{'0': '1'}[r] | r }, body[i+1][:64]) + body[i+1][64:]
		f(v, strings.Join(body, "chunk-signature="), s3err.SignatureDoesNotMatch)
		if i < 3 {
			f(v, strings.Replace(e.String(), "xxx\r\n", "xxy\r\n", 1), s3err.SignatureDoesNotMatch)
		}
	}
}

// TestTrap10CanonicalPath verifies paths as they come, never normalised.
func TestTrap10CanonicalPath(t *testing.T) {
	t.Parallel()
	f := func(raw, canonical string) {
		t.Helper()
		got, err := appendPath(nil, raw, false)
		if err != nil || string(got) != canonical {
			t.Errorf("%q: got %q, %v; want %q", raw, got, err, canonical)
		}
	}
	f("", "/")
	f("/", "/")
	f("//a//b/", "//a//b/")
	f("/a/./b/../c", "/a/./b/../c")
	f("/a/%2E%2e/c", "/a/../c")
	f("/a%2Fb%2fc", "/a%2Fb%2Fc")
	f("/a+b c%20d", "/a%2Bb%20c%20d")
	f("/%c3%a9é", "/%C3%A9%C3%A9")
	f("/~%7e%7E", "/~~~")
	f("/%25%00%ff", "/%25%00%FF")
	f("/!'()*,;:@&=$", "/%21%27%28%29%2A%2C%3B%3A%40%26%3D%24")
	for _, raw := range []string{"/%", "/%2", "/%zz", "/a%2gb", "/%" + strings.Repeat("a", 4095) + "%"} {
		_, err := appendPath(nil, raw, false)
		wantCode(t, err, s3err.InvalidURI)
		r := plainGET(t)
		r.Path = raw
		_, err = exampleVerifier().Verify(r)
		wantCode(t, err, s3err.InvalidURI)
	}

	// %2F verifies both ways: signed as it stands, and as the slash it decodes to.
	for _, path := range []string{"/bucket/a%2Fb", "/bucket/a/b"} {
		r := signed(t, &Request{Method: "GET", Path: path, Host: "localhost"})
		r.Path = "/bucket/a%2Fb"
		if _, err := exampleVerifier().Verify(r); err != nil {
			t.Error(err)
		}
	}
}

// TestTrap11Hosts verifies the host as the client saw it, behind whatever.
func TestTrap11Hosts(t *testing.T) {
	t.Parallel()
	v := exampleVerifier()
	v.o.Aliases = func(host string) []string {
		return map[string][]string{"10.0.0.1:9000": {"s3.example.com"}, "b.internal": {"b.s3.example.com"}}[host]
	}
	f := func(signedAs, arrived string, ok bool) {
		t.Helper()
		r := signed(t, &Request{Method: "GET", Path: "/a%2Fb", Host: signedAs})
		r.Host = arrived
		if _, err := v.Verify(r); (err == nil) != ok {
			t.Errorf("signed %q, arrived %q: %v", signedAs, arrived, err)
		}
	}
	f("localhost", "localhost", true)
	f("localhost:443", "localhost", true)
	f("localhost:80", "localhost", true)
	f("localhost", "localhost:80", true)
	f("localhost", "localhost:443", true)
	f("localhost", "localhost:9000", false)
	f("localhost:9000", "localhost", false)
	f("localhost:80", "localhost:443", false)
	f("[::1]", "[::1]:443", true)
	f("[::1]:443", "[::1]", true)
	f("s3.example.com", "10.0.0.1:9000", true)
	f("b.s3.example.com", "b.internal", true)
	f("s3.example.com", "b.internal", false)
	f("b.s3.example.com", "10.0.0.1:9000", false)
	f("other.example.com", "10.0.0.1:9000", false)
}

// TestTrap12Presigned holds what a presigned URL may be used for.
func TestTrap12Presigned(t *testing.T) {
	t.Parallel()
	f := func(r *Request, code s3err.Code) {
		t.Helper()
		v, err := exampleVerifier().Verify(r)
		if code != "" {
			wantCode(t, err, code)
		} else if err != nil || !v.Presigned || v.AccessKey != exampleKey {
			t.Errorf("%+v, %v", v, err)
		}
	}
	r := presign(t, "GET", "60", "response-content-type=text%2Fplain&versionId=1", "host")
	f(r, "")
	for _, method := range []string{"HEAD", "PUT", "DELETE"} {
		other := clone(r)
		other.Method = method
		f(other, s3err.SignatureDoesNotMatch)
	}
	other := clone(r)
	other.Query = strings.Replace(r.Query, "text%2Fplain", "text%2Fhtml", 1)
	f(other, s3err.SignatureDoesNotMatch)
	other.Query = r.Query + "&response-expires=x"
	f(other, s3err.SignatureDoesNotMatch)

	put := presign(t, "PUT", "60", "", "content-type;host;x-amz-meta-a", Header{"Content-Type", "text/plain"}, Header{"X-Amz-Meta-A", "1"})
	f(put, "")
	f(set(put, "Content-Type", "text/html"), s3err.SignatureDoesNotMatch)
	f(without(put, "Content-Type"), s3err.SignatureDoesNotMatch)
	f(without(put, "X-Amz-Meta-A"), s3err.SignatureDoesNotMatch)
}

// TestTrap13StreamingModes decodes and verifies all four, with and without a
// trailer; the framing never reaches the reader.
func TestTrap13StreamingModes(t *testing.T) {
	t.Parallel()
	for _, p := range []Payload{StreamingSigned, StreamingSignedTrailer, StreamingUnsigned, StreamingUnsignedTrailer} {
		for _, size := range []int{0, 1, 8191, 8192, 70000} {
			var trailer []Header
			names := ""
			if p.trailing() {
				names, trailer = "X-Amz-Checksum-CRC32", []Header{{"x-amz-checksum-crc32", "AAAAAA=="}}
			}
			v, e := streaming(p, size, names)
			data := strings.Repeat("d", size)
			for at := 0; at < size; at += 8192 {
				e.chunk(data[at:min(at+8192, size)])
			}
			e.chunk("")
			e.end(trailer...)
			b, err := v.Body(strings.NewReader(e.String()), int64(e.Len()))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(b)
			if err != nil || string(got) != data || !slices.Equal(b.Trailer(), trailer) || b.Length() != int64(size) {
				t.Errorf("%s, %d bytes: got %d, %v, trailer %v", p, size, len(got), err, b.Trailer())
			}
			if p.trailing() && !slices.Equal(b.TrailerNames(), []string{"x-amz-checksum-crc32"}) {
				t.Errorf("names %v", b.TrailerNames())
			}
		}
	}
}
