package overlay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/localbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions/memindex"
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

// bare opens a store in memory without the bucket.
func bare(testing.TB) faultbackend.Store { return membackend.New() }

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

// mountOf is a part of a store.
func mountOf(t testing.TB, store backends.Backend, prefix string) backends.Backend {
	t.Helper()
	sealer, err := token.New(bytes.Repeat([]byte{7}, 64))
	if err != nil {
		t.Fatal(err)
	}
	return mount.New(mount.Options{
		Backend: store, Bucket: "physical", Prefix: prefix, BucketID: "id", MountID: prefix, Sealer: sealer,
	})
}

// parts are an overlay and what it is made of.
type parts struct {
	backends.Backend
	new, old    *faultbackend.Backend
	tombstones  *tombstones
	newer, past backends.Backend // the mounts of new and old
}

// tombstones are those of an index that can fail, counted.
type tombstones struct {
	*memindex.Index
	fail  atomic.Bool
	calls atomic.Int64
}

var errIndex = errors.New("the index is down")

func (x *tombstones) asked() error {
	x.calls.Add(1)
	if x.fail.Load() {
		return errIndex
	}
	return nil
}

func (x *tombstones) Hide(ctx context.Context, bucketID, key string) (bool, error) {
	if err := x.asked(); err != nil {
		return false, err
	}
	return x.Index.Hide(ctx, bucketID, key)
}

func (x *tombstones) Hidden(ctx context.Context, bucketID, key string) (bool, error) {
	if err := x.asked(); err != nil {
		return false, err
	}
	return x.Index.Hidden(ctx, bucketID, key)
}

func (x *tombstones) HiddenKeys(ctx context.Context, bucketID, prefix, from string, limit int) ([]string, error) {
	if err := x.asked(); err != nil {
		return nil, err
	}
	return x.Index.HiddenKeys(ctx, bucketID, prefix, from, limit)
}

// over makes an overlay.
func over(t testing.TB, newer, older opener) *parts {
	p := &parts{
		new: faultbackend.New(newer(t), nil), old: faultbackend.New(older(t), nil),
		tombstones: &tombstones{Index: memindex.New()},
	}
	p.newer, p.past = mountOf(t, p.new, "n/"), mountOf(t, p.old, "o/")
	p.Backend = overlay.New(overlay.Options{New: p.newer, Old: p.past, BucketID: "bucket", Tombstones: p.tombstones})
	return p
}

func TestContract(t *testing.T) {
	t.Parallel()
	f := func(name string, newer, older opener, prepare func(testing.TB, *parts)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
				p := over(t, newer, older)
				prepare(t, p)
				return p.Backend, "virtual"
			}, backendtest.Options{OneBucket: true, MaxKeyBytes: 1024 - len("n/")})
		})
	}
	empty := func(testing.TB, *parts) {}
	f("memory over memory", memory, memory, empty)
	f("local over memory", local, memory, empty)
	f("memory over local", memory, local, empty)
	f("memory over a bucket that is gone", memory, bare, empty)
	f("memory over what was deleted", memory, memory, func(t testing.TB, p *parts) {
		for _, key := range []string{"a", "a/", "a/b", "a/b/c", "b", "b/1", "c/d/e", "k", "from", "to", "counter", "foo/bar", "\U0010ffff", "x/y"} {
			put(t, p.past, key, "old")
			if _, err := p.tombstones.Hide(t.Context(), "bucket", key); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// put stores an object.
func put(t testing.TB, b backends.Backend, key, body string) {
	t.Helper()
	if err := tryPut(t, b, key, body); err != nil {
		t.Fatal(err)
	}
}

// tryPut is put that may fail, under conditions.
func tryPut(t testing.TB, b backends.Backend, key, body string, edits ...func(*s3.PutObjectInput)) error {
	in := &s3.PutObjectInput{
		Bucket: new("virtual"), Key: &key, Body: bytes.NewReader([]byte(body)), ContentLength: new(int64(len(body))),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ContentType: new("text/" + body),
	}
	for _, edit := range edits {
		edit(in)
	}
	_, err := b.PutObject(t.Context(), in)
	return err
}

// absent and match are conditions.
func absent(in *s3.PutObjectInput) { in.IfNoneMatch = new("*") }

func match(etag string) func(*s3.PutObjectInput) {
	return func(in *s3.PutObjectInput) { in.IfMatch = &etag }
}

// tryDelete deletes an object, if it has that ETag when one is given.
func tryDelete(t testing.TB, b backends.Backend, key, etag string) error {
	in := &s3.DeleteObjectInput{Bucket: new("virtual"), Key: &key}
	if etag != "" {
		in.IfMatch = &etag
	}
	_, err := b.DeleteObject(t.Context(), in)
	return err
}

// read returns the body of an object, or the code of the error.
func read(t testing.TB, b backends.Backend, key string) string {
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

// list returns all entries of a listing, in their order, in pages of that size.
func list(t testing.TB, b backends.Backend, delimiter string, size int) (all []string) {
	t.Helper()
	in := &s3.ListObjectsV2Input{Bucket: new("virtual"), Delimiter: &delimiter, MaxKeys: aws.Int32(int32(size))}
	for {
		out, err := b.ListObjectsV2(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		objects, prefixes := out.Contents, out.CommonPrefixes
		if more := len(objects) + len(prefixes); *out.IsTruncated && more != size {
			t.Fatalf("a truncated page of %d, want %d", more, size)
		}
		for len(objects)+len(prefixes) > 0 {
			if len(prefixes) == 0 || len(objects) > 0 && *objects[0].Key < *prefixes[0].Prefix {
				all, objects = append(all, *objects[0].Key), objects[1:]
			} else {
				all, prefixes = append(all, *prefixes[0].Prefix), prefixes[1:]
			}
		}
		if !*out.IsTruncated {
			return all
		}
		in.StartAfter = &all[len(all)-1]
	}
}

// wrote reports the calls of a store that change it.
func wrote(b *faultbackend.Backend) (ops []string) {
	for _, c := range b.Calls() {
		switch c.Op {
		case "GetObject", "HeadObject", "ListObjectsV2":
		default:
			ops = append(ops, c.Op)
		}
	}
	return ops
}
