package backendtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// listCases are about ListObjectsV2.
var listCases = []testCase{
	{"list/empty", "an empty bucket lists nothing, and is not truncated", listEmpty},
	{"list/object", "a listing shows key, ETag, size and LastModified as HeadObject does; Owner is nil", listObject},
	{"list/prefix", "only entries that begin with Prefix", listPrefix},
	{"list/delimiter", "a common prefix stands for all keys under it; delimiters are of any length (trap 24)", listDelimiter},
	{"list/pages", "IsTruncated is true exactly when a further entry exists; the last entry is the next StartAfter (trap 24)", listPages},
	{"list/start-after-in-prefix", "StartAfter is compared with the entry itself: past \"a/b\", the prefix \"a/\" is not shown (trap 24)", listStartAfter},
	{"list/max-keys-zero", "IsTruncated is never true for MaxKeys 0 (trap 24)", listZero},
	{"list/default-max-keys", "nil MaxKeys is 1,000", listDefault},
	{"list/cost", "a page costs reads in proportion to its entries, not to the keys below its prefixes (trap 25)", listCost},
}

func listEmpty(e *env) {
	out := e.list(s3.ListObjectsV2Input{})
	e.same("entries", entries(out), []string{})
	e.same("IsTruncated", *out.IsTruncated, false)
}

func listObject(e *env) {
	e.put("k", "12345")
	e.put("empty/", "")
	contents := e.list(s3.ListObjectsV2Input{}).Contents
	if len(contents) != 2 {
		e.Fatalf("%d objects are listed, want 2", len(contents))
	}
	for _, o := range contents {
		head := e.head(*o.Key)
		e.same("ETag", deref(o.ETag), deref(head.ETag))
		e.same("Size", show(o.Size), show(head.ContentLength))
		e.same("Owner", o.Owner == nil, true)
		if o.LastModified == nil || !o.LastModified.Equal(*head.LastModified) {
			e.Errorf("LastModified is %v, and %v for HeadObject", o.LastModified, head.LastModified)
		}
	}
}

// shelf is the objects that a case lists.
type shelf struct {
	*env
	all, stored []string
}

// shelf stores some objects: those that fit.
func (e *env) shelf(keys ...string) *shelf {
	e.Helper()
	s := &shelf{env: e, all: keys, stored: e.fit(keys...)}
	for _, key := range s.stored {
		e.put(key, e.bodyFor(key, "x"))
	}
	return s
}

// shown leaves out of entries what is shown for objects that did not fit.
func (s *shelf) shown(entries ...string) []string {
	return slices.DeleteFunc(append([]string{}, entries...), func(entry string) bool {
		if slices.Contains(s.all, entry) {
			return !slices.Contains(s.stored, entry)
		}
		return !slices.ContainsFunc(s.stored, func(key string) bool { return strings.HasPrefix(key, entry) })
	})
}

// lists checks the entries of a page.
func (s *shelf) lists(prefix, delimiter string, want ...string) {
	s.Helper()
	out := s.list(s3.ListObjectsV2Input{Prefix: &prefix, Delimiter: &delimiter})
	s.same(fmt.Sprintf("prefix %q delimiter %q", prefix, delimiter), entries(out), s.shown(want...))
}

func listPrefix(e *env) {
	s := e.shelf("a", "a/", "a/b", "a0", "ab", "b", "ü", "\U0010ffff", "\U0010ffffx")
	s.lists("a", "", "a", "a/", "a/b", "a0", "ab")
	s.lists("a/", "", "a/", "a/b")
	s.lists("a/b", "", "a/b")
	s.lists("a/b/", "")
	s.lists("c", "")
	s.lists("ü", "", "ü")
	s.lists("\U0010ffff", "", "\U0010ffff", "\U0010ffffx")
}

func listDelimiter(e *env) {
	s := e.shelf("a", "a/", "a/b", "a/b/c", "b//c", "b/d", "c--d--e", "c-d", "d\U0010ffffe", "d\U0010fffff")
	s.lists("", "/", "a", "a/", "b/", "c--d--e", "c-d", "d\U0010ffffe", "d\U0010fffff")
	s.lists("a/", "/", "a/", "a/b", "a/b/")
	s.lists("a", "/", "a", "a/")
	s.lists("b/", "/", "b//", "b/d")
	s.lists("", "--", "a", "a/", "a/b", "a/b/c", "b//c", "b/d", "c--", "c-d", "d\U0010ffffe", "d\U0010fffff")
	s.lists("c", "-", "c-")
	s.lists("c--", "--", "c--d--")
	s.lists("", "\U0010ffff", "a", "a/", "a/b", "a/b/c", "b//c", "b/d", "c--d--e", "c-d", "d\U0010ffff")
	s.lists("", "d", "a", "a/", "a/b", "a/b/c", "b//c", "b/d", "c--d", "c-d", "d")
	s.lists("", "not there", "a", "a/", "a/b", "a/b/c", "b//c", "b/d", "c--d--e", "c-d", "d\U0010ffffe", "d\U0010fffff")
	if len(s.stored) < len(s.all) {
		return
	}
	out := e.list(s3.ListObjectsV2Input{Delimiter: new("/")})
	e.same("Contents and CommonPrefixes", []int{len(out.Contents), len(out.CommonPrefixes)}, []int{5, 2})
}

func listPages(e *env) {
	e.shelf("a", "a/1", "a/2", "b/1", "b/2", "b/3", "b0", "c", "c/1/2", "d", "d/", "e/f/g")
	for _, prefix := range []string{"", "a", "b/", "d", "zz"} {
		for _, delimiter := range []string{"", "/", "1"} {
			all := entries(e.list(s3.ListObjectsV2Input{Prefix: &prefix, Delimiter: &delimiter}))
			for size := 1; size <= len(all)+1; size++ {
				got := e.pages(s3.ListObjectsV2Input{Prefix: &prefix, Delimiter: &delimiter, MaxKeys: new(int32(size))}, len(all))
				e.same(fmt.Sprintf("prefix %q delimiter %q by %d", prefix, delimiter, size), got, all)
			}
		}
	}
}

// pages lists page by page, and checks that every page but the last is full.
func (e *env) pages(in s3.ListObjectsV2Input, total int) []string {
	e.Helper()
	all := []string{}
	for {
		page := in
		if len(all) > 0 {
			page.StartAfter = &all[len(all)-1]
		}
		out := e.list(page)
		got := entries(out)
		all = append(all, got...)
		if want := len(all) < total; *out.IsTruncated != want {
			e.Fatalf("IsTruncated is %v after %d of %d entries", *out.IsTruncated, len(all), total)
		}
		if !*out.IsTruncated {
			return all
		}
		if len(got) != int(*in.MaxKeys) {
			e.Fatalf("a truncated page of %d entries, want %d", len(got), *in.MaxKeys)
		}
	}
}

func listStartAfter(e *env) {
	s := e.shelf("a", "a/b", "a/c", "b/a", "c")
	f := func(after string, want ...string) {
		e.Helper()
		out := e.list(s3.ListObjectsV2Input{Delimiter: new("/"), StartAfter: &after})
		e.same("after "+after, entries(out), s.shown(want...))
	}
	f("", "a", "a/", "b/", "c")
	f("a", "a/", "b/", "c")
	f("a.", "a/", "b/", "c")
	f("a/", "b/", "c")
	f("a/b", "b/", "c")
	f("a/zzz", "b/", "c")
	f("b", "b/", "c")
	f("b/a", "c")
	f("c")
	out := e.list(s3.ListObjectsV2Input{Prefix: new("b"), StartAfter: new("a")})
	e.same("StartAfter before the prefix", entries(out), []string{"b/a"})
	out = e.list(s3.ListObjectsV2Input{Prefix: new("a"), StartAfter: new("b")})
	e.same("StartAfter behind the prefix", entries(out), []string{})
	out = e.list(s3.ListObjectsV2Input{StartAfter: new("a/bb")})
	e.same("StartAfter without delimiter", entries(out), []string{"a/c", "b/a", "c"})
}

func listZero(e *env) {
	e.shelf("a", "b/c")
	out := e.list(s3.ListObjectsV2Input{MaxKeys: new(int32(0)), Delimiter: new("/")})
	e.same("entries", entries(out), []string{})
	e.same("IsTruncated", *out.IsTruncated, false)
}

func listDefault(e *env) {
	var want []string
	for i := range 1003 {
		want = append(want, fmt.Sprintf("k%05d", i))
	}
	together(func(i int) {
		for ; i < len(want); i += workers {
			if _, err := e.tryPut(want[i], "x"); err != nil {
				e.Errorf("PutObject: %v", err)
			}
		}
	})
	out := e.list(s3.ListObjectsV2Input{})
	e.same("entries", entries(out), want[:1000])
	e.same("IsTruncated", *out.IsTruncated, true)
	e.same("the last page", entries(e.list(s3.ListObjectsV2Input{StartAfter: &want[999]})), want[1000:])
	e.same("just one page", *e.list(s3.ListObjectsV2Input{StartAfter: &want[2]}).IsTruncated, false)
}

// listCost is the trap of listings that read a subtree to show one prefix.
func listCost(e *env) {
	if e.options.Count == nil {
		e.Skip("the backend does not count")
	}
	var want []string
	for _, top := range []string{"a/", "b/", "c/"} {
		want = append(want, top)
		for i := range 500 {
			e.put(fmt.Sprintf("%s%s/%d", top, strings.Repeat("x", i%3), i), "")
		}
	}
	before := e.options.Count(e.b)
	out := e.list(s3.ListObjectsV2Input{Delimiter: new("/")})
	cost := e.options.Count(e.b) - before
	e.same("entries", entries(out), slices.Clone(want))
	if cost > 30 {
		e.Errorf("a page of %d entries cost %d reads", len(want), cost)
	}
}
