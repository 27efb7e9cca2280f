package backendtest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// uploadListCases are about ListMultipartUploads.
var uploadListCases = []testCase{
	{"uploads/list", "ListMultipartUploads lists uploads by key, then as they were begun", uploadsList},
	{"uploads/filter", "with Prefix and Delimiter as ListObjectsV2 has them; a common prefix counts as one (trap 27)", uploadsFilter},
	{"uploads/pages", "after KeyMarker: greater keys and, when UploadIdMarker is given, later uploads of that key (trap 27)", uploadsPages},
	{"uploads/long", "uploads of the longest keys are listed in the order of keys like any other", uploadsLong},
	{"uploads/long-pages", "in pages, too", uploadsLongPages},
	{"uploads/markers", "without UploadIdMarker the uploads of KeyMarker itself are not shown", uploadsMarkers},
}

// uploadPage returns a page of the listing, and its entries: "key id" or a
// common prefix, by key. Uploads of one key stay in the order they are listed
// in: a composition may seal UploadIds, so that how they compare says nothing.
func (e *env) uploadPage(in s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, []string) {
	e.Helper()
	in.Bucket = &e.bucket
	out, err := e.uploader().ListMultipartUploads(e.Context(), &in)
	if err != nil {
		e.Fatalf("ListMultipartUploads: %v", err)
	}
	all := []string{}
	for _, u := range out.Uploads {
		all = append(all, *u.Key+" "+*u.UploadId)
		if u.Initiated == nil {
			e.Error("Initiated is nil")
		}
	}
	if !slices.IsSortedFunc(all, byKey) {
		e.Errorf("not in order: %q", all)
	}
	for _, p := range out.CommonPrefixes {
		all = append(all, *p.Prefix)
	}
	slices.SortStableFunc(all, byKey)
	return out, e.inOrder(all)
}

// byKey compares the keys of two entries.
func byKey(a, b string) int {
	a, _, _ = strings.Cut(a, " ")
	b, _, _ = strings.Cut(b, " ")
	return strings.Compare(a, b)
}

// uploads are the entries of a page.
func (e *env) uploads(in s3.ListMultipartUploadsInput) []string {
	e.Helper()
	_, all := e.uploadPage(in)
	return all
}

// beginAll begins an upload for each key, and returns their entries as a
// listing has them: by key, and then as they were begun.
func (e *env) beginAll(keys ...string) (all []string) {
	e.Helper()
	for _, key := range keys {
		all = append(all, key+" "+e.begin(key).id)
	}
	slices.SortStableFunc(all, byKey)
	return e.inOrder(all)
}

func uploadsList(e *env) {
	e.uploader()
	if !e.listsUploads() {
		return
	}
	e.put("object", "x")
	e.same("no uploads", e.uploads(s3.ListMultipartUploadsInput{}), []string{})
	want := e.beginAll("b", "a", "b", "c/d", "b", "ü")
	e.same("uploads", e.uploads(s3.ListMultipartUploadsInput{}), want)
	out, _ := e.uploadPage(s3.ListMultipartUploadsInput{MaxUploads: new(int32(0))})
	e.same("MaxUploads 0", len(out.Uploads), 0)
	e.same("IsTruncated of MaxUploads 0", deref(out.IsTruncated), false)
}

func uploadsFilter(e *env) {
	if !e.listsUploads() {
		return
	}
	all := e.beginAll("a", "b/1", "b/1", "b/2", "b/c/3", "d")
	f := func(prefix, delimiter string, want ...string) {
		e.Helper()
		got := e.uploads(s3.ListMultipartUploadsInput{Prefix: &prefix, Delimiter: &delimiter})
		e.same(fmt.Sprintf("prefix %q delimiter %q", prefix, delimiter), got, append([]string{}, want...))
	}
	f("", "", all...)
	f("b", "", all[1:5]...)
	f("", "/", all[0], "b/", all[5])
	f("b/", "/", all[1], all[2], all[3], "b/c/")
	f("zz", "")
}

func uploadsPages(e *env) {
	if !e.listsUploads() {
		return
	}
	e.beginAll("a", "b", "b", "b", "c/1", "c/2", "d", "d", "e/1")
	for _, delimiter := range []string{"", "/"} {
		all := e.uploads(s3.ListMultipartUploadsInput{Delimiter: &delimiter})
		for size := 1; size <= len(all)+1; size++ {
			got := []string{}
			in := s3.ListMultipartUploadsInput{Delimiter: &delimiter, MaxUploads: new(int32(size))}
			for {
				out, page := e.uploadPage(in)
				got = append(got, page...)
				if want := len(got) < len(all); deref(out.IsTruncated) != want {
					e.Fatalf("IsTruncated is %v after %d of %d", deref(out.IsTruncated), len(got), len(all))
				}
				if !*out.IsTruncated {
					break
				}
				if out.NextKeyMarker == nil || len(page) != size {
					e.Fatalf("a truncated page of %d with NextKeyMarker %s", len(page), show(out.NextKeyMarker))
				}
				in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
			}
			e.same(fmt.Sprintf("delimiter %q by %d", delimiter, size), got, all)
		}
	}
}

func uploadsLong(e *env) {
	keys := e.longKeys()
	for _, key := range keys[:3] {
		if e.bodyFor(key, "x") != "" {
			u := e.begin(key)
			u.complete(u.part(1, "x"))
			e.holds(key, "x")
		}
	}
	if !e.listsUploads() {
		return
	}
	all := e.beginLong()
	e.same("uploads", e.uploads(s3.ListMultipartUploadsInput{}), all)
	for _, key := range keys {
		for _, n := range []int{3, 500, 512, 600, len(key)} {
			prefix := key[:min(n, len(key))]
			if !utf8.ValidString(prefix) {
				continue
			}
			below := slices.DeleteFunc(slices.Clone(all), func(u string) bool { return !strings.HasPrefix(u, prefix) })
			e.same(fmt.Sprintf("with %d bytes of %q", len(prefix), key), e.uploads(s3.ListMultipartUploadsInput{Prefix: &prefix}), below)
		}
	}
}

// beginLong is beginAll of long keys, of one of them twice, and of others.
func (e *env) beginLong() []string {
	e.Helper()
	keys := slices.DeleteFunc(e.longKeys(), func(key string) bool { return e.bodyFor(key, "x") == "" })
	return e.beginAll(append(keys, keys[len(keys)-1], "a", "z")...)
}

func uploadsLongPages(e *env) {
	if !e.listsUploads() {
		return
	}
	all, got := e.beginLong(), []string{}
	for in := (s3.ListMultipartUploadsInput{MaxUploads: new(int32(1))}); ; {
		out, page := e.uploadPage(in)
		got = append(got, page...)
		if !deref(out.IsTruncated) || len(got) > len(all) {
			break
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
	e.same("one by one", e.inOrder(got), all)
}

func uploadsMarkers(e *env) {
	if !e.listsUploads() {
		return
	}
	all := e.beginAll("a", "b", "b", "b", "c")
	f := func(key, id string, want ...string) {
		e.Helper()
		in := s3.ListMultipartUploadsInput{KeyMarker: &key}
		if id != "" {
			in.UploadIdMarker = &id
		}
		e.same("after "+key+" "+id, e.uploads(in), append([]string{}, want...))
	}
	id := func(i int) string { return all[i][2:] }
	f("", "", all...)
	f("a", "", all[1:]...)
	f("b", "", all[4])
	f("b", id(1), all[2:]...)
	f("b", id(2), all[3:]...)
	f("b", id(3), all[4])
	f("c", id(4))
}
