package router

import (
	"net/url"
	"strings"
)

// Domains are the host names that this server answers to. A request to
// "bucket.domain" is virtual-hosted; to any other host, path-style.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
type Domains []string

// Split takes a request's Host header and raw path apart. rawKey is as it came,
// still percent-encoded, without the slash in front; empty when the bucket itself is meant.
// bucket is decoded and empty when the service itself is meant; it is not validated, so a
// path of "//key" has a key and no bucket.
func (d Domains) Split(host, rawPath string) (bucket, rawKey string, virtualHosted bool) {
	rawPath = strings.TrimPrefix(rawPath, "/")
	if bucket := d.bucketOf(host); bucket != "" {
		return bucket, rawPath, true
	}
	bucket, rawKey, _ = strings.Cut(rawPath, "/")
	if decoded, err := url.PathUnescape(bucket); err == nil {
		bucket = decoded
	}
	return bucket, rawKey, false
}

// bucketOf returns what stands before the longest of the domains that host
// ends in, or nothing when host is a domain itself or no domain fits.
func (d Domains) bucketOf(host string) string {
	if len(d) == 0 {
		return "" // Fast path.
	}
	host = withoutPort(host)
	bucket, domain := "", ""
	for _, candidate := range d {
		if equalFold(host, candidate) {
			return ""
		}
		cut := len(host) - len(candidate) - 1
		if cut > 0 && len(candidate) > len(domain) && host[cut] == '.' && equalFold(host[cut+1:], candidate) {
			bucket, domain = host[:cut], candidate
		}
	}
	return strings.ToLower(bucket) // hosts have no case, bucket names are lower case
}

// Aliases are the other names under which a client may have addressed, and
// signed, the request that arrived for host: those that mean the same bucket.
// A load balancer may have replaced one domain, or an address, by another, but
// whoever signs for one bucket must not reach another by a change of the host.
func (d Domains) Aliases(host string) []string {
	var names []string
	bucket := d.bucketOf(host)
	for _, domain := range d {
		name := domain
		if bucket != "" {
			name = bucket + "." + domain
		}
		if d.bucketOf(name) == bucket { // else one domain ends in another
			names = append(names, name)
		}
	}
	return names
}

// equalFold compares host names, a final dot aside.
func equalFold(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// withoutPort takes a port and the dot of a fully qualified name away. An IPv6 address in
// brackets keeps them; no domain ends like that.
func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.TrimSuffix(host, ".")
}
