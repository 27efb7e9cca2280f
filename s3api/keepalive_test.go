package s3api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/internal/s3test"
)

// TestKeepAliveAfterErrors: one connection takes an error of each kind and goes on, whatever step of a request's path
// the error came from.
func TestKeepAliveAfterErrors(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	r := dial(t, p)
	r.send(r.head("PUT", "/bucket/k", "Content-Length: 10") + "0123456789")
	r.expect(200, "")
	f := func(request string, status int, code string) {
		t.Helper()
		r.send(request)
		r.expect(status, code)
		r.send(r.head("GET", "/bucket?location"))
		r.expect(200, "")
	}
	f("GET /bucket/%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400, "InvalidURI")
	f("GET /bucket/k HTTP/1.1\r\nHost: h\r\n\r\n", 403, "AccessDenied")
	f("GET /bucket/k HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\n\r\n", 400, "InvalidArgument")
	f("PATCH /bucket/k HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 405, "MethodNotAllowed")
	f("GET /bucket/k?versions HTTP/1.1\r\nHost: h\r\n\r\n", 400, "InvalidRequest")
	f(r.head("GET", "/missing/k"), 404, "NoSuchBucket")
	f(r.head("GET", "/bucket/none"), 404, "NoSuchKey")
	f(r.head("PUT", "/bucket/k", `If-Match: "e"`, "If-None-Match: *", "Content-Length: 5")+"hello", 501, "NotImplemented")
	f(r.head("GET", "/bucket?max-keys=-1"), 400, "InvalidArgument")
	f(r.head("GET", "/bucket/k", "Range: bytes=10-"), 416, "InvalidRange")
	f(r.head("GET", "/bucket/k", `If-Match: "other"`), 412, "PreconditionFailed")
	f(r.head("GET", "/bucket/k", "X-Amz-Content-Sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"), 400, "XAmzContentSHA256Mismatch")
	f(r.head("PUT", "/bucket?tagging", "Content-Length: 3")+"<x>", 400, "MalformedXML")
	f(r.head("PUT", "/bucket/k", "Content-Md5: AAAAAAAAAAAAAAAAAAAAAA==", "Content-Length: 5")+"hello", 400, "BadDigest")
	f(r.head("PUT", "/bucket/k", "If-None-Match: *", "Content-Length: 5")+"hello", 412, "PreconditionFailed")
	f(r.head("PUT", "/missing/k", "Content-Length: 5")+"hello", 404, "NoSuchBucket")
	f(r.head("POST", "/bucket/k?uploadId=none", "Content-Length: 3")+"<x>", 400, "MalformedXML")

	bodyless := func(request string, status int) {
		t.Helper()
		method, _, _ := strings.Cut(request, " ")
		r.send(request)
		resp, err := http.ReadResponse(r.br, &http.Request{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != status {
			t.Errorf("%s, %v; want %d", resp.Status, err, status)
		}
		r.send(r.head("GET", "/bucket?location"))
		r.expect(200, "")
	}
	bodyless(r.head("HEAD", "/bucket/none"), 404)
	bodyless(r.head("HEAD", "/missing"), 404)
	bodyless("HEAD /bucket HTTP/1.1\r\nHost: h\r\n\r\n", 403)
	bodyless("PATCH /bucket HTTP/1.1\r\nHost: h\r\n\r\n", 405)
	bodyless(r.head("HEAD", "/bucket/k", "Range: bytes=10-"), 416)
	bodyless(r.head("GET", "/bucket/k", "If-None-Match: *"), 304)
}
