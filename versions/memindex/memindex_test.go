package memindex_test

import (
	"testing"

	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
	"github.com/xronox/xronox-proxy/versions/versionstest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	versionstest.Run(t, versionstest.Options{
		Open: func(testing.TB) versions.Index { return memindex.New() },
	})
}
