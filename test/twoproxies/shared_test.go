package twoproxies

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// soon are times in which little has to be waited for.
var soon = times{freshFor: 300 * time.Millisecond, outage: 500 * time.Millisecond}

// TestBuckets: a bucket that is made at one proxy is there at the other, also for who has just been told that it is
// not; what is put at one is read at the other; and it goes as it came.
func TestBuckets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, soon)
	const bucket = "made-at-a"
	head := func(p *proxy) error {
		_, err := p.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String(bucket)})
		return err
	}
	if err := head(w.b); code(err) != "NotFound" {
		t.Fatalf("a bucket that nobody made: %v", err)
	}
	w.a.create(t, bucket)
	eventually(t, "the bucket at B", func() error { return head(w.b) })
	list, err := w.b.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil || !slices.ContainsFunc(list.Buckets, func(b types.Bucket) bool { return *b.Name == bucket }) {
		t.Errorf("B lists %+v, %v", list, err)
	}
	if _, err := w.b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); code(err) != "BucketAlreadyOwnedByYou" {
		t.Errorf("made again at B: %v", err)
	}
	w.a.mustPut(t, bucket, "k", "of A")
	w.b.has(t, bucket, "k", "", "of A")
	w.b.mustPut(t, bucket, "k", "of B")
	w.a.has(t, bucket, "k", "", "of B")

	if _, err := w.a.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("k")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.b.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its end at A", func() error {
		if err := head(w.a); code(err) != "NotFound" {
			return fmt.Errorf("it is there: %w", err)
		}
		return nil
	})
	w.b.create(t, bucket)
	eventually(t, "the next bucket of that name at A", func() error { return head(w.a) })
	if _, err := w.a.get(t.Context(), bucket, "k", ""); code(err) != "NoSuchKey" {
		t.Errorf("it has the object of the one before: %v", err)
	}
}

// TestTokens: a listing and an upload that began at one proxy go on at the other.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, soon)
	for _, bucket := range []string{"plain", "versioned"} {
		var want, got []string
		for i := range 5 {
			key := fmt.Sprint("key-", i)
			w.a.mustPut(t, bucket, key, key)
			want = append(want, key)
		}
		in := &s3.ListObjectsV2Input{Bucket: &bucket, MaxKeys: aws.Int32(1)}
		for i := 0; ; i++ {
			page, err := []*proxy{w.a, w.b}[i%2].ListObjectsV2(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Contents {
				got = append(got, *o.Key)
			}
			if in.ContinuationToken = page.NextContinuationToken; in.ContinuationToken == nil {
				break
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s, listed in turns: -want +got\n%s", bucket, d)
		}
		w.upload(t, bucket, "large")
	}
}

// upload makes an object of one part with a proxy for each step.
func (w *world) upload(t *testing.T, bucket, key string) {
	t.Helper()
	began, err := w.a.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	part, err := w.b.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &bucket, Key: &key, UploadId: began.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("a part"),
	})
	if err != nil {
		t.Fatal(err)
	}
	parts := []types.CompletedPart{{ETag: part.ETag, PartNumber: aws.Int32(1), ChecksumCRC32: part.ChecksumCRC32, ChecksumCRC64NVME: part.ChecksumCRC64NVME}}
	if _, err := w.a.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: &key, UploadId: began.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}); err != nil {
		t.Fatal(err)
	}
	w.b.has(t, bucket, key, "", "a part")
}

// TestVersions: versions that are made at both proxies in turns are listed in their order by both, and read by
// both; those that are made at once are all there.
func TestVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, soon)
	const bucket, turns, each = "history", 6, 8
	w.a.create(t, bucket)
	w.a.setVersioning(t, bucket, types.BucketVersioningStatusEnabled)
	status, err := w.b.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: aws.String(bucket)})
	if err != nil || status.Status != types.BucketVersioningStatusEnabled {
		t.Errorf("B says %+v, %v", status, err)
	}

	var (
		want []version // newest first
		last string
	)
	for i := range turns {
		for name, p := range w.both() {
			last = fmt.Sprintf("%d of %s", i, name)
			id := w.versioned(t, p, bucket, "turns", last)
			want = slices.Insert(want, 0, version{Key: "turns", ID: id})
			for _, reader := range w.both() {
				reader.has(t, bucket, "turns", id, last)
				reader.has(t, bucket, "turns", "", last)
			}
		}
	}
	want[0].Latest = true
	for name, p := range w.both() {
		for _, page := range []int32{1, 5, 1000} {
			if d := cmp.Diff(want, p.versions(t, bucket, page)); d != "" {
				t.Errorf("%s, in pages of %d: -want +got\n%s", name, page, d)
			}
		}
	}

	bodies := w.atOnce(t, bucket, "at-once", each)
	list := w.a.versions(t, bucket, 1000)
	if d := cmp.Diff(list, w.b.versions(t, bucket, 1000)); d != "" {
		t.Errorf("the listings differ: -A +B\n%s", d)
	}
	list = slices.DeleteFunc(list, func(v version) bool { return v.Key != "at-once" })
	if len(list) != len(bodies) {
		t.Errorf("%d versions are listed, and %d were acknowledged", len(list), len(bodies))
	}
	for _, v := range list {
		if bodies[v.ID] == "" {
			t.Errorf("nobody made the version %s", v.ID)
		}
		for _, p := range w.both() {
			p.has(t, bucket, v.Key, v.ID, bodies[v.ID])
			if v.Latest {
				p.has(t, bucket, v.Key, "", bodies[v.ID])
			}
		}
	}

	gone, err := w.b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("turns")})
	if err != nil || !aws.ToBool(gone.DeleteMarker) {
		t.Errorf("a deletion: %+v, %v", gone, err)
	}
	if _, err := w.a.get(t.Context(), bucket, "turns", ""); code(err) != "NoSuchKey" {
		t.Errorf("after a deletion at B, A reads %v", err)
	}
	w.a.has(t, bucket, "turns", want[0].ID, last)
}

// versioned is a put that must have a version; while the bucket's settings are on their way it is repeated.
func (w *world) versioned(t *testing.T, p *proxy, bucket, key, body string) (id string) {
	t.Helper()
	eventually(t, "a put", func() (err error) {
		id, err = p.put(t.Context(), bucket, key, body)
		if err != nil && !comeBack(err) {
			t.Fatal(err)
		}
		return err
	})
	if id == "" || id == "null" {
		t.Fatalf("%s/%s has the version %q", bucket, key, id)
	}
	return id
}

// atOnce makes versions of one object at both proxies at once. It returns their bodies by version.
func (w *world) atOnce(t *testing.T, bucket, key string, each int) map[string]string {
	t.Helper()
	bodies := map[string]string{}
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	for name, p := range w.both() {
		wg.Go(func() {
			for i := range each {
				body := fmt.Sprintf("%d of %s", i, name)
				id, err := p.put(t.Context(), bucket, key, body)
				for comeBack(err) {
					id, err = p.put(t.Context(), bucket, key, body)
				}
				mu.Lock()
				if err != nil || bodies[id] != "" {
					t.Errorf("%s: version %q, %v", body, id, err)
				}
				bodies[id] = body
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return bodies
}
