package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// pages are what the paginators of an SDK saw of a bucket, in pages of two.
type pages struct {
	V1       []string // ListObjects: keys
	V2       []string // ListObjectsV2: keys
	Folders  []string // ListObjectsV2 with a delimiter: keys and common prefixes, sorted
	Versions []string // ListObjectVersions: keys, delete markers with a "-" in front, sorted
	Uploads  []string // ListMultipartUploads: keys
	Parts    []int    // ListParts of the first of them
	Buckets  []string // ListBuckets with the bucket's name as prefix
}

// wait has the SDK's waiters wait.
func (e exercise) wait(t *testing.T) {
	a := args{bucket: e.bucket, key: "awaited"}
	e.must(t, "wait", a)
	if exists(t, e.at, a.bucket, a.key) {
		t.Error("the object is still there")
	}
}

// pages has the SDK's paginators walk through every listing of a bucket that has
// a bit of everything.
func (e exercise) pages(t *testing.T) {
	e.bucket += "-p"
	want := e.fillPages(t)
	var got pages
	if err := json.Unmarshal([]byte(e.must(t, "pages", args{bucket: e.bucket})), &got); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got.Folders)
	slices.Sort(got.Versions)
	same(t, "pages", want, got)
}

// fillPages makes the bucket, and returns what is to be seen of it.
func (e exercise) fillPages(t *testing.T) pages {
	t.Helper()
	ctx, c, b := t.Context(), sdk(e.at), &e.bucket
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := pages{Buckets: []string{e.bucket}}
	must(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b}))
	must(c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: b, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}))
	for _, key := range []string{"a b+c", "d/1 é", "d/2", "e", "f", "g/3"} {
		for range 2 {
			must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: &key, Body: strings.NewReader(key)}))
			want.Versions = append(want.Versions, key)
		}
		want.V1 = append(want.V1, key)
	}
	must(c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: aws.String("e")}))
	want.V1 = slices.DeleteFunc(want.V1, func(key string) bool { return key == "e" })
	want.V2, want.Folders = want.V1, []string{"a b+c", "d/", "f", "g/"}
	want.Versions = append(want.Versions, "-e")
	slices.Sort(want.Versions)
	for i := range 3 {
		key := fmt.Sprintf("upload+%d", i)
		upload, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: &key})
		must(upload, err)
		want.Uploads = append(want.Uploads, key)
		for n := range int32(5) {
			if i == 0 {
				must(c.UploadPart(ctx, &s3.UploadPartInput{
					Bucket: b, Key: &key, UploadId: upload.UploadId, PartNumber: aws.Int32(n + 1), Body: bytes.NewReader([]byte{byte(n)}),
				}))
				want.Parts = append(want.Parts, int(n)+1)
			}
		}
	}
	return want
}

// transfer has the SDK's transfer manager move two parts with each checksum
// algorithm that it can: up, across by the server, and down.
func (e exercise) transfer(t *testing.T) {
	file := filepath.Join(e.dir, "transferred")
	makeFile(t, file, 5<<20+70_000, e.seed)
	want := fileDigest(t, file)
	a := args{bucket: e.bucket, key: "transfer/", file: file}
	algorithms := strings.Fields(e.must(t, "transfer", a))
	if len(algorithms) < 3 {
		t.Errorf("it did it with %v only", algorithms)
	}
	for _, algorithm := range algorithms {
		key := a.key + algorithm
		same(t, "uploaded with "+algorithm, want, storedDigest(t, e.at, a.bucket, key))
		same(t, "copied with "+algorithm, want, storedDigest(t, e.at, a.bucket, "copy "+key))
		e.checksummed(t, key, algorithm)
	}
}

// checksummed reports an object that is not in two parts, or has no checksum of
// the algorithm.
func (e exercise) checksummed(t *testing.T, key, algorithm string) {
	t.Helper()
	out, err := sdk(e.at).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &e.bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatalf("HeadObject %q: %v", key, err)
	}
	if etag := aws.ToString(out.ETag); !strings.HasSuffix(etag, `-2"`) {
		t.Errorf("%q: ETag %s is not that of two parts", key, etag)
	}
	if v := reflect.ValueOf(*out).FieldByName("Checksum" + algorithm); v.IsNil() || v.Elem().String() == "" {
		t.Errorf("%q has no checksum of %s", key, algorithm)
	}
}
