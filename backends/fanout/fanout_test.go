package fanout_test

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/fanout"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/localbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
)

// opener returns a store with a bucket "physical". The tests take openers, so that
// a pair of other stores is one more line in them.
type opener func(t testing.TB) faultbackend.Store

// memory opens a store in memory.
func memory(t testing.TB) faultbackend.Store {
	b := membackend.New()
	makeBucket(t, b)
	return b
}

// local opens a store on disk.
func local(t testing.TB) faultbackend.Store {
	b, err := localbackend.Open(localbackend.Options{Dir: t.TempDir(), MinFree: -1, Keys: localbackend.TestKeys()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	makeBucket(t, b)
	return b
}

// makeBucket makes the bucket.
func makeBucket(t testing.TB, b backends.BucketManager) {
	t.Helper()
	if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("physical")}); err != nil {
		t.Fatal(err)
	}
}

// mountOf is a part of a store, under a prefix that is as long for all.
func mountOf(t testing.TB, store backends.Backend, id int) backends.Backend {
	t.Helper()
	sealer, err := token.New(bytes.Repeat([]byte{7}, 64))
	if err != nil {
		t.Fatal(err)
	}
	return mount.New(mount.Options{
		Backend: store, Bucket: "physical", Prefix: fmt.Sprintf("m%d/", id), BucketID: "id", MountID: fmt.Sprint(id), Sealer: sealer,
	})
}

// prefixBytes is how long the prefixes of mounts are.
const prefixBytes = 3

// over makes a bucket of a mount in each of the stores.
func over(t testing.TB, choose func(key string, n int) (int, error), stores ...backends.Backend) backends.Backend {
	t.Helper()
	o := fanout.Options{Select: func(key string) (int, error) { return choose(key, len(stores)) }}
	for i, store := range stores {
		o.Mounts = append(o.Mounts, fanout.Mount{Backend: mountOf(t, store, i)})
	}
	return fanout.New(o)
}

// byHash deals keys out so that neighbours are apart.
func byHash(key string, n int) (int, error) {
	h := fnv.New32a()
	_, _ = io.WriteString(h, key)
	return int(h.Sum32()) % n, nil
}

// byFirst deals keys out so that neighbours are together.
func byFirst(key string, n int) (int, error) { return int(key[0]) % n, nil }

// contract runs the suite over a mount in each of the stores. It counts the reads of
// those in memory.
func contract(t *testing.T, choose func(string, int) (int, error), open ...opener) {
	t.Helper()
	var counts sync.Map // by bucket: the stores in memory
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		var stores []backends.Backend
		memories := map[*membackend.Backend]bool{}
		for _, f := range open {
			store := f(t)
			if m, ok := store.(*membackend.Backend); ok {
				memories[m] = true
			}
			stores = append(stores, store)
		}
		b := over(t, choose, stores...)
		counts.Store(b, memories)
		return b, "virtual"
	}, backendtest.Options{OneBucket: true, MaxKeyBytes: 1024 - prefixBytes, Count: func(b backends.Backend) (reads int64) {
		memories, _ := counts.Load(b)
		for m := range memories.(map[*membackend.Backend]bool) {
			reads += m.Reads()
		}
		return reads
	}})
}

func TestContract(t *testing.T) {
	t.Parallel()
	f := func(name string, choose func(string, int) (int, error), open ...opener) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract(t, choose, open...)
		})
	}
	f("local+local", byHash, local, local)
	f("local+memory", byHash, local, memory)
	f("four by hash", byHash, memory, memory, memory, memory)
	f("four by prefix", byFirst, memory, memory, memory, memory)
	f("one store", byHash, shared(4)...)
}

// shared are n openers of one store per test.
func shared(n int) (open []opener) {
	var stores sync.Map
	for range n {
		open = append(open, func(t testing.TB) faultbackend.Store {
			s, ok := stores.Load(t)
			if !ok {
				s = memory(t)
				stores.Store(t, s)
			}
			return s.(faultbackend.Store)
		})
	}
	return open
}

// put stores an object.
func put(t testing.TB, b backends.ObjectWriter, bucket, key, body string) {
	t.Helper()
	if _, err := b.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte(body)), ContentLength: new(int64(len(body))),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ContentType: new("text/" + body), Metadata: map[string]string{"m": body},
	}); err != nil {
		t.Fatal(err)
	}
}

// read returns the body of an object, or the code of the error.
func read(t testing.TB, b backends.ObjectReader, key string) string {
	t.Helper()
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: &key})
	if err != nil {
		return string(s3err.From(err).Code)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// refusing is byFirst for keys that begin with a digit, and refuses all others.
func refusing(key string, n int) (int, error) {
	if key[0] < '0' || key[0] > '9' {
		return 0, s3err.InvalidArg("key", key, "The first character must be a digit.")
	}
	return int(key[0]-'0') % n, nil
}

// TestRefused holds what the package comment says of keys that belong to no mount.
func TestRefused(t *testing.T) {
	t.Parallel()
	one, two := memory(t), memory(t)
	b := over(t, refusing, one, two)
	u, _ := backends.As[backends.MultipartUploader](b)
	put(t, b, "virtual", "1", "body")
	put(t, one, "physical", "m0/x", "foreign") // somebody else's
	ctx, bucket, x := t.Context(), new("virtual"), new("x")
	f := func(err error, want s3err.Code) {
		t.Helper()
		if want == "" && err != nil || want != "" && !s3err.Is(err, want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	_, err := b.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: x})
	f(err, s3err.NoSuchKey)
	_, err = b.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: x})
	f(err, s3err.NoSuchKey)
	_, err = b.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: x})
	f(err, s3err.InvalidArgument)
	_, err = b.CopyObject(ctx, backends.CopySource{Bucket: "virtual", Key: "1"}, &s3.CopyObjectInput{Bucket: bucket, Key: x})
	f(err, s3err.InvalidArgument)
	_, err = b.CopyObject(ctx, backends.CopySource{Bucket: "virtual", Key: "x"}, &s3.CopyObjectInput{Bucket: bucket, Key: new("2")})
	f(err, s3err.NoSuchKey)
	_, err = b.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: x})
	f(err, "")
	_, err = b.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: x, IfMatch: new("*")})
	f(err, s3err.NoSuchKey)
	_, err = u.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: x})
	f(err, s3err.InvalidArgument)
	_, err = u.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: x, UploadId: x})
	f(err, s3err.NoSuchUpload)
	_, err = u.UploadPartCopy(ctx, backends.CopySource{Bucket: "virtual", Key: "1"}, &s3.UploadPartCopyInput{Bucket: bucket, Key: x, UploadId: x})
	f(err, s3err.NoSuchUpload)
	_, err = u.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: x, UploadId: x})
	f(err, s3err.NoSuchUpload)
	_, err = u.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: x, UploadId: x})
	f(err, s3err.NoSuchUpload)
	_, err = u.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: x, UploadId: x})
	f(err, s3err.NoSuchUpload)
	_, err = u.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket, KeyMarker: x, UploadIdMarker: x})
	f(err, s3err.InvalidArgument)
	_, err = u.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket, KeyMarker: x})
	f(err, "")
	page, err := b.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
	f(err, "")
	if len(page.Contents) != 1 || *page.Contents[0].Key != "1" || *page.IsTruncated {
		t.Errorf("listed %+v; want what can be read", page.Contents)
	}
	if read(t, mountOf(t, one, 0), "x") != "foreign" {
		t.Error("what is somebody else's is gone")
	}
}

// TestNoMultipart holds that uploads need them in all mounts.
func TestNoMultipart(t *testing.T) {
	t.Parallel()
	var plain struct{ backends.Backend }
	plain.Backend = memory(t)
	if _, ok := backends.As[backends.MultipartUploader](over(t, byHash, memory(t), plain)); ok {
		t.Error("a bucket does uploads that one of its mounts does not")
	}
	if _, ok := backends.As[backends.BucketManager](over(t, byHash, memory(t))); ok {
		t.Error("a bucket lets the physical buckets of its mounts be managed")
	}
}
