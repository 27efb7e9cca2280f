package versioned_test

import (
	"os"
	"testing"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/s3backend"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

func TestMain(m *testing.M) { os.Exit(s3servers.Main(m)) }

// connect returns a connection to a server, which does what a probe finds that it can.
func connect(t *testing.T, s s3servers.Server) *s3backend.Backend {
	t.Helper()
	b, err := s3backend.New(s3backend.Options{
		Name: "test", Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey, PathStyle: true, Roots: s.Roots,
	})
	if err != nil {
		t.Fatal(err)
	}
	can, err := b.Probe(t.Context(), s.NewBucket(t), "probe/")
	if err != nil {
		t.Fatal(err)
	}
	b.Adopt(can)
	return b
}

// TestContractServers holds versions over real services to the contract: what they lack of conditions the index has.
func TestContractServers(t *testing.T) {
	t.Parallel()
	f := func(name string, s s3servers.Server, known s3servers.Known) {
		store := connect(t, s)
		for _, a := range []backendtest.Ability{backendtest.ConditionalDelete, backendtest.DeleteIfUnchanged} {
			delete(known.Lacks, a)
		}
		delete(known.Skip, "uploads/long-pages") // The store is asked for one page.
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
				bucket := s.NewBucket(t)
				at := func(prefix string) backends.Backend {
					return mount.New(mount.Options{Backend: store, Bucket: bucket, Prefix: prefix})
				}
				return outer(t, versioned.New(versioned.Options{
					Heads: at(headPrefix), Bodies: at(bodyPrefix), Index: memindex.New(), BucketID: bucketID, DataType: "content",
					Versioning: router.Enabled, Complete: true,
				})), "virtual"
			}, backendtest.Options{OneBucket: true, MaxKeyBytes: maxKeyBytes, Lacks: known.Lacks, Skip: known.Skip})
		})
	}
	f("versitygw", s3servers.VersityGW(t), s3servers.OfVersityGW())
	loses := s3servers.Known{Skip: map[string]string{"put/headers": "a copy in MinIO loses Expires, and with it the head"}}
	f("MinIO", s3servers.MinIO(t), s3servers.OfMinIO().With(loses))
	f("MinIO with keys", s3servers.MinIOEncrypting(t), s3servers.OfMinIOEncrypting().With(loses))
}
