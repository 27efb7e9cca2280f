package mongoserver

import (
	"net"
	"testing"
)

// TestServer: it listens when it was started, not when it was stopped, and again at the same address.
func TestServer(t *testing.T) {
	t.Parallel()
	s := Start(t)
	f := func(want bool) {
		t.Helper()
		c, err := net.Dial("tcp", s.Address)
		if (err == nil) != want {
			t.Errorf("it listens: %v, %v; want %v", err == nil, err, want)
		}
		if err == nil {
			c.Close()
		}
	}
	f(true)
	address := s.Address
	s.Stop(t)
	f(false)
	s.Start(t)
	f(true)
	if s.Address != address {
		t.Errorf("it listens at %s, then at %s", address, s.Address)
	}
}
