package sigv4

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/xronox/xronox-proxy/s3err"
)

// mustBeOurs fails unless err is nil or an *s3err.Error with a client's status.
func mustBeOurs(t *testing.T, err error) {
	t.Helper()
	var e *s3err.Error
	if err != nil && (!errors.As(err, &e) || e.Status < 400 || e.Status > 499) {
		t.Fatalf("error %v", err)
	}
}

// FuzzAuthorization holds that no Authorization header verifies that was not
// made with the secret, and that all are refused in order.
func FuzzAuthorization(f *testing.F) {
	good := "AWS4-HMAC-SHA256 Credential=" + exampleKey + "/" + exampleScope + ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
	f.Add(good, "20130524T000000Z", "UNSIGNED-PAYLOAD")
	f.Add(strings.ReplaceAll(good, ", ", ","), "20130524T235959Z", sha256Hex(""))
	f.Add("AWS AKID:sig", "", "")
	f.Add("AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;;,Signature=", "20130524T000000Z", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	f.Fuzz(func(t *testing.T, authorization, date, payload string) {
		r := &Request{Method: "GET", Path: "/b/k", Host: "localhost", Headers: []Header{
			{"Authorization", authorization}, {"X-Amz-Date", date}, {"X-Amz-Content-Sha256", payload},
		}}
		v, err := exampleVerifier().Verify(r)
		mustBeOurs(t, err)
		if err == nil {
			t.Fatalf("%+v is %+v", r, v)
		}
	})
}

// FuzzPresigned holds that no query but the one that was signed verifies as
// somebody's.
func FuzzPresigned(f *testing.F) {
	f.Add("/bucket/key", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=00")
	f.Add("/%2F", "a=b&&=&X-Amz-Signature=1&X%2dAmz-Signature=2")
	f.Add("/", "AWSAccessKeyId=x&Signature=y&Expires=1")
	f.Add("/+%20", "prefix=a+b%2Bc&X-Amz-Expires=%zz")
	f.Fuzz(func(t *testing.T, path, query string) {
		v, err := exampleVerifier().Verify(&Request{Method: "GET", Path: path, Query: query, Host: "localhost"})
		mustBeOurs(t, err)
		if err == nil && v.AccessKey != "" {
			t.Fatalf("%q?%q is %+v", path, query, v)
		}
		// Canonical form is a fixed point: escaping what it decodes to gives it again.
		var s scratch
		once, err := s.appendQuery(nil, query, false)
		if err == nil {
			twice, err := new(scratch).appendQuery(nil, string(once), false)
			if err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("%q: canonical %q, then %q, %v", query, once, twice, err)
			}
		}
		once, err = appendPath(nil, path, false)
		if err == nil {
			twice, err := appendPath(nil, string(once), false)
			if err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("%q: canonical %q, then %q, %v", path, once, twice, err)
			}
		}
	})
}

// FuzzChunked holds that any body, however it is cut into chunks and reads,
// comes out as it went in; and that anything else ends in an error of ours.
func FuzzChunked(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"), uint64(1))
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"), uint64(2))
	f.Add([]byte("ffffffffffffffff\r\n"), uint64(3))
	f.Add(bytes.Repeat([]byte("0"), 5000), uint64(4))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		for _, p := range []Payload{StreamingSigned, StreamingSignedTrailer, StreamingUnsigned, StreamingUnsignedTrailer} {
			// data as what was sent.
			v, _ := streaming(p, rnd.IntN(20), "")
			b, err := v.Body(bytes.NewReader(data), -1)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, b)
			mustBeOurs(t, err)

			// data as what was meant.
			v, e := streaming(p, len(data), "")
			for rest := data; len(rest) > 0; {
				n := min(len(rest), 1+rnd.IntN(len(rest)))
				n = min(len(rest), n+minChunkBytes)
				e.chunk(string(rest[:n]))
				rest = rest[n:]
			}
			e.chunk("")
			e.end()
			b, err = v.Body(iotest.HalfReader(strings.NewReader(e.String())), int64(e.Len()))
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for err == nil {
				p := make([]byte, 1+rnd.IntN(1+len(data)))
				var n int
				n, err = b.Read(p)
				got = append(got, p[:n]...)
			}
			if !errors.Is(err, io.EOF) || !bytes.Equal(got, data) {
				t.Fatalf("%s: %d bytes became %d, %v", p, len(data), len(got), err)
			}
		}
	})
}
