package overlay_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// overVersions makes an overlay whose new place keeps versions.
func overVersions(t testing.TB) *parts {
	p := over(t, memory, memory)
	sealer, err := token.New(bytes.Repeat([]byte{7}, 64))
	if err != nil {
		t.Fatal(err)
	}
	place := func(prefix string) backends.Backend {
		return mount.New(mount.Options{Backend: p.new, Bucket: "physical", Prefix: prefix})
	}
	p.newer = mount.New(mount.Options{BucketID: "id", MountID: "new", Sealer: sealer, Backend: versioned.New(versioned.Options{
		Heads: place("h/"), Bodies: place("v/"), Index: memindex.New(), BucketID: "id/content",
		DataType: "content", Versioning: router.Enabled, Complete: true,
	})})
	p.Backend = overlay.New(overlay.Options{New: p.newer, Old: p.past, BucketID: "bucket", Tombstones: p.tombstones})
	return p
}

// TestVersionedContract runs the suite over a new place that keeps versions, also when there were old objects once.
func TestVersionedContract(t *testing.T) {
	t.Parallel()
	f := func(name string, prepare func(t testing.TB, p *parts)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
				p := overVersions(t)
				prepare(t, p)
				return p.Backend, "virtual"
			}, backendtest.Options{OneBucket: true, MaxKeyBytes: 1024 - len("h/")})
		})
	}
	f("empty", func(testing.TB, *parts) {})
	f("deleted", func(t testing.TB, p *parts) {
		for _, key := range []string{"a", "a/", "a/b", "b", "b/1", "k", "from", "to", "counter"} {
			put(t, p.past, key, "old")
			if err := tryDelete(t, p.Backend, key, ""); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// versionPages lists versions in pages of that size. It checks that all but the last are full.
func versionPages(t testing.TB, b backends.Backend, in s3.ListObjectVersionsInput, size int) (all []string) {
	t.Helper()
	v, ok := backends.As[backends.Versioned](b)
	if !ok {
		t.Fatalf("%T keeps no versions", b)
	}
	in.Bucket, in.MaxKeys = new("virtual"), aws.Int32(int32(size))
	for range 200 {
		out, err := v.ListObjectVersions(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		page := shownVersions(out)
		if *out.IsTruncated && len(page) != size {
			t.Fatalf("a truncated page of %d, want %d", len(page), size)
		}
		all = append(all, page...)
		if !*out.IsTruncated {
			return all
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
	t.Fatal("the listing has no end")
	return nil
}

// shownVersions is a page in its order.
func shownVersions(out *s3.ListObjectVersionsOutput) (all []string) {
	type line struct {
		key  string
		time time.Time
		text string
	}
	var lines []line
	for _, v := range out.Versions {
		lines = append(lines, line{*v.Key, *v.LastModified, fmt.Sprintf("%s null %v latest %v", *v.Key, *v.VersionId == "null", *v.IsLatest)})
	}
	for _, d := range out.DeleteMarkers {
		lines = append(lines, line{*d.Key, *d.LastModified, fmt.Sprintf("%s deleted latest %v", *d.Key, *d.IsLatest)})
	}
	for _, p := range out.CommonPrefixes {
		lines = append(lines, line{key: *p.Prefix, text: *p.Prefix})
	}
	slices.SortFunc(lines, func(a, b line) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return b.time.Compare(a.time)
	})
	for _, l := range lines {
		all = append(all, l.text)
	}
	return all
}

// TestVersionModel writes and deletes at random, and compares listings of versions, at every size of pages, and reads
// with what one bucket would have in which old objects are what was there before it had versions.
func TestVersionModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := overVersions(t)
		keys := rapid.SampledFrom([]string{"a", "a/b", "a/c/d", "b/c", "b/d", "z"})
		old := map[string]bool{}       // shown by the old place
		newer := map[string][]string{} // the newest first: "" is a delete marker
		for _, key := range rapid.SliceOfDistinct(keys, rapid.ID).Draw(rt, "old") {
			put(t, p.past, key, "old "+key)
			old[key] = true
		}
		for i, key := range rapid.SliceOfN(keys, 0, 10).Draw(rt, "changes") {
			if rapid.Bool().Draw(rt, "delete") {
				if err := tryDelete(t, p.Backend, key, ""); err != nil {
					rt.Fatal(err)
				}
				newer[key] = append([]string{""}, newer[key]...)
				delete(old, key)
				continue
			}
			body := fmt.Sprint("new ", i)
			put(t, p.Backend, key, body)
			newer[key] = append([]string{body}, newer[key]...)
		}
		var flat, split []string
		for _, key := range []string{"a", "a/b", "a/c/d", "b/c", "b/d", "z"} {
			var lines []string
			for i, body := range newer[key] {
				if body == "" {
					lines = append(lines, fmt.Sprintf("%s deleted latest %v", key, i == 0))
				} else {
					lines = append(lines, fmt.Sprintf("%s null false latest %v", key, i == 0))
				}
			}
			want := string(s3err.NoSuchKey)
			switch {
			case len(newer[key]) > 0 && newer[key][0] != "":
				want = newer[key][0]
			case old[key]:
				want = "old " + key
			}
			if old[key] && len(lines) == 0 {
				lines = append(lines, key+" null true latest true")
			}
			if got := read(t, p.Backend, key); got != want {
				rt.Fatalf("%s holds %q, want %q", key, got, want)
			}
			flat = append(flat, lines...)
			switch {
			case len(key) == 1:
				split = append(split, lines...)
			case len(lines) > 0 && !slices.Contains(split, key[:2]):
				split = append(split, key[:2])
			}
		}
		for size := 1; size <= len(flat)+1; size++ {
			if got := versionPages(t, p.Backend, s3.ListObjectVersionsInput{}, size); !slices.Equal(got, flat) {
				rt.Fatalf("by %d: %q, want %q", size, got, flat)
			}
			if got := versionPages(t, p.Backend, s3.ListObjectVersionsInput{Delimiter: new("/")}, size); !slices.Equal(got, split) {
				rt.Fatalf("by %d with a delimiter: %q, want %q", size, got, split)
			}
		}
	})
}

// readVersion returns the body of a version, or the code of the error.
func readVersion(t testing.TB, b backends.Backend, key, id string) string {
	t.Helper()
	head, headErr := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: &key, VersionId: &id})
	if headErr != nil {
		return string(s3err.From(headErr).Code)
	}
	if aws.ToString(head.VersionId) != id {
		t.Errorf("%s: HEAD of %s answers %s", key, id, aws.ToString(head.VersionId))
	}
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: &key, VersionId: &id})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if aws.ToString(out.VersionId) != id {
		t.Errorf("%s: GET of %s answers %s", key, id, aws.ToString(out.VersionId))
	}
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestVersions reads, copies, tags and deletes versions of both places.
func TestVersions(t *testing.T) {
	t.Parallel()
	p := overVersions(t)
	for _, key := range []string{"k", "o", "d", "x"} {
		put(t, p.past, key, "old "+key)
	}
	f := func(key, id, want string) {
		t.Helper()
		if got := readVersion(t, p.Backend, key, id); got != want {
			t.Errorf("version %s of %s is %q, want %q", id, key, got, want)
		}
	}
	f("o", "null", "old o")
	head, err := p.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: new("o")})
	if err != nil || aws.ToString(head.VersionId) != "null" {
		t.Errorf("an old object: %+v, %v", head, err)
	}
	f("none", "null", "NoSuchVersion")
	f("o", "odd", "InvalidArgument")

	put(t, p.Backend, "k", "new k")
	newest, err := p.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: new("k")})
	if err != nil {
		t.Fatal(err)
	}
	id := *newest.VersionId
	f("k", id, "new k")
	f("k", "null", "NoSuchVersion") // Listings do not show it either.
	f("o", id, "NoSuchVersion")

	copied := func(src backends.CopySource, body, id string) {
		t.Helper()
		out, err := p.CopyObject(t.Context(), src, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("copy")})
		if err != nil || aws.ToString(out.CopySourceVersionId) != id || read(t, p.Backend, "copy") != body {
			t.Errorf("copied %v: %+v, %v; want %s of version %s", src, out, err, body, id)
		}
	}
	copied(backends.CopySource{Key: "k", VersionID: id}, "new k", id)
	copied(backends.CopySource{Key: "o"}, "old o", "null")
	copied(backends.CopySource{Key: "o", VersionID: "null"}, "old o", "null")

	out, err := p.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: new("virtual"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: new("d")}, {Key: new("k"), VersionId: &id}, {Key: new("x"), VersionId: new("null")},
	}}})
	if err != nil || len(out.Deleted) != 3 {
		t.Fatalf("%+v, %v", out, err)
	}
	marker := out.Deleted[0]
	if !aws.ToBool(marker.DeleteMarker) || marker.DeleteMarkerVersionId == nil {
		t.Fatalf("an old object was deleted: %+v", marker)
	}
	f("d", *marker.DeleteMarkerVersionId, "MethodNotAllowed")
	f("d", "null", "NoSuchVersion")
	f("x", "null", "NoSuchVersion")
	if read(t, p.Backend, "x") != "NoSuchKey" {
		t.Error("the null version was deleted, and is there")
	}
	f("k", "null", "old k") // The new place has no version of it any more.
	again, err := p.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: new("virtual"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: new("d"), VersionId: marker.DeleteMarkerVersionId},
	}}})
	if err != nil || len(again.Deleted) != 1 || !aws.ToBool(again.Deleted[0].DeleteMarker) {
		t.Fatalf("a delete marker was deleted: %+v, %v", again, err)
	}
	if read(t, p.Backend, "d") != "NoSuchKey" {
		t.Error("without its delete marker, an old object that was deleted is back")
	}
	_, err = p.CopyObject(t.Context(), backends.CopySource{Key: "d", VersionID: *marker.DeleteMarkerVersionId}, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("copy")})
	if !s3err.Is(err, s3err.NoSuchVersion) {
		t.Errorf("copied what is not there: %v", err)
	}
}

// TestTags tags objects of both places.
func TestTags(t *testing.T) {
	t.Parallel()
	p := overVersions(t)
	put(t, p.past, "o", "old")
	put(t, p.Backend, "n", "new")
	tagger, ok := backends.As[backends.Tagger](p.Backend)
	if !ok {
		t.Fatal("no tags")
	}
	f := func(key string, put, get, remove s3err.Code) {
		t.Helper()
		is := func(op string, err error, code s3err.Code) {
			t.Helper()
			if code == "" && err != nil || code != "" && !s3err.Is(err, code) {
				t.Errorf("%s: %s: %v, want %q", key, op, err, code)
			}
		}
		_, err := tagger.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
			Bucket: new("virtual"), Key: &key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: new("a"), Value: new("b")}}},
		})
		is("put", err, put)
		out, err := tagger.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: new("virtual"), Key: &key})
		is("get", err, get)
		if tagged := err == nil && len(out.TagSet) > 0; tagged != (put == "") {
			t.Errorf("%s has tags: %v", key, tagged)
		}
		_, err = tagger.DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Bucket: new("virtual"), Key: &key})
		is("delete", err, remove)
	}
	f("n", "", "", "")
	f("o", s3err.NotImplemented, "", "")
	f("none", s3err.NoSuchKey, s3err.NoSuchKey, s3err.NoSuchKey)
}

// TestLocks locks objects of both places.
func TestLocks(t *testing.T) {
	t.Parallel()
	p := overVersions(t)
	put(t, p.past, "o", "old")
	put(t, p.Backend, "n", "new")
	locker, ok := backends.As[backends.Locker](p.Backend)
	if !ok {
		t.Fatal("no locks")
	}
	f := func(key string, put, get s3err.Code) {
		t.Helper()
		is := func(op string, err error, code s3err.Code) {
			t.Helper()
			if code == "" && err != nil || code != "" && !s3err.Is(err, code) {
				t.Errorf("%s: %s: %v, want %q", key, op, err, code)
			}
		}
		_, err := locker.PutObjectRetention(t.Context(), &s3.PutObjectRetentionInput{
			Bucket: new("virtual"), Key: &key, Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeGovernance, RetainUntilDate: new(time.Now().Add(time.Hour))},
		})
		is("PutObjectRetention", err, put)
		_, err = locker.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Bucket: new("virtual"), Key: &key})
		is("GetObjectRetention", err, get)
		_, err = locker.PutObjectLegalHold(t.Context(), &s3.PutObjectLegalHoldInput{
			Bucket: new("virtual"), Key: &key, LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOn},
		})
		is("PutObjectLegalHold", err, put)
		_, err = locker.GetObjectLegalHold(t.Context(), &s3.GetObjectLegalHoldInput{Bucket: new("virtual"), Key: &key})
		is("GetObjectLegalHold", err, get)
	}
	f("n", "", "")
	f("o", s3err.NotImplemented, s3err.NoSuchObjectLockConfiguration)
	f("none", s3err.NoSuchKey, s3err.NoSuchKey)
}

// TestHiddenFirst holds that a deletion that goes no further than the old place adds no delete marker, and that one
// that has added a marker has hidden the old object.
func TestHiddenFirst(t *testing.T) {
	t.Parallel()
	p := overVersions(t)
	put(t, p.past, "k", "old")
	p.tombstones.fail.Store(true)
	if err := tryDelete(t, p.Backend, "k", ""); err == nil {
		t.Error("deleted without a tombstone")
	}
	p.tombstones.fail.Store(false)
	if got := versionPages(t, p.Backend, s3.ListObjectVersionsInput{}, 10); !slices.Equal(got, []string{"k null true latest true"}) {
		t.Errorf("after a deletion that failed: %q", got)
	}
	if err := tryDelete(t, p.Backend, "k", ""); err != nil || read(t, p.Backend, "k") != "NoSuchKey" {
		t.Errorf("deleted: %v", err)
	}
	if got := versionPages(t, p.Backend, s3.ListObjectVersionsInput{}, 10); !slices.Equal(got, []string{"k deleted latest true"}) {
		t.Errorf("after a deletion: %q", got)
	}
	p.old.SetPlan(faultbackend.On("HeadObject", faultbackend.Fault{Err: s3err.New(s3err.SlowDown)}))
	if err := tryDelete(t, p.Backend, "other", ""); err == nil {
		t.Error("deleted what the old place may have")
	}
}
