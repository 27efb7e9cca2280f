package policy_test

import (
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/backends/policy"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// newStore returns a store with a bucket "virtual".
func newStore(t testing.TB) *membackend.Backend {
	t.Helper()
	b := membackend.New()
	if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("virtual")}); err != nil {
		t.Fatal(err)
	}
	return b
}

// with applies one policy to all keys.
func with(b backends.Backend, p policy.Policy) backends.Backend {
	return policy.New(policy.Options{Backend: b, For: func(string) *policy.Policy { return &p }})
}

// put stores an object.
func put(t testing.TB, b backends.Backend, key, body string) {
	t.Helper()
	if _, err := b.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: new("virtual"), Key: &key, Body: strings.NewReader(body), ContentLength: new(int64(len(body))), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	}); err != nil {
		t.Fatal(err)
	}
}

// read returns the body of an object; empty when there is none.
func read(t testing.TB, b backends.Backend, key string) string {
	t.Helper()
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: &key})
	if err != nil {
		return ""
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// uploader returns the ability to do uploads.
func uploader(t testing.TB, b backends.Backend) backends.MultipartUploader {
	t.Helper()
	u, ok := backends.As[backends.MultipartUploader](b)
	if !ok {
		t.Fatal("no uploads")
	}
	return u
}

// begin begins an upload.
func begin(t testing.TB, b backends.Backend, key string) string {
	t.Helper()
	out, err := uploader(t, b).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: new("virtual"), Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.UploadId)
}

// TestContract: a policy that says nothing changes nothing.
func TestContract(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		return with(newStore(t), policy.Policy{}), "virtual"
	}, backendtest.Options{})
}

// TestClass holds that objects get the storage class that their writer left out.
func TestClass(t *testing.T) {
	t.Parallel()
	b := with(newStore(t), policy.Policy{StorageClass: types.StorageClassGlacier})
	put(t, b, "cold", "body")
	head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: new("cold")})
	if err != nil || head.StorageClass != types.StorageClassGlacier {
		t.Errorf("storage class %v, %v", head, err)
	}
}

// TestAccess tries every road by which an object can be replaced or deleted: of a plain
// bucket, and of one in which only the old place has the object. It stays as it is.
func TestAccess(t *testing.T) {
	t.Parallel()
	f := func(name string, open func() (below backends.Backend)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, access := range []policy.Access{policy.AppendOnly, policy.ReadOnly} {
				below := open()
				checkPolicy(t, with(below, policy.Policy{Access: access}), begin(t, below, "there"), access == policy.AppendOnly)
				if got := read(t, below, "there"); got != "body" {
					t.Errorf("the object became %q", got)
				}
			}
		})
	}
	f("plain", func() backends.Backend {
		b := newStore(t)
		put(t, b, "there", "body")
		return b
	})
	f("read through", func() backends.Backend {
		old := newStore(t)
		put(t, old, "there", "body")
		return overlay.New(overlay.Options{New: newStore(t), Old: old, BucketID: "id", Tombstones: memindex.New()})
	})
}
