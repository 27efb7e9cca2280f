package config

import (
	"net/url"
	"regexp"
	"strings"
)

// azureHosts are parts of the names of Azure's hosts, as v3.1.0 looks for them.
var azureHosts = []string{"blob.core.windows.net", "blob.storage.azure.net"}

// bucketHost finds an endpoint that names a bucket already.
var bucketHost = regexp.MustCompile(`^([a-z0-9.-]+)\.(s3[.-][a-z0-9.-]*amazonaws\.com|[a-z]{3}[0-9]\.digitaloceanspaces\.com)$`)

// connection checks what an endpoint leads to.
func (v *validator) connection(s spot, c SpacesConnection) {
	at := s.key("endpoint")
	for _, h := range azureHosts {
		if strings.Contains(c.Endpoint, h) {
			v.fail(at, "Azure Blob Storage is not supported", "put an S3 gateway in front of it, or use a store that speaks S3")
		}
	}
	u, err := url.Parse(c.Endpoint)
	if c.Endpoint == "" || at.node != nil && at.node.unset {
		return // reported
	}
	if err != nil || !isStoreURL(c.Endpoint) {
		v.fail(at, endpointRule.message, "write scheme, host and, if need be, port; the keys have members of their own")
		return
	}
	host := strings.ToLower(u.Hostname())
	if m := bucketHost.FindStringSubmatch(host); m != nil {
		v.note(at, "The endpoint names the bucket "+m[1]+" already, so that configured bucket names become folders in it",
			"write the endpoint as "+u.Scheme+"://"+m[2]+" and the bucket where buckets are named")
	}
	if strings.Trim(u.Path, "/") != "" {
		v.note(at, "The endpoint has a path", "bucket and key are put behind it; S3 itself has none")
	}
}
