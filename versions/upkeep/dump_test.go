package upkeep_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/kvindex"
	"github.com/xronox/xronox-proxy/versions/memindex"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// filled is a place whose index has something of everything, and what to dump of it.
func filled(t *testing.T) (*kept, upkeep.Contents) {
	t.Helper()
	k := open(t, nil)
	for range 3 {
		k.put("a", "1")
	}
	k.put("b\x00\"<é", "1")
	k.remove("a", "")
	k.remove("gone", k.put("gone", "1"))
	_, err := k.bucket.(backends.Tagger).PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
		Key: new("b\x00\"<é"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: new("k"), Value: new("<v>")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, x := t.Context(), k.Index
	if _, err := x.InsertValue(ctx, "tokenKeys", []byte{0, 255, 1}); err != nil {
		t.Fatal(err)
	}
	record := router.BucketRecord{TenantID: "t", Name: "made", BucketID: "id", Created: begun, Mounts: []router.Mount{{ID: "main", Backend: "b", Bucket: "p"}}}
	record.Versions = router.VersionsBelow(record.Mounts[0])
	if err := x.InsertBucket(ctx, record); err != nil {
		t.Fatal(err)
	}
	if err := x.InsertSettings(ctx, "id", router.Settings{Seq: 1, Time: begun, Versioning: router.Enabled, Enabling: true}); err != nil {
		t.Fatal(err)
	}
	if err := x.InsertSettings(ctx, "id", router.Settings{Seq: 2, Time: begun, Versioning: router.Enabled, AccessKey: "A", Complete: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Hide(ctx, "id/old", "hidden"); err != nil {
		t.Fatal(err)
	}
	return k, upkeep.Contents{
		Values: []string{"tokenKeys", "none"}, Tenants: []string{"t", "other"}, Settings: []string{"id", "none"},
		Places: []string{k.BucketID, "none"}, Tombstones: []string{"id/old"},
	}
}

// dump is all that an index has, as text.
func dump(t *testing.T, x versions.Index, c upkeep.Contents) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := upkeep.Dump(t.Context(), x, c, &b, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDump: what was dumped and loaded is the same index: it has the same dump, and tells the same of versions.
func TestDump(t *testing.T) {
	t.Parallel()
	k, c := filled(t)
	first := dump(t, k.Index, c)
	kv, err := kvindex.Open(kvindex.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer kv.Close() //nolint:errcheck // the test is over
	for _, x := range []versions.Index{memindex.New(), kv} {
		for range 2 { // Loading is repeated: nothing changes.
			out, err := upkeep.Load(t.Context(), x, strings.NewReader(first), nil)
			if want := (upkeep.Copied{Values: 1, Buckets: 1, Settings: 1, Tombstones: 1, Slots: 5, Rows: 8}); err != nil || out != want {
				t.Errorf("%+v, %v", out, err)
			}
			if diff := gocmp.Diff(first, dump(t, x, c)); diff != "" {
				t.Errorf("%T: dumped again (-want +got):\n%s", x, diff)
			}
		}
		o := k.Options
		o.Index = x
		other := k.with(o)
		other.want("versions", other.list(), k.list())
		other.want("verify", other.verify(false), "")
		back := memindex.New()
		if _, err := migration(x, back, c).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(first, dump(t, back, c)); diff != "" {
			t.Errorf("%T: migrated back (-want +got):\n%s", x, diff)
		}
	}
}

// TestLoadRefused: what is not a whole dump is not taken for one, nor an index of other buckets for this one.
func TestLoadRefused(t *testing.T) {
	t.Parallel()
	k, c := filled(t)
	whole := dump(t, k.Index, c)
	lines := strings.SplitAfter(whole, "\n")
	f := func(x versions.Index, text, want string) {
		t.Helper()
		if _, err := upkeep.Load(t.Context(), x, strings.NewReader(text), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	f(memindex.New(), "", "not whole")
	f(memindex.New(), strings.Join(lines[:5], ""), "not whole")
	f(memindex.New(), lines[0]+strings.Join(lines[2:], ""), "not whole")
	f(memindex.New(), whole[:len(whole)/2], "cannot be read")
	f(memindex.New(), strings.Join(lines[1:], ""), "no dump of an index")
	f(memindex.New(), `{"format":2}`, "later version")
	x := memindex.New()
	if _, err := x.InsertValue(t.Context(), "tokenKeys", []byte("another")); err != nil {
		t.Fatal(err)
	}
	f(x, whole, "tokenKeys is different")
	x = memindex.New()
	if err := x.InsertBucket(t.Context(), router.BucketRecord{TenantID: "t", Name: "made", BucketID: "another", Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	f(x, whole, `bucket "made" of tenant "t" is another`)
	x = memindex.New()
	other := versions.Put(versions.Row{}, versions.Version{ID: versions.VersionID{N: 3}}, begun)
	if err := x.InsertRow(t.Context(), k.Object("gone"), other); err != nil {
		t.Fatal(err)
	}
	f(x, whole, `row 1 of "gone" is another`)
}
