package fanout_test

import (
	"errors"
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
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/fanout"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// versionedMount is a part of a store that keeps versions, with the mount on top that seals its UploadIds.
func versionedMount(t testing.TB, store backends.Backend, id int) backends.Backend {
	t.Helper()
	sealer, err := token.New(slices.Repeat([]byte{7}, 64))
	if err != nil {
		t.Fatal(err)
	}
	place := func(prefix string) backends.Backend {
		return mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: fmt.Sprintf("%s%d/", prefix, id)})
	}
	b := versioned.New(versioned.Options{
		Heads: place("h"), Bodies: place("v"), Index: memindex.New(), BucketID: "id/content",
		DataType: "content", Versioning: router.Enabled, Complete: true,
	})
	return mount.New(mount.Options{Backend: b, BucketID: "id", MountID: fmt.Sprint(id), Sealer: sealer})
}

// TestVersionedContract runs the suite over mounts with versions, and over mounts with and without.
func TestVersionedContract(t *testing.T) {
	t.Parallel()
	f := func(name string, plain bool, skip map[string]string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
				store := memory(t)
				o := fanout.Options{Select: func(key string) (int, error) { return byHash(key, 3) }}
				for i := range 3 {
					m := fanout.Mount{Backend: versionedMount(t, store, i)}
					if plain && i == 1 {
						m.Backend = mountOf(t, store, i)
					}
					o.Mounts = append(o.Mounts, m)
				}
				return fanout.New(o), "virtual"
			}, backendtest.Options{OneBucket: true, MaxKeyBytes: 1024 - len("h0/"), Skip: skip})
		})
	}
	f("all with versions", false, nil)
	const noLocks = "what is in the mount without versions cannot be locked"
	f("one without", true, map[string]string{
		"lock/changes": noLocks, "lock/customerkey": noLocks, "lock/deleteobjects": noLocks, "lock/retention": noLocks, "lock/written": noLocks,
		"model": "where the copy goes, its condition is judged before a source without versions is found to be missing",
	})
}

// byWord gives keys to the records, the versions or, with what is neither, the content of a bucket.
func byWord(key string) (int, error) {
	switch {
	case strings.HasSuffix(key, ".json"):
		return 0, nil
	case strings.HasPrefix(key, "versions/"):
		return 1, nil
	case strings.HasPrefix(key, "none"):
		return 0, errors.New("no mount takes it")
	}
	return 2, nil
}

// typed is a bucket with versions of records and content and, as it is, the place of versions.
type typed struct {
	backends.Backend
	records, versions, content backends.Backend
}

// Unwrap returns the bucket, for [backends.As].
func (b *typed) Unwrap() backends.Backend { return b.Backend }

// newTyped returns a bucket.
func newTyped(t testing.TB) *typed {
	store := memory(t)
	b := &typed{records: versionedMount(t, store, 0), versions: mountOf(t, store, 1), content: versionedMount(t, store, 2)}
	mixed := func(prefix string) bool { return !strings.HasPrefix(prefix, "versions/") }
	o := fanout.Options{Select: byWord}
	for _, m := range []backends.Backend{b.records, b.versions, b.content} {
		o.Mounts = append(o.Mounts, fanout.Mount{Backend: m, Mixed: mixed})
	}
	b.Backend = fanout.New(o)
	return b
}

// remove deletes an object, or a version of it.
func remove(t testing.TB, b backends.Backend, key string, versionID *string) *s3.DeleteObjectOutput {
	t.Helper()
	out, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("virtual"), Key: &key, VersionId: versionID})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// versionPages are the pages of a listing of versions.
func versionPages(t testing.TB, b backends.Backend, in s3.ListObjectVersionsInput) (pages [][]string) {
	t.Helper()
	v, ok := backends.As[backends.Versioned](b)
	if !ok {
		t.Fatalf("%T keeps no versions", b)
	}
	for range 200 {
		out, err := v.ListObjectVersions(t.Context(), &in)
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

// shownVersions is a page in its order, without ids.
func shownVersions(out *s3.ListObjectVersionsOutput) []string {
	type line struct {
		key  string
		time time.Time
		text string
	}
	var lines []line
	for _, v := range out.Versions {
		lines = append(lines, line{*v.Key, *v.LastModified, fmt.Sprintf("%q of %d bytes, latest %v", *v.Key, *v.Size, *v.IsLatest)})
	}
	for _, d := range out.DeleteMarkers {
		lines = append(lines, line{*d.Key, *d.LastModified, fmt.Sprintf("%q deleted, latest %v", *d.Key, *d.IsLatest)})
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

// TestVersionListing compares listings, at every size of pages, with those of one bucket to which the same was done.
func TestVersionListing(t *testing.T) {
	t.Parallel()
	keys := rapid.SampledFrom([]string{"a", "a.json", "a/b", "a/b.json", "a/c/d", "b/x.json", "b/y", "c/z.json", "versions/a/v1", "versions/b", "z"})
	rapid.Check(t, func(rt *rapid.T) {
		b, model := newTyped(t), versionedMount(t, memory(t), 0)
		for i, key := range rapid.SliceOfN(keys, 0, 15).Draw(rt, "changes") {
			if strings.HasPrefix(key, "versions/") { // has no versions: the last is all there is
				remove(t, b, key, nil)
				for _, id := range ids(t, model, key) {
					remove(t, model, key, &id)
				}
			}
			if !strings.HasPrefix(key, "versions/") && rapid.IntRange(0, 2).Draw(rt, "delete") == 0 {
				remove(t, b, key, nil)
				remove(t, model, key, nil)
			} else {
				put(t, b, "virtual", key, strings.Repeat("x", i))
				put(t, model, "virtual", key, strings.Repeat("x", i))
			}
		}
		for _, key := range []string{"a/foreign.json", "f/foreign.json", "b/y.json"} {
			put(t, b.content, "virtual", key, "not the content's")
			remove(t, b.content, key, nil)
		}
		put(t, b.records, "virtual", "g/foreign", "not a record")
		in := s3.ListObjectVersionsInput{
			Bucket: new("virtual"), Prefix: new(rapid.SampledFrom([]string{"", "", "a", "a/", "b/", "v"}).Draw(rt, "prefix")),
			Delimiter: new(rapid.SampledFrom([]string{"", "/", "/", "a", ".j"}).Draw(rt, "delimiter")),
			KeyMarker: new(rapid.OneOf(keys, rapid.Just(""), rapid.Just("a/")).Draw(rt, "marker")),
		}
		for size := int32(0); size <= 8; size++ {
			in.MaxKeys = aws.Int32(size)
			got, want := versionPages(t, b, in), versionPages(t, model, in)
			if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
				rt.Fatalf("prefix %q delimiter %q marker %q by %d: %q, want %q", *in.Prefix, *in.Delimiter, *in.KeyMarker, size, got, want)
			}
		}
	})
}

// ids are the ids of the versions of a key.
func ids(t testing.TB, b backends.Backend, key string) (all []string) {
	t.Helper()
	v, _ := backends.As[backends.Versioned](b)
	out, err := v.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: new("virtual"), Prefix: &key})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out.Versions {
		if *o.Key == key {
			all = append(all, *o.VersionId)
		}
	}
	return all
}

// TestVersions reads, copies, tags and deletes versions, and objects that are their own.
func TestVersions(t *testing.T) {
	t.Parallel()
	b := newTyped(t)
	put(t, b, "virtual", "k.json", "first")
	first := ids(t, b, "k.json")[0]
	put(t, b, "virtual", "k.json", "second")
	put(t, b, "virtual", "versions/k", "plain")

	f := func(key string, id *string, want string, wantID string) {
		t.Helper()
		out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: &key, VersionId: id})
		head, headErr := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: &key, VersionId: id})
		if err != nil || headErr != nil {
			if got := string(s3err.From(err).Code); got != want || s3err.From(headErr).Code != s3err.From(err).Code {
				t.Errorf("%s: %v and %v, want %s", key, err, headErr, want)
			}
			return
		}
		defer out.Body.Close()
		if int(*out.ContentLength) != len(want) || aws.ToString(out.VersionId) != wantID || aws.ToString(head.VersionId) != wantID {
			t.Errorf("%s: version %s and %s, want %s", key, aws.ToString(out.VersionId), aws.ToString(head.VersionId), wantID)
		}
	}
	f("k.json", &first, "first", first)
	f("versions/k", nil, "plain", "null")
	f("versions/k", new("null"), "plain", "null")
	f("versions/k", &first, "NoSuchVersion", "")
	f("versions/none", new("null"), "NoSuchKey", "")
	f("none", &first, "NoSuchKey", "")

	copied := func(src backends.CopySource, body, id string) {
		t.Helper()
		out, err := b.CopyObject(t.Context(), src, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("copy")})
		if err != nil || aws.ToString(out.CopySourceVersionId) != id || read(t, b, "copy") != body {
			t.Errorf("copied %v: %+v, %v; want %s of version %s", src, out, err, body, id)
		}
	}
	copied(backends.CopySource{Key: "k.json", VersionID: first}, "first", first)
	copied(backends.CopySource{Key: "versions/k"}, "plain", "null")
	copied(backends.CopySource{Key: "versions/k", VersionID: "null"}, "plain", "null")
	_, err := b.CopyObject(t.Context(), backends.CopySource{Key: "versions/k", VersionID: first}, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("copy")})
	if !s3err.Is(err, s3err.NoSuchVersion) {
		t.Errorf("copied a version of what has none: %v", err)
	}

	if out := remove(t, b, "versions/k", &first); aws.ToString(out.VersionId) != first || read(t, b, "versions/k") != "plain" {
		t.Errorf("deleting a version that is not there: %+v", out)
	}
	marker := remove(t, b, "k.json", nil)
	out, err := b.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: new("virtual"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: new("k.json"), VersionId: marker.VersionId}, {Key: new("versions/k"), VersionId: &first}, {Key: new("k.json"), VersionId: &first}, {Key: new("copy")},
	}}})
	if err != nil || len(out.Deleted) != 4 {
		t.Fatalf("%+v, %v", out, err)
	}
	if d := out.Deleted[0]; !aws.ToBool(d.DeleteMarker) || aws.ToString(d.DeleteMarkerVersionId) != *marker.VersionId {
		t.Errorf("a delete marker was deleted: %+v", d)
	}
	if d := out.Deleted[3]; !aws.ToBool(d.DeleteMarker) || d.DeleteMarkerVersionId == nil || d.VersionId != nil {
		t.Errorf("an object was deleted: %+v", d)
	}
	f("k.json", nil, "second", ids(t, b, "k.json")[0])
	f("k.json", &first, "NoSuchVersion", "")
	f("versions/k", nil, "plain", "null")
	if out := remove(t, b, "versions/k", new("null")); aws.ToString(out.VersionId) != "null" {
		t.Errorf("deleted: %+v", out)
	}
	f("versions/k", nil, "NoSuchKey", "")
}

// TestUntagged holds that an object of a mount without tags has none, and gets none.
func TestUntagged(t *testing.T) {
	t.Parallel()
	store := memory(t)
	b := fanout.New(fanout.Options{
		Mounts: []fanout.Mount{{Backend: mountOf(t, store, 0)}, {Backend: struct{ backends.Backend }{mountOf(t, store, 1)}}, {Backend: mountOf(t, store, 2)}},
		Select: byWord,
	})
	put(t, b, "virtual", "versions/k", "")
	tagger, ok := backends.As[backends.Tagger](b)
	if !ok {
		t.Fatal("no tags")
	}
	_, err := tagger.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
		Bucket: new("virtual"), Key: new("versions/k"), Tagging: backends.TagSet([]backends.Tag{{Key: "a", Value: "b"}}),
	})
	if !s3err.Is(err, s3err.NotImplemented) {
		t.Errorf("tagged what has no tags: %v", err)
	}
	out, err := tagger.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: new("virtual"), Key: new("versions/k")})
	if err != nil || len(out.TagSet) > 0 {
		t.Errorf("it has tags: %+v, %v", out, err)
	}
}

// TestLocks locks objects of mounts with and without locks: nothing is taken for locked that is not.
func TestLocks(t *testing.T) {
	t.Parallel()
	b := newTyped(t)
	locker, ok := backends.As[backends.Locker](b)
	if !ok {
		t.Fatal("no locks")
	}
	f := func(key string, set, get s3err.Code) {
		t.Helper()
		is := func(op string, err error, code s3err.Code) {
			t.Helper()
			if code == "" && err != nil || code != "" && !s3err.Is(err, code) {
				t.Errorf("%s: %s: %v, want %q", key, op, err, code)
			}
		}
		const on = types.ObjectLockLegalHoldStatusOn
		_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: new("virtual"), Key: &key, Body: strings.NewReader(""), ContentLength: new(int64(0)), ObjectLockLegalHoldStatus: on,
		})
		is("PutObject", err, set)
		_, err = b.CopyObject(t.Context(), backends.CopySource{Key: "source.json"}, &s3.CopyObjectInput{Bucket: new("virtual"), Key: &key, ObjectLockLegalHoldStatus: on})
		is("CopyObject", err, set)
		m, _ := backends.As[backends.MultipartUploader](b)
		_, err = m.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: new("virtual"), Key: &key, ObjectLockLegalHoldStatus: on})
		is("CreateMultipartUpload", err, set)
		put(t, b, "virtual", key, "")
		_, err = locker.PutObjectLegalHold(t.Context(), &s3.PutObjectLegalHoldInput{
			Bucket: new("virtual"), Key: &key, LegalHold: &types.ObjectLockLegalHold{Status: on},
		})
		is("PutObjectLegalHold", err, set)
		_, err = locker.GetObjectLegalHold(t.Context(), &s3.GetObjectLegalHoldInput{Bucket: new("virtual"), Key: &key})
		is("GetObjectLegalHold", err, get)
		_, err = locker.PutObjectRetention(t.Context(), &s3.PutObjectRetentionInput{
			Bucket: new("virtual"), Key: &key, Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeGovernance, RetainUntilDate: new(time.Now().Add(time.Hour))},
		})
		is("PutObjectRetention", err, set)
		_, err = locker.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Bucket: new("virtual"), Key: &key})
		is("GetObjectRetention", err, get)
		_, err = locker.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Bucket: new("virtual"), Key: new(key + ".none.json")})
		is("GetObjectRetention of nothing", err, s3err.NoSuchKey)
	}
	put(t, b, "virtual", "source.json", "")
	f("k.json", "", "")
	f("versions/k", s3err.NotImplemented, s3err.NoSuchObjectLockConfiguration)
	_, err := locker.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Bucket: new("virtual"), Key: new("versions/k"), VersionId: new("other")})
	if !s3err.Is(err, s3err.NoSuchVersion) {
		t.Errorf("asked for a version that there is not: %v", err)
	}
}

// TestTags tags objects of mounts with and without versions.
func TestTags(t *testing.T) {
	t.Parallel()
	b := newTyped(t)
	put(t, b, "virtual", "k.json", "")
	put(t, b, "virtual", "versions/k", "")
	tagger, ok := backends.As[backends.Tagger](b)
	if !ok {
		t.Fatal("no tags")
	}
	tag := func(key string) error {
		_, err := tagger.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
			Bucket: new("virtual"), Key: &key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: new("a"), Value: new("b")}}},
		})
		return err
	}
	if err := tag("k.json"); err != nil {
		t.Error(err)
	}
	if err := tag("versions/k"); err != nil {
		t.Error(err)
	}
	f := func(key string, id *string, want int, code s3err.Code) {
		t.Helper()
		out, err := tagger.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: new("virtual"), Key: &key, VersionId: id})
		if code != "" {
			if !s3err.Is(err, code) {
				t.Errorf("%s: %v, want %s", key, err, code)
			}
			return
		}
		if err != nil || len(out.TagSet) != want || out.VersionId == nil {
			t.Errorf("%s: %+v, %v; want %d tags", key, out, err, want)
		}
	}
	f("k.json", nil, 1, "")
	f("versions/k", nil, 1, "")
	f("versions/k", new("null"), 1, "")
	f("versions/k", new("other"), 0, s3err.NoSuchVersion)
	f("versions/none", nil, 0, s3err.NoSuchKey)
	if _, err := tagger.DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Bucket: new("virtual"), Key: new("k.json")}); err != nil {
		t.Error(err)
	}
	f("k.json", nil, 0, "")
}

// TestNoVersions holds that a bucket of mounts without versions has none.
func TestNoVersions(t *testing.T) {
	t.Parallel()
	b := over(t, byHash, memory(t), memory(t))
	if _, ok := backends.As[backends.Versioned](b); ok {
		t.Error("it has versions")
	}
	put(t, b, "virtual", "k", "")
	out, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: new("k")})
	if err != nil || out.VersionId != nil {
		t.Errorf("an object without versions: %+v, %v", out, err)
	}
}
