package mount_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/mount"
)

// drawMount draws a mount of a store with objects in it and around it, and returns
// it with the keys that it shows.
func drawMount(t *testing.T, rt *rapid.T) (m backends.Backend, keys []string) {
	store := newStore(t, "physical")
	o := mount.Options{
		Backend: store, Bucket: "physical", BucketID: "id", MountID: "main", Sealer: newSealer(t),
		Under:  rapid.SampledFrom([]string{"", "records/", "a/b/", "a", "//"}).Draw(rt, "under"),
		Prefix: rapid.SampledFrom([]string{"", "REC/", "a", "records/"}).Draw(rt, "prefix"),
	}
	for _, x := range rapid.SliceOfN(rapid.SampledFrom([]string{"a/", "a", "b/c/", "records/", "v"}), 0, 2).Draw(rt, "exclude") {
		o.Exclude = append(o.Exclude, o.Prefix+x)
	}
	physical := rapid.SampledFrom([]string{
		"", "REC/", "a", "a/", "a/b", "a/b/c", "a/c", "ab", "b/c/d", "b/d", "b/", "c", "records/x", "records/y/z", "records", "v", "vv", "w", "\U0010ffff", "/", "//x", "/x",
	})
	names := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"", "REC/", "a", "records/"}).Draw(t, "p") + physical.Draw(t, "k")
	}), 0, 30, rapid.ID).Draw(rt, "objects")
	for _, name := range names {
		if name == "" {
			continue
		}
		put(t, store, "physical", name, name)
		rest, ok := strings.CutPrefix(name, o.Prefix)
		out := slices.ContainsFunc(o.Exclude, func(x string) bool { return strings.HasPrefix(name, x) })
		if ok && !out && (rest != "" || o.Under != "") {
			keys = append(keys, o.Under+rest)
		}
	}
	return mount.New(o), keys
}

// TestListing compares the listings of random mounts with those of a bucket that
// holds the keys that the mount shows.
func TestListing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m, keys := drawMount(t, rt)
		model := newStore(t, "virtual")
		for _, key := range keys {
			put(t, model, "virtual", key, "")
		}
		piece := rapid.SampledFrom([]string{"", "", "r", "records/", "records/x", "a", "a/", "a/b/", "/", "//", "b/", "s/", "d/x", "b/c", "ords/y/", "v", "z"})
		in := &s3.ListObjectsV2Input{
			Bucket: new("virtual"), Prefix: new(piece.Draw(rt, "list prefix")), Delimiter: new(piece.Draw(rt, "delimiter")),
			StartAfter: new(rapid.OneOf(piece, rapid.SampledFrom(append(keys, ""))).Draw(rt, "after")),
			MaxKeys:    aws.Int32(int32(rapid.IntRange(0, 5).Draw(rt, "max"))),
		}
		got, err := m.ListObjectsV2(t.Context(), in)
		if err != nil {
			rt.Fatal(err)
		}
		want, err := model.ListObjectsV2(t.Context(), in)
		if err != nil {
			rt.Fatal(err)
		}
		if g, w := shown(got), shown(want); !slices.Equal(g, w) || *got.IsTruncated != *want.IsTruncated || *got.KeyCount != *want.KeyCount {
			rt.Fatalf("prefix %q delimiter %q after %q max %d: %q %v %d, want %q %v of %q", *in.Prefix, *in.Delimiter, *in.StartAfter, *in.MaxKeys,
				g, *got.IsTruncated, *got.KeyCount, w, *want.IsTruncated, keys)
		}
	})
}

// shown is the page of a listing, keys and common prefixes.
func shown(out *s3.ListObjectsV2Output) []string {
	all := []string{}
	for _, o := range out.Contents {
		all = append(all, "key "+*o.Key)
	}
	for _, p := range out.CommonPrefixes {
		all = append(all, "prefix "+*p.Prefix)
	}
	return all
}

// TestUploadListing is TestListing for unfinished uploads, page by page. Uploads of one key
// are shown in the order of the store, which the ids do not tell; so each key has one.
func TestUploadListing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		under := rapid.SampledFrom([]string{"", "records/", "a/b/", "//"}).Draw(rt, "under")
		m := mount.New(mount.Options{
			Backend: newStore(t, "physical"), Bucket: "physical", BucketID: "id", MountID: "main", Sealer: newSealer(t),
			Under: under, Prefix: rapid.SampledFrom([]string{"REC/", "a"}).Draw(rt, "prefix"),
		})
		model := newStore(t, "virtual")
		for _, rest := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "a/b", "a/c", "/x", "x/", "x/y", "z"}), 0, 7, rapid.ID).Draw(rt, "keys") {
			begin(t, m, "virtual", under+rest)
			begin(t, model, "virtual", under+rest)
		}
		piece := rapid.SampledFrom([]string{"", "", "rec", "records/", "records/a", "/", "//", "s/", "b/", "s/x", "/a", "a"})
		in := &s3.ListMultipartUploadsInput{
			Bucket: new("virtual"), Prefix: new(piece.Draw(rt, "list prefix")), Delimiter: new(piece.Draw(rt, "delimiter")),
			KeyMarker: new(piece.Draw(rt, "marker")), MaxUploads: aws.Int32(int32(rapid.IntRange(1, 4).Draw(rt, "max"))),
		}
		got, want := uploadPages(t, m, *in), uploadPages(t, model, *in)
		if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			rt.Fatalf("prefix %q delimiter %q marker %q by %d: %q, want %q", *in.Prefix, *in.Delimiter, *in.KeyMarker, *in.MaxUploads, got, want)
		}
	})
}

// uploadPages are the pages of a listing of uploads, each its keys and common prefixes.
func uploadPages(t *testing.T, b backends.Backend, in s3.ListMultipartUploadsInput) [][]string {
	t.Helper()
	var pages [][]string
	for {
		out, err := uploader(t, b).ListMultipartUploads(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		page := []string{}
		for _, u := range out.Uploads {
			page = append(page, "key "+*u.Key)
		}
		for _, p := range out.CommonPrefixes {
			page = append(page, "prefix "+*p.Prefix)
		}
		pages = append(pages, page)
		if !*out.IsTruncated {
			return pages
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}
