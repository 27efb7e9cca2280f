package s3api

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/sigv4"
)

// call is the state of one request, from its first byte to the last of its
// response. All its strings are its own: none points into a buffer of the
// connection.
type call struct {
	s       *Server
	fc      *fasthttp.RequestCtx
	ctx     context.Context
	cancel  context.CancelFunc
	gone    *watch // looks whether the client is still there
	id      string // request id
	started time.Time

	method        string
	rawPath       string // as signed
	rawQuery      string
	headers       []sigv4.Header
	query         params
	bucket, key   string // virtual
	virtualHosted bool
	scope         scope
	framed        bool // where its body ends is beyond doubt

	op       *operation
	auth     sigv4.Verified
	identity *router.Identity
	route    *router.Route
	at       place // what the bucket's name stands for; its route is route
	admitted bool  // may run; set once

	expecting bool // its body is not sent before it has been let through

	form      *form       // set when the body is one
	file      *formFile   // set when the operation reads the form's file
	body      *uploadBody // set when the operation reads one
	reserved  int64       // of what documents may take together
	streaming bool        // the response body is sent after the handler returned
	err       *s3err.Error
	sent      int64 // bytes of the response body

	headersBuf [24]sigv4.Header
	queryBuf   [12]param
}

// goneInterval is how often a client that we are working for is looked at.
const goneInterval = time.Second

// callOf returns the call of fc: the one that the expect handler began, or a
// new one. A request has one call, whoever ends it.
func (s *Server) callOf(fc *fasthttp.RequestCtx) *call {
	if conn, ok := fc.Conn().(*conn); ok {
		if c := conn.expects.Swap(nil); c != nil {
			return c
		}
	}
	return s.newCall(fc)
}

// newCall begins a call.
func (s *Server) newCall(fc *fasthttp.RequestCtx) *call {
	c := &call{s: s, fc: fc, id: newRequestID(), started: s.Now()}
	c.ctx, c.cancel = context.WithCancel(s.baseCtx)
	s.inFlight.Add(1)
	s.Observer.InFlight(1)
	fc.Response.Header.DisableNormalizing()
	c.set("x-amz-request-id", c.id)
	c.set("x-amz-id-2", hostID(c.id))
	if conn, ok := fc.Conn().(*conn); ok {
		conn.beginRequest()
		c.gone = conn.watch(goneInterval, c.cancel)
	}
	return c
}

// newRequestID returns an id as S3 writes them: 16 upper-case letters and digits.
func newRequestID() string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var b [16]byte
	r, r2 := rand.Uint64(), rand.Uint64() // an id for log lines, not a secret
	for i := range b {
		if i == 8 {
			r = r2
		}
		b[i] = digits[r&31]
		r >>= 5
	}
	return string(b[:])
}

// hostID is the second id that S3 sends; here it says no more than the first.
func hostID(requestID string) string { return "xronox-proxy/" + requestID }

// header returns the value of the first header line of that name, or "".
func (c *call) header(name string) string {
	for i := range c.headers {
		if len(c.headers[i].Name) == len(name) && strings.EqualFold(c.headers[i].Name, name) {
			return c.headers[i].Value
		}
	}
	return ""
}

// hasHeader reports whether the request has the header, even an empty one.
func (c *call) hasHeader(name string) bool {
	for i := range c.headers {
		if len(c.headers[i].Name) == len(name) && strings.EqualFold(c.headers[i].Name, name) {
			return true
		}
	}
	return false
}

// headerPtr is header, with nil for a missing or empty one.
func (c *call) headerPtr(name string) *string { return optional(c.header(name)) }

// queryPtr is the query parameter, with nil for a missing or empty one.
func (c *call) queryPtr(name string) *string {
	v, _ := c.query.lookup(name)
	return optional(v)
}

// optional is a pointer to s, or nil when s is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return new(s) // so that s itself stays off the heap when it is empty
}

// set writes a response header.
func (c *call) set(name, value string) { c.fc.Response.Header.Set(name, value) }

// setPtr writes a response header unless v is nil.
func (c *call) setPtr(name string, v *string) {
	if v != nil {
		c.set(name, *v)
	}
}

// resourceType is how S3 names what the path stands for, in errors.
func (c *call) resourceType() string {
	switch c.scope {
	case onObject:
		if _, ok := c.query.lookup("uploadId"); ok {
			return "UPLOAD"
		}
		return "OBJECT"
	case onService:
		return "SERVICE"
	default:
		return "BUCKET"
	}
}

// resource is the path of what the request names, as errors show it.
func (c *call) resource() string {
	switch {
	case c.bucket == "":
		return "/"
	case c.key == "":
		return "/" + c.bucket
	}
	return "/" + c.bucket + "/" + c.key
}

// stream sends body as the response body. The call ends when it is closed.
func (c *call) stream(body io.ReadCloser, length int64) {
	c.streaming = true
	c.fc.Response.SetBodyStream(&responseBody{c: c, body: body}, int(length))
}

// responseBody is a response body on its way out.
type responseBody struct {
	c    *call
	body io.ReadCloser
}

// Read counts, and remembers why a body broke off.
func (r *responseBody) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	r.c.sent += int64(n)
	if err != nil && err != io.EOF {
		r.c.err = s3err.From(err)
	}
	return n, err
}

// Close ends the call: fasthttp calls it once, sent or not.
func (r *responseBody) Close() error {
	err := r.body.Close()
	r.c.finish()
	return err
}

// abandon ends a call whose connection was closed before its body began. The
// server library has taken back what the request was in, so the answer, which
// only the log will read, is written elsewhere.
func (c *call) abandon(remote net.Addr) {
	c.fc = new(fasthttp.RequestCtx)
	c.fc.SetRemoteAddr(remote)
	c.writeError(s3err.New(s3err.IncompleteBody))
	c.finish()
}

// finish ends the call: stops what still works for it, counts it, logs it.
func (c *call) finish() {
	if c.cancel == nil {
		return
	}
	c.cancel()
	c.cancel = nil
	c.gone.stop()
	c.s.documents.Add(-c.reserved)
	c.s.inFlight.Add(-1)
	c.s.Observer.InFlight(-1)
	r := c.record()
	c.s.Observer.Observe(&r)
	c.s.Log.LogAttrs(context.Background(), r.level(), "request", r.attrs()...)
}

// Record is what became of one request.
type Record struct {
	RequestID string
	Operation string // "" when none was found
	AccessKey string // of who signed; "" when that is not certain
	Claimed   string // access key that a refused request names; anybody can name any
	TenantID  string
	Bucket    string // virtual
	Key       string
	Remote    string
	Status    int
	Code      s3err.Code // "" unless an error was sent
	Cause     error      // for the operator
	BytesIn   int64      // of the request body
	BytesOut  int64      // of the response body
	Duration  time.Duration
}

// maxClaimed bounds an access key that nobody has verified: none is longer.
const maxClaimed = 128

// record is what there is to tell of the call.
func (c *call) record() Record {
	r := Record{
		RequestID: c.id, Bucket: c.bucket, Key: c.key, Remote: c.fc.RemoteAddr().String(),
		Status: c.fc.Response.StatusCode(), BytesOut: c.sent, Duration: c.s.Now().Sub(c.started),
	}
	if !c.streaming {
		r.BytesOut = int64(len(c.fc.Response.Body()))
	}
	if c.op != nil {
		r.Operation = c.op.name
	}
	if c.identity != nil {
		r.AccessKey, r.TenantID = c.identity.AccessKey, c.identity.TenantID
	} else {
		r.Claimed = c.auth.Claimed[:min(len(c.auth.Claimed), maxClaimed)]
	}
	if c.body != nil {
		r.BytesIn = c.body.wire.n
	}
	if c.err != nil {
		r.Code, r.Cause = c.err.Code, c.err.Cause
	}
	return r
}

// level is Error for what the operator should look at.
func (r *Record) level() slog.Level {
	if r.Status >= 500 && r.Code != s3err.NotImplemented && r.Code != s3err.SlowDown {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// attrs is the access log line. It has no header, no query and no signature.
// The duration is a text, since handlers of JSON would write a bare number.
func (r *Record) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 15)
	attrs = append(attrs, slog.String("id", r.RequestID), slog.String("op", r.Operation),
		slog.Int("status", r.Status), slog.String("bucket", r.Bucket), slog.String("key", r.Key),
		slog.String("accessKey", r.AccessKey), slog.String("tenant", r.TenantID), slog.String("remote", r.Remote),
		slog.Int64("in", r.BytesIn), slog.Int64("out", r.BytesOut), slog.String("took", r.Duration.String()))
	if r.Claimed != "" {
		attrs = append(attrs, slog.String("unverifiedAccessKey", r.Claimed))
	}
	if r.Code != "" {
		attrs = append(attrs, slog.String("code", string(r.Code)))
	}
	if r.Cause != nil {
		attrs = append(attrs, slog.String("cause", r.Cause.Error()))
	}
	return attrs
}

// itoa is strconv.Itoa for the integer kinds we have.
func itoa[T int | int32 | int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// fasthttpLogger hands the server library's own remarks to the log.
type fasthttpLogger struct{ log *slog.Logger }

// Printf logs what happens below the protocol, such as broken connections.
func (l fasthttpLogger) Printf(format string, args ...any) {
	l.log.Debug("connection", slog.String("event", fmt.Sprintf(format, args...)))
}
