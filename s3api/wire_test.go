package s3api_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/internal/wiretest"
)

func TestMain(m *testing.M) {
	// Both end by themselves some seconds after their server.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// TestWire plays the golden transcripts, in both styles of addressing.
func TestWire(t *testing.T) {
	for name, hosted := range map[string]bool{"path": false, "hosted": true} {
		t.Run(name, func(t *testing.T) {
			wiretest.Run(t, "testdata/wire", func(t *testing.T) wiretest.Target {
				return s3test.Start(t, s3test.Options{Backend: archiveFor(t)}).Target(hosted)
			})
		})
	}
}

// archiveFor is a store with archives for transcripts that need some, which are called so; nil for others.
func archiveFor(t *testing.T) backends.Backend {
	if !strings.HasSuffix(t.Name(), "/archive") && !strings.HasSuffix(t.Name(), "/RestoreObject/success") {
		return nil
	}
	m := membackend.New()
	m.Now = s3test.Instant
	return backendtest.NewArchive(m)
}
