package versions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// counted counts what is read from an index, and can fail.
type counted struct {
	versions.Index
	calls, items int
	fail         error
}

// count is one call that returned some items.
func (c *counted) count(items int) error {
	c.calls++
	c.items += items
	return c.fail
}

func (c *counted) Top(ctx context.Context, o versions.Object) (versions.Row, error) {
	r, err := c.Index.Top(ctx, o)
	return r, errors.Join(err, c.count(1))
}

func (c *counted) Find(ctx context.Context, o versions.Object, n int64) (versions.Row, error) {
	r, err := c.Index.Find(ctx, o, n)
	return r, errors.Join(err, c.count(1))
}

func (c *counted) Heads(ctx context.Context, r versions.Range) ([]versions.Head, error) {
	if !utf8.ValidString(r.From.Key) {
		return nil, fmt.Errorf("asked from %q", r.From.Key)
	}
	list, err := c.Index.Heads(ctx, r)
	return list, errors.Join(err, c.count(len(list)))
}

func (c *counted) Versions(ctx context.Context, r versions.Range) ([]versions.Entry, error) {
	list, err := c.Index.Versions(ctx, r)
	return list, errors.Join(err, c.count(len(list)))
}

// log puts versions of a key into the bucket "b": a delete marker for each "d", else an object.
func log(t testing.TB, x versions.Index, key, kinds string) {
	t.Helper()
	o := versions.Object{BucketID: "b", Key: key}
	if err := x.InsertKey(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var top versions.Row
	for n, kind := range kinds {
		v := versions.Version{ID: versions.VersionID{N: int64(n), Nonce: 1}, Marker: kind == 'd'}
		top = versions.Put(top, v, time.UnixMilli(0))
		if err := x.InsertRow(t.Context(), o, top); err != nil {
			t.Fatal(err)
		}
	}
}

// history is that many versions.
func history(n int) string { return fmt.Sprintf("%0*d", n, 0) }

// TestListCost holds that a page costs what it shows.
func TestListCost(t *testing.T) {
	t.Parallel()
	x := &counted{Index: memindex.New()}
	for i := range 1100 {
		log(t, x, fmt.Sprintf("flat/%04d", i), history(5))
	}
	for i := range 50 {
		for j := range 20 {
			log(t, x, fmt.Sprintf("deep/%02d/%02d", i, j), history(5))
		}
	}
	for i := range 3000 {
		log(t, x, fmt.Sprintf("markers/%04d", i), "0d")
	}
	log(t, x, "markers/z", "0")
	log(t, x, "few/a/b", "0")
	for i := range 20 {
		log(t, x, fmt.Sprintf("last/a\U0010ffff%d", i), "0")
		log(t, x, fmt.Sprintf("last/b\U0010ffff%d", i), "0")
	}
	log(t, x, "one", history(3000))
	f := func(name string, calls, items int, list func() (shown int, err error)) {
		t.Helper()
		x.calls, x.items = 0, 0
		shown, err := list()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d shown for %d calls that return %d", name, shown, x.calls, x.items)
		if shown == 0 || x.calls > calls || x.items > items {
			t.Errorf("%s: %d calls that return %d, want %d and %d", name, x.calls, x.items, calls, items)
		}
	}
	objects := func(in s3.ListObjectsV2Input) func() (int, error) {
		return func() (int, error) {
			out, err := versions.ListObjects(t.Context(), x, "b", &in)
			if err != nil {
				return 0, err
			}
			return len(out.Contents) + len(out.CommonPrefixes), nil
		}
	}
	all := func(in s3.ListObjectVersionsInput) func() (int, error) {
		return func() (int, error) {
			out, err := versions.ListVersions(t.Context(), x, "b", &in)
			if err != nil {
				return 0, err
			}
			return len(out.Versions) + len(out.DeleteMarkers) + len(out.CommonPrefixes), nil
		}
	}
	slash, id := aws.String("/"), aws.String(versions.VersionID{N: 2000, Nonce: 1}.String())
	f("1,000 objects", 1, 1001, objects(s3.ListObjectsV2Input{Prefix: aws.String("flat/")}))
	f("10 objects", 1, 11, objects(s3.ListObjectsV2Input{Prefix: aws.String("flat/"), MaxKeys: aws.Int32(10)}))
	f("50 prefixes", 51, 50*8, objects(s3.ListObjectsV2Input{Prefix: aws.String("deep/"), Delimiter: slash}))
	f("a prefix with little below it", 1, 1, objects(s3.ListObjectsV2Input{Prefix: aws.String("few/"), Delimiter: slash}))
	f("2 prefixes that have no end in UTF-8", 3, 16, objects(s3.ListObjectsV2Input{Prefix: aws.String("last/"), Delimiter: aws.String("\U0010ffff")}))
	f("1,000 objects and a delimiter", 5, 1100, objects(s3.ListObjectsV2Input{Prefix: aws.String("flat/"), Delimiter: slash}))
	f("past 3,000 markers", 4, 3001, objects(s3.ListObjectsV2Input{Prefix: aws.String("markers/")}))
	f("6 prefixes, one of them behind 3,000 markers", 10, 3026, objects(s3.ListObjectsV2Input{Delimiter: slash}))
	f("1,000 versions", 1, 1001, all(s3.ListObjectVersionsInput{}))
	f("1,000 versions of one object", 1, 1001, all(s3.ListObjectVersionsInput{Prefix: aws.String("one")}))
	f("further on", 3, 1003, all(s3.ListObjectVersionsInput{KeyMarker: aws.String("one"), VersionIdMarker: id}))
	f("50 prefixes of versions", 51, 50*8, all(s3.ListObjectVersionsInput{Prefix: aws.String("deep/"), Delimiter: slash}))
	f("the next object's versions", 1, 11, all(s3.ListObjectVersionsInput{KeyMarker: aws.String("flat/0000"), MaxKeys: aws.Int32(10)}))
}

// TestListInside begins inside of a key whose null version was replaced, or removed, above and below.
func TestListInside(t *testing.T) {
	t.Parallel()
	x := memindex.New()
	o := versions.Object{BucketID: "b", Key: "k"}
	var top versions.Row
	put := func(n int64, null bool) versions.Row {
		t.Helper()
		top = versions.Put(top, versions.Version{ID: versions.VersionID{N: n, Nonce: 1, Null: null}}, time.UnixMilli(0))
		if err := x.InsertRow(t.Context(), o, top); err != nil {
			t.Fatal(err)
		}
		return top
	}
	f := func(after versions.VersionID, want ...string) {
		t.Helper()
		in := &s3.ListObjectVersionsInput{KeyMarker: &o.Key, VersionIdMarker: aws.String(after.String())}
		out, err := versions.ListVersions(t.Context(), x, "b", in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range out.Versions {
			if got = append(got, *v.VersionId); *v.IsLatest {
				t.Errorf("%s is the latest", *v.VersionId)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %v: %q, want %q", after, got, want)
		}
	}
	put(0, true)
	one, two := put(1, false).Version, put(2, false).Version
	f(two.ID, one.ID.String(), "null")
	f(one.ID, "null")
	f(versions.VersionID{Null: true})
	null := put(3, true).Version // replaces the one below
	f(two.ID, one.ID.String())
	f(versions.VersionID{Null: true}, two.ID.String(), one.ID.String())
	put(4, false)
	top = versions.Remove(top, null, nil, versions.Event{})
	if err := x.InsertRow(t.Context(), o, top); err != nil {
		t.Fatal(err)
	}
	f(versions.VersionID{Null: true}, two.ID.String(), one.ID.String()) // whose place is still known
	f(two.ID, one.ID.String())
}

func TestListVersionsRefuses(t *testing.T) {
	t.Parallel()
	x := &counted{Index: memindex.New()}
	log(t, x, "k", history(5))
	f := func(in s3.ListObjectVersionsInput, want s3err.Code) {
		t.Helper()
		if out, err := versions.ListVersions(t.Context(), x, "b", &in); !s3err.Is(err, want) {
			t.Errorf("%v, %v; want %s", out, err, want)
		}
	}
	f(s3.ListObjectVersionsInput{VersionIdMarker: aws.String("null")}, s3err.InvalidArgument)
	f(s3.ListObjectVersionsInput{KeyMarker: aws.String("k"), VersionIdMarker: aws.String("")}, s3err.InvalidArgument)
	f(s3.ListObjectVersionsInput{KeyMarker: aws.String("k"), VersionIdMarker: aws.String("x")}, s3err.InvalidArgument)

	out, err := versions.ListVersions(t.Context(), x, "b", &s3.ListObjectVersionsInput{MaxKeys: aws.Int32(0)})
	if err != nil || *out.IsTruncated || len(out.Versions) > 0 {
		t.Errorf("a page of 0: %v, %v", out, err)
	}
}

// TestListFails holds that a listing which broke off does not look complete.
func TestListFails(t *testing.T) {
	t.Parallel()
	x := &counted{Index: memindex.New()}
	for i := range 20 {
		log(t, x, fmt.Sprint(i), history(2))
	}
	x.fail = errors.New("broken")
	if _, err := versions.ListObjects(t.Context(), x, "b", &s3.ListObjectsV2Input{}); !errors.Is(err, x.fail) {
		t.Errorf("ListObjects: %v", err)
	}
	for _, in := range []s3.ListObjectVersionsInput{{}, {KeyMarker: aws.String("1"), VersionIdMarker: aws.String("null")}} {
		if _, err := versions.ListVersions(t.Context(), x, "b", &in); !errors.Is(err, x.fail) {
			t.Errorf("ListVersions: %v", err)
		}
	}
}

// TestListShows holds what a listing tells of a version.
func TestListShows(t *testing.T) {
	t.Parallel()
	x := memindex.New()
	at := time.UnixMilli(1_790_000_000_123).UTC()
	v := versions.Version{ID: versions.NullVersionID(0), Size: 5, ETag: `"e"`, By: versions.By{AccessKey: "AK", UserID: "u"}}
	v.Checksum.Algorithm, v.Checksum.Value, v.Checksum.Type = "SHA256", "AAAA", "FULL_OBJECT"
	r := versions.Put(versions.Row{}, v, at)
	if err := x.InsertRow(t.Context(), versions.Object{BucketID: "b", Key: "k"}, r); err != nil {
		t.Fatal(err)
	}
	out, err := versions.ListVersions(t.Context(), x, "b", &s3.ListObjectVersionsInput{})
	if err != nil || len(out.Versions) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	got := out.Versions[0]
	if *got.Key != "k" || *got.VersionId != "null" || !*got.IsLatest || *got.Size != 5 || *got.ETag != `"e"` || got.StorageClass != "STANDARD" ||
		!got.LastModified.Equal(at) || *got.Owner.ID != "u" || got.ChecksumType != "FULL_OBJECT" || got.ChecksumAlgorithm[0] != "SHA256" {
		t.Errorf("%+v", got)
	}
	objects, err := versions.ListObjects(t.Context(), x, "b", &s3.ListObjectsV2Input{})
	if err != nil || len(objects.Contents) != 1 || *objects.Contents[0].Size != 5 || !objects.Contents[0].LastModified.Equal(at.Truncate(time.Second)) {
		t.Errorf("%+v, %v", objects, err)
	}
}
