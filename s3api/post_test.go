package s3api_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/s3backend"
	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/router"
)

// formTail is how a form usually ends.
const formTail = "\r\n--b--\r\n"

// signedForm is a form for a key of the bucket up to its file, signed by Root.
func signedForm(p *s3test.Proxy, key string) string {
	stamp := p.Now().UTC().Format("20060102T150405Z")
	credential := s3test.Root.AccessKey + "/" + stamp[:8] + "/" + s3test.Region + "/s3/aws4_request"
	policy := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"expiration": "2999-01-01T00:00:00Z", "conditions": [{"bucket": "bucket"},
		["starts-with", "$key", ""], {"x-amz-algorithm": "AWS4-HMAC-SHA256"}, {"x-amz-credential": "%s"}, {"x-amz-date": "%s"}]}`, credential, stamp))
	sum := []byte("AWS4" + s3test.Root.SecretKey)
	for _, s := range []string{stamp[:8], s3test.Region, "s3", "aws4_request", policy} {
		h := hmac.New(sha256.New, sum)
		h.Write([]byte(s))
		sum = h.Sum(nil)
	}
	var b strings.Builder
	for _, f := range [][2]string{
		{"key", key},
		{"policy", policy},
		{"x-amz-algorithm", "AWS4-HMAC-SHA256"},
		{"x-amz-credential", credential},
		{"x-amz-date", stamp},
		{"x-amz-signature", hex.EncodeToString(sum)},
	} {
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", f[0], f[1])
	}
	return b.String() + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"
}

// postHead is the head of a request with a form of that length.
func postHead(length int, headers ...string) string {
	return fmt.Sprintf("POST /bucket HTTP/1.1\r\nHost: s3.example.com\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n%s\r\n",
		length, strings.Join(append(headers, ""), "\r\n"))
}

// expectStatus reads a response without a body, and returns its headers.
func (r *raw) expectStatus(status int) http.Header {
	r.t.Helper()
	resp, err := http.ReadResponse(r.br, nil)
	if err != nil {
		r.t.Fatalf("reading a response: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != status || err != nil || len(body) > 0 {
		r.t.Fatalf("%s, want %d; %v\n%s", resp.Status, status, err, body)
	}
	return resp.Header
}

// body reads the body of a response.
func (r *raw) body() []byte {
	r.t.Helper()
	resp, err := http.ReadResponse(r.br, nil)
	if err != nil {
		r.t.Fatalf("reading a response: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || err != nil {
		r.t.Fatalf("%s, %v", resp.Status, err)
	}
	return body
}

// countingPuts counts PutObject, and those that ended well.
type countingPuts struct {
	backends.Backend
	calls, good *atomic.Int32
}

func (c countingPuts) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	c.calls.Add(1)
	out, err := c.Backend.PutObject(ctx, in)
	if err == nil {
		c.good.Add(1)
	}
	return out, err
}

// postTo is a proxy whose PutObjects are counted, and a connection to it.
func postTo(t *testing.T, o s3test.Options) (r *raw, calls, good *atomic.Int32) {
	t.Helper()
	calls, good = new(atomic.Int32), new(atomic.Int32)
	o.Wrap = func(b backends.Backend) backends.Backend { return countingPuts{b, calls, good} }
	return dial(t, s3test.Start(t, o)), calls, good
}

// TestPostLengths: a form's file is stored as it is, whatever its size and whatever follows it; the
// connection is good for more; and a usual form is put once.
func TestPostLengths(t *testing.T) {
	r, calls, good := postTo(t, s3test.Options{})
	postLengths(t, r, calls)
	if good.Load() != 7 {
		t.Errorf("%d were stored", good.Load())
	}
}

// TestPostLengthsOverS3: so is it on another service, which is told each length before the body.
func TestPostLengthsOverS3(t *testing.T) {
	upstream := s3test.Start(t, s3test.Options{Now: time.Now}) // S3 clients have no other clock
	b, err := s3backend.New(s3backend.Options{
		Name: "upstream", Endpoint: "http://" + upstream.Addr, Region: s3test.Region, PathStyle: true,
		AccessKey: s3test.Root.AccessKey, SecretKey: s3test.Root.SecretKey,
	})
	if err != nil {
		t.Fatal(err)
	}
	r, calls, _ := postTo(t, s3test.Options{
		Backend: b, Template: router.Template{Backend: "store", Bucket: s3test.Bucket, Prefix: "{tenantId}/{bucket}/"}, Now: time.Now,
	})
	postLengths(t, r, calls)
}

// postLengths posts files of many lengths.
func postLengths(t *testing.T, r *raw, calls *atomic.Int32) {
	f := func(size int, tail string, puts int32) {
		t.Helper()
		calls.Store(0)
		file := bytes.Repeat([]byte("0123456789\r\n--"), size/14+1)[:size]
		body := signedForm(r.p, "k") + string(file) + tail
		r.send(postHead(len(body)) + body)
		header := r.expectStatus(http.StatusNoContent)
		sum := md5.Sum(file)
		if want := `"` + hex.EncodeToString(sum[:]) + `"`; header.Get("Etag") != want {
			t.Errorf("%d bytes: ETag %s, want %s", size, header.Get("Etag"), want)
		}
		if calls.Load() != puts {
			t.Errorf("%d bytes, then %.30q: %d calls, want %d", size, tail, calls.Load(), puts)
		}
		r.send(r.head("GET", "/bucket/k"))
		if got := r.body(); !bytes.Equal(got, file) {
			t.Errorf("%d bytes became %d", size, len(got))
		}
	}
	submit := "\r\n--b\r\nContent-Disposition: form-data; name=\"submit\"\r\n\r\nUpload" + formTail
	f(0, formTail, 1)
	f(5, submit, 1)
	f(100_000, formTail, 1)
	f(100_000, submit, 2)
	f(3<<20, formTail, 1)
	f(3<<20, "\r\n--b--", 2)
	f(3<<20, submit, 2)
}

// TestPostBroken: nothing is stored of a form that breaks off, or that is no form.
func TestPostBroken(t *testing.T) {
	r, _, good := postTo(t, s3test.Options{})
	for _, size := range []int{1000, 200_000} {
		body := signedForm(r.p, "k") + strings.Repeat("x", size) + formTail
		for _, cut := range []int{10, len(body) - size, len(body) - size/2, len(body) - len(formTail)} {
			c := dial(t, r.p)
			c.send(postHead(len(body)) + body[:cut])
			if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, c.conn)
			c = dial(t, r.p)
			c.send(postHead(cut) + body[:cut])
			c.expect(400, "MalformedPOSTRequest")
		}
	}
	if good.Load() != 0 {
		t.Errorf("%d were stored", good.Load())
	}
}

// TestPostUnauthenticated: nobody's form reaches the bucket, and little of it is read.
func TestPostUnauthenticated(t *testing.T) {
	r, calls, _ := postTo(t, s3test.Options{})
	good := signedForm(r.p, "k")
	for name, form := range map[string]string{
		"unsigned":  "--b\r\nContent-Disposition: form-data; name=key\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; name=file\r\n\r\n",
		"another":   strings.Replace(good, "\r\n\r\nk\r\n", "\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; name=\"x-amz-meta-a\"\r\n\r\nb\r\n", 1),
		"signature": strings.Replace(good, "AWS4-HMAC-SHA256\r\n", "AWS4-HMAC-SHA256\r\n--b\r\nContent-Disposition: form-data; name=\"X-AMZ-SIGNATURE\"\r\n\r\n0\r\n", 1),
	} {
		c := dial(t, r.p)
		c.send(postHead(1<<40) + form)
		resp, err := http.ReadResponse(c.br, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden || !resp.Close {
			t.Errorf("%s: %d, closes: %v", name, resp.StatusCode, resp.Close)
		}
		_ = c.conn.Close()
	}
	if calls.Load() != 0 {
		t.Errorf("%d calls", calls.Load())
	}
}

// TestPostExpect: a client that waits is told to send, since its form says who it is; but not when the
// headers are enough to refuse it.
func TestPostExpect(t *testing.T) {
	r, _, _ := postTo(t, s3test.Options{})
	body := signedForm(r.p, "k") + "hello" + formTail
	r.send(postHead(len(body), "Expect: 100-continue"))
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		if line, err := r.br.ReadString('\n'); err != nil || line != want {
			t.Fatalf("%q, %v", line, err)
		}
	}
	r.send(body)
	r.expectStatus(http.StatusNoContent)
	r.send(strings.Replace(postHead(len(body), "Expect: 100-continue"), "/bucket", "/bucket?versioning", 1))
	r.expect(405, "MethodNotAllowed")
}

// TestPostLocation: the object is where the client addresses the bucket.
func TestPostLocation(t *testing.T) {
	r, _, _ := postTo(t, s3test.Options{})
	f := func(host, path, want string) {
		t.Helper()
		body := signedForm(r.p, "a/b") + "hello" + formTail
		r.send(strings.Replace(strings.Replace(postHead(len(body)), "s3.example.com", host, 1), "/bucket", path, 1) + body)
		if got := r.expectStatus(http.StatusNoContent).Get("Location"); got != want {
			t.Errorf("%s%s: %s, want %s", host, path, got, want)
		}
	}
	f("s3.example.com", "/bucket", "http://s3.example.com/bucket/a%2Fb")
	f("s3.example.com:9000", "/bucket/", "http://s3.example.com:9000/bucket/a%2Fb")
	f("bucket.s3.example.com", "/", "http://bucket.s3.example.com/a%2Fb")
}

// TestPostNeedsLength: without a length of the whole there is none of the file.
func TestPostNeedsLength(t *testing.T) {
	r, _, _ := postTo(t, s3test.Options{})
	body := signedForm(r.p, "k") + "hello" + formTail
	r.send("POST /bucket HTTP/1.1\r\nHost: s3.example.com\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n" +
		fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body))
	r.expect(411, "MissingContentLength")
}

// TestPostMemory: memory does not grow with the file, streamed or kept.
func TestPostMemory(t *testing.T) {
	p := s3test.Start(t, s3test.Options{Wrap: func(b backends.Backend) backends.Backend { return discarding{b} }})
	f := func(tail string) {
		t.Helper()
		const size = 64 << 20
		head := signedForm(p, "k")
		r := dial(t, p)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r.send(postHead(len(head)+size+len(tail)) + head)
		block := bytes.Repeat([]byte("x"), 1<<20)
		for range size >> 20 {
			if _, err := r.conn.Write(block); err != nil {
				t.Fatal(err)
			}
		}
		r.send(tail)
		r.expectStatus(http.StatusNoContent)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > size/8 {
			t.Errorf("%d bytes were allocated for %d", grown, size)
		}
	}
	f(formTail)
	f("\r\n--b--")
}

// discarding reads what is put, and keeps nothing.
type discarding struct{ backends.Backend }

func (discarding) PutObject(_ context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	n, err := io.Copy(io.Discard, in.Body)
	if err == nil && n != *in.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	return &s3.PutObjectOutput{}, err
}
