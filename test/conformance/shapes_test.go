package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/internal/proxyproc"
	"github.com/xronox/xronox-proxy/internal/s3servers"
)

// shape is a way to keep buckets.
type shape struct {
	name  string
	about string
	start func(t *testing.T) running
}

// running is a proxy of a shape, with nothing in it.
type running struct {
	*proxyproc.Proxy
	mounts []string // the connections that keys are spread over, if they are
}

// endpoint is where it answers.
func (r running) endpoint() string { return "http://" + r.S3 }

// shapes are all of them. The suite makes its own buckets, so that each shape is a template for buckets.
var shapes = []*shape{
	{"local", "on local disk, as without a configuration", func(t *testing.T) running { return start(t, nil, "") }},
	{"prefix", "a prefix of a bucket of " + upstreamName, startPrefix},
	{"fanout", "keys spread by their hash over four connections to " + upstreamName + ", each with a bucket of its own", startFanout},
	{"versioned", "as prefix, and created with versioning enabled, all versions kept by the proxy", startVersioned},
}

// shapeNames are the names of shapes.
func shapeNames() (names []string) {
	for _, s := range shapes {
		names = append(names, s.name)
	}
	return names
}

// upstream is the S3 server behind the proxy: the one of those there are that does most of what is asked of it.
var upstream = s3servers.VersityGW

// upstreamName is what it is.
const upstreamName = "versitygw"

// startPrefix has buckets be prefixes of a bucket of the upstream.
func startPrefix(t *testing.T) running {
	t.Helper()
	return start(t, []string{"up"}, "{connection: up, bucket: BUCKET, prefix: 'buckets/{tenantId}/{bucket}/'}")
}

// startVersioned has them have versions from the beginning. A client that asks such a bucket for its versioning, or for
// what it deleted, is told of versions: cases that want a bucket which never had any fail, and the manifest says so.
func startVersioned(t *testing.T) running {
	t.Helper()
	return start(t, []string{"up"}, "{versioning: enabled, connection: up, bucket: BUCKET, prefix: 'buckets/{tenantId}/{bucket}/'}")
}

// startFanout spreads their keys.
func startFanout(t *testing.T) running {
	t.Helper()
	names := []string{"up0", "up1", "up2", "up3"}
	var places []string
	for _, name := range names {
		places = append(places, "{connection: "+name+", bucket: BUCKET, prefix: '"+name+"/{tenantId}/{bucket}/'}")
	}
	r := start(t, names, "{mode: spread, places: ["+strings.Join(places, ", ")+"]}")
	r.mounts = names
	return r
}

// start starts a proxy with connections to the upstream and a template for buckets, in which each BUCKET is a new bucket
// there; or without either.
func start(t *testing.T, connections []string, template string) running {
	t.Helper()
	text := fmt.Sprintf("databases: {}\nxronoxProxy:\n  credentials: [{accessKey: %q, secretKey: %q}]\n", accessKey, secretKey)
	if template != "" {
		s := upstream(t)
		for strings.Contains(template, "BUCKET") {
			template = strings.Replace(template, "BUCKET", s.NewBucket(t), 1)
		}
		var places, probes strings.Builder
		for _, name := range connections {
			fmt.Fprintf(&places, "  %s: {endpoint: %q, region: %q, accessKey: %q, secretKey: %q, forcePathStyle: true}\n", name, s.Endpoint, s.Region, s.AccessKey, s.SecretKey)
			fmt.Fprintf(&probes, "    %s: {capabilities: probe}\n", name)
		}
		text = "spacesConnections:\n" + places.String() + text + "  connections:\n" + probes.String() + "  bucketTemplate: " + template + "\n"
	}
	file := filepath.Join(t.TempDir(), "xronox.config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return running{Proxy: proxyproc.Start(t, proxyproc.Options{Config: file})}
}
