package mount_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
)

// newSealer returns a Sealer with a fixed key.
func newSealer(t testing.TB) *token.Sealer {
	t.Helper()
	s, err := token.New(bytes.Repeat([]byte{7}, 64))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newStore returns a store with the buckets.
func newStore(t testing.TB, buckets ...string) *membackend.Backend {
	t.Helper()
	b := membackend.New()
	for _, bucket := range buckets {
		if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// put stores an object.
func put(t testing.TB, b backends.Backend, bucket, key, body string) {
	t.Helper()
	if _, err := b.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ContentType: aws.String("text/" + body),
	}); err != nil {
		t.Fatal(err)
	}
}

// read returns the body of an object, or the code of the error.
func read(t testing.TB, b backends.Backend, bucket, key string) string {
	t.Helper()
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return string(s3err.From(err).Code)
	}
	defer out.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(out.Body); err != nil {
		t.Fatal(err)
	}
	return body.String()
}

// neighbours are what lies around the image of a mount in a shared bucket: the prefix
// as an object, keys before and behind, and prefixes that begin alike.
func neighbours(t testing.TB, b backends.Backend, bucket, prefix string) {
	t.Helper()
	for _, key := range []string{prefix, "\x01", "\U0010ffff", prefix[:len(prefix)-1], prefix[:len(prefix)-1] + "0/k"} {
		if !strings.HasPrefix(key, prefix) || key == prefix {
			put(t, b, bucket, key, "a neighbour")
		}
	}
}

// sealed are the cases that a mount passes in another way, and why.
var sealed = map[string]string{
	"multipart/ids":   "UploadIds are sealed and have no order; see TestUploadPages",
	"uploads/list":    "UploadIds are sealed and have no order; see TestUploadPages",
	"uploads/pages":   "UploadIds are sealed and have no order; see TestUploadPages",
	"uploads/markers": "UploadIds are sealed and have no order; see TestUploadPages",
	"copy/missing":    "a mount is one bucket, whatever it is called; see TestCopyAcross",
	"bucket/missing":  "a mount is one bucket, whatever it is called; see TestMissingBucket",
}

func TestContract(t *testing.T) {
	t.Parallel()
	f := func(name, prefix string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stores sync.Map
			backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
				b := newStore(t, "physical")
				if prefix != "" {
					neighbours(t, b, "physical", prefix)
				}
				m := newMount(t, b, "physical", prefix)
				stores.Store(m, b)
				return m, "virtual"
			}, backendtest.Options{Skip: sealed, MaxKeyBytes: 1024 - len(prefix), Count: func(m backends.Backend) int64 {
				b, _ := stores.Load(m)
				return b.(*membackend.Backend).Reads()
			}})
		})
	}
	f("whole bucket", "")
	f("prefix", "p/")
	f("no slash", "pä")
}

// newMount returns a mount; its bucket id is made of bucket and prefix.
func newMount(t testing.TB, b backends.Backend, bucket, prefix string) backends.Backend {
	t.Helper()
	return mount.New(mount.Options{
		Backend: b, Bucket: bucket, Prefix: prefix, BucketID: bucket + "/" + prefix, MountID: "main", Sealer: newSealer(t),
	})
}

// TestKeys holds, for random keys and prefixes, that what is put under a key is
// stored under prefix+key and nowhere else, and comes back under the key.
func TestKeys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		prefix := rapid.StringN(0, 8, 20).Draw(rt, "prefix")
		keys := rapid.SliceOfNDistinct(rapid.OneOf(rapid.StringN(1, 20, 60), rapid.StringMatching(`[./a]{1,6}`)), 1, 12, rapid.ID).Draw(rt, "keys")
		store := newStore(t, "physical")
		m := newMount(t, store, "physical", prefix)
		if prefix != "" {
			neighbours(t, store, "physical", prefix)
		}
		for _, key := range keys {
			put(t, m, "virtual", key, key)
		}
		for _, key := range keys {
			if got := read(t, store, "physical", prefix+key); got != key {
				rt.Fatalf("%q is %q under its physical key", key, got)
			}
			if got := read(t, m, "virtual", key); got != key {
				rt.Fatalf("%q is %q", key, got)
			}
		}
		page, err := m.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("virtual")})
		if err != nil {
			rt.Fatal(err)
		}
		var listed []string
		for _, o := range page.Contents {
			if prefix != "" || read(t, m, "virtual", *o.Key) != "a neighbour" {
				listed = append(listed, *o.Key)
			}
		}
		if slices.Sort(keys); !slices.Equal(listed, keys) {
			rt.Fatalf("listed %q, want %q", listed, keys)
		}
	})
}

// refused fails unless err has the code and names nothing physical.
func refused(t testing.TB, err error, code s3err.Code) {
	t.Helper()
	if !s3err.Is(err, code) {
		t.Fatalf("got %v, want %s", err, code)
	}
	e := s3err.From(err)
	if text := fmt.Sprint(e.Message, e.Resource, e.Details); strings.Contains(text, "physical") || strings.Contains(text, "p/") {
		t.Errorf("the client would read physical names: %s", text)
	}
}

func TestKeyTooLong(t *testing.T) {
	t.Parallel()
	store := newStore(t, "physical")
	m := newMount(t, store, "physical", "p/")
	fits, long := strings.Repeat("k", 1022), strings.Repeat("k", 1023)
	put(t, m, "virtual", fits, "x")
	_, err := m.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: &long})
	refused(t, err, s3err.KeyTooLong)

	// In a list of keys it fails alone, and in its place.
	objects := []types.ObjectIdentifier{{Key: &fits}, {Key: &long}, {Key: new("none")}}
	out, err := m.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: new("virtual"), Delete: &types.Delete{Objects: objects}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Deleted) != 2 || *out.Deleted[0].Key != fits || *out.Deleted[1].Key != "none" {
		t.Errorf("deleted %v", out.Deleted)
	}
	if len(out.Errors) != 1 || *out.Errors[0].Key != long || *out.Errors[0].Code != "KeyTooLongError" {
		t.Errorf("errors %v", out.Errors)
	}
	if got := read(t, store, "physical", "p/"+fits); got != "NoSuchKey" {
		t.Errorf("the key that fits is still there: %q", got)
	}
}

func TestMissingBucket(t *testing.T) {
	t.Parallel()
	m := newMount(t, newStore(t), "physical", "p/")
	_, err := m.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: new("k")})
	refused(t, err, s3err.NoSuchBucket)
	_, err = m.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("virtual")})
	refused(t, err, s3err.NoSuchBucket)
}

// TestOutward holds that names in errors from below are put back.
func TestOutward(t *testing.T) {
	t.Parallel()
	err := s3err.New(s3err.NoSuchKey).With("Key", "p/k").With("BucketName", "physical").With("Size", "5")
	store := faultbackend.New(newStore(t, "physical"), faultbackend.On("GetObject", faultbackend.Fault{Err: err}))
	_, got := newMount(t, store, "physical", "p/").GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: new("k")})
	refused(t, got, s3err.NoSuchKey)
	want := []s3err.Detail{{Name: "Key", Value: "k"}, {Name: "BucketName", Value: "virtual"}, {Name: "Size", Value: "5"}}
	if e := s3err.From(got); !slices.Equal(e.Details, want) {
		t.Errorf("details %v, want %v", e.Details, want)
	}
}
