package fanout_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

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
	f("S3+S3, two services", s3servers.OfVersityGW().With(s3servers.OfMinIO()).With(byPlace("versitygw")), func(t *testing.T) []part {
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
	return k.With(byPlace("local disk")).With(s3servers.Known{Skip: map[string]string{
		"put/storage-class": why, "copy/storage-class": why, "copy/onto-itself": why, "multipart/headers": why, "keys/odd": why, "keys/order": why,
	}})
}

// byPlace is what is known of a bucket that is partly on MinIO, which keeps fewer checksums than the other and
// lists fewer uploads.
func byPlace(other string) s3servers.Known {
	why := other + " can, and MinIO cannot; both are held to it alone"
	return s3servers.Known{Skip: map[string]string{
		"put/checksum": why, "part/checksum": why, "part/another-checksum": why, "complete/checksum": why, "attributes/parts": why, "multipart/abort-condition": why,
	}}
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

// counted passes requests on to a server, and counts them.
func counted(t *testing.T, s s3servers.Server) (through s3servers.Server, requests *atomic.Int64) {
	t.Helper()
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	requests = &atomic.Int64{}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		requests.Add(1)
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host // which is signed
		r.Out.URL.RawQuery = r.In.URL.RawQuery
	}, Transport: &http.Transport{DisableCompression: true}}
	server := httptest.NewServer(forward)
	t.Cleanup(server.Close)
	through = s
	through.Endpoint = server.URL
	return through, requests
}

// TestCostOnTheWire counts the requests that reach a real server for pages with a delimiter: as
// many for few keys below the prefixes as for many.
func TestCostOnTheWire(t *testing.T) {
	t.Parallel()
	s, requests := counted(t, s3servers.MinIO(t))
	b := connect(t, s)
	f := func(below int) int64 {
		bucket := overParts(t, []part{{b, s.NewBucket(t)}, {b, s.NewBucket(t)}})
		var wait errgroup.Group
		wait.SetLimit(16)
		for p := range 20 {
			for k := range below {
				wait.Go(func() error {
					_, err := bucket.PutObject(t.Context(), &s3.PutObjectInput{
						Bucket: new("virtual"), Key: new(fmt.Sprintf("p%02d/%04d", p, k)), Body: strings.NewReader(""), ContentLength: new(int64(0)),
						ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
					})
					return err
				})
			}
		}
		if err := wait.Wait(); err != nil {
			t.Fatal(err)
		}
		before := requests.Load()
		out, err := bucket.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("virtual"), Delimiter: new("/"), MaxKeys: new(int32(15))})
		if err != nil || len(out.CommonPrefixes) != 15 || !*out.IsTruncated {
			t.Fatalf("%+v, %v", out, err)
		}
		return requests.Load() - before
	}
	few, many := f(5), f(100)
	if few != many || many > 8 {
		t.Errorf("a page of 15 prefixes cost %d requests with 100 keys in all, and %d with 2,000", few, many)
	}
}
