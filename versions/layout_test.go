package versions

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestLayout(t *testing.T) {
	t.Parallel()
	var l Layout
	f := func(dataType, key string, n int64, want string) {
		t.Helper()
		if got := l.Body(dataType, key, n); got != want {
			t.Errorf("%s %q v%d: %q, want %q", dataType, key, n, got, want)
		}
		dt, k, m, ok := l.Parse(want)
		if !ok || dt != dataType || k != key || m != n {
			t.Errorf("%q: %s %q v%d %v, want %s %q v%d", want, dt, k, m, ok, dataType, key, n)
		}
	}
	f("records", "orders/42/head.json", 0, "orders/42/v0.json") // as CR-001 draws it
	f("records", "orders/42/head.json", 17, "orders/42/v17.json")
	f("records", "a/b/c/head.json", 1, "a/b/c/v1.json")
	f("records", "a/head.json", 1, "a/v1.json")
	f("records", "a//head.json", 1, "a//v1.json")
	f("records", "orders/42/v0.json/head.json", 0, "orders/42/v0.json/v0.json")
	f("records", "orders/42/other.json", 0, ".records/orders/42/other.json/v0.json")
	f("records", "orders/42/v0.json", 0, ".records/orders/42/v0.json/v0.json")
	f("records", "orders/42/current.json", 0, ".records/orders/42/current.json/v0.json")
	f("records", ".orders/42/head.json", 0, ".records/.orders/42/head.json/v0.json")
	f("records", ".content/x/head.json", 3, ".records/.content/x/head.json/v3.json")
	f("records", "head.json", 0, ".records/head.json/v0.json")
	f("records", "/head.json", 0, ".records//head.json/v0.json")
	f("records", "//head.json", 0, ".records///head.json/v0.json")
	f("records", "ahead.json", 0, ".records/ahead.json/v0.json")
	f("content", "orders/42/head.json", 0, ".content/orders/42/head.json/v0.json")
	f("content", "a/photo.JPG", 2, ".content/a/photo.JPG/v2.JPG")
	f("content", "a/b.c/blob", 2, ".content/a/b.c/blob/v2")
	f("content", "archive.tar.gz", 2, ".content/archive.tar.gz/v2.gz")
	f("content", ".profile", 2, ".content/.profile/v2")
	f("content", "a.", 2, ".content/a./v2")
	f("content", "a.b c", 2, ".content/a.b c/v2")
	f("content", "a.verylongextension", 2, ".content/a.verylongextension/v2")
	f("records", "orders/42/head.json", -3, "orders/42/d3.json")
	f("records", "orders/42/d3.json", 0, ".records/orders/42/d3.json/v0.json")
	f("content", "a/photo.JPG", -1, ".content/a/photo.JPG/d1.JPG")
	f("content", "a/d1", -12, ".content/a/d1/d12")
	f("content", "dir/", math.MaxInt64, ".content.d/dir/v9223372036854775807")
	f("content", "a//", -2, ".content.d/a//d2")
	f("records", "orders/42/", 0, ".records.d/orders/42/v0")
	f("content", "/", 0, ".content.d//v0")
	l.Leaf = "current.json"
	f("records", "orders/42/current.json", 0, "orders/42/v0.json")
	f("records", "orders/42/head.json", 0, ".records/orders/42/head.json/v0.json")
}

func TestLayoutParseRefuses(t *testing.T) {
	t.Parallel()
	f := func(body string) {
		t.Helper()
		if dt, key, n, ok := (Layout{}).Parse(body); ok {
			t.Errorf("%q is body %d of %s %q", body, n, dt, key)
		}
	}
	f("")
	f("v0.json")
	f("/v0.json")
	f("a/head.json")
	f("a/v.json")
	f("a/v-1.json")
	f("a/d0.json")
	f("a/d-1.json")
	f("a/d01.json")
	f("a/e1.json")
	f("a/v+1.json")
	f("a/v01.json")
	f("a/v9223372036854775808.json")
	f("a/v0")
	f("a/v0.txt")
	f("a/v0.json.json")
	f(".content/v0")
	f(".content/a.jpg/v0.png")
	f(".content/a.jpg/v0")
	f(".records/a/b/head.json/v0.json") // its body is elsewhere
	f(".content/" + long + "k/v0")      // likewise
	f(".content.d/" + long + "/v0")
	f(long + "/v0.json")
	f((Layout{}).Body("content", long+"k", 0)) // does not say whose it is
}

// TestLayoutLong draws where bodies of long keys are.
func TestLayoutLong(t *testing.T) {
	t.Parallel()
	f := func(dataType, key string, n int64, first, ext string) {
		t.Helper()
		sum := sha256.Sum256([]byte(key))
		want := fmt.Sprintf(".%s.h/%s/%s/v%d%s", dataType, first, hashes.EncodeToString(sum[:]), n, ext)
		if n < 0 {
			want = strings.Replace(want, "/v-", "/d", 1)
		}
		if got := (Layout{}).Body(dataType, key, n); got != want {
			t.Errorf("%s %q v%d: %q, want %q", dataType, key, n, got, want)
		}
		if dt, got, ok := (Layout{}).ParseLong(want); !ok || dt != dataType || got != first || first+Rest(key) != key {
			t.Errorf("%q: %s %q %v, and %q is left", want, dt, got, ok, Rest(key))
		}
	}
	k := func(n int) string { return strings.Repeat("k", n) }
	f("content", k(513), 0, k(512), "")
	f("content", k(1024), math.MaxInt64, k(512), "")
	f("content", k(510)+"/a.txt", 3, k(510)+"/a", ".txt")
	f("records", k(512)+"/head.json", 3, k(512), ".json") // as a head
	f("records", "."+k(512)+"/head.json", 3, "."+k(511), ".json")
	f("content", k(512)+"/", 0, k(512), "")
	f("content", k(511)+"/x/", -7, k(511), "")
	f("content", k(509)+"/./x", -1, k(509), "")
	f("content", k(509)+"/../x.go", 1, k(509), ".go")
	f("content", k(511)+"ü", 0, k(511), "")
	f("content", k(509)+"🙂", 0, k(509), "")
	f("content", "a"+strings.Repeat("/", 600), 0, "a", "")
	f("content", strings.Repeat("/", 1024), 0, "", "")
	f("content", strings.Repeat("ü", 512), 0, strings.Repeat("ü", 256), "")
	if body := (Layout{}).Body("content", k(512), 0); body != ".content/"+k(512)+"/v0" || Rest(k(512)) != "" {
		t.Errorf("a key of 512 bytes has a body at %q, without %q", body, Rest(k(512)))
	}
}

// TestLayoutParseLongRefuses holds that only what can be the key of a body of a long key is taken for one.
func TestLayoutParseLongRefuses(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("0", 52)
	if _, _, ok := (Layout{}).ParseLong(".content.h/a/" + sum + "/v0"); !ok {
		t.Fatal("the form itself is refused")
	}
	f := func(body string) {
		t.Helper()
		if dt, first, ok := (Layout{}).ParseLong(body); ok {
			t.Errorf("%q is a body of %s %q", body, dt, first)
		}
	}
	f("")
	f(".content.h/a/" + sum)
	f(".content.h/a/" + sum + "/head")
	f(".content.h/a/" + sum[1:] + "/v0")
	f(".content.h/a/" + strings.ToUpper("v"+sum[1:]) + "/v0")
	f(".content.h/a/" + hex.EncodeToString([]byte(sum[:32])) + "/v0")
	f(".content.d/a/" + sum + "/v0")
	f(".content/a/" + sum + "/v0")
	f("content.h/a/" + sum + "/v0")
	f("..content.h/a/" + sum + "/v0")
	f(".a/b.h/a/" + sum + "/v0")
	f(".content.h/" + sum + "/v0")
}

// TestLayoutLongStored holds that bodies of long keys have room and are paths, where their objects are: no segment is
// empty, or all dots, or longer than those of the key.
func TestLayoutLongStored(t *testing.T) {
	t.Parallel()
	odd := func(s string) bool { return s == "" || s == "." || s == ".." || len(s) > 255 }
	segment := rapid.SampledFrom([]string{"a", "ü", "..a", "a..", "🙂.", strings.Repeat("s", 255), strings.Repeat("t", 200)})
	rapid.Check(t, func(t *rapid.T) {
		key := strings.Join(rapid.SliceOfN(segment, 3, 300).Draw(t, "key"), "/")
		if !Long(key) || len(key) > 1024 {
			return
		}
		body := (Layout{}).Body("documents", key, math.MaxInt64)
		if !utf8.ValidString(body) || len(body) > 610 || slices.ContainsFunc(strings.Split(body, "/"), odd) {
			t.Fatalf("%q has its body at %q", key, body)
		}
	})
}

// drawKey draws keys that a layout could take for something else.
var drawKey = rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{
	"/", "/", ".", "a", "ä", "\x00", "head.json", "v0", "v1.json", "d1", "d2.json", ".json", ".records", "content",
	long, long[:maxWhole-9], long[:maxWhole-1] + "/.", strings.Repeat("ä", 255), strings.Repeat("/", maxWhole-2), longHash,
}), 1, 7), func(parts []string) (key string) {
	for _, p := range parts {
		key += p
	}
	return key
})

// Parts of long keys: what many have in common, and what they have in the keys of their bodies.
var (
	long     = strings.Repeat("k", maxWhole)
	longHash = "/" + hash(long+"a")
)

// TestLayoutInjective holds that no two bodies share a place, and that each place tells whose it is.
func TestLayoutInjective(t *testing.T) {
	t.Parallel()
	dataType := rapid.SampledFrom([]string{"records", "content", "backups"})
	rapid.Check(t, func(t *rapid.T) {
		l := Layout{Leaf: rapid.SampledFrom([]string{"", "head.json", "current.json", "v0"}).Draw(t, "leaf")}
		type body struct {
			dataType, key string
			n             int64
		}
		draw := func() body {
			return body{dataType.Draw(t, "type"), drawKey.Draw(t, "key"), rapid.Int64Range(-12, 12).Draw(t, "n")}
		}
		a, b := draw(), draw()
		at := l.Body(a.dataType, a.key, a.n)
		if a != b && at == l.Body(b.dataType, b.key, b.n) {
			t.Fatalf("%+v and %+v are both at %q", a, b, at)
		}
		if n, ok := l.Number(a.dataType, a.key, at); !ok || n != a.n {
			t.Fatalf("%+v is at %q, which is number %d, %v", a, at, n, ok)
		}
		dt, key, n, ok := l.Parse(at)
		longType, first, isLong := l.ParseLong(at)
		if Long(a.key) {
			if ok || !isLong || longType != a.dataType || first+Rest(a.key) != a.key {
				t.Fatalf("%+v is at %q, which is %s %q, %v, and one of %q, %v", a, at, longType, first, isLong, key, ok)
			}
		} else if !ok || isLong || (body{dt, key, n}) != a {
			t.Fatalf("%+v is at %q, which is %s %q %d, %v, and one of %q, %v", a, at, dt, key, n, ok, first, isLong)
		}
	})
}

// TestLayoutParse holds that whatever is parsed is where Body puts it.
func TestLayoutParse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := drawKey.Draw(t, "key") + rapid.SampledFrom([]string{"", "/v0.json", "/v12", "/v3.txt", "/d0.json", "/d2"}).Draw(t, "name")
		if dt, key, n, ok := (Layout{}).Parse(at); ok && (Layout{}).Body(dt, key, n) != at {
			t.Fatalf("%q is body %d of %s %q, which is at %q", at, n, dt, key, (Layout{}).Body(dt, key, n))
		}
	})
}

// TestLayoutPrefixes holds that the bodies of all objects below a prefix are below one of its prefixes.
func TestLayoutPrefixes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := Layout{Leaf: rapid.SampledFrom([]string{"", "current.json"}).Draw(t, "leaf")}
		dataType := rapid.SampledFrom([]string{"records", "content"}).Draw(t, "type")
		key := drawKey.Draw(t, "key")
		prefix := key[:rapid.IntRange(0, len(key)).Draw(t, "length")]
		body := l.Body(dataType, key, rapid.Int64Range(-2, 2).Draw(t, "n"))
		for i, p := range l.Prefixes(dataType, prefix) {
			for j, q := range l.Prefixes(dataType, prefix) {
				if i != j && strings.HasPrefix(p, q) {
					t.Fatalf("below %q of %s: %q is in %q", prefix, dataType, p, q)
				}
			}
			if utf8.ValidString(prefix) && !utf8.ValidString(p) {
				t.Fatalf("below %q of %s: %q is broken", prefix, dataType, p)
			}
		}
		if !slices.ContainsFunc(l.Prefixes(dataType, prefix), func(p string) bool { return strings.HasPrefix(body, p) }) {
			t.Fatalf("%q of %s %q is below none of %q", body, dataType, key, l.Prefixes(dataType, prefix))
		}
	})
}
