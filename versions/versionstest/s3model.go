package versionstest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/versions"
)

// T is what tests and benchmarks of the models need.
type T interface {
	rapid.TB
	Context() context.Context
}

// S3Model does random things with a bucket by way of an index, and compares all that can be seen with what
// AWS's documentation says of a bucket.
func S3Model(t T, open func() versions.Index) { s3Model(t, Options{}, open) }

// s3Model is S3Model for an index that may be slow.
func s3Model(t T, o Options, open func() versions.Index) {
	o.check(t, func(rt *rapid.T) {
		x := open()
		defer x.Close() //nolint:errcheck // the other tests look at it
		clock := instant(0)
		m := &s3model{T: rt, ctx: t.Context(), bucket: naiveBucket{}, writer: writer{Index: x, now: func() time.Time { return clock }}}
		rt.Repeat(map[string]func(*rapid.T){
			"put":     func(rt *rapid.T) { m.put(rt, false) },
			"again":   func(rt *rapid.T) { m.put(rt, rapid.Bool().Draw(rt, "marker")) },
			"delete":  func(rt *rapid.T) { m.put(rt, true) },
			"remove":  m.remove,
			"tag":     m.tag,
			"suspend": func(*rapid.T) { m.suspended = !m.suspended },
			"compact": m.compact,
			"objects": m.listObjects,
			"list":    m.listVersions,
			"clock": func(rt *rapid.T) {
				clock = clock.Add(time.Duration(rapid.IntRange(-3, 5).Draw(rt, "ms")) * time.Millisecond)
			},
		})
	})
}

// s3model is a bucket twice.
type s3model struct {
	*rapid.T
	ctx       context.Context
	writer    writer
	bucket    naiveBucket
	suspended bool
}

// modelKeys are those of the bucket.
var modelKeys = []string{"a/b", "a/b", "a/b", "a", "a/", "a/c", "a0", "b\x00", "\U0010ffff/\U0010ffff", "\U0010ffff/a"}

// object draws one.
func (m *s3model) object(t *rapid.T) versions.Object {
	return versions.Object{BucketID: "b", Key: rapid.SampledFrom(modelKeys).Draw(t, "key")}
}

// id draws the ID of a version that an object has or had, or of none.
func (m *s3model) id(t *rapid.T, key string) versions.VersionID {
	ids := []versions.VersionID{{Null: true}, {N: 0, Nonce: 1}}
	for _, v := range *m.bucket.at(key) {
		ids = append(ids, v.id)
	}
	return rapid.SampledFrom(ids).Draw(t, "id")
}

// check compares the state after a row.
func (m *s3model) check(key string, r versions.Row, err error) {
	if err != nil {
		m.Fatal(err)
	}
	if d := m.bucket.at(key).disagrees(r.State); d != "" {
		m.Fatalf("%q after %+v: %s", key, r, d)
	}
}

// put puts an object, or deletes it without a version.
func (m *s3model) put(t *rapid.T, marker bool) {
	o := m.object(t)
	r, err := m.writer.put(m.ctx, o, m.suspended, marker)
	m.bucket.at(o.Key).put(r.Version.ID, marker)
	m.check(o.Key, r, err)
}

// remove deletes a version.
func (m *s3model) remove(t *rapid.T) {
	o := m.object(t)
	id := m.id(t, o.Key)
	r, removed, err := m.writer.remove(m.ctx, o, id)
	v := m.bucket.at(o.Key).find(id)
	if removed != (v != nil) {
		m.Fatalf("%v of %q was removed: %v", id, o.Key, removed)
	}
	if v != nil {
		v.gone = true
	}
	m.check(o.Key, r, err)
}

// tag tags a version, and looks whether it can be seen.
func (m *s3model) tag(t *rapid.T) {
	o := m.object(t)
	id := m.id(t, o.Key)
	tag := fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "tag"))
	r, tagged, err := m.writer.tag(m.ctx, o, id, tag)
	v := m.bucket.at(o.Key).find(id)
	if tagged != (v != nil) {
		m.Fatalf("%v of %q was tagged: %v", id, o.Key, tagged)
	}
	if v != nil {
		v.tag = tag
	}
	m.check(o.Key, r, err)
	got, err := versions.Lookup(m.ctx, m.writer, versions.Head{Object: o, Top: r}, id)
	if err != nil || describeVersion(got) != v.describe() {
		m.Fatalf("%v of %q is %s, %v; want %s", id, o.Key, describeVersion(got), err, v.describe())
	}
}

// compact compacts the log of an object. With the graves the places of what was removed are forgotten.
func (m *s3model) compact(t *rapid.T) {
	o, graves := m.object(t), rapid.Bool().Draw(t, "graves")
	if err := m.writer.compact(m.ctx, o, graves); err != nil {
		m.Fatal(err)
	}
	top, err := m.writer.Top(m.ctx, o)
	m.check(o.Key, top, err)
	if n := m.bucket.at(o.Key); graves {
		*n = slices.DeleteFunc(*n, func(v *naiveVersion) bool {
			isTop := top.Kind == versions.KindRemove && top.Version.ID.N == v.id.N
			isLastNull := v.id.Null && v.id.N == top.State.Null.N // whose place the state keeps
			return v.gone && !isTop && !isLastNull
		})
	}
}

// query draws a listing.
func (m *s3model) query(t *rapid.T) naiveQuery {
	return naiveQuery{
		prefix:    rapid.SampledFrom([]string{"", "a", "a/", "\U0010ffff"}).Draw(t, "prefix"),
		delimiter: rapid.SampledFrom([]string{"", "/", "\U0010ffff"}).Draw(t, "delimiter"),
		after:     rapid.SampledFrom(append([]string{"", "", "a\x00", "c"}, modelKeys...)).Draw(t, "after"),
	}
}

// optional is nil for an empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// listObjects lists pages to the end.
func (m *s3model) listObjects(t *rapid.T) {
	q, size := m.query(t), rapid.Int32Range(1, 5).Draw(t, "size")
	want := m.bucket.listObjects(q)
	in := &s3.ListObjectsV2Input{Prefix: optional(q.prefix), Delimiter: optional(q.delimiter), StartAfter: optional(q.after), MaxKeys: &size}
	var got []string
	for {
		out, err := versions.ListObjects(m.ctx, m.writer, "b", in)
		if err != nil {
			m.Fatal(err)
		}
		var page []string // of entries, which are also the next page's StartAfter
		for _, o := range out.Contents {
			page = append(page, *o.Key)
		}
		for _, p := range out.CommonPrefixes {
			page = append(page, *p.Prefix)
		}
		slices.Sort(page)
		if len(page) > int(size) || aws.ToBool(out.IsTruncated) != (len(got)+len(page) < len(want)) {
			m.Fatalf("%q, then %q, truncated %v; want %q", got, page, *out.IsTruncated, want)
		}
		for _, entry := range page {
			if slices.ContainsFunc(out.CommonPrefixes, func(p types.CommonPrefix) bool { return *p.Prefix == entry }) {
				got = append(got, "("+entry+")")
			} else {
				got = append(got, entry)
			}
		}
		if !*out.IsTruncated {
			break
		}
		in.StartAfter = &page[len(page)-1]
	}
	if !slices.Equal(got, want) {
		m.Fatalf("%+v: got %q, want %q", q, got, want)
	}
}

// listVersions lists pages of versions to the end.
func (m *s3model) listVersions(t *rapid.T) {
	q, size := m.query(t), rapid.Int32Range(1, 5).Draw(t, "size")
	if rapid.Bool().Draw(t, "inside") {
		q.after = rapid.SampledFrom(modelKeys).Draw(t, "key")
		q.marker = m.id(t, q.after).String()
	}
	want := m.bucket.listVersions(q)
	in := &s3.ListObjectVersionsInput{
		Prefix: optional(q.prefix), Delimiter: optional(q.delimiter), KeyMarker: optional(q.after), VersionIdMarker: optional(q.marker), MaxKeys: &size,
	}
	var got []string
	for {
		out, err := versions.ListVersions(m.ctx, m.writer, "b", in)
		if err != nil {
			m.Fatal(err)
		}
		page := describePage(out)
		got = append(got, page...)
		if len(page) > int(size) || aws.ToBool(out.IsTruncated) != (len(got) < len(want)) {
			m.Fatalf("%q, the last %d of it on a page, truncated %v; want %q", got, len(page), *out.IsTruncated, want)
		}
		if !*out.IsTruncated {
			break
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
	if !slices.Equal(got, want) {
		m.Fatalf("%+v: got %q, want %q", q, got, want)
	}
}

// describePage puts a page in the order of S3's document.
func describePage(out *s3.ListObjectVersionsOutput) []string {
	type item struct {
		key  string
		time time.Time
		text string
	}
	var items []item
	add := func(key, id *string, marker bool, latest *bool, t *time.Time) {
		items = append(items, item{*key, *t, fmt.Sprintf("%q %s marker=%v latest=%v", *key, *id, marker, *latest)})
	}
	for _, v := range out.Versions {
		add(v.Key, v.VersionId, false, v.IsLatest, v.LastModified)
	}
	for _, v := range out.DeleteMarkers {
		add(v.Key, v.VersionId, true, v.IsLatest, v.LastModified)
	}
	for _, p := range out.CommonPrefixes {
		items = append(items, item{key: *p.Prefix, text: "(" + *p.Prefix + ")"})
	}
	slices.SortStableFunc(items, func(a, b item) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return b.time.Compare(a.time)
	})
	page := make([]string, len(items))
	for i := range items {
		page[i] = items[i].text
	}
	return page
}
