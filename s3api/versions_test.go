package s3api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/router"
)

// versioned has the bucket keep versions.
func (u user) versioned(status types.BucketVersioningStatus) {
	u.t.Helper()
	_, err := u.PutBucketVersioning(u.t.Context(), &s3.PutBucketVersioningInput{
		Bucket: u.bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	u.ok(err)
}

// TestVersionsByPages: an SDK that lists versions page by page, of whatever length, sees each version and delete
// marker once and in order, with the latest one marked.
func TestVersionsByPages(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{})
	u.put("a", "before")
	u.versioned(types.BucketVersioningStatusEnabled)
	for _, key := range []string{"a", "a/1", "b", "b"} {
		u.put(key, "x")
		_, err := u.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: u.bucket, Key: &key})
		u.ok(err)
	}
	u.put("b", "latest")
	whole := u.versions(1000)
	if len(whole) != 10 || strings.Count(strings.Join(whole, "\n"), "latest") != 3 {
		t.Errorf("%q", whole)
	}
	for _, page := range []int32{1, 2, 3, 7} {
		if diff := cmp.Diff(whole, u.versions(page)); diff != "" {
			t.Errorf("pages of %d (-whole +pages):\n%s", page, diff)
		}
	}
}

// versions lists all versions, in the order of the pages and, as far as an SDK can tell, within them.
func (u user) versions(page int32) (list []string) {
	u.t.Helper()
	p := s3.NewListObjectVersionsPaginator(u.Client, &s3.ListObjectVersionsInput{Bucket: u.bucket, MaxKeys: &page})
	add := func(kind string, key, id *string, latest *bool, owner *types.Owner) {
		text := kind + " " + *key + " " + *id + " of " + *owner.ID
		if *latest {
			text += " latest"
		}
		list = append(list, text)
	}
	var versions, markers []string
	for p.HasMorePages() {
		out, err := p.NextPage(u.t.Context())
		u.ok(err)
		for _, v := range out.Versions {
			add("version", v.Key, v.VersionId, v.IsLatest, v.Owner)
		}
		versions = append(versions, list...)
		list = nil
		for _, m := range out.DeleteMarkers {
			add("marker", m.Key, m.VersionId, m.IsLatest, m.Owner)
		}
		markers = append(markers, list...)
		list = nil
	}
	return append(versions, markers...)
}

// TestAttributesAndTags: an SDK finds in the documents what it looks for.
func TestAttributesAndTags(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{})
	u.versioned(types.BucketVersioningStatusEnabled)
	key := new("k")
	put, err := u.PutObject(t.Context(), &s3.PutObjectInput{Bucket: u.bucket, Key: key, Body: strings.NewReader("hello"), StorageClass: types.StorageClassGlacierIr})
	u.ok(err)
	tags := []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("")}}
	_, err = u.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Bucket: u.bucket, Key: key, Tagging: &types.Tagging{TagSet: tags}})
	u.ok(err)
	u.put("k", "another")

	got, err := u.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: u.bucket, Key: key, VersionId: put.VersionId})
	u.ok(err)
	if len(got.TagSet) != 2 || *got.TagSet[0].Key+*got.TagSet[0].Value+*got.TagSet[1].Key+*got.TagSet[1].Value != "a1b" {
		t.Errorf("tags %v", got.TagSet)
	}
	var all types.ObjectAttributes
	a, err := u.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{Bucket: u.bucket, Key: key, VersionId: put.VersionId, ObjectAttributes: all.Values()})
	u.ok(err)
	if *a.ETag != "5d41402abc4b2a76b9719d911017c592" || *a.ObjectSize != 5 || a.StorageClass != types.StorageClassGlacierIr ||
		a.Checksum == nil || aws.ToString(a.Checksum.ChecksumCRC32) != aws.ToString(put.ChecksumCRC32) || a.Checksum.ChecksumType != types.ChecksumTypeFullObject ||
		a.ObjectParts != nil || *a.VersionId != *put.VersionId || a.LastModified == nil {
		t.Errorf("attributes %+v", a)
	}
}

// TestPartsOfAttributes: an SDK finds the parts of an object, page by page, and how many there are.
func TestPartsOfAttributes(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{})
	u.versioned(types.BucketVersioningStatusEnabled)
	key := new("k")
	up, err := u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: u.bucket, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	u.ok(err)
	var parts []types.CompletedPart
	for n, body := range []string{strings.Repeat("x", 5<<20), "y"} {
		number := aws.Int32(int32(n + 1))
		out, err := u.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: u.bucket, Key: key, UploadId: up.UploadId, PartNumber: number, Body: strings.NewReader(body), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
		u.ok(err)
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32})
	}
	done, err := u.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: u.bucket, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	u.ok(err)
	a, err := u.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
		Bucket: u.bucket, Key: key, ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectParts},
	})
	u.ok(err)
	if a.ObjectParts == nil || aws.ToInt32(a.ObjectParts.TotalPartsCount) != 2 || a.ETag != nil || aws.ToString(a.VersionId) != aws.ToString(done.VersionId) {
		t.Errorf("attributes %+v", a)
	}
	marker, sizes := (*string)(nil), []int64{5 << 20, 1}
	for i, size := range sizes {
		a, err := u.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
			Bucket: u.bucket, Key: key, VersionId: done.VersionId, MaxParts: new(int32(1)), PartNumberMarker: marker,
			ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag, types.ObjectAttributesObjectParts},
		})
		u.ok(err)
		p := a.ObjectParts
		if p == nil || len(p.Parts) != 1 || aws.ToInt32(p.Parts[0].PartNumber) != int32(i+1) || aws.ToInt64(p.Parts[0].Size) != size ||
			aws.ToString(p.Parts[0].ChecksumCRC32) != aws.ToString(parts[i].ChecksumCRC32) || parts[i].ChecksumCRC32 == nil ||
			aws.ToInt32(p.MaxParts) != 1 || aws.ToBool(p.IsTruncated) != (i < len(sizes)-1) || aws.ToInt32(p.TotalPartsCount) != 2 {
			t.Fatalf("page %d: %+v", i, p)
		}
		marker = p.NextPartNumberMarker
	}
}

// asOf has a call of an SDK look at the past.
func asOf(at time.Time) func(*s3.Options) {
	return s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return smithyhttp.AddHeaderValue("x-xronox-as-of", at.Format(time.RFC3339Nano))(stack)
	})
}

// TestPastByPages: a listing of a moment of the past shows that moment on all of its pages, whatever is
// written while it goes on.
func TestPastByPages(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // of the real clock, which the SDK signs by
	proxy := s3test.Start(t, s3test.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	u := user{t, proxy.Client(s3test.Root), proxy, aws.String(s3test.Bucket)}
	u.versioned(types.BucketVersioningStatusEnabled)
	for _, key := range []string{"a", "b", "c", "d"} {
		u.put(key, "then")
	}
	then := proxy.Now()
	ahead.Store(int64(time.Second))
	var keys string
	p := s3.NewListObjectsV2Paginator(u.Client, &s3.ListObjectsV2Input{Bucket: u.bucket, MaxKeys: new(int32(1))})
	for p.HasMorePages() {
		page, err := p.NextPage(t.Context(), asOf(then))
		u.ok(err)
		key := *page.Contents[0].Key
		keys += key
		u.put(key+"2", "late")
		_, err = u.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: u.bucket, Key: &key})
		u.ok(err)
		got, err := u.GetObject(t.Context(), &s3.GetObjectInput{Bucket: u.bucket, Key: &key}, asOf(then))
		u.ok(err)
		body, err := io.ReadAll(got.Body)
		u.ok(err)
		_ = got.Body.Close()
		if string(body) != "then" {
			t.Errorf("%s: %q", key, body)
		}
	}
	if keys != "abcd" {
		t.Errorf("keys %s", keys)
	}
}

// informed is a bucket that remembers who was behind the last read of it.
type informed struct {
	backends.Backend
	last *atomic.Pointer[backends.Request]
}

// HeadObject implements [backends.ObjectReader].
func (b informed) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	b.last.Store(backends.RequestOf(ctx))
	return b.Backend.HeadObject(ctx, in)
}

// TestBackendsKnowTheRequest: a backend can know who is behind a call.
func TestBackendsKnowTheRequest(t *testing.T) {
	t.Parallel()
	var last atomic.Pointer[backends.Request]
	u := sign(t, s3test.Root, s3test.Options{Wrap: func(b backends.Backend) backends.Backend { return informed{b, &last} }})
	u.put("k", "x")
	_, err := u.as(s3test.Reader).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: u.bucket, Key: new("k")})
	u.ok(err)
	want := backends.Request{Operation: "HeadObject", AccessKey: "READER", UserID: "READER", TenantID: router.DefaultTenant}
	if got := last.Load(); got == nil || *got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestReservedMetadata: what a store has of the proxy's own is shown to nobody.
func TestReservedMetadata(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{})
	_, err := u.proxy.Store.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: new(router.DefaultTenant + "/" + s3test.Bucket), Key: new("k"), Body: strings.NewReader("x"), ContentLength: new(int64(1)),
		Metadata: map[string]string{backends.ReservedMetadata + "version": "1", "xronox-proxy": "2", "kept": "3"},
	})
	u.ok(err)
	out, err := u.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: u.bucket, Key: new("k")})
	u.ok(err)
	if diff := cmp.Diff(map[string]string{"xronox-proxy": "2", "kept": "3"}, out.Metadata); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// leaky is a store that has versions and tags which the bucket over it knows nothing of.
type leaky struct{ *membackend.Backend }

// Can implements [backends.Abilities].
func (leaky) Can(a any) bool { _, asked := a.(*backends.Tagger); return !asked }

// HeadObject implements [backends.ObjectReader].
func (b leaky) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	out, err := b.Backend.HeadObject(ctx, in)
	if err == nil {
		out.VersionId, out.TagCount = new("physical"), new(int32(1))
	}
	return out, err
}

// DeleteObject implements [backends.ObjectWriter].
func (b leaky) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	_, err := b.Backend.DeleteObject(ctx, in)
	return &s3.DeleteObjectOutput{VersionId: new("physical"), DeleteMarker: new(true)}, err
}

// TestVersionsOfStores: versions that a store keeps for itself are not those of a bucket without.
func TestVersionsOfStores(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{Backend: leaky{membackend.New()}})
	u.put("k", "x")
	head, err := u.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: u.bucket, Key: new("k")})
	u.ok(err)
	if head.VersionId != nil || head.TagCount != nil {
		t.Errorf("version %v, %v tags", head.VersionId, head.TagCount)
	}
	del, err := u.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: u.bucket, Key: new("k")})
	u.ok(err)
	if del.VersionId != nil || del.DeleteMarker != nil {
		t.Errorf("version %v, marker %v", del.VersionId, del.DeleteMarker)
	}
}

// enabling is a resolver of buckets that are being given versions.
type enabling struct{ router.Resolver }

// Resolve implements [router.Resolver].
func (e enabling) Resolve(ctx context.Context, tenantID, bucket string) (*router.Route, error) {
	route, err := e.Resolver.Resolve(ctx, tenantID, bucket)
	if err != nil {
		return nil, err
	}
	c := *route
	c.Settings = router.Settings{Versioning: router.Enabled, Enabling: true}
	return &c, nil
}

// TestEnablingIsNotEnabled: a bucket that is being given versions does not say that it has some.
func TestEnablingIsNotEnabled(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{Resolver: func(r router.Resolver) router.Resolver { return enabling{r} }})
	out, err := u.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: u.bucket})
	u.ok(err)
	if out.Status != "" {
		t.Errorf("status %s", out.Status)
	}
}

// silent is a bucket that reports on no key but the first, and that as often as there are keys.
type silent struct{ backends.Backend }

// DeleteObjects implements [backends.ObjectWriter].
func (silent) DeleteObjects(_ context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	out := &s3.DeleteObjectsOutput{}
	for range in.Delete.Objects {
		out.Deleted = append(out.Deleted, types.DeletedObject{Key: in.Delete.Objects[0].Key})
	}
	return out, nil
}

// TestSilenceIsNoSuccess: a key on which the backend does not report was not deleted, as far as anybody knows.
func TestSilenceIsNoSuccess(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{Wrap: func(b backends.Backend) backends.Backend { return silent{b} }})
	out, err := u.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: u.bucket, Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: new("a")}, {Key: new("b")}},
	}})
	u.ok(err)
	if len(out.Deleted) != 1 || *out.Deleted[0].Key != "a" || len(out.Errors) != 1 || *out.Errors[0].Key != "b" || *out.Errors[0].Code != "InternalError" {
		t.Errorf("deleted %v, errors %v", out.Deleted, out.Errors)
	}
}

// TestMarkerErrorsInSDK: an SDK gets at what AWS says of a delete marker.
func TestMarkerErrorsInSDK(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{})
	u.versioned(types.BucketVersioningStatusEnabled)
	u.put("k", "x")
	del, err := u.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: u.bucket, Key: new("k")})
	u.ok(err)
	f := func(version *string, status int) {
		t.Helper()
		_, err := u.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: u.bucket, Key: new("k"), VersionId: version})
		var r *smithyhttp.ResponseError
		if !errors.As(err, &r) || r.HTTPStatusCode() != status {
			t.Fatalf("%v, want status %d", err, status)
		}
		h := r.Response.Header
		if h.Get("X-Amz-Delete-Marker") != "true" || h.Get("X-Amz-Version-Id") != *del.VersionId {
			t.Errorf("headers %v", h)
		}
	}
	f(nil, http.StatusNotFound)
	f(del.VersionId, http.StatusMethodNotAllowed)
}

// TestGrantsOfViews: what one may do in a view is what one may do in the bucket. Its own name counts for nothing.
func TestGrantsOfViews(t *testing.T) {
	t.Parallel()
	person := func(name, bucket, prefix string) router.Credential {
		return router.Credential{
			Identity: router.Identity{AccessKey: name, Grants: []router.Grant{
				{Buckets: []string{bucket}, Prefix: prefix, Actions: []router.Action{router.Read, router.List}},
			}},
			SecretKey: name + "-secret",
		}
	}
	some, viewer := person("SOME", s3test.Bucket, "p/"), person("VIEWER", s3test.Bucket+".at.*", "")
	var ahead atomic.Int64
	proxy := s3test.Start(t, s3test.Options{
		People: []router.Credential{some, viewer},
		Now:    func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	})
	u := user{t, proxy.Client(s3test.Root), proxy, aws.String(s3test.Bucket)}
	u.versioned(types.BucketVersioningStatusEnabled)
	u.put("p/k", "x")
	u.put("q/k", "x")
	ahead.Store(int64(2 * time.Second))
	view := s3test.Bucket + proxy.Now().UTC().Add(-time.Second).Format(".at.20060102T150405Z")

	f := func(who router.Credential, prefix string, allowed bool) {
		t.Helper()
		c := u.as(who)
		_, read := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &view, Key: aws.String(prefix + "k")})
		_, list := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &view, Prefix: &prefix})
		_, versions := c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &view, Prefix: &prefix})
		for _, err := range []error{read, list, versions} {
			if allowed {
				u.ok(err)
			} else {
				u.fails(err, "AccessDenied")
			}
		}
	}
	f(s3test.Root, "q/", true)
	f(some, "p/", true)
	f(some, "q/", false)
	f(some, "", false)
	f(viewer, "p/", false)
	f(viewer, "", false)
	_, err := u.as(some).GetObject(t.Context(), &s3.GetObjectInput{Bucket: u.bucket, Key: aws.String("q/k")}, asOf(proxy.Now()))
	u.fails(err, "AccessDenied")
}

// hasty is a bucket whose object is written over before anybody reads a part of it.
type hasty struct {
	backends.Backend
	backends.MultipartUploader
}

// HeadObject implements [backends.ObjectReader].
func (b hasty) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	if in.PartNumber != nil {
		_, err := b.PutObject(ctx, &s3.PutObjectInput{Bucket: in.Bucket, Key: in.Key, Body: strings.NewReader("new"), ContentLength: new(int64(3))})
		if err != nil {
			return nil, err
		}
	}
	return b.Backend.HeadObject(ctx, in)
}

// TestPartsOfAnotherObject: attributes are those of one object, or there are none.
func TestPartsOfAnotherObject(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{Wrap: func(b backends.Backend) backends.Backend {
		m, _ := backends.As[backends.MultipartUploader](b)
		return hasty{b, m}
	}})
	key := new("k")
	up, err := u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: u.bucket, Key: key})
	u.ok(err)
	part, err := u.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: u.bucket, Key: key, UploadId: up.UploadId, PartNumber: new(int32(1)), Body: strings.NewReader("x")})
	u.ok(err)
	_, err = u.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: u.bucket, Key: key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: new(int32(1)), ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32}}},
	})
	u.ok(err)
	_, err = u.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
		Bucket: u.bucket, Key: key, ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectParts},
	}, func(o *s3.Options) { o.RetryMaxAttempts = 1 })
	u.fails(err, "SlowDown")
}

// TestUploadsFromBefore: uploads that began before a bucket had versions go on, under the ids that clients have.
func TestUploadsFromBefore(t *testing.T) {
	t.Parallel()
	for _, b := range []s3test.Options{{}, {Backend: hiding{membackend.New()}}} {
		u := sign(t, s3test.Root, b)
		u.put("k", "old")
		begin := func(key string) *s3.CompleteMultipartUploadInput {
			out, err := u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: u.bucket, Key: &key, ContentType: new("text/x-new")})
			u.ok(err)
			return &s3.CompleteMultipartUploadInput{Bucket: u.bucket, Key: &key, UploadId: out.UploadId, MultipartUpload: &types.CompletedMultipartUpload{}}
		}
		part := func(in *s3.CompleteMultipartUploadInput, body string) {
			n := new(int32(len(in.MultipartUpload.Parts) + 1))
			out, err := u.UploadPart(t.Context(), &s3.UploadPartInput{
				Bucket: u.bucket, Key: in.Key, UploadId: in.UploadId, PartNumber: n, Body: strings.NewReader(body),
			})
			u.ok(err)
			in.MultipartUpload.Parts = append(in.MultipartUpload.Parts, types.CompletedPart{PartNumber: n, ETag: out.ETag})
		}
		in, aborted := begin("k"), begin("a")
		five := strings.Repeat("12345", 1<<20)
		part(in, five)
		u.versioned(types.BucketVersioningStatusEnabled)
		part(in, "tail")
		newer := begin("k")

		var listed []string
		pages := s3.NewListMultipartUploadsPaginator(u.Client, &s3.ListMultipartUploadsInput{Bucket: u.bucket, MaxUploads: new(int32(1))})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			u.ok(err)
			for _, m := range page.Uploads {
				listed = append(listed, *m.UploadId)
			}
		}
		if diff := cmp.Diff([]string{*aborted.UploadId, *in.UploadId, *newer.UploadId}, listed); diff != "" {
			t.Errorf("uploads (-want +got):\n%s", diff)
		}
		_, err := u.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: u.bucket, Key: new("a"), UploadId: aborted.UploadId})
		u.ok(err)

		made, err := u.CompleteMultipartUpload(t.Context(), in)
		u.ok(err)
		again, err := u.CompleteMultipartUpload(t.Context(), in)
		u.ok(err)
		if id := *made.VersionId; id == "null" || *again.VersionId != id || *again.ETag != *made.ETag || !strings.HasSuffix(*made.ETag, `-2"`) {
			t.Errorf("made %s %s, and again %s %s", id, *made.ETag, *again.VersionId, *again.ETag)
		}
		if u.get("k") != five+"tail" || len(u.versions(1000)) != 2 {
			t.Errorf("%q", u.versions(1000))
		}
		head, err := u.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: u.bucket, Key: new("k"), PartNumber: new(int32(1))})
		u.ok(err)
		if *head.ContentLength != int64(len(five)) || *head.PartsCount != 2 || *head.ContentType != "text/x-new" || *head.VersionId != *made.VersionId {
			t.Errorf("its first part is %v", head)
		}
		old, err := u.GetObject(t.Context(), &s3.GetObjectInput{Bucket: u.bucket, Key: new("k"), VersionId: new("null")})
		u.ok(err)
		if body, err := io.ReadAll(old.Body); err != nil || string(body) != "old" {
			t.Errorf("the old version is %q, %v", body, err)
		}
		u.ok(old.Body.Close())
	}
}

// hiding is a store that does not say that it can complete uploads elsewhere.
type hiding struct{ *membackend.Backend }

// Can implements [backends.Abilities].
func (hiding) Can(a any) bool { _, asked := a.(*backends.UploadPlacer); return !asked }
