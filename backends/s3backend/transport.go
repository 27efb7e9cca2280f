package s3backend

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// Why a call was ended here. The messages are the operator's.
var (
	errHeaderTimeout = timeoutError("the service does not answer")
	errReadStalled   = timeoutError("the service stopped sending")
)

// timeoutError is a timeout of ours, told apart from a caller's.
type timeoutError string

// Error implements error.
func (e timeoutError) Error() string { return string(e) }

// Timeout implements net.Error's part that matters.
func (timeoutError) Timeout() bool { return true }

// Connections that wait for their next call.
const (
	maxIdlePerHost = 256
	idleTimeout    = 30 * time.Second
	continueWait   = time.Second // for "100 Continue" before a large body is sent anyway
)

// newTransport returns a transport that takes nothing from the environment by itself.
func newTransport(o Options) *http.Transport {
	t := o.Timeouts
	dialer := &net.Dialer{Timeout: t.Connect, KeepAlive: t.Stall / 2}
	return &http.Transport{
		Proxy: o.Proxy,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &conn{c, t.Stall}, nil
		},
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
		TLSHandshakeTimeout:   t.Connect,
		ExpectContinueTimeout: continueWait,
		MaxIdleConnsPerHost:   maxIdlePerHost,
		IdleConnTimeout:       idleTimeout,
		DisableCompression:    true, // bodies pass as they are
	}
}

// conn is a connection whose writes fail when the other side takes nothing.
type conn struct {
	net.Conn
	stall time.Duration
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// patient is the transport with the timeouts that net/http does not have: for
// the head of the answer by kind of call, and for pauses in its body.
type patient struct {
	*http.Transport
	Timeouts
}

// slowKey marks the context of a call that may take Timeouts.Slow.
type slowKey struct{}

// slow returns ctx for a call during which the service moves much data.
func slow(ctx context.Context) context.Context { return context.WithValue(ctx, slowKey{}, true) }

// RoundTrip implements http.RoundTripper.
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	limit := p.Header
	if req.Context().Value(slowKey{}) != nil {
		limit = p.Slow
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	w := &watch{limit: limit, cancel: cancel}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { w.start() },
	})
	resp, err := p.Transport.RoundTrip(req.WithContext(ctx))
	w.stop()
	if err != nil {
		cancel(nil)
		return nil, errors.Join(err, ours(ctx))
	}
	resp.Body = &watchedBody{body: resp.Body, ctx: ctx, cancel: cancel, limit: p.Stall}
	return resp, nil
}

// ours is why ctx was ended, if it was ended here.
func ours(ctx context.Context) error {
	var timeout timeoutError
	if errors.As(context.Cause(ctx), &timeout) {
		return timeout
	}
	return nil
}

// watch ends a call whose answer does not begin in time. The clock starts when
// the request has been sent, which another goroutine says.
type watch struct {
	limit  time.Duration
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// start starts the clock; once more when the request is sent once more.
func (w *watch) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	w.timer = time.AfterFunc(w.limit, func() { w.cancel(errHeaderTimeout) })
}

// stop stops it for good.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// watchedBody is a body of an answer that fails when nothing comes any more.
type watchedBody struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration
}

// Read implements io.Reader.
func (b *watchedBody) Read(p []byte) (int, error) {
	timer := time.AfterFunc(b.limit, func() { b.cancel(errReadStalled) })
	n, err := b.body.Read(p)
	timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = errors.Join(err, ours(b.ctx))
	}
	return n, err
}

// Close implements io.Closer.
func (b *watchedBody) Close() error {
	err := b.body.Close()
	b.cancel(nil)
	return err
}
