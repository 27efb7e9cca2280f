package s3api

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"
)

// How long nothing is accepted when nothing can be: twice as long each time,
// from the first to the last.
const (
	minAcceptPause = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// maxDefaultConnections is how many connections are served without being told
// so, however many descriptors there are: each holds tens of kilobytes.
const maxDefaultConnections = 16 << 10

// defaultConnections is how many connections a process with so many file
// descriptors can serve: a quarter is for files that are open anyway, and each
// connection may need one more, for the file or the store it is at work with.
func defaultConnections(descriptors uint64) int {
	return int(min(max(1, descriptors/8*3), maxDefaultConnections)) // bounded above
}

// descriptors is how many files this process may have open.
func descriptors() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 256 // POSIX promises less, no system has less
	}
	return r.Cur
}

// listener hands out connections that know our time limits. It waits when the
// system is out of something; the server library would end the server.
type listener struct {
	net.Listener
	idle   time.Duration // without a byte moving, in a body
	log    *slog.Logger
	once   sync.Once
	closed chan struct{}
}

// newListener wraps ln.
func newListener(ln net.Listener, idle time.Duration, log *slog.Logger) *listener {
	return &listener{Listener: ln, idle: idle, log: log, closed: make(chan struct{})}
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	for pause := minAcceptPause; ; pause = min(2*pause, maxAcceptPause) {
		nc, err := l.Listener.Accept()
		if err == nil {
			return &conn{Conn: nc, idle: l.idle}, nil
		}
		if !passes(err) {
			return nil, err
		}
		l.log.Warn("no connection can be accepted", slog.Any("cause", err), slog.Duration("pause", pause))
		timer := time.NewTimer(pause)
		select {
		case <-l.closed:
			timer.Stop()
			return nil, net.ErrClosed
		case <-timer.C:
		}
	}
}

// Close ends Accept, also while it pauses.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// passes reports whether an error of accepting says nothing of the listener:
// the system is out of descriptors or memory, or the client was gone already.
func passes(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
