package mount_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// newVersioned returns a bucket that keeps versions.
func newVersioned(t *testing.T) backends.Backend {
	t.Helper()
	store := newStore(t, "physical")
	place := func(prefix string) backends.Backend {
		return mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: prefix})
	}
	return versioned.New(versioned.Options{
		Heads: place("heads/"), Bodies: place("versions/"), Index: memindex.New(), BucketID: "id/content",
		DataType: "content", Versioning: router.Enabled, Complete: true,
	})
}

// remove deletes an object, or a version of it.
func remove(t *testing.T, b backends.Backend, key string, versionID *string) *s3.DeleteObjectOutput {
	t.Helper()
	out, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("virtual"), Key: &key, VersionId: versionID})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// versionsOf is what lists the versions of a bucket.
func versionsOf(t *testing.T, b backends.Backend) backends.Versioned {
	t.Helper()
	v, ok := backends.As[backends.Versioned](b)
	if !ok {
		t.Fatalf("%T keeps no versions", b)
	}
	return v
}

// versionPages are the pages of a listing of versions, with what stands for the ids, which differ.
func versionPages(t *testing.T, b backends.Backend, in s3.ListObjectVersionsInput) (pages [][]string) {
	t.Helper()
	for range 100 {
		out, err := versionsOf(t, b).ListObjectVersions(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, shownVersions(out))
		if !*out.IsTruncated {
			return pages
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
	t.Fatal("the listing has no end")
	return nil
}

// shownVersions is a page in its order.
func shownVersions(out *s3.ListObjectVersionsOutput) []string {
	type line struct {
		key  string
		time time.Time
		text string
	}
	var lines []line
	for _, v := range out.Versions {
		lines = append(lines, line{*v.Key, *v.LastModified, fmt.Sprintf("version of %q, %d bytes, latest %v", *v.Key, *v.Size, *v.IsLatest)})
	}
	for _, d := range out.DeleteMarkers {
		lines = append(lines, line{*d.Key, *d.LastModified, fmt.Sprintf("delete marker of %q, latest %v", *d.Key, *d.IsLatest)})
	}
	for _, p := range out.CommonPrefixes {
		lines = append(lines, line{key: *p.Prefix, text: "prefix " + *p.Prefix})
	}
	slices.SortFunc(lines, func(a, b line) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return b.time.Compare(a.time)
	})
	all := []string{}
	for _, l := range lines {
		all = append(all, l.text)
	}
	return all
}

// TestVersionListing compares all pages of listings of random mounts with those of a bucket to which the same was done.
func TestVersionListing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		below, model := newVersioned(t), newVersioned(t)
		o := mount.Options{
			Backend: below, BucketID: "id", MountID: "main", Sealer: newSealer(t),
			Under:  rapid.SampledFrom([]string{"", "records/", "a/b/", "//"}).Draw(rt, "under"),
			Prefix: rapid.SampledFrom([]string{"", "REC/", "a"}).Draw(rt, "prefix"),
		}
		if rapid.Bool().Draw(rt, "excludes") {
			o.Exclude = []string{o.Prefix + "b/c"}
		}
		rests := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "a/b", "a/c", "b/c", "b/c/d", "b/c0", "b/d", "/x", "x/y", "z"}), 0, 9).Draw(rt, "changes")
		for i, rest := range rests {
			both := func(change func(b backends.Backend, key string)) {
				change(below, o.Prefix+rest)
				if len(o.Exclude) == 0 || !strings.HasPrefix(rest, "b/c") {
					change(model, o.Under+rest)
				}
			}
			if rapid.IntRange(0, 2).Draw(rt, "delete") == 0 {
				both(func(b backends.Backend, key string) { remove(t, b, key, nil) })
			} else {
				both(func(b backends.Backend, key string) { put(t, b, "virtual", key, strings.Repeat("x", i)) })
			}
		}
		if o.Prefix != "" {
			put(t, below, "virtual", "A outside", "")
			put(t, below, "virtual", "z outside", "")
		}
		piece := rapid.SampledFrom([]string{"", "", "rec", "records/", "records/a", "/", "//", "s/", "b/", "s/x", "/a", "a", "b/c"})
		in := &s3.ListObjectVersionsInput{
			Bucket: new("virtual"), Prefix: new(piece.Draw(rt, "list prefix")), Delimiter: new(piece.Draw(rt, "delimiter")),
			KeyMarker: new(piece.Draw(rt, "marker")),
		}
		m := mount.New(o)
		for size := int32(0); size <= 6; size++ {
			in.MaxKeys = aws.Int32(size)
			got, want := versionPages(t, m, *in), versionPages(t, model, *in)
			if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
				rt.Fatalf("prefix %q delimiter %q marker %q by %d: %q, want %q", *in.Prefix, *in.Delimiter, *in.KeyMarker, size, got, want)
			}
		}
	})
}

// TestVersions reads, copies, tags and deletes versions through a mount.
func TestVersions(t *testing.T) {
	t.Parallel()
	below := newVersioned(t)
	m := mount.New(mount.Options{Backend: below, Under: "u/", Prefix: "p/", BucketID: "id", MountID: "main", Sealer: newSealer(t)})
	put(t, m, "virtual", "u/k", "first")
	first := head(t, m, "u/k", nil)
	put(t, m, "virtual", "u/k", "second")
	if at := head(t, below, "p/k", first); *at != *first {
		t.Errorf("below, it is %s, want %s", *at, *first)
	}

	tagger, ok := backends.As[backends.Tagger](m)
	if !ok {
		t.Fatal("no tags")
	}
	if _, err := tagger.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
		Bucket: new("virtual"), Key: new("u/k"), VersionId: first, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: new("a"), Value: new("b")}}},
	}); err != nil {
		t.Fatal(err)
	}
	tags := func(id *string) int {
		out, err := tagger.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: new("virtual"), Key: new("u/k"), VersionId: id})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.TagSet)
	}
	if tags(first) != 1 || tags(nil) != 0 {
		t.Errorf("the first version has %d tags, the second %d", tags(first), tags(nil))
	}
	if _, err := tagger.DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Bucket: new("virtual"), Key: new("u/k"), VersionId: first}); err != nil || tags(first) != 0 {
		t.Errorf("%d tags are left, %v", tags(first), err)
	}

	copied, err := m.CopyObject(t.Context(), backends.CopySource{Key: "u/k", VersionID: *first}, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("u/copy")})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(copied.CopySourceVersionId) != *first || read(t, m, "virtual", "u/copy") != "first" {
		t.Errorf("copied %q of version %s, want first of %s", read(t, m, "virtual", "u/copy"), aws.ToString(copied.CopySourceVersionId), *first)
	}

	marker := remove(t, m, "u/k", nil)
	if !aws.ToBool(marker.DeleteMarker) || marker.VersionId == nil {
		t.Fatalf("deleted: %+v", marker)
	}
	_, err = m.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: new("u/k")})
	if e := s3err.From(err); e.Code != s3err.NoSuchKey || !slices.Contains(e.Headers, s3err.Detail{Name: "x-amz-version-id", Value: *marker.VersionId}) {
		t.Errorf("a deleted object is %+v", e)
	}
	out, err := m.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: new("virtual"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: new("u/k"), VersionId: marker.VersionId}, {Key: new("u/k"), VersionId: first},
	}}})
	if err != nil || len(out.Deleted) != 2 || *out.Deleted[0].Key != "u/k" || *out.Deleted[0].VersionId != *marker.VersionId || *out.Deleted[1].VersionId != *first {
		t.Fatalf("%+v, %v", out, err)
	}
	if read(t, m, "virtual", "u/k") != "second" {
		t.Error("without its delete marker, the object is not what it was")
	}
}

// head returns the VersionId of an object.
func head(t *testing.T, b backends.Backend, key string, id *string) *string {
	t.Helper()
	out, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: &key, VersionId: id})
	if err != nil {
		t.Fatal(err)
	}
	return out.VersionId
}

// TestNoVersions holds that a mount of a store without versions has none, nor tags where the store has none.
func TestNoVersions(t *testing.T) {
	t.Parallel()
	m := mount.New(mount.Options{Backend: newStore(t, "physical"), Bucket: "physical", Prefix: "p/"})
	if _, ok := backends.As[backends.Versioned](m); ok {
		t.Error("it has versions")
	}
	if _, ok := backends.As[backends.Locker](m); ok {
		t.Error("it has locks")
	}
	if _, ok := backends.As[backends.MultipartUploader](m); !ok {
		t.Error("it has no uploads")
	}
	if _, ok := backends.As[backends.Tagger](m); !ok {
		t.Error("it has no tags")
	}
	m = mount.New(mount.Options{Backend: struct{ backends.Backend }{newStore(t, "physical")}, Bucket: "physical", Prefix: "p/"})
	if _, ok := backends.As[backends.Tagger](m); ok {
		t.Error("it has tags")
	}
}

// TestUnsealed holds that the UploadIds of a mount without a sealer are those from below, so that one on top seals once.
func TestUnsealed(t *testing.T) {
	t.Parallel()
	store := newStore(t, "physical")
	m := mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: "p/"})
	id := begin(t, m, "virtual", "k")
	if _, err := uploader(t, store).ListParts(t.Context(), &s3.ListPartsInput{Bucket: new("physical"), Key: new("p/k"), UploadId: &id}); err != nil {
		t.Errorf("below, there is no upload %q: %v", id, err)
	}
	out, err := uploader(t, m).ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: new("virtual")})
	if err != nil || len(out.Uploads) != 1 || *out.Uploads[0].UploadId != id {
		t.Errorf("listed: %+v, %v", out, err)
	}
}

// TestVersionsAround holds what random listings hardly meet: a common prefix of which only a delete marker is the
// mount's, and markers that are of keys before the first one.
func TestVersionsAround(t *testing.T) {
	t.Parallel()
	below := newVersioned(t)
	put(t, below, "virtual", "b/c", "excluded")
	remove(t, below, "b/d", nil)
	f := func(o mount.Options, in *s3.ListObjectVersionsInput, want ...string) {
		t.Helper()
		o.Backend = below
		in.Bucket = new("virtual")
		if got := versionPages(t, mount.New(o), *in); !slices.Equal(slices.Concat(got...), want) {
			t.Errorf("%+v: %q, want %q", o, got, want)
		}
	}
	f(mount.Options{Exclude: []string{"b/c"}}, &s3.ListObjectVersionsInput{Delimiter: new("/")}, "prefix b/")
	f(mount.Options{Exclude: []string{"b/"}}, &s3.ListObjectVersionsInput{Delimiter: new("/")})
	f(mount.Options{Under: "u/"}, &s3.ListObjectVersionsInput{KeyMarker: new("u/"), VersionIdMarker: new("null"), MaxKeys: aws.Int32(1)},
		`version of "u/b/c", 8 bytes, latest true`, `delete marker of "u/b/d", latest true`)
	f(mount.Options{Under: "u/", Prefix: "b/"}, &s3.ListObjectVersionsInput{KeyMarker: new("a"), VersionIdMarker: new("null")},
		`version of "u/c", 8 bytes, latest true`, `delete marker of "u/d", latest true`)
	f(mount.Options{Under: "u/"}, &s3.ListObjectVersionsInput{KeyMarker: new("v")})
}
