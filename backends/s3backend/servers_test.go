package s3backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/s3err"
)

// server is a real server and what it can do.
type server struct {
	name string
	get  func(*testing.T) s3servers.Server
	can  Capabilities
}

// servers are all that the store is tested against.
var servers = []server{
	{"versitygw", s3servers.VersityGW, versityCan},
	{"MinIO", s3servers.MinIO, minioCan},
}

// TestWrongCredentials: the operator is told, the client is not.
func TestWrongCredentials(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			s := server.get(t)
			bucket := s.NewBucket(t)
			wrong := s
			wrong.SecretKey = "not this one"
			unknown := s
			unknown.AccessKey = "AKIDNOBODY"
			for _, account := range []s3servers.Server{wrong, unknown} {
				b := connect(t, account, server.can)
				f := func(err error) {
					t.Helper()
					hidden(t, err, s3err.BadGateway, bucket, s.Endpoint, account.AccessKey, account.SecretKey)
					if e := s3err.From(err); e.Status != 502 || e.Cause == nil || !strings.Contains(e.Error(), `connection "test"`) {
						t.Errorf("the operator reads: %v", err)
					}
				}
				in := &s3.PutObjectInput{Bucket: &bucket, Key: key, Body: strings.NewReader("x"), ContentLength: new(int64(1))}
				f(second(b.PutObject(t.Context(), in)))
				f(second(b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: key})))
				f(second(b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: key})))
				f(second(b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: key})))
				f(second(b.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})))
				f(second(b.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &bucket})))
				f(second(b.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: key})))
			}
		})
	}
}

// TestTwoAccounts: connections of two accounts to one endpoint never mix.
func TestTwoAccounts(t *testing.T) {
	first, another := s3servers.VersityGW(t), s3servers.VersityGWSecond(t)
	accounts := []*Backend{connect(t, first, versityCan), connect(t, another, versityCan)}
	own := []string{first.NewBucket(t), another.NewBucket(t)}
	// The administrator may read everything; the second account only its own.
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i, b := range accounts {
				name := fmt.Sprintf("key-of-%d", i)
				_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
					Bucket: &own[i], Key: &name, Body: strings.NewReader("x"), ContentLength: new(int64(1)),
				})
				if err != nil {
					t.Errorf("account %d: %v", i, err)
				}
			}
			_, err := accounts[1].ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &own[0]})
			hidden(t, err, s3err.BadGateway, own[0])
		})
	}
	group.Wait()
}

// TestDeletedBucket: a physical bucket that is gone is NoSuchBucket, and its name
// stays below the mount.
func TestDeletedBucket(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			s := server.get(t)
			b, physical := connect(t, s, server.can), s.NewBucket(t)
			if _, err := b.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &physical}); err != nil {
				t.Fatal(err)
			}
			m := mount.New(mount.Options{Backend: b, Bucket: physical, Prefix: "secret-prefix/"})
			f := func(err error) {
				t.Helper()
				hidden(t, err, s3err.NoSuchBucket, physical, "secret-prefix", s.Endpoint)
			}
			virtual := new("virtual")
			f(second(m.GetObject(t.Context(), &s3.GetObjectInput{Bucket: virtual, Key: new("k")})))
			f(second(m.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: virtual, Key: new("k")})))
			f(second(m.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: virtual})))
			f(second(m.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: virtual, Key: new("k"), Body: strings.NewReader("x"), ContentLength: new(int64(1)),
			})))
		})
	}
}

// TestVirtualHosted: the bucket may be in the host name.
func TestVirtualHosted(t *testing.T) {
	s := s3servers.MinIO(t)
	bucket := s.NewBucket(t)
	address := strings.TrimPrefix(s.Endpoint, "http://")
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	o := options(s, minioCan)
	o.Endpoint, o.PathStyle = "http://"+s3servers.Domain+":"+port, false
	b := open(t, o)
	var dialed sync.Map
	b.transport.DialContext = func(ctx context.Context, network, host string) (net.Conn, error) {
		dialed.Store(host, true)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	name := "a b/ü+%2F"
	_, err = b.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &name, Body: strings.NewReader("hello"), ContentLength: new(int64(5))})
	if err != nil {
		t.Fatal(err)
	}
	out, err := connect(t, s, minioCan).GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &name})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if body, err := io.ReadAll(out.Body); err != nil || string(body) != "hello" {
		t.Errorf("%q, %v", body, err)
	}
	if _, ok := dialed.Load(bucket + "." + s3servers.Domain + ":" + port); !ok {
		t.Error("the bucket was not in the host name")
	}
}

// TestStreamedBodies: an error in a body that passes through stores nothing and is
// returned, wherever it is, and whatever is known of the checksum.
func TestStreamedBodies(t *testing.T) {
	const length = 300_000
	body := strings.Repeat("0123456789", length/10)
	broken := s3err.New(s3err.XAmzContentSHA256Mismatch)
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			s := server.get(t)
			b, bucket := streaming(t, s, server.can), s.NewBucket(t)
			put := func(r io.Reader, edit func(*s3.PutObjectInput)) error {
				in := &s3.PutObjectInput{Bucket: &bucket, Key: key, Body: r, ContentLength: new(int64(length))}
				edit(in)
				return second(b.PutObject(t.Context(), in))
			}
			plain := func(*s3.PutObjectInput) {}
			for name, edit := range map[string]func(*s3.PutObjectInput){
				"no checksum": plain,
				"trailer":     func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256 },
				"claimed":     claim(body),
			} {
				for _, n := range []int{0, 1, 65536, length - 1, length} {
					if err := put(io.MultiReader(strings.NewReader(body[:n]), failing{broken}), edit); !errors.Is(err, broken) {
						t.Errorf("%s: after %d bytes: %v", name, n, err)
					}
				}
				if err := put(strings.NewReader(body[1:]), edit); !s3err.Is(err, s3err.IncompleteBody) {
					t.Errorf("%s: a body that is too short: %v", name, err)
				}
				if err := put(strings.NewReader(body+"x"), edit); !s3err.Is(err, s3err.IncompleteBody) {
					t.Errorf("%s: a body that is too long: %v", name, err)
				}
			}
			_, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: key})
			hidden(t, err, s3err.NoSuchKey)
			for _, a := range checksum.All() {
				if !server.can.MoreChecksums && !checksum.Early(a) {
					continue // There is another in its place, which the suite looks at.
				}
				if err := put(strings.NewReader(body), func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = a }); err != nil {
					t.Fatalf("%s: %v", a, err)
				}
				head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled})
				if err != nil {
					t.Fatal(err)
				}
				h := checksum.New(a)
				h.Write([]byte(body))
				if got := value(checksum.Get(head, a)); got != checksum.Encode(h.Sum(nil)) {
					t.Errorf("%s: the stored checksum is %q", a, got)
				}
			}
			wrong := claim("another body")
			if err := put(strings.NewReader(body), wrong); !s3err.Is(err, s3err.BadDigest) && !s3err.Is(err, s3err.InvalidRequest) {
				t.Errorf("a wrong checksum: %v", err)
			}
		})
	}
}

// failing is a reader that fails.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestNoTrailers: without trailers a body that passes through is stored all the same,
// and a small one has its checksum.
func TestNoTrailers(t *testing.T) {
	s := s3servers.MinIO(t)
	can := minioCan
	can.Trailers = false
	b, bucket := connect(t, s, can), s.NewBucket(t)
	for _, n := range []int{10, defaultReplayBytes + 1} {
		body := strings.Repeat("x", n)
		out, err := b.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: &bucket, Key: key, Body: strings.NewReader(body), ContentLength: new(int64(n)),
			ChecksumAlgorithm: crc64,
		})
		if err != nil {
			t.Fatal(err)
		}
		if has := checksum.Get(out, crc64) != nil; has != (n == 10) {
			t.Errorf("%d bytes: a checksum: %v", n, has)
		}
		head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: key})
		if err != nil || *head.ContentLength != int64(n) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// TestRefusedConditions: what the service would overlook is refused before
// anything is written.
func TestRefusedConditions(t *testing.T) {
	s := s3servers.MinIO(t)
	b, bucket := connect(t, s, Cautious()), s.NewBucket(t)
	put := func(edit func(*s3.PutObjectInput)) error {
		in := &s3.PutObjectInput{Bucket: &bucket, Key: key, Body: strings.NewReader("x"), ContentLength: new(int64(1))}
		edit(in)
		return second(b.PutObject(t.Context(), in))
	}
	hidden(t, put(func(in *s3.PutObjectInput) { in.IfNoneMatch = new("*") }), s3err.NotImplemented)
	hidden(t, put(func(in *s3.PutObjectInput) { in.IfMatch = new(other) }), s3err.NotImplemented)
	complete := &s3.CompleteMultipartUploadInput{Bucket: &bucket, Key: key, UploadId: new("id"), IfNoneMatch: new("*")}
	hidden(t, second(b.CompleteMultipartUpload(t.Context(), complete)), s3err.NotImplemented)
	if err := put(func(*s3.PutObjectInput) {}); err != nil {
		t.Fatal(err)
	}
	copied := &s3.CopyObjectInput{Bucket: &bucket, Key: new("copy"), IfNoneMatch: new("*")}
	hidden(t, second(b.CopyObject(t.Context(), backends.CopySource{Bucket: bucket, Key: *key}, copied)), s3err.NotImplemented)
	hidden(t, second(b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: key, IfMatch: new(other)})), s3err.NotImplemented)
	out, err := b.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil || len(out.Contents) != 1 || value(out.Contents[0].Key) != *key {
		t.Errorf("%d objects, %v", len(out.Contents), err)
	}
}

// TestForeignUpload: an upload that another program began, without an
// algorithm, is gone on with like any other.
func TestForeignUpload(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			s := server.get(t)
			bucket := s.NewBucket(t)
			begun, err := connect(t, s, Cautious()).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: key})
			if err != nil {
				t.Fatal(err)
			}
			body := strings.Repeat("x", 5<<20)
			var parts []types.CompletedPart
			for i, b := range []*Backend{streaming(t, s, server.can), connect(t, s, server.can)} {
				out, err := b.UploadPart(t.Context(), &s3.UploadPartInput{
					Bucket: &bucket, Key: key, UploadId: begun.UploadId, PartNumber: new(int32(i + 1)),
					Body: strings.NewReader(body[:len(body)/(1+4*i)]), ContentLength: new(int64(len(body) / (1 + 4*i))),
				})
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, types.CompletedPart{PartNumber: new(int32(i + 1)), ETag: out.ETag})
			}
			if _, err := connect(t, s, server.can).CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
				Bucket: &bucket, Key: key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
			}); err != nil {
				t.Fatal(err)
			}
			head, err := connect(t, s, server.can).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: key})
			if want := int64(len(body) + len(body)/5); err != nil || *head.ContentLength != want {
				t.Errorf("%v, want %d bytes", err, want)
			}
		})
	}
}
