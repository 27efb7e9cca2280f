package s3api_test

import (
	"testing"

	"go.uber.org/goleak"

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
				return s3test.Start(t, s3test.Options{}).Target(hosted)
			})
		})
	}
}
