package router

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/s3err"
)

// typed is a bucket whose keys begin with a type, and a place for the others when
// rest is not empty.
func typed(rest string) *BucketRecord {
	r := &BucketRecord{TenantID: "t", Name: "b", Mounts: []Mount{
		{ID: "records", Backend: "s", Bucket: "r", Prefix: "REC/", Under: "records/"},
		{ID: "deep", Backend: "s", Bucket: "r", Prefix: "DEEP/", Under: "records/deep/"},
		{ID: "content", Backend: "s", Bucket: "c", Prefix: "CON/", Under: "content/"},
	}}
	if rest != "" {
		r.Mounts = append(r.Mounts, Mount{ID: "default", Backend: "s", Bucket: "d", Prefix: rest})
	}
	return r
}

func TestSelect(t *testing.T) {
	t.Parallel()
	f := func(r *BucketRecord, key, wantMount, wantKey string) {
		t.Helper()
		s := NewSelector(r)
		i, err := s.Select(key)
		if wantMount == "" {
			if !s3err.Is(err, s3err.InvalidArgument) || !strings.Contains(err.Error(), "records/") {
				t.Errorf("%q: %v, want InvalidArgument that names what keys begin with", key, err)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		if m := s.Mounts()[i]; m.ID != wantMount || m.Physical(key) != wantKey {
			t.Errorf("%q is %q in %s, want %q in %s", key, m.Physical(key), m.ID, wantKey, wantMount)
		}
	}
	f(typed(""), "records/a/b", "records", "REC/a/b")
	f(typed(""), "records/", "records", "REC/")
	f(typed(""), "records/deep/b", "deep", "DEEP/b")
	f(typed(""), "content/records/x", "content", "CON/records/x")
	f(typed(""), "record", "", "")
	f(typed(""), "/records/a", "", "")
	f(typed("x/"), "other", "default", "x/other")
	f(typed("x/"), "content/y", "content", "CON/y")

	// Where keys are is never to change.
	shares := &BucketRecord{Name: "b", Mounts: []Mount{
		{ID: "one", Prefix: "1/", Share: Share{0, 3}}, {ID: "two", Prefix: "2/", Share: Share{1, 3}}, {ID: "three", Prefix: "3/", Share: Share{2, 3}},
	}}
	f(shares, "a", "three", "3/a")
	f(shares, "photos/2026/a.jpg", "two", "2/photos/2026/a.jpg")
	f(shares, "v", "two", "2/v")

	legacy := &BucketRecord{TenantID: "t", Name: "b", Mounts: []Mount{
		{ID: "versions", Prefix: "versions/", Classes: []Class{ClassVersions}},
		{ID: "content", Prefix: "content/", Classes: []Class{ClassContent, ClassBackups, ClassRecords, ClassOther}},
		{ID: "old", Old: true},
	}}
	f(legacy, "o/65a1b2c3d4e5f60718293a4b/v0/item.json", "versions", "versions/o/65a1b2c3d4e5f60718293a4b/v0/item.json")
	f(legacy, "versions/x", "content", "content/versions/x")
	f(legacy, "x", "content", "content/x")
	if NewSelector(legacy).TakesAny() || !NewSelector(&BucketRecord{Mounts: []Mount{{}, {Old: true}}}).TakesAny() {
		t.Error("TakesAny is for one mount of every key")
	}
}

// drawRecords draws buckets that are often in each other's way.
func drawRecords(t *rapid.T) []BucketRecord {
	prefix := rapid.SampledFrom([]string{"", "a/", "a/b/", "a", "ab/", "b/", "b/c/", "records/"})
	var records []BucketRecord
	for i := range rapid.IntRange(1, 6).Draw(t, "buckets") {
		r := BucketRecord{
			TenantID: rapid.SampledFrom([]string{"t", "u"}).Draw(t, "tenant"), Name: fmt.Sprintf("bucket%d", i),
			Group: rapid.SampledFrom([]string{"", "", "g"}).Draw(t, "group"),
		}
		for j := range rapid.IntRange(1, 3).Draw(t, "mounts") {
			m := Mount{
				ID: fmt.Sprint(j), Backend: rapid.SampledFrom([]string{"s1", "s2", "s1again"}).Draw(t, "backend"),
				Bucket: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "bucket"), Prefix: prefix.Draw(t, "prefix"),
				Under: rapid.SampledFrom([]string{"", fmt.Sprint(j) + "/"}).Draw(t, "under"),
				Old:   rapid.IntRange(0, 4).Draw(t, "old") == 0,
			}
			if m.Old {
				m.Exclude = rapid.SliceOf(prefix).Draw(t, "exclude")
				m.Exclude = slices.DeleteFunc(m.Exclude, func(x string) bool { return x == m.Prefix || !strings.HasPrefix(x, m.Prefix) })
			}
			r.Mounts = append(r.Mounts, m)
		}
		records = append(records, r)
	}
	return records
}

// TestConflictsFindsAll compares with looking at every two mounts.
func TestConflictsFindsAll(t *testing.T) {
	t.Parallel()
	stores := map[string]string{"s1": "one", "s1again": "one"}
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		want := 0
		var all images
		for i := range records {
			for j := range records[i].Mounts {
				x := newImage(&records[i], &records[i].Mounts[j], stores)
				for _, o := range all {
					if o.store == x.store && o.conflict(x) != nil {
						want++
					}
				}
				all = append(all, x)
			}
		}
		if got := len(newImages(records, stores).conflicts()); got != min(want, maxConflicts) {
			t.Fatalf("%d conflicts, want %d", got, want)
		}
		last := &records[len(records)-1]
		last.Group = ""
		want = 0
		for i := range records[:len(records)-1] {
			for j := range records[i].Mounts {
				for k := range last.Mounts {
					o, x := newImage(&records[i], &records[i].Mounts[j], stores), newImage(last, &last.Mounts[k], stores)
					if o.store == x.store && o.conflict(x) != nil {
						want++
					}
				}
			}
		}
		err := newImages(records[:len(records)-1], stores).conflictsWith(last, stores)
		if (err != nil) != (want > 0) {
			t.Fatalf("conflictsWith: %v, want %d", err, want)
		}
	})
}

// TestImagesAreDisjoint holds what the check is for: when it lets records through, no two
// keys of buckets that are not aliases reach one physical object.
func TestImagesAreDisjoint(t *testing.T) {
	t.Parallel()
	stores := map[string]string{"s1": "one", "s1again": "one"}
	key := rapid.SampledFrom([]string{"a", "a/b", "a/b/c", "b/c/d", "0/a", "1/b", "2/x", "0/b/c/d", "records/x", "c/records/x"})
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		if len(newImages(records, stores).conflicts()) > 0 {
			t.Skip("refused")
		}
		type object struct{ store, bucket, key string }
		reached := map[object][2]string{}
		group := map[object]string{}
		for i := range records {
			r := &records[i]
			s := NewSelector(r)
			for _, k := range rapid.SliceOfNDistinct(key, 1, 6, rapid.ID[string]).Draw(t, "keys") {
				n, err := s.Select(k)
				if err != nil {
					continue
				}
				m := s.Mounts()[n]
				o := object{newImage(r, &m, stores).store, m.Bucket, m.Physical(k)}
				by := [2]string{r.TenantID + "/" + r.Name, k}
				other, taken := reached[o]
				alias := taken && r.Group != "" && group[o] == r.TenantID+"/"+r.Group
				if taken && other != by && !alias {
					t.Fatalf("%v and %v reach %v", other, by, o)
				}
				reached[o] = by
				group[o] = ""
				if r.Group != "" {
					group[o] = r.TenantID + "/" + r.Group
				}
			}
		}
	})
}
