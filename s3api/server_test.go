package s3api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/s3api"
)

// raw is a client that speaks HTTP by hand.
type raw struct {
	t    testing.TB
	p    *s3test.Proxy
	conn net.Conn
	br   *bufio.Reader
}

// dial opens a connection that is closed with the test.
func dial(t *testing.T, p *s3test.Proxy) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &raw{t: t, p: p, conn: conn, br: bufio.NewReader(conn)}
}

// head returns a signed request up to its body. Content-Length and Expect are
// not signed, as SDKs do it.
func (r *raw) head(method, target string, headers ...string) string {
	r.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	req := &http.Request{
		Method: method, Host: "s3.example.com", Header: http.Header{},
		URL: &url.URL{Scheme: "http", Host: "s3.example.com", Opaque: "//s3.example.com" + path, RawQuery: query},
	}
	hash := "UNSIGNED-PAYLOAD"
	var unsigned []string
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch name {
		case "Content-Length", "Expect", "Transfer-Encoding", "Connection":
			unsigned = append(unsigned, h)
		case "X-Amz-Content-Sha256":
			hash = value
		default:
			req.Header.Set(name, value)
		}
	}
	req.Header.Set("X-Amz-Content-Sha256", hash)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	creds := s3test.Credentials(s3test.Root)
	if err := signer.SignHTTP(context.Background(), creds, req, hash, "s3", s3test.Region, r.p.Now()); err != nil {
		r.t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: s3.example.com\r\n", method, target)
	for name, values := range req.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", name, values[0])
	}
	for _, h := range unsigned {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "\r\n"
}

// presign returns target, signed in its query for host.
func (r *raw) presign(method, host, target string) string {
	r.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	if query != "" {
		query += "&"
	}
	req := &http.Request{
		Method: method, Host: host, Header: http.Header{},
		URL: &url.URL{Scheme: "http", Host: host, Opaque: "//" + host + path, RawQuery: query + "X-Amz-Expires=60"},
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	uri, _, err := signer.PresignHTTP(context.Background(), s3test.Credentials(s3test.Root), req, "UNSIGNED-PAYLOAD", "s3", s3test.Region, r.p.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.TrimPrefix(uri, "http://"+host)
}

// send writes s as it is.
func (r *raw) send(s string) {
	r.t.Helper()
	if _, err := io.WriteString(r.conn, s); err != nil {
		r.t.Fatalf("sending: %v", err)
	}
}

// expect reads a response and checks status and S3's error code.
func (r *raw) expect(status int, code string) {
	r.t.Helper()
	resp, err := http.ReadResponse(r.br, nil)
	if err != nil {
		r.t.Fatalf("reading a response: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		r.t.Fatalf("reading a body: %v", err)
	}
	if resp.StatusCode != status || !bytes.Contains(body, []byte("<Code>"+code+"</Code>")) && code != "" {
		r.t.Fatalf("%s, want %d %s\n%s", resp.Status, status, code, body)
	}
}

// ended checks that the server closed the connection.
func (r *raw) ended() {
	r.t.Helper()
	if b, err := io.ReadAll(r.br); err != nil || len(b) > 0 {
		r.t.Errorf("the connection does not end: %d bytes, %v", len(b), err)
	}
}

// TestTrap16ExpectIsRefusedBeforeTheBody: what headers can tell is told before
// a byte of the body was asked for.
func TestTrap16ExpectIsRefusedBeforeTheBody(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	r := dial(t, p)
	r.send(r.head("PUT", "/missing/k", "Content-Length: 1000000", "Expect: 100-continue"))
	r.expect(404, "NoSuchBucket")
	r.ended()

	r = dial(t, p)
	r.send("PUT /bucket/k HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
	r.expect(403, "AccessDenied")
	r.ended()

	r = dial(t, p)
	r.send(r.head("PUT", "/bucket/k", "Content-Length: 5", "Expect: 100-continue"))
	line, err := r.br.ReadString('\n')
	if err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	_, _ = r.br.ReadString('\n')
	r.send("hello" + r.head("HEAD", "/bucket/k"))
	r.expect(200, "")
	if got, _ := p.Object(t, "k"); got != "hello" {
		t.Errorf("stored %q", got)
	}
}

// TestTrap16ExpectEndsOnce: a request that is let through to its body ends
// once, also when that never comes.
func TestTrap16ExpectEndsOnce(t *testing.T) {
	o := &counting{ended: make(chan s3api.Record, 1)}
	unwritable := atomic.Bool{}
	p := s3test.Start(t, s3test.Options{
		Observer: o, Limits: s3api.Limits{MaxConcurrentRequests: 1, BodyIdleTimeout: 300 * time.Millisecond},
		Listen: func(ln net.Listener) net.Listener { return &brokenListener{ln, &unwritable} },
	})
	f := func(status int, after func(r *raw)) {
		t.Helper()
		r := dial(t, p)
		r.send(r.head("PUT", "/bucket/k", "Content-Length: 5", "Expect: 100-continue"))
		if !unwritable.Load() {
			if line, err := r.br.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
				t.Fatalf("%q, %v", line, err)
			}
			_, _ = r.br.ReadString('\n')
		}
		after(r)
		select {
		case ended := <-o.ended:
			if n := o.inFlight.Load(); n != 0 || ended.Status != status || ended.Operation != "PutObject" {
				t.Errorf("%d in flight after %q with %d, %s", n, ended.Operation, ended.Status, ended.Cause)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%d in flight", o.inFlight.Load())
		}
	}
	for range 3 {
		f(200, func(r *raw) { r.send("hello"); r.expect(200, "") })
		f(400, func(r *raw) { _ = r.conn.Close() })
		f(400, func(r *raw) { r.send("h"); _ = r.conn.Close() })
		f(400, func(r *raw) { r.expect(400, "RequestTimeout") })
		unwritable.Store(true)
		f(400, func(*raw) {})
		unwritable.Store(false)
	}
}

// counting is an Observer that counts what is in flight and reports what ended.
type counting struct {
	inFlight atomic.Int64
	ended    chan s3api.Record
}

// InFlight counts.
func (o *counting) InFlight(delta int) { o.inFlight.Add(int64(delta)) }

// Observe reports.
func (o *counting) Observe(r *s3api.Record) { o.ended <- *r }

// brokenListener accepts connections that cannot be written to while broken
// is set.
type brokenListener struct {
	net.Listener
	broken *atomic.Bool
}

// Accept breaks the next connection.
func (l *brokenListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &brokenConn{c, l.broken}, err
}

// brokenConn is a connection of a brokenListener.
type brokenConn struct {
	net.Conn
	broken *atomic.Bool
}

// Write fails while the connection is broken.
func (c *brokenConn) Write(b []byte) (int, error) {
	if c.broken.Load() {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

// TestTrap04RefusedBodyIsNotARequest: a refused upload whose body looks like
// a request is not run as one, be it small (drained) or large (closed).
func TestTrap04RefusedBodyIsNotARequest(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	smuggled := dial(t, p).head("PUT", "/bucket/smuggled", "Content-Length: 1") + "x"

	r := dial(t, p)
	r.send(r.head("PUT", "/missing/k", fmt.Sprintf("Content-Length: %d", len(smuggled))) + smuggled)
	r.expect(404, "NoSuchBucket")
	r.send(r.head("GET", "/bucket?location"))
	r.expect(200, "")

	r = dial(t, p)
	large := strings.Repeat(smuggled, 1<<20/len(smuggled))
	r.send(r.head("PUT", "/missing/k", fmt.Sprintf("Content-Length: %d", len(large))))
	go func() { _, _ = io.WriteString(r.conn, large) }()
	r.expect(404, "NoSuchBucket")
	r.ended()

	r = dial(t, p)
	r.send(r.head("PUT", "/missing/k", "Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled))
	r.expect(404, "NoSuchBucket")

	if _, ok := p.Object(t, "smuggled"); ok {
		t.Error("a body was run as a request")
	}
}

// TestTrap04UnclearFraming: a request that does not say where its body ends is
// the last of its connection.
func TestTrap04UnclearFraming(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	smuggled := dial(t, p).head("PUT", "/bucket/smuggled", "Content-Length: 1") + "x"
	f := func(request string, status int, code string) {
		t.Helper()
		r := dial(t, p)
		r.send(request + smuggled)
		r.expect(status, code)
		r.ended()
	}
	head := func(headers ...string) string { return dial(t, p).head("PUT", "/bucket/k", headers...) }
	f(head("Transfer-Encoding: identity"), 501, "NotImplemented")
	f(head("Transfer-Encoding: identity", "Content-Length: 3"), 501, "NotImplemented")
	f(head("Transfer-Encoding: gzip"), 400, "BadRequest")
	f(head("Transfer-Encoding: chunked", "Content-Length: 3")+"1\r\nx\r\n0\r\n\r\n", 400, "BadRequest")
	f("GET /bucket HTTP/9.1\r\nHost: h\r\n\r\n", 400, "BadRequest")
	f("GET /bucket HTTP/1.1\r\nHost: h\r\nX-Amz-A: 1\r\nX-Amz-A: 1\r\nTransfer-Encoding: identity\r\n\r\n", 400, "InvalidArgument")
	if _, ok := p.Object(t, "smuggled"); ok {
		t.Error("a body was run as a request")
	}
}

// TestTrap04EarlyRefusalReachesTheUploader: a client that does not look up
// until it has sent everything still gets the answer instead of a reset.
func TestTrap04EarlyRefusalReachesTheUploader(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	r := dial(t, p)
	const size = 24 << 20
	r.send(r.head("PUT", "/missing/k", fmt.Sprintf("Content-Length: %d", size)))
	chunk := strings.Repeat("x", 1<<20)
	for range size / len(chunk) {
		r.send(chunk)
	}
	r.expect(404, "NoSuchBucket")
	r.ended()
}

// TestBrokenBodies: what does not arrive as announced is not stored.
func TestBrokenBodies(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	r := dial(t, p)
	r.send(r.head("PUT", "/bucket/k", "Content-Length: 10") + "short")
	_ = r.conn.(*net.TCPConn).CloseWrite()
	r.expect(400, "IncompleteBody")

	r = dial(t, p)
	r.send(r.head("PUT", "/bucket/k"))
	r.expect(411, "MissingContentLength")

	r = dial(t, p)
	hello := sha256.Sum256([]byte("hello"))
	r.send(r.head("PUT", "/bucket/k", "X-Amz-Content-Sha256: "+hex.EncodeToString(hello[:])) + "hello")
	r.expect(411, "MissingContentLength")

	r = dial(t, p)
	r.send(r.head("PUT", "/bucket/k", "Transfer-Encoding: chunked") + "1\r\nx\r\n0\r\n\r\n")
	r.expect(411, "MissingContentLength")

	r = dial(t, p)
	sum := sha256.Sum256([]byte("other"))
	r.send(r.head("PUT", "/bucket/k", "Content-Length: 5", "X-Amz-Content-Sha256: "+hex.EncodeToString(sum[:])) + "hello")
	r.expect(400, "XAmzContentSHA256Mismatch")

	if got, ok := p.Object(t, "k"); ok {
		t.Errorf("stored %q", got)
	}
}

// TestUnreadable: what is no request gets an S3 error all the same.
func TestUnreadable(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	f := func(s string, status int, code string) {
		t.Helper()
		r := dial(t, p)
		r.send(s)
		r.expect(status, code)
		r.ended()
	}
	f("GET / HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", 20<<10)+"\r\n\r\n", 400, "RequestHeaderSectionTooLarge")
	f("nonsense\r\n\r\n", 400, "BadRequest")
	f("GET / HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n", 400, "BadRequest")
	f("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400, "BadRequest")
	p = s3test.Start(t, s3test.Options{Limits: s3api.Limits{HeaderTimeout: time.Second}})
	f("GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ", 400, "RequestTimeout")
	dial(t, p).ended() // A client that says nothing is told nothing.
}

// TestIdleBody: a body that stops moving is given up; one that moves slowly is not.
func TestIdleBody(t *testing.T) {
	p := s3test.Start(t, s3test.Options{Limits: s3api.Limits{BodyIdleTimeout: 300 * time.Millisecond}})
	r := dial(t, p)
	r.send(r.head("PUT", "/bucket/k", "Content-Length: 10") + "x")
	r.expect(400, "RequestTimeout")
	r.ended()
}

// TestTooManyRequests: above the limit requests are told to slow down.
func TestTooManyRequests(t *testing.T) {
	blocked := &blocking{reached: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	p := s3test.Start(t, s3test.Options{Limits: s3api.Limits{MaxConcurrentRequests: 1}, Wrap: blocked.wrap})
	first := dial(t, p)
	first.send(first.head("HEAD", "/bucket/k"))
	<-blocked.reached
	second := dial(t, p)
	second.send(second.head("GET", "/bucket?location"))
	second.expect(503, "SlowDown")
	_ = first.conn.Close()
	<-blocked.ended
}

// TestTooManyConnections: above the limit a connection gets an answer and its
// end; those that are there, and those that come when one has ended, are served.
func TestTooManyConnections(t *testing.T) {
	p := s3test.Start(t, s3test.Options{Limits: s3api.Limits{MaxConnections: 2}})
	served := func(r *raw) bool {
		r.send(r.head("GET", "/bucket?location"))
		resp, err := http.ReadResponse(r.br, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != 200 && (resp.StatusCode != 503 || !resp.Close) {
			t.Fatal(resp.Status)
		}
		return resp.StatusCode == 200
	}
	first, second := dial(t, p), dial(t, p)
	for range 2 {
		if !served(first) || !served(second) {
			t.Fatal("refused within the limit")
		}
		third := dial(t, p)
		resp, err := http.ReadResponse(third.br, nil)
		if err != nil || resp.StatusCode != 503 || !resp.Close {
			t.Fatalf("above the limit: %v, %v", resp, err)
		}
		_ = resp.Body.Close()
	}
	_ = first.conn.Close()
	for !served(dial(t, p)) { // until the server has seen that
	}
	if !served(second) {
		t.Error("refused later")
	}
}

// TestOutOfDescriptors: the server goes on when it had no descriptor for a
// connection.
func TestOutOfDescriptors(t *testing.T) {
	p := s3test.Start(t, s3test.Options{Listen: func(ln net.Listener) net.Listener { return &starved{ln, 3} }})
	r := dial(t, p)
	r.send(r.head("GET", "/bucket?location"))
	r.expect(200, "")
}

// starved is a listener that has no descriptor so many times.
type starved struct {
	net.Listener
	times int
}

// Accept accepts at last.
func (l *starved) Accept() (net.Conn, error) {
	if l.times--; l.times >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

// TestHangUp: when the client is gone, the work for it stops.
func TestHangUp(t *testing.T) {
	blocked := &blocking{reached: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	p := s3test.Start(t, s3test.Options{Wrap: blocked.wrap})
	r := dial(t, p)
	r.send(r.head("HEAD", "/bucket/k"))
	<-blocked.reached
	_ = r.conn.Close()
	<-blocked.ended
}

// blocking is a backend whose HeadObject waits until its context ends.
type blocking struct {
	backends.Backend
	reached, ended chan struct{}
}

func (b *blocking) wrap(next backends.Backend) backends.Backend {
	b.Backend = next
	return b
}

// HeadObject waits.
func (b *blocking) HeadObject(ctx context.Context, _ *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	b.reached <- struct{}{}
	<-ctx.Done()
	b.ended <- struct{}{}
	return nil, ctx.Err()
}

// TestTrap30BrokenBodyBreaksTheConnection: a body that fails on its way out
// must not look whole.
func TestTrap30BrokenBodyBreaksTheConnection(t *testing.T) {
	p := s3test.Start(t, s3test.Options{Wrap: func(b backends.Backend) backends.Backend { return &breaking{b} }})
	r := dial(t, p)
	r.send(r.head("PUT", "/bucket/k", "Content-Length: 10") + "0123456789")
	r.expect(200, "")
	r.send(r.head("GET", "/bucket/k"))
	resp, err := http.ReadResponse(r.br, nil)
	if err != nil {
		return // Broken before the headers were sent: that is clear enough.
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil {
		t.Errorf("a broken body of %d bytes looks whole", len(body))
	}
}

// breaking is a backend whose bodies end too early, in an error.
type breaking struct{ backends.Backend }

// GetObject returns a body that breaks.
func (b *breaking) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	out, err := b.Backend.GetObject(ctx, in)
	if err == nil {
		out.Body = io.NopCloser(io.MultiReader(io.LimitReader(out.Body, 4), failing{}))
	}
	return out, err
}

// failing is a reader that fails.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestPanicIsAnError: a panic in an operation is an InternalError, and the
// server goes on.
func TestPanicIsAnError(t *testing.T) {
	var calls atomic.Int32
	p := s3test.Start(t, s3test.Options{Wrap: func(b backends.Backend) backends.Backend { return &panicking{b, &calls} }})
	r := dial(t, p)
	for range 2 {
		r.send(r.head("GET", "/bucket"))
		r.expect(500, "InternalError")
	}
	if calls.Load() != 2 {
		t.Errorf("%d calls", calls.Load())
	}
}

// panicking is a backend that cannot list.
type panicking struct {
	backends.Backend
	calls *atomic.Int32
}

// ListObjectsV2 panics.
func (b *panicking) ListObjectsV2(context.Context, *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	b.calls.Add(1)
	panic("BUG: a test")
}
