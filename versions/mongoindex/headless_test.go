package mongoindex

import (
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/internal/mongoserver"
)

// TestHeadless: when there has been no primary for as long as a call waits for one, calls do not wait any more,
// until there is one again.
func TestHeadless(t *testing.T) {
	t.Parallel()
	const selection, quick = 2 * time.Second, time.Second
	server := mongoserver.Start(t)
	x := open(t, Options{URI: server.URI(), SelectionTimeout: selection, CallTimeout: 5 * time.Second})
	defer x.Close() //nolint:errcheck // other tests look at it
	call := func() (took time.Duration, err error) {
		began := time.Now()
		_, err = x.Top(t.Context(), object)
		return time.Since(began), err
	}
	if _, err := call(); err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	if took, err := call(); !slow(err) || took < quick {
		t.Errorf("the first call took %v: %v; want SlowDown, and that it waits for a primary", took, err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		if took, err := call(); slow(err) && took < quick {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("calls go on waiting")
		}
	}
	for range 5 {
		if took, err := call(); !slow(err) || took > quick {
			t.Errorf("a call without a primary took %v: %v", took, err)
		}
	}
	server.Start(t)
	for deadline := time.Now().Add(time.Minute); ; {
		_, err := call()
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if d := x.watcher.headlessFor(); d != 0 {
		t.Errorf("with a primary there is none for %v", d)
	}
}
