package router

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// shapes are the classes as regular expressions, in the order in which they are tried.
var shapes = []struct {
	re    *regexp.Regexp
	class Class
}{
	{regexp.MustCompile(`^__manifests__/(.+)/(\d{4})/(\d{2})/snapshot-(\d+)\.json\.gz$`), ClassBackups},
	{regexp.MustCompile(`^(.+)/([^/]+)/([0-9a-f]{24})/v(\d+)/(blob\.bin|text\.txt)$`), ClassContent},
	{regexp.MustCompile(`^(.+)/([0-9a-f]{24})/v(\d+)/item\.json$`), ClassVersions},
}

// byShape is Classify, slowly.
func byShape(key string) Class {
	for _, s := range shapes {
		if s.re.MatchString(key) {
			return s.class
		}
	}
	return ClassOther
}

func TestClassify(t *testing.T) {
	t.Parallel()
	const id = "65a1b2c3d4e5f60718293a4b"
	f := func(key string, want Class) {
		t.Helper()
		if got := Classify(key); got != want || byShape(key) != want {
			t.Errorf("%q is %s (by shape %s), want %s", key, got, byShape(key), want)
		}
	}
	f("orders/"+id+"/v0/item.json", ClassVersions)
	f("my/deep/orders/"+id+"/v123/item.json", ClassVersions)
	f("docs/file.data/"+id+"/v0/blob.bin", ClassContent)
	f("docs/file.data/"+id+"/v7/text.txt", ClassContent)
	f("../x/y/"+id+"/v7/text.txt", ClassContent)
	f("__manifests__/orders/2026/11/snapshot-42.json.gz", ClassBackups)
	f("__manifests__/a/b/2026/11/snapshot-0.json.gz", ClassBackups)
	f("__manifests__/p/"+id+"/v0/blob.bin", ClassContent)

	f("", ClassOther)
	f("item.json", ClassOther)
	f(id+"/v0/item.json", ClassOther)
	f("/"+id+"/v0/item.json", ClassOther)
	f("orders/"+strings.ToUpper(id)+"/v0/item.json", ClassOther)
	f("orders/"+id+"/v/item.json", ClassOther)
	f("orders/"+id+"/v-1/item.json", ClassOther)
	f("orders/"+id+"/v0/item.json/", ClassOther)
	f("orders/"+id+"/v0/item.json2", ClassOther)
	f("prop/"+id+"/v0/blob.bin", ClassOther)
	f("docs//"+id+"/v0/blob.bin", ClassOther)
	f("a\nb/"+id+"/v0/item.json", ClassOther)
	f("__manifests__/orders/26/11/snapshot-42.json.gz", ClassOther)
	f("__manifests__//2026/11/snapshot-42.json.gz", ClassOther)
	f("orders/2026/11/snapshot-42.json.gz", ClassOther)
	f("records/orders/42/head.json", ClassOther)
}

// TestClassifyRandom compares with the expressions on keys that are nearly right.
func TestClassifyRandom(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{
		"", "a", "orders", "65a1b2c3d4e5f60718293a4b", "65a1b2c3d4e5f60718293a4", "v0", "v12", "v", "vx", "item.json", "blob.bin",
		"text.txt", "__manifests__", "2026", "11", "snapshot-1.json.gz", "snapshot-.json.gz", "snapshot-1.json.gzx", "\n", "ü",
	})
	rapid.Check(t, func(t *rapid.T) {
		key := strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "/")
		if got, want := Classify(key), byShape(key); got != want {
			t.Fatalf("%q is %s, want %s", key, got, want)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Classify("docs/file.data/65a1b2c3d4e5f60718293a4b/v0/blob.bin")
	}
}
