package versioned_test

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

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// history lists the versions of a key and reads each of them: the newest first, a delete marker as "-", null
// versions in parentheses, and the current one with a star. It looks at the current object, too.
func (b *bucketOf) history(key string) string {
	b.Helper()
	lister, _ := backends.As[backends.Versioned](b.Backend)
	out, err := lister.ListObjectVersions(b.Context(), &s3.ListObjectVersionsInput{Prefix: &key})
	if err != nil {
		b.Fatal(err)
	}
	type line struct {
		time time.Time
		text string
	}
	var lines []line
	add := func(k, id *string, at *time.Time, latest *bool, text string) {
		if *k != key {
			return
		}
		if *id == "null" {
			text = "(" + text + ")"
		}
		if *latest {
			text += "*"
		}
		lines = append(lines, line{*at, text})
	}
	for _, v := range out.Versions {
		if *v.Key != key {
			continue
		}
		body, err := b.get(key, *v.VersionId)
		if err != nil || int64(len(body)) != *v.Size {
			b.Errorf("%q %s of %d bytes reads %q, %v", key, *v.VersionId, *v.Size, body, err)
		}
		add(v.Key, v.VersionId, v.LastModified, v.IsLatest, body)
		if *v.IsLatest {
			if now, err := b.get(key, ""); err != nil || now != body {
				b.Errorf("%q reads %q, %v; its latest version is %q", key, now, err, body)
			}
		}
	}
	for _, m := range out.DeleteMarkers {
		add(m.Key, m.VersionId, m.LastModified, m.IsLatest, "-")
	}
	slices.SortFunc(lines, func(x, y line) int { return y.time.Compare(x.time) })
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.text
	}
	return strings.Join(texts, " ")
}

// wantHistory compares a history.
func (b *bucketOf) wantHistory(key, want string) {
	b.Helper()
	if got := b.history(key); got != want {
		b.Errorf("%q has the versions %q, want %q", key, got, want)
	}
}

// wantError holds that err has a code and, when those are given, headers.
func (b *bucketOf) wantError(err error, code s3err.Code, headers ...string) {
	b.Helper()
	var e *s3err.Error
	if !errors.As(err, &e) || e.Code != code {
		b.Errorf("got %v, want %s", err, code)
		return
	}
	for i := 0; i < len(headers); i += 2 {
		found := slices.ContainsFunc(e.Headers, func(h s3err.Detail) bool {
			return strings.EqualFold(h.Name, headers[i]) && h.Value == headers[i+1]
		})
		if !found {
			b.Errorf("%s has the headers %v, want %s: %s", code, e.Headers, headers[i], headers[i+1])
		}
	}
}

// stored are the keys of the physical bucket that begin with a prefix.
func (b *bucketOf) stored(prefix string) []string {
	b.Helper()
	keys := []string{}
	in := &s3.ListObjectsV2Input{Bucket: new("physical"), Prefix: &prefix}
	for {
		out, err := b.store.ListObjectsV2(b.Context(), in)
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range out.Contents {
			keys = append(keys, strings.TrimPrefix(*o.Key, prefix))
			in.StartAfter = o.Key
		}
		if !*out.IsTruncated {
			return keys
		}
	}
}

// wantStored compares them.
func (b *bucketOf) wantStored(prefix string, want ...string) {
	b.Helper()
	if got := b.stored(prefix); !slices.Equal(got, want) {
		b.Errorf("below %q are %q, want %q", prefix, got, want)
	}
}

// putPlain writes to the store itself, as whoever was there before versions.
func (b *bucketOf) putPlain(key, body string) {
	b.Helper()
	_, err := b.store.PutObject(b.Context(), &s3.PutObjectInput{
		Bucket: new("physical"), Key: new(headPrefix + key), Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
		ContentType: new("text/plain"), Metadata: map[string]string{"says": body},
	})
	if err != nil {
		b.Fatal(err)
	}
}

// before returns a bucket over a place in use.
func before(o *versioned.Options) { o.Complete = false }

func TestEnabled(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	one, two := b.put("k", "one"), b.put("k", "two")
	if one == two || one == "null" || two == "null" || one == "" {
		t.Errorf("the versions %q and %q", one, two)
	}
	b.wantHistory("k", "two* one")
	out, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Key: new("k")})
	if err != nil || aws.ToString(out.VersionId) != two {
		t.Errorf("the current version is %v, %v", out, err)
	}
	_, err = b.get("k", "null")
	b.wantError(err, s3err.NoSuchVersion)
	_, err = b.get("never", one)
	b.wantError(err, s3err.NoSuchVersion)
	_, err = b.get("k", "nonsense")
	b.wantError(err, s3err.InvalidArgument)
	_, err = b.get("never", "")
	b.wantError(err, s3err.NoSuchKey)
}

func TestDeleteMarker(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	b.put("k", "one")
	gone := b.remove("k", "")
	marker := aws.ToString(gone.VersionId)
	if !aws.ToBool(gone.DeleteMarker) || marker == "" || marker == "null" {
		t.Errorf("deleted with %v, %q", aws.ToBool(gone.DeleteMarker), marker)
	}
	_, err := b.get("k", "")
	b.wantError(err, s3err.NoSuchKey, "x-amz-delete-marker", "true", "x-amz-version-id", marker)
	_, err = b.get("k", marker)
	b.wantError(err, s3err.MethodNotAllowed, "x-amz-delete-marker", "true", "x-amz-version-id", marker, "Allow", "DELETE")
	_, err = b.HeadObject(t.Context(), &s3.HeadObjectInput{Key: new("k")})
	b.wantError(err, s3err.NoSuchKey, "x-amz-delete-marker", "true", "x-amz-version-id", marker)
	b.wantHistory("k", "-* one")
	b.wantStored(headPrefix)
	list, err := b.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{})
	if err != nil || len(list.Contents) != 0 {
		t.Errorf("a deleted object is listed: %v, %v", list, err)
	}
	if again := b.remove("k", ""); aws.ToString(again.VersionId) == marker {
		t.Errorf("a second marker is %q again", marker)
	}
	b.wantHistory("k", "-* - one")
	b.remove("k", aws.ToString(b.remove("k", "").VersionId))
	b.wantHistory("k", "-* - one")

	// An object comes back when its marker goes.
	b.put("u", "one")
	marker = aws.ToString(b.remove("u", "").VersionId)
	if out := b.remove("u", marker); !aws.ToBool(out.DeleteMarker) || aws.ToString(out.VersionId) != marker {
		t.Errorf("the marker was removed with %v, %q", aws.ToBool(out.DeleteMarker), aws.ToString(out.VersionId))
	}
	b.wantHistory("u", "one*")
	b.wantStored(headPrefix, "u")

	// Nothing is there, and a marker is written all the same.
	marker = aws.ToString(b.remove("never", "").VersionId)
	b.wantHistory("never", "-*")
	b.remove("never", marker)
	b.wantHistory("never", "")
	_, err = b.get("never", "")
	b.wantError(err, s3err.NoSuchKey)
}

func TestRemoveVersion(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	one, two, three := b.put("k", "one"), b.put("k", "two"), b.put("k", "three")
	if out := b.remove("k", two); out.DeleteMarker != nil || aws.ToString(out.VersionId) != two {
		t.Errorf("removed with %v, %q", out.DeleteMarker, aws.ToString(out.VersionId))
	}
	b.wantHistory("k", "three* one")
	b.wantStored(bodyPrefix, ".content/k/v0", ".content/k/v2")
	_, err := b.get("k", two)
	b.wantError(err, s3err.NoSuchVersion)
	b.remove("k", two) // That it is not there is no error.
	b.remove("other", two)
	b.wantHistory("k", "three* one")
	b.remove("k", three)
	b.wantHistory("k", "one*")
	b.wantStored(bodyPrefix, ".content/k/v0")
	b.remove("k", one)
	b.wantHistory("k", "")
	b.wantStored("")
	b.put("k", "four")
	b.wantStored(bodyPrefix, ".content/k/v3")
	_, err = b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: new("k"), VersionId: new("nonsense")})
	b.wantError(err, s3err.InvalidArgument)
}

func TestSuspended(t *testing.T) {
	t.Parallel()
	enabled := open(t, nil)
	suspended := enabled.as(router.Suspended)
	f := func(b *bucketOf, do, want string, bodies ...string) {
		t.Helper()
		if do == "-" {
			b.remove("k", "")
		} else if id := b.put("k", do); (id == "null") != (b == suspended) {
			t.Errorf("%q is version %s", do, id)
		}
		b.wantHistory("k", want)
		b.wantStored(bodyPrefix+".content/k/", bodies...)
	}
	f(enabled, "one", "one*", "v0")
	f(suspended, "two", "(two)* one", "v0", "v1")
	f(suspended, "three", "(three)* one", "v0", "v2")
	f(enabled, "four", "four* (three) one", "v0", "v2", "v3")
	f(suspended, "five", "(five)* four one", "v0", "v3", "v4")
	f(enabled, "six", "six* (five) four one", "v0", "v3", "v4", "v5")
	f(suspended, "-", "(-)* six four one", "d7", "v0", "v3", "v5")
	f(suspended, "-", "(-)* six four one", "d8", "v0", "v3", "v5")
	_, err := enabled.get("k", "")
	enabled.wantError(err, s3err.NoSuchKey, "x-amz-delete-marker", "true", "x-amz-version-id", "null")
	_, err = enabled.get("k", "null")
	enabled.wantError(err, s3err.MethodNotAllowed, "x-amz-version-id", "null")
	f(suspended, "seven", "(seven)* six four one", "v0", "v3", "v5", "v6")
	suspended.remove("k", "null")
	enabled.wantHistory("k", "six* four one")
	enabled.wantStored(bodyPrefix+".content/k/", "v0", "v3", "v5")
	if out := suspended.remove("k", "null"); out.DeleteMarker != nil {
		t.Error("a marker was removed that is not there")
	}
	f(suspended, "-", "(-)* six four one", "d11", "v0", "v3", "v5")
	if out := enabled.remove("k", "null"); !aws.ToBool(out.DeleteMarker) || aws.ToString(out.VersionId) != "null" {
		t.Errorf("the null marker was removed with %v, %q", out.DeleteMarker, aws.ToString(out.VersionId))
	}
	enabled.wantHistory("k", "six* four one")
}

// TestBefore is about objects that were there before the bucket had versions.
func TestBefore(t *testing.T) {
	t.Parallel()
	b := open(t, before)
	b.putPlain("k", "old")
	b.wantHistory("k", "(old)*")
	b.wantStored(bodyPrefix)
	_, err := b.get("never", "")
	b.wantError(err, s3err.NoSuchKey)
	_, err = b.get("never", "null")
	b.wantError(err, s3err.NoSuchVersion)
	_, err = b.get("k", versionOf(b, "other"))
	b.wantError(err, s3err.NoSuchVersion)

	b.put("k", "new")
	b.wantHistory("k", "new* (old)")
	b.wantStored(bodyPrefix+".content/k/", "v0", "v1")
	b.remove("k", "")
	b.wantHistory("k", "-* new (old)")
	b.remove("k", "null")
	b.wantHistory("k", "-* new")
	b.wantStored(bodyPrefix+".content/k/", "d3", "v1")

	// Deleted first.
	b.putPlain("d", "old")
	marker := aws.ToString(b.remove("d", "").VersionId)
	b.wantHistory("d", "-* (old)")
	b.remove("d", marker)
	b.wantHistory("d", "(old)*")
	b.remove("d", "null")
	b.wantHistory("d", "")
	b.wantStored(headPrefix + "d")
	b.wantStored(bodyPrefix + ".content/d/")

	// Its only version removed.
	b.putPlain("r", "old")
	b.remove("r", "null")
	b.wantHistory("r", "")
	b.wantStored(headPrefix + "r")

	// Tagged: it is known then, and stays where it is until it is written over.
	b.putPlain("t", "old")
	b.tag("t", "", "red")
	b.wantHistory("t", "(old)*")
	b.wantStored(bodyPrefix + ".content/t/")
	b.put("t", "new")
	b.wantHistory("t", "new* (old)")
	if got := b.tags("t", "null"); got != "red" {
		t.Errorf("the old version has the tags %q", got)
	}

	// In a bucket that is suspended it is replaced.
	s := b.as(router.Suspended)
	s.putPlain("s", "old")
	s.put("s", "new")
	s.wantHistory("s", "(new)*")
	s.putPlain("s2", "old")
	s.remove("s2", "")
	s.wantHistory("s2", "(-)*")
	s.wantStored(headPrefix + "s2")
}

// versionOf puts an object and returns its version.
func versionOf(b *bucketOf, key string) string { return b.put(key, key) }

// TestBeforeListed compares listings of a place in use, page by page.
func TestBeforeListed(t *testing.T) {
	t.Parallel()
	b := open(t, before)
	for _, key := range []string{"a/1", "a/2", "b", "c/1", "d"} {
		b.putPlain(key, "old")
	}
	b.put("a/1", "new")
	b.put("b/", "new")
	b.remove("c/1", "")
	b.put("d", "new")
	f := func(delimiter, objects, all string) {
		t.Helper()
		for size := int32(1); size < 10; size++ {
			if got := b.listAll(delimiter, size); got != objects {
				t.Errorf("%q, %d a page: listed %s, want %s", delimiter, size, got, objects)
			}
			if got := b.listAllVersions(delimiter, size); got != all {
				t.Errorf("%q, %d a page: listed %s, want %s", delimiter, size, got, all)
			}
		}
	}
	f("", "a/1 a/2 b b/ d", "a/1* a/1(null) a/2(null)* b(null)* b/* c/1-* c/1(null) d* d(null)")
	f("/", "a/ b b/ d", "a/ b(null)* b/ c/ d* d(null)")
}

// listAll lists the keys and common prefixes of all pages.
func (b *bucketOf) listAll(delimiter string, size int32) string {
	b.Helper()
	in := &s3.ListObjectsV2Input{MaxKeys: &size, Delimiter: &delimiter}
	var all []string
	for {
		out, err := b.ListObjectsV2(b.Context(), in)
		if err != nil {
			b.Fatal(err)
		}
		var page []string
		for _, o := range out.Contents {
			page = append(page, *o.Key)
		}
		for _, p := range out.CommonPrefixes {
			page = append(page, *p.Prefix)
		}
		slices.Sort(page)
		all = append(all, page...)
		if !*out.IsTruncated {
			return strings.Join(all, " ")
		}
		in.StartAfter = &page[len(page)-1]
	}
}

// listAllVersions lists the versions and common prefixes of all pages.
func (b *bucketOf) listAllVersions(delimiter string, size int32) string {
	b.Helper()
	lister, _ := backends.As[backends.Versioned](b.Backend)
	in := &s3.ListObjectVersionsInput{MaxKeys: &size, Delimiter: &delimiter}
	var all []string
	for {
		out, err := lister.ListObjectVersions(b.Context(), in)
		if err != nil {
			b.Fatal(err)
		}
		page := versionLines(out)
		if len(page) > int(size) {
			b.Fatalf("%d on a page of %d", len(page), size)
		}
		all = append(all, page...)
		if !*out.IsTruncated {
			return strings.Join(all, " ")
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
}

// versionLines are the lines of a page in S3's order: keys with "-" for a marker, "(null)" and "*" for the latest.
func versionLines(out *s3.ListObjectVersionsOutput) []string {
	type line struct {
		key  string
		time time.Time
		text string
	}
	var lines []line
	add := func(key, id *string, at *time.Time, latest *bool, mark string) {
		text := *key + mark
		if *id == "null" {
			text += "(null)"
		}
		if *latest {
			text += "*"
		}
		lines = append(lines, line{*key, *at, text})
	}
	for _, v := range out.Versions {
		add(v.Key, v.VersionId, v.LastModified, v.IsLatest, "")
	}
	for _, m := range out.DeleteMarkers {
		add(m.Key, m.VersionId, m.LastModified, m.IsLatest, "-")
	}
	for _, p := range out.CommonPrefixes {
		lines = append(lines, line{key: *p.Prefix, text: *p.Prefix})
	}
	slices.SortFunc(lines, func(x, y line) int {
		if c := strings.Compare(x.key, y.key); c != 0 {
			return c
		}
		return y.time.Compare(x.time)
	})
	var texts []string
	for _, l := range lines {
		texts = append(texts, l.text)
	}
	return texts
}

// tag tags a version with one tag; with none when it is empty.
func (b *bucketOf) tag(key, version, tag string) {
	b.Helper()
	t, _ := backends.As[backends.Tagger](b.Backend)
	var err error
	if tag == "" {
		_, err = t.DeleteObjectTagging(b.Context(), &s3.DeleteObjectTaggingInput{Key: &key, VersionId: orNil(version)})
	} else {
		_, err = t.PutObjectTagging(b.Context(), &s3.PutObjectTaggingInput{
			Key: &key, VersionId: orNil(version), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: &tag, Value: new("")}}},
		})
	}
	if err != nil {
		b.Fatalf("tag %q %s: %v", key, version, err)
	}
}

// tags are those of a version.
func (b *bucketOf) tags(key, version string) string {
	b.Helper()
	t, _ := backends.As[backends.Tagger](b.Backend)
	out, err := t.GetObjectTagging(b.Context(), &s3.GetObjectTaggingInput{Key: &key, VersionId: orNil(version)})
	if err != nil {
		b.Fatalf("tags of %q %s: %v", key, version, err)
	}
	var tags []string
	for _, tag := range out.TagSet {
		tags = append(tags, *tag.Key)
	}
	return strings.Join(tags, " ")
}

// orNil is nil for an empty string.
func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func TestTags(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	one, two := b.put("k", "one"), b.put("k", "two")
	f := func(id, want string) {
		t.Helper()
		if got := b.tags("k", id); got != want {
			t.Errorf("%s has the tags %q, want %q", id, got, want)
		}
	}
	b.tag("k", one, "red")
	f(one, "red")
	f(two, "")
	b.tag("k", "", "blue")
	f("", "blue")
	f(two, "blue")
	out, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Key: new("k")})
	if err != nil || aws.ToInt32(out.TagCount) != 1 {
		t.Errorf("counted %d tags, %v", aws.ToInt32(out.TagCount), err)
	}
	b.tag("k", two, "")
	f("", "")
	f(one, "red")
	b.put("k", "three")
	f("", "")
	b.wantHistory("k", "three* two one")
	tagger, _ := backends.As[backends.Tagger](b.Backend)
	g := func(key, version string, code s3err.Code) {
		t.Helper()
		_, err := tagger.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Key: &key, VersionId: orNil(version)})
		b.wantError(err, code)
		_, err = tagger.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Key: &key, VersionId: orNil(version)})
		b.wantError(err, code)
		_, err = tagger.DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Key: &key, VersionId: orNil(version)})
		b.wantError(err, code)
	}
	g("never", "", s3err.NoSuchKey)
	g("never", one, s3err.NoSuchVersion)
	g("k", "null", s3err.NoSuchVersion)
	marker := aws.ToString(b.remove("k", "").VersionId)
	g("k", "", s3err.MethodNotAllowed)
	g("k", marker, s3err.MethodNotAllowed)

	old := open(t, before)
	tagger, _ = backends.As[backends.Tagger](old.Backend)
	g("never", "", s3err.NoSuchKey)
	g("never", "null", s3err.NoSuchVersion)
}

// TestConditions holds that a delete marker is no object to a condition.
func TestConditions(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	put := func(key string, match, noneMatch *string) error {
		_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
			Key: &key, Body: strings.NewReader(key), ContentLength: aws.Int64(int64(len(key))), IfMatch: match, IfNoneMatch: noneMatch,
			Metadata: map[string]string{"says": key},
		})
		return err
	}
	id := b.put("k", "one")
	b.wantError(put("k", nil, new("*")), s3err.PreconditionFailed)
	b.wantError(put("k", new(`"other"`), nil), s3err.PreconditionFailed)
	marker := aws.ToString(b.remove("k", "").VersionId)
	b.wantError(put("k", new("*"), nil), s3err.NoSuchKey)
	if err := put("k", nil, new("*")); err != nil {
		t.Errorf("a marker is in the way: %v", err)
	}
	b.wantHistory("k", "k* - one")
	b.wantStored(bodyPrefix+".content/k/", "d2", "v0", "v1") // and nothing of what was refused
	del := func(version string, match *string) error {
		_, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: new("k"), VersionId: orNil(version), IfMatch: match})
		return err
	}
	b.wantError(del("", new(`"other"`)), s3err.PreconditionFailed)
	b.wantError(del(id, new(`"other"`)), s3err.PreconditionFailed)
	b.wantError(del(marker, new("*")), s3err.NoSuchKey)
	if err := del("", new("*")); err != nil {
		t.Error(err)
	}
	b.wantError(del("", new("*")), s3err.NoSuchKey)
	b.wantHistory("k", "-* k - one")
}

// copyOf copies an object, or a version of it.
func (b *bucketOf) copyOf(from, version, to string, change func(*s3.CopyObjectInput)) (*s3.CopyObjectOutput, error) {
	b.Helper()
	in := &s3.CopyObjectInput{Key: &to}
	if change != nil {
		change(in)
	}
	return b.CopyObject(b.Context(), backends.CopySource{Key: from, VersionID: version}, in)
}

func TestCopy(t *testing.T) {
	t.Parallel()
	f := func(name string, b *bucketOf, first func(), one string) {
		t.Helper()
		first()
		b.put("k", "two")
		out, err := b.copyOf("k", one, "copy", nil)
		if err != nil || aws.ToString(out.CopySourceVersionId) != one || aws.ToString(out.VersionId) == one {
			t.Errorf("%s: %v, %v", name, out, err)
		}
		b.wantHistory("copy", "one*")
		if _, err = b.copyOf("k", one, "k", nil); err != nil {
			t.Errorf("%s: an old version is not restored: %v", name, err)
		}
		if got := b.history("k"); !strings.HasPrefix(got, "one* two ") {
			t.Errorf("%s: after a restore %s", name, got)
		}
		if _, err = b.copyOf("k", "", "k", nil); !s3err.Is(err, s3err.InvalidRequest) {
			t.Errorf("%s: a copy onto itself that changes nothing: %v", name, err)
		}
	}
	b := open(t, nil)
	id := b.put("k", "one")
	f("enabled", b, func() {}, id)
	old := open(t, before)
	old.putPlain("k", "one")
	f("before", old, func() {}, "null")

	marker := aws.ToString(b.remove("k", "").VersionId)
	_, err := b.copyOf("k", "", "copy", nil)
	b.wantError(err, s3err.NoSuchKey)
	_, err = b.copyOf("k", marker, "copy", nil)
	b.wantError(err, s3err.InvalidRequest)
	_, err = b.copyOf("k", "null", "copy", nil)
	b.wantError(err, s3err.NoSuchVersion)
	_, err = b.copyOf("k", id, "k", nil)
	if err != nil || !strings.HasPrefix(b.history("k"), "one* - ") {
		t.Errorf("restored over a marker: %s, %v", b.history("k"), err)
	}

	// A source from before that nobody has written over yet.
	old.putPlain("p", "old")
	if _, err = old.copyOf("p", "", "q", nil); err != nil {
		t.Error(err)
	}
	old.wantHistory("q", "old*")
	_, err = old.copyOf("p", "", "p", nil)
	old.wantError(err, s3err.InvalidRequest)
	_, err = old.copyOf("p", "", "p", func(in *s3.CopyObjectInput) {
		in.MetadataDirective, in.Metadata = types.MetadataDirectiveReplace, map[string]string{"says": "old"}
	})
	if err != nil {
		t.Error(err)
	}
	old.wantHistory("p", "old* (old)")
	_, err = old.copyOf("never", "null", "q", nil)
	old.wantError(err, s3err.NoSuchVersion)
	_, err = old.copyOf("never", "", "q", nil)
	old.wantError(err, s3err.NoSuchKey)
}

func TestDeleteObjects(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	one, two := b.put("k", "one"), b.put("k", "two")
	b.put("l", "one")
	marker := aws.ToString(b.remove("l", "").VersionId)
	out, err := b.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: new("k"), VersionId: &one},
		{Key: new("l"), VersionId: &marker},
		{Key: new("m")},
		{Key: new("k"), VersionId: new("nonsense")},
		{Key: new("k"), VersionId: new("null")},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range out.Deleted {
		id := map[string]string{one: "one", two: "two", marker: "marker", "null": "null", "": ""}[aws.ToString(d.VersionId)]
		line := fmt.Sprintf("%s %s %v", *d.Key, id, aws.ToBool(d.DeleteMarker))
		if aws.ToBool(d.DeleteMarker) != (d.DeleteMarkerVersionId != nil) || id == "marker" && *d.DeleteMarkerVersionId != marker {
			t.Errorf("%s: the marker %s", line, aws.ToString(d.DeleteMarkerVersionId))
		}
		got = append(got, line)
	}
	if want := []string{"k one false", "l marker true", "m  true", "k null false"}; !slices.Equal(got, want) {
		t.Errorf("deleted %q, want %q", got, want)
	}
	if len(out.Errors) != 1 || *out.Errors[0].Code != string(s3err.InvalidArgument) {
		t.Errorf("errors %v", out.Errors)
	}
	b.wantHistory("k", "two*")
	b.wantHistory("l", "one*")
	b.wantHistory("m", "-*")
}
