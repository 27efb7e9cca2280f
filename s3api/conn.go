package s3api

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// What a connection that is closed with request bytes unread still takes, so
// that its client gets to see the response instead of a reset.
const (
	lingerBytes = 64 << 20
	lingerTime  = 5 * time.Second
)

// copyBufferBytes is how much of a response body is sent at a time.
const copyBufferBytes = 128 << 10

// copyBuffers holds *[]byte of copyBufferBytes.
var copyBuffers = sync.Pool{New: func() any { b := make([]byte, copyBufferBytes); return &b }}

// conn is a client's connection. While a request is being served, each read
// and write of it has a time limit of its own: a body of any size may take any
// time, as long as bytes move.
type conn struct {
	net.Conn
	idle   time.Duration
	inBody atomic.Bool // a request is being served: reads are of its body
	linger atomic.Bool // close only after what is on its way was taken
	spoke  atomic.Bool // the client has sent something

	// expects is the call that was let through to its body and waits for the
	// handler. If the "100 Continue" cannot be sent, none will be called.
	expects atomic.Pointer[call]
}

// beginRequest switches from the limit for headers to the one for bodies.
func (c *conn) beginRequest() {
	c.inBody.Store(true)
	c.linger.Store(false)
}

// SetReadDeadline is called by the server loop between requests.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.inBody.Store(false)
	return c.Conn.SetReadDeadline(t)
}

// Read reads with the limit of the phase the connection is in.
func (c *conn) Read(p []byte) (int, error) {
	if c.inBody.Load() {
		if err := c.Conn.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.spoke.Store(true)
	}
	return n, err
}

// Write writes p with the limit for each write.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// ReadFrom sends what r has, in pieces that each have the time limit.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[]byte) // the pool holds nothing else
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(writerOnly{c}, r, *buf)
}

// writerOnly hides ReadFrom from io.CopyBuffer.
type writerOnly struct{ io.Writer }

// Close closes the connection; when the request's body was not read, only
// after the client had a chance to read the response: closing a socket with
// unread input sends a reset that can overtake it.
func (c *conn) Close() error {
	if call := c.expects.Swap(nil); call != nil {
		call.abandon(c.RemoteAddr())
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger.Load() {
		if half.CloseWrite() == nil {
			_ = c.Conn.SetReadDeadline(time.Now().Add(lingerTime))
			_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
		}
	}
	return c.Conn.Close()
}

// watch looks from time to time whether the client has closed its side.
type watch struct {
	conn     syscall.RawConn
	interval time.Duration
	hungUp   func()

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// watch calls hungUp once when the client has closed its side, looking every
// interval until the watch is stopped.
func (c *conn) watch(interval time.Duration, hungUp func()) *watch {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	w := &watch{conn: raw, interval: interval, hungUp: hungUp}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(interval, w.look)
	return w
}

// look is what the timer does.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stopped:
	case closedByPeer(w.conn):
		w.hungUp()
	default:
		w.timer.Reset(w.interval)
	}
}

// stop ends the watch. A nil watch has nothing to stop.
func (w *watch) stop() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
}

// closedByPeer reports whether the next thing to read is the end.
func closedByPeer(raw syscall.RawConn) bool {
	closed := false
	err := raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT) // a descriptor is an int
		closed = n == 0 && err == nil
	})
	return closed || err != nil
}
