package fanout_test

import (
	"os"
	"testing"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/fanout"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/s3backend"
	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/token"
)

func TestMain(m *testing.M) { os.Exit(s3servers.Main(m)) }

// connect returns a connection to a server, which does what a probe finds that it can.
func connect(t *testing.T, s s3servers.Server) *s3backend.Backend {
	t.Helper()
	b, err := s3backend.New(s3backend.Options{
		Name: "test", Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey, PathStyle: true,
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

// part is a mount of a bucket of its own.
type part struct {
	store  backends.Backend
	bucket string
}

// serverParts are the parts of a bucket that a test opens.
type serverParts func(t *testing.T) []part

// TestContractServers runs the suite over buckets of real servers: two accounts, one
// account, and one beside local disk.
func TestContractServers(t *testing.T) {
	t.Parallel()
	versity, minio := s3servers.VersityGW(t), s3servers.MinIO(t)
	onVersity, onMinIO := connect(t, versity), connect(t, minio)
	f := func(name string, known s3servers.Known, open serverParts) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
				return overParts(t, open(t)), "virtual"
			}, backendtest.Options{OneBucket: true, MaxKeyBytes: 1024 - prefixBytes, Lacks: known.Lacks, Skip: known.Skip})
		})
	}
	f("S3+S3, two services", s3servers.OfVersityGW().With(s3servers.OfMinIO()), func(t *testing.T) []part {
		return []part{{onVersity, versity.NewBucket(t)}, {onMinIO, minio.NewBucket(t)}}
	})
	f("S3+S3, one service", s3servers.OfVersityGW(), func(t *testing.T) []part {
		return []part{{onVersity, versity.NewBucket(t)}, {onVersity, versity.NewBucket(t)}}
	})
	f("local+S3", mixed(s3servers.OfMinIO()), func(t *testing.T) []part {
		return []part{{local(t), "physical"}, {onMinIO, minio.NewBucket(t)}}
	})
}

// mixed is what is known of a bucket that is partly on local disk, which lacks nothing: what
// becomes of a key then depends on where it is, and each place is held to that alone.
func mixed(k s3servers.Known) s3servers.Known {
	const why = "local disk can, and MinIO cannot; both are held to it alone"
	return k.With(s3servers.Known{Skip: map[string]string{
		"put/storage-class": why, "copy/storage-class": why, "copy/onto-itself": why, "multipart/headers": why, "keys/odd": why, "keys/order": why,
	}})
}

// overParts makes a bucket of parts, to which keys are dealt out by hash.
func overParts(t *testing.T, parts []part) backends.Backend {
	t.Helper()
	sealer, err := token.New(make([]byte, 64))
	if err != nil {
		t.Fatal(err)
	}
	o := fanout.Options{Select: func(key string) (int, error) { return byHash(key, len(parts)) }}
	for i, p := range parts {
		o.Mounts = append(o.Mounts, fanout.Mount{Backend: mount.New(mount.Options{
			Backend: p.store, Bucket: p.bucket, Prefix: "mm/", BucketID: "id", MountID: string(rune('a' + i)), Sealer: sealer,
		})})
	}
	return fanout.New(o)
}
