package backendtest

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// keyCases are about keys that are paths to nobody.
var keyCases = []testCase{
	{"keys/odd", "keys are raw bytes: no key is another's path, parent or spelling (trap 23)", keysOdd},
	{"keys/order", "ListObjectsV2 lists keys in byte order (trap 24)", keysOrder},
}

// oddKeys have broken stores; sorted, and not longer than fits.
func (e *env) oddKeys() []string {
	limit := e.options.MaxKeyBytes
	if limit == 0 {
		limit = 1024
	}
	keys := []string{
		"foo", "foo/", "foo/bar", "foo/bar/", "foo//bar", "foo//", "foo/bar/baz", "foo.bar", "foo-bar", "foo bar", "FOO",
		"/", "//", "///", "/foo", "./foo", "../foo", "foo/../bar", "foo/./bar", ".", "..", "...", ".hidden", "~", "-dash",
		" ", "  ", " leading", "trailing ", "a+b", "a%20b", "a%2Fb", "a\\b", "C:\\x", "a?b=c", "a#b", "a&b", "a=b", "a;b",
		"a:b", "a*b", `a"b`, "a'b", "a<b>", "a|b", "\t", "\n", "a\r\nb", "\x01", "a\x00b", "a\x00", "\x00", "\x7f",
		"ü", "u\u0308", "日本語/鍵", "🙂", "\u200b", "\u202e", "\ufeff", "\uffff", "\U0010ffff", "\U0010ffff/\U0010ffff", "a\U0010ffff",
		"meta", "bodies", "con", "nul", "xl.meta", "a/.metadata.json", "tmp", "index.html",
		strings.Repeat("k", 1024), strings.Repeat("s", 300) + "/" + strings.Repeat("t", 300),
		strings.Repeat("d/", 512), strings.Repeat("ü", 512), strings.Repeat("/", 1024), strings.Repeat("\U0010ffff", 256),
		strings.Repeat("l", limit),
	}
	keys = slices.DeleteFunc(keys, func(key string) bool { return len(key) > limit })
	slices.Sort(keys)
	return slices.Compact(keys)
}

func keysOdd(e *env) {
	all := e.oddKeys()
	for i, key := range all {
		e.put(key, "body of "+key[:min(len(key), 40)]+string(rune('0'+i%10)))
	}
	for i, key := range all {
		e.holds(key, "body of "+key[:min(len(key), 40)]+string(rune('0'+i%10)))
	}
	sorted := slices.Clone(all)
	e.same("keys", e.keys(), sorted)
	for i, key := range all {
		if i%2 == 0 {
			e.remove(key)
			sorted = slices.DeleteFunc(sorted, func(k string) bool { return k == key })
		}
	}
	e.same("keys after half were deleted", e.keys(), sorted)
	for i, key := range all {
		if i%2 == 0 {
			e.missing(key)
		} else {
			e.copy(key, "copy")
		}
	}
}

func keysOrder(e *env) {
	all := e.oddKeys()
	for _, key := range all {
		e.put(key, "x")
	}
	var got []string
	after := ""
	for page := 0; ; page++ {
		out := e.list(s3.ListObjectsV2Input{StartAfter: &after, MaxKeys: new(int32(7))})
		for _, o := range out.Contents {
			got = append(got, *o.Key)
		}
		if !*out.IsTruncated || page > len(all) {
			break
		}
		after = got[len(got)-1]
	}
	e.same("keys of all pages", got, all)
}
