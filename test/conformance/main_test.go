package conformance

import (
	"os"
	"testing"

	"github.com/xronox/xronox-proxy/internal/proxyproc"
	"github.com/xronox/xronox-proxy/internal/s3servers"
)

func TestMain(m *testing.M) {
	os.Exit(proxyproc.Main(func() int {
		defer removeSuite()
		return s3servers.Main(m)
	}))
}
