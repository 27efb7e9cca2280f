package s3backend

import (
	"flag"
	"os"
	"testing"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/internal/s3servers"
)

// modelChecks is how many histories the model is compared in, each of dozens of
// requests to a server; -rapid.checks asks for more.
const modelChecks = "25"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", modelChecks); err != nil {
		panic(err)
	}
	os.Exit(s3servers.Main(m))
}

// options describe a connection to a server.
func options(s s3servers.Server, can Capabilities) Options {
	return Options{
		Name: "test", Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey,
		PathStyle: true, Capabilities: &can, Roots: s.Roots,
	}
}

// open returns the store behind a connection.
func open(t *testing.T, o Options) *Backend {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// connect returns the store behind a server.
func connect(t *testing.T, s s3servers.Server, can Capabilities) *Backend {
	t.Helper()
	return open(t, options(s, can))
}

// streaming returns the store behind a server, which keeps no body in memory.
func streaming(t *testing.T, s s3servers.Server, can Capabilities) *Backend {
	t.Helper()
	o := options(s, can)
	o.ReplayBytes = -1
	return open(t, o)
}

// versityCan and minioCan are what the pinned versions can do; TestProbe finds
// out that it is so.
var (
	versityCan = Capabilities{
		PutIfAbsent: true, PutIfMatch: true, CompleteIfAbsent: true, CompleteIfMatch: true,
		DeleteIfUnchanged: true, Checksums: true, MoreChecksums: true, Trailers: true, ListUploads: true, ObjectTags: true,
	}
	minioCan = Capabilities{
		PutIfAbsent: true, PutIfMatch: true, CompleteIfAbsent: true, CompleteIfMatch: true,
		DateConditions: true, WholeBodies: true, Checksums: true, ChunkedEncoding: true, Trailers: true, ObjectParts: true, ObjectTags: true, EncodedListings: true,
	}
)

// TestVersityGW runs the suite that every store passes, with small bodies kept.
func TestVersityGW(t *testing.T) {
	s := s3servers.VersityGW(t)
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		return connect(t, s, versityCan), s.NewBucket(t)
	}, suite(s3servers.OfVersityGW()))
}

// TestMinIOEncrypting runs the suite over a MinIO that has keys.
func TestMinIOEncrypting(t *testing.T) {
	s := s3servers.MinIOEncrypting(t)
	can := minioCan
	can.Encryption, can.KMS, can.CustomerKeys = true, true, true
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		return connect(t, s, can), s.NewBucket(t)
	}, suite(s3servers.OfMinIOEncrypting()))
}

// TestMinIO runs the suite that every store passes, with bodies that stream
// however small they are.
func TestMinIO(t *testing.T) {
	s := s3servers.MinIO(t)
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		return streaming(t, s, minioCan), s.NewBucket(t)
	}, suite(s3servers.OfMinIO()))
}

// suite are the options of the suite for a server.
func suite(k s3servers.Known) backendtest.Options {
	return backendtest.Options{Lacks: k.Lacks, Skip: k.Skip}
}
