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
		PathStyle: true, Capabilities: &can,
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
		DeleteIfUnchanged: true, Checksums: true, Trailers: true, UploadPartCopy: true, ListUploads: true,
	}
	minioCan = Capabilities{
		PutIfAbsent: true, PutIfMatch: true, CompleteIfAbsent: true, CompleteIfMatch: true,
		DateConditions: true, WholeBodies: true, Checksums: true, ChunkedEncoding: true, Trailers: true, EncodedListings: true,
	}
)

// TestVersityGW runs the suite that every store passes, with small bodies kept.
func TestVersityGW(t *testing.T) {
	s := s3servers.VersityGW(t)
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		return connect(t, s, versityCan), s.NewBucket(t)
	}, backendtest.Options{
		Lacks: map[backendtest.Ability]string{
			backendtest.ConditionalDelete: "versitygw 1.8.0 takes no If-Match: *, and deletes what is missing whatever If-Match says",
			backendtest.StorageClasses:    "versitygw 1.8.0 keeps no storage class",
			backendtest.PartChecksums:     "versitygw 1.8.0 shows no checksums of parts",
			backendtest.UploadOrder:       "versitygw 1.8.0 orders the uploads of a key by times that may be equal",
			backendtest.AtomicAbort:       "versitygw 1.8.0 removes the parts before the upload",
			backendtest.AllKeys:           "versitygw 1.8.0 keeps objects in files named as their keys",
		},
		Skip: map[string]string{
			"bucket/race":              "versitygw 1.8.0 loses writes to a DeleteBucket that runs at the same time",
			"concurrent/no-torn-reads": "versitygw 1.8.0 reads the ETag of one object and the body of the next",
			"uploads/markers":          "versitygw 1.8.0 refuses every UploadIdMarker: it has left out the uploads of KeyMarker before",
			"uploads/pages":            "versitygw 1.8.0 refuses every UploadIdMarker: it has left out the uploads of KeyMarker before",
		},
	})
}

// TestMinIO runs the suite that every store passes, with bodies that stream
// however small they are.
func TestMinIO(t *testing.T) {
	s := s3servers.MinIO(t)
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		return streaming(t, s, minioCan), s.NewBucket(t)
	}, backendtest.Options{
		Lacks: map[backendtest.Ability]string{
			backendtest.ConditionalDelete: "MinIO of 2026-02-12 overlooks If-Match of DeleteObject",
			backendtest.DeleteIfUnchanged: "MinIO of 2026-02-12 overlooks conditions of DeleteObject",
			backendtest.StorageClasses:    "MinIO of 2026-02-12 knows no STANDARD_IA",
			backendtest.ListUploads:       "MinIO of 2026-02-12 lists uploads of whole keys only",
			backendtest.ListedChecksums:   "MinIO of 2026-02-12 shows no algorithm in listings",
			backendtest.AbortAnswers:      "MinIO of 2026-02-12 answers every AbortMultipartUpload with success",
			backendtest.AllKeys:           "MinIO of 2026-02-12 keeps objects in directories named as their keys, and does not list what is below an object",
		},
		Skip: map[string]string{
			"bucket/race": "MinIO of 2026-02-12 loses writes to a DeleteBucket that runs at the same time",
		},
	})
}
