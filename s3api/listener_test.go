package s3api

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// failingListener fails so often, then has a connection.
type failingListener struct {
	net.Listener
	failures int
	err      error
}

// Accept fails.
func (l *failingListener) Accept() (net.Conn, error) {
	if l.failures--; l.failures >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", l.err)}
	}
	c, _ := net.Pipe()
	return c, nil
}

// Close has nothing to close.
func (l *failingListener) Close() error { return nil }

// TestAcceptPauses: what passes is waited for, longer each time; the rest is
// the end of the listener.
func TestAcceptPauses(t *testing.T) {
	f := func(err error, failures int, want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			l := newListener(&failingListener{failures: failures, err: err}, time.Second, slog.New(slog.DiscardHandler))
			start := time.Now()
			c, got := l.Accept()
			if want < 0 {
				if c != nil || !errors.Is(got, err) {
					t.Errorf("%v: %v, %v", err, c, got)
				}
				return
			}
			if got != nil || time.Since(start) != want {
				t.Errorf("%d times %v: %v after %v, want %v", failures, err, got, time.Since(start), want)
			}
		})
	}
	f(syscall.EMFILE, 0, 0)
	f(syscall.EMFILE, 1, 5*time.Millisecond)
	f(syscall.ENFILE, 3, 35*time.Millisecond)
	f(syscall.ENOBUFS, 8, 1275*time.Millisecond)
	f(syscall.ENOMEM, 10, 3275*time.Millisecond) // a second each in the end
	f(syscall.ECONNABORTED, 2, 15*time.Millisecond)
	f(syscall.EBADF, 1, -1)
	f(syscall.EINVAL, 1, -1)
}

// TestAcceptEndsWithItsListener: closing ends a pause.
func TestAcceptEndsWithItsListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListener(&failingListener{failures: 1000, err: syscall.EMFILE}, time.Second, slog.New(slog.DiscardHandler))
		ended := make(chan error)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
		synctest.Wait() // until it pauses
		for range 2 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestDefaultConnections(t *testing.T) {
	f := func(descriptors uint64, want int) {
		t.Helper()
		if got := defaultConnections(descriptors); got != want {
			t.Errorf("%d descriptors: %d connections, want %d", descriptors, got, want)
		}
	}
	f(0, 1)
	f(256, 96)
	f(1024, 384)
	f(20_000, 7500)
	f(1<<20, 16<<10)
	f(1<<64-1, 16<<10) // RLIM_INFINITY
	if n := descriptors(); n < 16 {
		t.Errorf("%d descriptors", n)
	}
}
