package s3api

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/sigv4"
)

// Server answers S3 requests. Make it with [New]; it is safe for concurrent use.
type Server struct {
	Options
	http     *fasthttp.Server
	verifier *sigv4.Verifier
	inFlight atomic.Int64
	baseCtx  context.Context // ends when a shutdown runs out of patience
	stop     context.CancelFunc

	documents atomic.Int64 // bytes of the documents at work
}

// New returns a server that is not yet listening.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Domains == nil {
		o.Domains = router.Domains(nil)
	}
	if o.Observer == nil {
		o.Observer = noObserver{}
	}
	o.Limits = o.Limits.orDefaults()
	s := &Server{Options: o}
	s.baseCtx, s.stop = context.WithCancel(context.Background())
	s.verifier = sigv4.New(sigv4.Options{Keys: o.Identities, Region: o.Region, Now: o.Now, Aliases: o.Domains.Aliases})
	s.http = &fasthttp.Server{
		Name:          "xronox-proxy",
		Handler:       s.handle,
		ExpectHandler: s.expect,
		ErrorHandler:  s.unreadable,

		// Bodies are streamed; the limit is only how much is read ahead of the handler.
		StreamRequestBody:            true,
		MaxRequestBodySize:           1,
		DisablePreParseMultipartForm: true,
		NoDefaultContentType:         true,

		Concurrency:     o.Limits.MaxConnections,
		ReadBufferSize:  o.Limits.MaxHeaderBytes,
		WriteBufferSize: 16 << 10,
		ReadTimeout:     o.Limits.HeaderTimeout,
		IdleTimeout:     o.Limits.IdleTimeout,
		CloseOnShutdown: true,
		Logger:          fasthttpLogger{o.Log},
	}
	return s
}

// Serve answers the connections of ln until Shutdown.
func (s *Server) Serve(ln net.Listener) error {
	return s.http.Serve(newListener(ln, s.Limits.BodyIdleTimeout, s.Log))
}

// Shutdown takes no new connections and waits for the requests in flight. When
// ctx ends first, it cancels them.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.stop()
	return s.http.ShutdownWithContext(ctx)
}

// handle is the path of every request. Nothing else writes an error.
func (s *Server) handle(fc *fasthttp.RequestCtx) {
	c := s.callOf(fc)
	defer s.settle(c)
	if err := c.guard(s.serve); err != nil {
		c.writeError(err)
	}
}

// serve admits the request and runs its operation.
func (s *Server) serve(c *call) error {
	if err := s.admit(c); err != nil {
		return err
	}
	return c.op.handle(s, c)
}

// settle ends the call, unless a response body is still to be sent: then
// closing that does.
func (s *Server) settle(c *call) {
	if c.hasHeader("Origin") {
		_ = c.guard(s.allowOrigin) // Without it pages cannot read the answer, which stands.
	}
	c.lingerIfUnread()
	if !c.framed {
		c.fc.SetConnectionClose()
	}
	if !c.streaming {
		c.finish()
	}
}

// admit takes a request from its bytes to the point where its operation may
// run: the same steps for each, before any of its body is read.
func (s *Server) admit(c *call) error {
	if c.admitted {
		return nil
	}
	if s.inFlight.Load() > int64(s.Limits.MaxConcurrentRequests) {
		return s3err.New(s3err.SlowDown)
	}
	for _, step := range [...]func(*call) error{s.parse, s.match, s.form, s.verify, s.resolve, s.authorize, s.supported, s.look} {
		if c.op == preflight {
			break // Nobody signs it, and it asks for nothing that has to be allowed.
		}
		if err := step(c); err != nil {
			return err
		}
	}
	c.admitted = true
	return nil
}

func (s *Server) parse(c *call) error { return c.parse(s.Domains) }

func (s *Server) match(c *call) (err error) {
	if err := c.misplaced(); err != nil {
		return err
	}
	c.op, err = ops.match(c)
	return err
}

// verify finds out who signed the request.
func (s *Server) verify(c *call) (err error) {
	if c.form != nil {
		c.auth, err = s.verifyForm(c)
	} else {
		c.auth, err = s.verifier.Verify(&sigv4.Request{
			Method: c.method, Path: c.rawPath, Query: c.rawQuery, Host: c.header("Host"), Headers: c.headers,
		})
	}
	if err != nil {
		return err
	}
	id, ok := s.Identities.Identity(c.auth.AccessKey)
	if !ok {
		return s3err.New(s3err.AccessDenied) // Nobody signed, or the key is gone since.
	}
	c.identity = id
	if err := c.checkPayload(); err != nil {
		return err
	}
	if c.auth.Presigned {
		return c.hoisted()
	}
	return nil
}

// resolve finds the route of the bucket the request names.
func (s *Server) resolve(c *call) (err error) {
	if c.op.scope == onService || c.op.scope == onNewBucket {
		c.at.bucket = c.bucket
		return nil
	}
	c.at, err = s.find(c, c.bucket)
	c.route = c.at.route
	return err
}

// authorize asks whether the identity may do this. Operations without an
// action ask for themselves; those on keys ask for each, but nobody who may
// do it to none has the list read.
func (s *Server) authorize(c *call) error {
	key := c.key
	if c.op.action == router.List && strings.HasPrefix(c.op.name, "List") {
		key, _ = c.query.lookup("prefix") // nothing else is shown
	}
	allowed := true
	switch {
	case c.op.action == "":
	case c.op.scope == onKeys:
		allowed = c.identity.AllowsSome(c.op.action, c.at.bucket)
	default:
		allowed = c.identity.Allows(c.op.action, c.at.bucket, key)
	}
	if !allowed {
		return s3err.New(s3err.AccessDenied)
	}
	if owner := c.header("X-Amz-Expected-Bucket-Owner"); owner != "" && c.route != nil && owner != c.route.Owner {
		return s3err.New(s3err.AccessDenied)
	}
	return nil
}

// supported refuses what this server knows of but does not do.
func (s *Server) supported(c *call) error {
	if c.op.handle == nil {
		return s3err.Newf(s3err.NotImplemented, "%s is not implemented.", c.op.name)
	}
	return c.refuseHeaders()
}

// expect runs for requests that wait for a "100 Continue" before they send
// their body. It refuses here what can be refused from the headers; what it
// lets through, handle finds again.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (s *Server) expect(fc *fasthttp.RequestCtx) int {
	c := s.newCall(fc)
	c.expecting = true
	err := c.guard(s.admit)
	c.expecting = false
	if err != nil && !errors.Is(err, errBodyFirst) {
		c.writeError(err)
		s.settle(c)
		return fc.Response.StatusCode()
	}
	if conn, ok := fc.Conn().(*conn); ok {
		conn.expects.Store(c)
	}
	return fasthttp.StatusContinue
}

// errBodyFirst is why a request cannot be judged from its headers alone.
var errBodyFirst = errors.New("the body says who sends it")

// unreadable answers what could not be read as a request at all, and requests
// whose body did not begin to come.
func (s *Server) unreadable(fc *fasthttp.RequestCtx, err error) {
	conn, ours := fc.Conn().(*conn)
	if ours && !conn.spoke.Load() {
		// A connection kept in reserve: an answer that nobody asked for could be
		// taken for that to a request which is on its way just now.
		_ = conn.Conn.Close()
		return
	}
	c := s.callOf(fc)
	defer c.finish()
	if ours {
		conn.linger.Store(true)
	}
	var tooLarge *fasthttp.ErrSmallBuffer
	var timeout net.Error
	switch {
	case errors.As(err, &tooLarge):
		err = s3err.New(s3err.RequestHeaderSectionTooLarge).
			With("MaxSizeAllowed", itoa(s.Limits.MaxHeaderBytes)).Because(err)
	case errors.As(err, &timeout) && timeout.Timeout():
		err = s3err.New(s3err.RequestTimeout).Because(err)
	default:
		err = s3err.Newf(s3err.BadRequest, "An error occurred when parsing the HTTP request.").Because(err)
	}
	c.writeError(err)
}

// noObserver is the Observer of a server that has none.
type noObserver struct{}

func (noObserver) InFlight(int)    {}
func (noObserver) Observe(*Record) {}
