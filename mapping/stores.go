package mapping

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/xronox/xronox-proxy/config"
)

// awsHost matches the endpoints of AWS's S3: one namespace of buckets, whatever
// the region and the spelling.
var awsHost = regexp.MustCompile(`^s3([.-][a-z0-9.-]+)?\.amazonaws\.com$`)

// stores finds the store behind each connection that is used: two connections
// to one endpoint reach the same physical buckets.
func (b *builder) stores() {
	b.Stores = map[string]string{b.Template.Backend: b.storeOf(b.Template.Backend)}
	for i := range b.Buckets {
		for _, m := range b.Buckets[i].Mounts {
			b.Stores[m.Backend] = b.storeOf(m.Backend)
			if m.Policy.KMSKeyID != "" && isLocal(m.Backend) {
				b.fail("xronoxProxy.dataTypes."+m.ID+".sse", fmt.Sprintf("Bucket %q keeps this type on local disk, which has no KMS", b.Buckets[i].Name), "remove it, or keep the type in an object store")
			}
		}
	}
}

// isLocal reports whether a connection is a store on this machine's disk.
func isLocal(connection string) bool { return connection == Local || connection == LocalStorage }

// storeOf names the store behind a connection.
func (b *builder) storeOf(connection string) string {
	if isLocal(connection) || b.cfg.Xronox == nil {
		return connection
	}
	return storeName(b.cfg.Xronox.SpacesConnections[connection])
}

// storeName names a store by its endpoint.
func storeName(c config.SpacesConnection) string {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" {
		return c.Endpoint
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if awsHost.MatchString(host) {
		return "aws"
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return host + ":" + port + strings.TrimRight(u.Path, "/")
}

// clock is now, by the real clock when none is given.
func clock(now func() time.Time) time.Time {
	if now == nil {
		return time.Now()
	}
	return now()
}
