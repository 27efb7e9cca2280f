package versioned_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/localbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/kvindex"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// The places of the tests: heads below "plain/", bodies below "versions/", of one physical bucket.
const (
	headPrefix = "plain/"
	bodyPrefix = "versions/"
	bucketID   = "bucket/content"
)

// maxKeyBytes is the longest key that has room in a store.
const maxKeyBytes = 1024 - len(headPrefix)

// opener returns a store with a bucket "physical".
type opener func(t testing.TB) faultbackend.Store

// memory opens a store in memory.
func memory(t testing.TB) faultbackend.Store { return withBucket(t, membackend.New()) }

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
	return withBucket(t, b)
}

// withBucket makes the bucket.
func withBucket(t testing.TB, b faultbackend.Store) faultbackend.Store {
	t.Helper()
	if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("physical")}); err != nil {
		t.Fatal(err)
	}
	return b
}

// kv opens an index on disk.
func kv(t testing.TB) versions.Index {
	x, err := kvindex.Open(kvindex.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// place is a part of a store.
func place(store backends.Backend, prefix string) backends.Backend {
	return mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: prefix})
}

// options are those of a bucket over a store and an index.
func options(store backends.Backend, x versions.Index) versioned.Options {
	return versioned.Options{
		Heads: place(store, headPrefix), Bodies: place(store, bodyPrefix), Index: x, BucketID: bucketID,
		DataType: "content", Versioning: router.Enabled, Complete: true,
	}
}

// outer is what is on top of a versioned bucket: it seals UploadIds.
func outer(t testing.TB, b backends.Backend) backends.Backend {
	t.Helper()
	sealer, err := token.New(bytes.Repeat([]byte{7}, 64))
	if err != nil {
		t.Fatal(err)
	}
	return mount.New(mount.Options{Backend: b, BucketID: "bucket", MountID: "content", Sealer: sealer})
}

// TestSuite holds a versioned bucket, as far as one cannot see that it is one, to the contract of backends.
func TestSuite(t *testing.T) {
	t.Parallel()
	f := func(name string, open opener, index func(testing.TB) versions.Index, change func(*versioned.Options)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
				o := options(open(t), index(t))
				change(&o)
				return outer(t, versioned.New(o)), "virtual"
			}, backendtest.Options{OneBucket: true, MaxKeyBytes: maxKeyBytes})
		})
	}
	mem := func(testing.TB) versions.Index { return memindex.New() }
	f("enabled", memory, mem, func(*versioned.Options) {})
	f("suspended", memory, mem, func(o *versioned.Options) { o.Versioning = router.Suspended })
	f("in use before", memory, mem, func(o *versioned.Options) { o.Complete = false })
	f("records", memory, mem, func(o *versioned.Options) { o.DataType = "records" })
	f("embedded", local, kv, func(o *versioned.Options) { o.Private = true })
	f("embedded, in use before", memory, kv, func(o *versioned.Options) { o.Private, o.Complete = true, false })
}

// bucketOf is a versioned bucket and what it is made of.
type bucketOf struct {
	testing.TB
	backends.Backend
	store *faultbackend.Backend
	index *faultIndex
	hook  *hookStore // below store
	below faultbackend.Store
	o     versioned.Options
	lags  bool // the head may show what is no version yet: only who repeats the operation can tell
}

// open returns a bucket in memory.
func open(t testing.TB, change func(*versioned.Options)) *bucketOf {
	t.Helper()
	b := &bucketOf{TB: t, below: memory(t), index: &faultIndex{Index: memindex.New()}}
	b.hook = &hookStore{Store: b.below}
	b.store = faultbackend.New(b.hook, nil)
	b.o = options(b.store, b.index)
	if change != nil {
		change(&b.o)
	}
	b.Backend = versioned.New(b.o)
	return b
}

// as is the same bucket under another setting.
func (b *bucketOf) as(v router.Versioning) *bucketOf {
	c := *b
	c.o.Versioning = v
	c.Backend = versioned.New(c.o)
	return &c
}

// put puts an object and returns its version.
func (b *bucketOf) put(key, body string) string {
	b.Helper()
	out, err := b.PutObject(b.Context(), &s3.PutObjectInput{
		Key: &key, Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))), ContentType: new("text/plain"),
		Metadata: map[string]string{"says": body},
	})
	if err != nil {
		b.Fatalf("put %q: %v", key, err)
	}
	return aws.ToString(out.VersionId)
}

// get reads an object, or a version of it.
func (b *bucketOf) get(key, version string) (string, error) {
	b.Helper()
	in := &s3.GetObjectInput{Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := b.GetObject(b.Context(), in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err == nil && out.Metadata["says"] != string(body) || len(out.Metadata) != 1 {
		b.Errorf("%q has the metadata %v", body, out.Metadata)
	}
	if version != "" && aws.ToString(out.VersionId) != version {
		b.Errorf("%q is version %s, want %s", key, aws.ToString(out.VersionId), version)
	}
	return string(body), err
}

// remove deletes an object, or a version of it.
func (b *bucketOf) remove(key, version string) *s3.DeleteObjectOutput {
	b.Helper()
	in := &s3.DeleteObjectInput{Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := b.DeleteObject(b.Context(), in)
	if err != nil {
		b.Fatalf("delete %q %s: %v", key, version, err)
	}
	return out
}
