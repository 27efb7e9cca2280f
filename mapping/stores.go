package mapping

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xronox/xronox-proxy/config"
)

// awsHost matches the endpoints of AWS's S3: one namespace of buckets, whatever
// the region and the spelling.
var awsHost = regexp.MustCompile(`^(s3([.-][a-z0-9.-]+)?\.amazonaws\.com(\.cn)?|s3\.[a-z0-9-]+\.api\.aws)$`)

// AWS names the store behind AWS's endpoints.
const AWS = "aws"

// stores finds the store behind each connection that is used: two connections
// to one endpoint reach the same physical buckets.
func (b *builder) stores() {
	b.Stores = map[string]string{}
	for _, s := range b.Template.Reserved() {
		b.Stores[s.Backend] = b.storeOf(s.Backend)
	}
	for i := range b.Buckets {
		for _, m := range b.Buckets[i].Mounts {
			b.Stores[m.Backend] = b.storeOf(m.Backend)
			if m.Policy.KMSKeyID != "" && isLocal(m.Backend) && !b.hasLocalKey(m.Policy.KMSKeyID) {
				b.fail("xronoxProxy.dataTypes."+m.ID+".sse", fmt.Sprintf("Bucket %q keeps this type on local disk, which has no such key", b.Buckets[i].Name), "add it to xronoxProxy.encryption.kms, or keep the type in an object store")
			}
		}
	}
}

// hasLocalKey reports whether local disk has a key of KMS.
func (b *builder) hasLocalKey(id string) bool {
	return slices.ContainsFunc(b.cfg.Proxy.Encryption.KMS, func(k config.EncryptionKey) bool { return k.ID == id })
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
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if awsHost.MatchString(host) {
		return AWS
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	}
	if host == "localhost" || host == "::1" {
		host = "127.0.0.1"
	}
	port, _ := strconv.Atoi(u.Port())
	if port == 80 || port == 443 {
		port = 0 // the same service, whether over TLS or not
	}
	return fmt.Sprintf("%s:%d%s", host, port, strings.TrimRight(path.Clean("/"+u.Path), "/"))
}

// clock is now, by the real clock when none is given.
func clock(now func() time.Time) time.Time {
	if now == nil {
		return time.Now()
	}
	return now()
}
