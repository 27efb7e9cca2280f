package s3api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// hostileHead is a request of 64 KiB that is expensive to parse.
func hostileHead(query string, line func(i int) string) string {
	var b strings.Builder
	b.WriteString("GET /b/k?" + query + " HTTP/1.1\r\nHost: h\r\n")
	for i := 0; line != nil && b.Len() < 64<<10-100; i++ {
		b.WriteString(line(i))
	}
	return b.String() + "\r\n"
}

// TestTrap07Heads: what comes before the body is bounded in number, not only
// in bytes.
func TestTrap07Heads(t *testing.T) {
	f := func(query string, headers int, want s3err.Code) {
		t.Helper()
		raw := "GET /b/k?" + query + " HTTP/1.1\r\nHost: h\r\n"
		for i := range headers - 1 {
			raw += fmt.Sprintf("x-amz-%x: 1\r\n", i)
		}
		c := &call{fc: new(fasthttp.RequestCtx)}
		if err := c.fc.Request.Header.Read(newReader(raw + "\r\n")); err != nil {
			t.Fatal(err)
		}
		err := c.parse(router.Domains(nil))
		if want == "" && err != nil || want != "" && !s3err.Is(err, want) {
			t.Errorf("%d headers: %v, want %q", headers, err, want)
		}
	}
	params := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "p%d=1&", i)
		}
		return b.String()
	}
	f(params(maxParams), maxHeaders, "")
	f(params(maxParams+1), 1, s3err.InvalidRequest)
	f("", maxHeaders+1, s3err.RequestHeaderSectionTooLarge)
}

// BenchmarkHostileHeads is what parsing the worst requests costs, all of it
// before anybody is authenticated.
func BenchmarkHostileHeads(b *testing.B) {
	var hoisted strings.Builder
	for i := 0; hoisted.Len() < 64<<10-200; i++ {
		fmt.Fprintf(&hoisted, "x-amz-%04x&", i)
	}
	for name, raw := range map[string]string{
		"headers":    hostileHead("", func(i int) string { return fmt.Sprintf("x-amz-%04x:\r\n", i) }),
		"parameters": hostileHead(strings.Repeat("a&", 31_000), nil),
		"hoisted":    hostileHead(hoisted.String(), nil),
		"most":       hostileHead(hoisted.String()[:maxParams*11], nil),
		"typical":    "GET /b/k?x-id=GetObject HTTP/1.1\r\nHost: h\r\nUser-Agent: aws-sdk-go-v2/1.48.0\r\nAccept-Encoding: identity\r\nAmz-Sdk-Invocation-Id: 3f0b7d6e\r\nX-Amz-Date: 20261123T101500Z\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\nAuthorization: AWS4-HMAC-SHA256 x\r\nRange: bytes=0-1\r\n\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			fc := new(fasthttp.RequestCtx)
			if err := fc.Request.Header.Read(newReader(raw)); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				c := &call{fc: fc}
				if c.parse(router.Domains(nil)) == nil {
					_ = c.hoisted()
				}
			}
		})
	}
}
