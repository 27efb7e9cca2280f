//go:build !race

package sigv4

import (
	"io"
	"strings"
	"testing"
)

// typicalGET is what an SDK sends for an object.
func typicalGET(t testing.TB) *Request {
	t.Helper()
	r := parse(`GET /uploads/2026/11/23/invoice-000042.pdf?x-id=GetObject HTTP/1.1
		Host: localhost:9000
		User-Agent: aws-sdk-go-v2/1.48.0 ua/2.1 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#amd64 api/s3#1.114.9
		Accept-Encoding: identity
		Amz-Sdk-Invocation-Id: 3f0b7d6e-6c52-4b52-8d0e-b9d0ed5d3c0a
		Amz-Sdk-Request: attempt=1; max=3
		X-Amz-Checksum-Mode: ENABLED`)
	s := Signer{AccessKey: exampleKey, SecretKey: exampleSecret, Region: "us-east-1"}
	if err := s.Sign(r, Unsigned, exampleTime); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAllocs pins the cost of verifying a typical GET once the day's key is
// known. (The race detector makes sync.Pool forget, hence the build tag.)
func TestAllocs(t *testing.T) {
	v, r := exampleVerifier(), typicalGET(t)
	f := func(want float64, r *Request) {
		t.Helper()
		got := testing.AllocsPerRun(1000, func() {
			if _, err := v.Verify(r); err != nil {
				t.Fatal(err)
			}
		})
		if got > want {
			t.Errorf("%v allocations, want at most %v", got, want)
		}
	}
	f(0, r)
	f(0, &Request{Method: "GET", Path: "/", Host: "localhost"}) // anonymous
	f(2, presignedGET(t))                                       // the credential and SignedHeaders are escaped in the query
}

// BenchmarkVerify verifies a typical GET. The goal is 2.5 µs.
func BenchmarkVerify(b *testing.B) {
	v, r := exampleVerifier(), typicalGET(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyPresigned verifies a presigned GET.
func BenchmarkVerifyPresigned(b *testing.B) {
	v, r := exampleVerifier(), presignedGET(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSign signs a forwarded GET.
func BenchmarkSign(b *testing.B) {
	s := Signer{AccessKey: exampleKey, SecretKey: exampleSecret, Region: "us-east-1"}
	r := typicalGET(b)
	headers := without(without(without(r, "Authorization"), "X-Amz-Date"), "X-Amz-Content-Sha256").Headers
	b.ReportAllocs()
	for b.Loop() {
		r.Headers = headers
		if err := s.Sign(r, Unsigned, exampleTime); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChunked decodes and verifies 1 MiB in signed chunks of 64 KiB.
func BenchmarkChunked(b *testing.B) {
	v, e := streaming(StreamingSigned, 1<<20, "")
	for range 16 {
		e.chunk(strings.Repeat("x", 1<<16))
	}
	e.chunk("")
	e.end()
	body, buf := e.String(), make([]byte, 32<<10)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		r, err := v.Body(strings.NewReader(body), int64(len(body)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf); err != nil {
			b.Fatal(err)
		}
	}
}
