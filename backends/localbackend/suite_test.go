package localbackend

import (
	"testing"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
)

// TestBackend runs the suite that every store passes, and finds the store in
// order after each case.
func TestBackend(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		b := open(t, Options{Dir: t.TempDir(), MinFree: -1, Keys: TestKeys()})
		makeBucket(t, b, "suite")
		t.Cleanup(func() { checkStore(t, b) })
		return b, "suite"
	}, backendtest.Options{
		Count: func(b backends.Backend) int64 { return b.(*Backend).rowReads.Load() },
	})
}
