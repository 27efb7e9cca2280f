package s3backend

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/s3err"
)

// closedAddress is an address of loopback where nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// faulty is a service that misbehaves as handle says, and a store in front of it.
type faulty struct {
	*testing.T
	*Backend
	requests atomic.Int64
}

// newFaulty starts the service.
func newFaulty(t *testing.T, handle http.HandlerFunc) *faulty {
	t.Helper()
	f := &faulty{T: t}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		handle(w, r)
	}))
	t.Cleanup(server.Close)
	o := options(s3servers.Server{Endpoint: server.URL, Region: "us-east-1", AccessKey: "AKIDSECRET", SecretKey: "s"}, All())
	o.Timeouts = Timeouts{Connect: time.Second, Header: 300 * time.Millisecond, Slow: 400 * time.Millisecond, Stall: 300 * time.Millisecond}
	o.MaxAttempts = 2
	f.Backend = open(t, o)
	return f
}

// refused checks the code of an error, and that it shows a client nothing of
// the service's but tells the operator which connection it was.
func (f *faulty) refused(err error, code s3err.Code) {
	f.Helper()
	hidden(f.T, err, code, "physical-bucket", "physical-key", "127.0.0.1", "AKIDSECRET", "REQUESTID")
	if e := s3err.From(err); e.Cause == nil || !strings.Contains(e.Error(), `connection "test"`) {
		f.Errorf("the operator is not told the connection: %v", err)
	}
}

// hidden checks the code of an error, and that no secret is in what a client sees of it.
func hidden(t *testing.T, err error, code s3err.Code, secrets ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %s", code)
		return
	}
	e := s3err.From(err)
	if e.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
	shown := e.Message + " " + e.Resource
	for _, d := range e.Details {
		shown += " " + d.Name + " " + d.Value
	}
	for _, secret := range secrets {
		if strings.Contains(shown, secret) {
			t.Errorf("a client is shown %q: %s", secret, shown)
		}
	}
}

// The names of what the tests ask the service for.
var bucket, key = new("physical-bucket"), new("physical-key")

// getBody reads an object.
func (f *faulty) getBody() (string, error) {
	out, err := f.GetObject(f.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	return string(body), err
}

// put stores a body of n bytes.
func (f *faulty) put(n int, edits ...func(*s3.PutObjectInput)) error {
	in := &s3.PutObjectInput{
		Bucket: bucket, Key: key, Body: strings.NewReader(strings.Repeat("x", n)), ContentLength: new(int64(n)),
		ChecksumAlgorithm: crc64,
	}
	for _, edit := range edits {
		edit(in)
	}
	_, err := f.PutObject(f.Context(), in)
	return err
}

// answer is a handler that answers the same thing every time.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.HasPrefix(body, "<?xml") {
			w.Header().Set("Content-Type", "application/xml")
		}
		w.Header().Set("x-amz-request-id", "REQUESTID")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// document is an error document as services send it, with all their names.
func document(code string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + code + `</Code><Message>physical-bucket at 127.0.0.1: no</Message>` +
		`<BucketName>physical-bucket</BucketName><Key>physical-key</Key><RequestId>REQUESTID</RequestId></Error>`
}

// TestErrors: what the service answers, and what becomes of it.
func TestErrors(t *testing.T) {
	t.Parallel()
	f := func(status int, body string, want s3err.Code) {
		t.Helper()
		s := newFaulty(t, answer(status, body))
		_, err := s.getBody()
		s.refused(err, want)
		s.refused(s.put(10), want)
	}
	f(404, document("NoSuchKey"), s3err.NoSuchKey)
	f(404, document("NoSuchBucket"), s3err.NoSuchBucket)
	f(400, document("InvalidArgument"), s3err.InvalidArgument)
	f(400, document("WeNeverHeardOfThis"), s3err.InvalidRequest)
	f(400, document("KeyTooLongError"), s3err.KeyTooLong)
	f(503, document("SlowDown"), s3err.SlowDown)
	f(429, document("TooManyRequests"), s3err.SlowDown)
	f(500, document("InternalError"), s3err.InternalError)
	f(400, document("RequestTimeout"), s3err.SlowDown)
	f(501, document("NotImplemented"), s3err.NotImplemented)
	f(507, document("XMinioStorageFull"), s3err.ServiceUnavailable)
	// What only the operator can put right.
	f(403, document("AccessDenied"), s3err.BadGateway)
	f(403, document("InvalidAccessKeyId"), s3err.BadGateway)
	f(403, document("SignatureDoesNotMatch"), s3err.BadGateway)
	f(403, document("RequestTimeTooSkewed"), s3err.BadGateway)
	f(400, document("ExpiredToken"), s3err.BadGateway)
	f(400, document("AuthorizationHeaderMalformed"), s3err.BadGateway)
	f(301, document("PermanentRedirect"), s3err.BadGateway)
	// Load balancers.
	f(502, "<html><body>physical-bucket: bad gateway</body></html>", s3err.ServiceUnavailable)
	f(504, "", s3err.ServiceUnavailable)
	f(403, "<html><body>no</body></html>", s3err.BadGateway)
	f(404, "<html><body>nginx</body></html>", s3err.BadGateway)
	f(400, "<html>plain HTTP to an HTTPS port</html>", s3err.BadGateway)
}

// TestHeadErrors: an answer to HEAD has only a status.
func TestHeadErrors(t *testing.T) {
	t.Parallel()
	f := func(status int, want s3err.Code) {
		t.Helper()
		s := newFaulty(t, answer(status, ""))
		_, err := s.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: key})
		s.refused(err, want)
	}
	f(404, s3err.NoSuchBucket) // which HeadBucket answers, too
	f(403, s3err.BadGateway)
	f(400, s3err.BadGateway)
	f(412, s3err.PreconditionFailed)
	f(416, s3err.InvalidRange)
	f(500, s3err.InternalError)
	f(503, s3err.ServiceUnavailable)
}

// TestSkew: a service whose clock is wrong is the operator's affair, who is told.
func TestSkew(t *testing.T) {
	t.Parallel()
	s := newFaulty(t, answer(403, document("RequestTimeTooSkewed")))
	_, err := s.getBody()
	s.refused(err, s3err.BadGateway)
	if !strings.Contains(err.Error(), "RequestTimeTooSkewed") {
		t.Errorf("the operator is not told why: %v", err)
	}
}

// TestUnreachable: 503, soon, whatever there is to ask.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := newFaulty(t, answer(200, ""))
	o := options(s3servers.Server{Endpoint: "http://" + closedAddress(t), Region: "us-east-1", AccessKey: "AKIDSECRET", SecretKey: "s"}, All())
	s.Backend = open(t, o)
	start := time.Now()
	_, err := s.getBody()
	s.refused(err, s3err.ServiceUnavailable)
	s.refused(s.put(10), s3err.ServiceUnavailable)
	s.refused(s.put(2<<20), s3err.ServiceUnavailable)
	_, err = s.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket})
	s.refused(err, s3err.ServiceUnavailable)
	_, err = s.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: bucket})
	s.refused(err, s3err.ServiceUnavailable)
	if took := time.Since(start); took > 5*3*maxBackoff {
		t.Errorf("it took %v", took)
	}
}

// TestSilence: a service that accepts and says nothing is left after the
// timeout, and not asked again.
func TestSilence(t *testing.T) {
	t.Parallel()
	s := newFaulty(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	_, err := s.getBody()
	s.refused(err, s3err.SlowDown)
	if !errors.Is(err, errHeaderTimeout) {
		t.Errorf("the operator is not told why: %v", err)
	}
	s.refused(s.put(10), s3err.SlowDown)
	_, err = s.CopyObject(t.Context(), backends.CopySource{Bucket: "b", Key: "k"}, &s3.CopyObjectInput{Bucket: bucket, Key: key})
	s.refused(err, s3err.SlowDown)
	if n := s.requests.Load(); n != 3 {
		t.Errorf("%d requests, want one for each call", n)
	}
}

// TestStalledUpload: a service that stops reading is left after the timeout.
func TestStalledUpload(t *testing.T) {
	t.Parallel()
	s := newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 10))
		<-t.Context().Done()
	})
	stop := time.AfterFunc(20*time.Second, func() { t.Error("the call does not end") })
	defer stop.Stop()
	s.refused(s.put(64<<20), s3err.SlowDown)
}

// TestBrokenBodies: a GET that breaks breaks towards the client (trap 30).
func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	f := func(name string, then func(w http.ResponseWriter, r *http.Request)) {
		t.Helper()
		s := newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Header().Set("ETag", `"x"`)
			_, _ = io.WriteString(w, strings.Repeat("x", 50))
			w.(http.Flusher).Flush()
			then(w, r)
		})
		body, err := s.getBody()
		if len(body) != 50 || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %d bytes, %v", name, len(body), err)
		}
		s.refused(err, s3err.SlowDown)
	}
	f("cut off", func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
	})
	f("reset", func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	})
	f("stalled", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// TestNoLength: an object whose end nobody could tell is not begun.
func TestNoLength(t *testing.T) {
	t.Parallel()
	s := newFaulty(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "some")
		w.(http.Flusher).Flush()
	})
	_, err := s.getBody()
	s.refused(err, s3err.SlowDown)
}

// TestErrorsInSuccess: a 200 that carries an error is one, also after spaces that
// keep the connection alive, and so is one that carries nothing (trap 29).
func TestErrorsInSuccess(t *testing.T) {
	t.Parallel()
	parts := &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: new(int32(1)), ETag: new(`"x"`)}}}
	f := func(body string, want s3err.Code) {
		t.Helper()
		s := newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.Header().Set("ETag", `"x"`)
				w.Header().Set("Content-Length", "1")
				w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
				return
			}
			if r.Method == http.MethodGet {
				answer(200, `<?xml version="1.0"?><ListPartsResult></ListPartsResult>`)(w, r)
				return
			}
			answer(200, body)(w, r)
		})
		_, err := s.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: bucket, Key: key, UploadId: new("id"), MultipartUpload: parts,
		})
		s.refused(err, want)
		src := backends.CopySource{Bucket: "b", Key: "k"}
		_, err = s.CopyObject(t.Context(), src, &s3.CopyObjectInput{Bucket: bucket, Key: key})
		s.refused(err, want)
		_, err = s.UploadPartCopy(t.Context(), src, &s3.UploadPartCopyInput{Bucket: bucket, Key: key, UploadId: new("id"), PartNumber: new(int32(1))})
		s.refused(err, want)
	}
	f(document("InternalError"), s3err.InternalError)
	f(`<?xml version="1.0" encoding="UTF-8"?>`+strings.Repeat(" \n", 1000)+strings.TrimPrefix(document("InternalError"), `<?xml version="1.0" encoding="UTF-8"?>`), s3err.InternalError)
	f(document("SlowDown"), s3err.SlowDown)
	f("", s3err.SlowDown)
	f("<html>hello</html>", s3err.SlowDown)
}

// TestReplay: what can be done twice is, a body that was not kept is sent
// once, and so is what answers something else the second time (trap 18).
func TestReplay(t *testing.T) {
	t.Parallel()
	f := func(name string, want int64, first http.HandlerFunc, call func(*faulty) error) {
		t.Helper()
		var s *faulty
		s = newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
			if s.requests.Load() == 1 {
				first(w, r)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("ETag", `"x"`)
			w.Header().Set("Content-Length", "0")
		})
		err := call(s)
		if got := s.requests.Load(); got != want {
			t.Errorf("%s: %d requests, want %d", name, got, want)
		}
		if want == 2 && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want == 1 {
			s.refused(err, s3err.SlowDown)
		}
	}
	busy := answer(503, document("SlowDown"))
	reset := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
	}
	get := func(s *faulty) error { return second(s.getBody()) }
	small := func(s *faulty) error { return s.put(10) }
	large := func(s *faulty) error { return s.put(2 << 20) }
	conditional := func(s *faulty) error { return s.put(10, func(in *s3.PutObjectInput) { in.IfNoneMatch = new("*") }) }
	remove := func(s *faulty) error {
		return second(s.DeleteObject(s.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: key}))
	}
	abort := func(s *faulty) error {
		return second(s.AbortMultipartUpload(s.Context(), &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: new("id")}))
	}
	f("get, busy", 2, busy, get)
	f("get, reset", 2, reset, get)
	f("small, busy", 2, busy, small)
	f("small, reset", 2, reset, small)
	f("large, busy", 1, busy, large)
	f("large, reset", 1, reset, large)
	f("conditional, busy", 2, busy, conditional)
	f("conditional, reset", 1, reset, conditional)
	f("delete, reset", 2, reset, remove)
	f("abort, busy", 2, busy, abort)
	f("abort, reset", 1, reset, abort)
}

// TestRedirect: a redirect is not followed: it would take the request, and
// signatures, elsewhere.
func TestRedirect(t *testing.T) {
	t.Parallel()
	elsewhere := newFaulty(t, answer(200, ""))
	for _, status := range []int{301, 302, 307, 308} {
		s := newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, *elsewhere.client.Options().BaseEndpoint+r.URL.Path, status)
		})
		_, err := s.getBody()
		s.refused(err, s3err.BadGateway)
		s.refused(s.put(10), s3err.BadGateway)
	}
	if n := elsewhere.requests.Load(); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

// TestBodyAfterReturn: nobody reads a body after the call has returned.
func TestBodyAfterReturn(t *testing.T) {
	t.Parallel()
	s := newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 100_000))
		w.WriteHeader(http.StatusInternalServerError)
	})
	var returned, late atomic.Bool
	body := iotest.OneByteReader(readerFunc(func(p []byte) (int, error) {
		if returned.Load() {
			late.Store(true)
		}
		return len(p), nil
	}))
	if err := s.put(64<<20, func(in *s3.PutObjectInput) { in.Body = body }); err == nil {
		t.Error("no error")
	}
	returned.Store(true)
	_ = s.Close()
	if late.Load() {
		t.Error("the body was read after the call had returned")
	}
}

// readerFunc is a reader that is a function.
type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
