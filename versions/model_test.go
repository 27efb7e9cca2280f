package versions_test

import (
	"testing"

	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
	"github.com/xronox/xronox-proxy/versions/versionstest"
)

// TestS3Model holds states, lookups and listings to S3's rules.
func TestS3Model(t *testing.T) {
	t.Parallel()
	versionstest.S3Model(t, func() versions.Index { return memindex.New() })
}
