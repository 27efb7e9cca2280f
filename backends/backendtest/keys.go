package backendtest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// keyCases are about keys that are paths to nobody.
var keyCases = []testCase{
	{"keys/odd", "keys are raw bytes: no key is another's path, parent or spelling (trap 23)", keysOdd},
	{"keys/order", "ListObjectsV2 lists keys in byte order (trap 24)", keysOrder},
	{"keys/long", "the longest keys are keys like any other, also those that differ at the end alone", keysLong},
}

// maxKeyBytes is how long a key can be.
func (e *env) maxKeyBytes() int { return cmp.Or(e.options.MaxKeyBytes, 1024) }

// longKeys are long keys that fit, and are paths; sorted. Many begin alike.
func (e *env) longKeys() (keys []string) {
	for _, begin := range []string{"long/", "ü🙂/", "dir./..long/"} {
		for _, n := range []int{511, 512, 513, 514, 1000, e.maxKeyBytes()} {
			key := strings.Repeat(begin, n/len(begin))
			more := n - len(key)
			keys = append(keys, key+strings.Repeat("x", more))
			switch {
			case more == 0:
				keys = append(keys, key[:n-2]+"y/", key[:n-1]+"z")
			case more > 4:
				keys = append(keys, key+strings.Repeat("x", more-4)+".txt", key+strings.Repeat("x", more-1)+"/")
			default:
				keys = append(keys, key+strings.Repeat("y", more), key+strings.Repeat("x", more-1)+"/")
			}
		}
	}
	keys = slices.DeleteFunc(keys, func(key string) bool { return len(key) > e.maxKeyBytes() || !utf8.ValidString(key) })
	slices.Sort(keys)
	return e.fit(slices.Compact(keys)...)
}

func keysLong(e *env) {
	all := e.longKeys()
	body := func(i int, key string) string { return e.bodyFor(key, "body "+strconv.Itoa(i)) }
	for i, key := range all {
		e.put(key, body(i, key))
	}
	for i, key := range all {
		e.holds(key, body(i, key))
	}
	e.same("keys", e.keys(), all)
	to := strings.Repeat("copy/", 104)
	for i, key := range all {
		if body(i, key) == "" {
			continue
		}
		e.copy(key, to+"copy")
		e.holds(to+"copy", body(i, key))
		e.remove(key)
		e.missing(key)
		e.copy(to+"copy", key)
		e.holds(key, body(i, key))
	}
	e.remove(to + "copy")
	e.same("keys after copies", e.keys(), all)
	for i, key := range all {
		e.remove(key)
		if e.missing(key); i+1 < len(all) {
			e.holds(all[i+1], body(i+1, all[i+1]))
		}
	}
	e.same("keys in the end", e.keys(), []string{})
}

// oddKeys have broken stores; sorted, and not longer than fits.
func (e *env) oddKeys() []string {
	limit := e.maxKeyBytes()
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
	body := func(i int, key string) string {
		return e.bodyFor(key, "body of "+key[:min(len(key), 40)]+string(rune('0'+i%10)))
	}
	all := e.storeOdd(body)
	for i, key := range all {
		e.holds(key, body(i, key))
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
		} else if e.bodyFor(key, "x") != "" {
			e.copy(key, "copy")
		}
	}
}

// storeOdd stores objects under odd keys and returns the keys. Where keys are
// paths, some may be refused; what is taken must be kept like any other.
func (e *env) storeOdd(body func(i int, key string) string) []string {
	e.Helper()
	all := e.oddKeys()
	if !e.lacks(AllKeys) {
		for i, key := range all {
			e.put(key, body(i, key))
		}
		return all
	}
	for _, key := range slices.DeleteFunc(slices.Clone(all), func(key string) bool { return !notPath(key) }) {
		_, err := e.tryPut(key, "")
		e.refused(err, s3err.InvalidArgument)
	}
	taken := []string{}
	for _, key := range e.fit(all...) {
		switch _, err := e.tryPut(key, body(len(taken), key)); {
		case err == nil:
			taken = append(taken, key)
		case !slices.ContainsFunc([]s3err.Code{s3err.InvalidArgument, s3err.InvalidRequest, s3err.KeyTooLong},
			func(c s3err.Code) bool { return s3err.Is(err, c) }):
			e.Errorf("PutObject %q: %v", key, err)
		}
	}
	if len(taken) < len(all)/4 {
		e.Errorf("only %d of %d keys were taken", len(taken), len(all))
	}
	return taken
}

func keysOrder(e *env) {
	all := e.storeOdd(func(_ int, key string) string { return e.bodyFor(key, "x") })
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
