package versioned_test

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/internal/history"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestModel does random things, one after another, with a bucket and with lists of versions by key, and compares
// what is answered, listed page by page, and read.
func TestModel(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*versioned.Options)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				b := open(t, change)
				m := &bucketModel{T: rt, b: b, keys: map[string]history.State{}, tags: map[string]string{}}
				if !b.o.Complete {
					for _, key := range modelKeys[:3] {
						b.putPlain(key, "old "+key)
						m.keys[key] = history.State{{ID: "null", ETag: history.ETagOf("old " + key), Value: "old " + key}}
					}
				}
				rt.Repeat(map[string]func(*rapid.T){
					"put": m.put, "put again": m.put, "delete": m.delete, "remove": m.remove, "remove another": m.remove,
					"copy": m.copy, "upload": m.upload, "tag": m.tag, "get": m.get, "list": m.list, "list versions": m.listVersions,
					"suspend": func(*rapid.T) { m.suspended = !m.suspended },
				})
				m.rest()
			})
		})
	}
	f("new", nil)
	f("in use before", before)
}

// modelKeys are those of the model.
var modelKeys = []string{"a/1", "b", "c/d/1", "a/2.txt", "a", "a/", "c/1"}

// bucketModel is a bucket twice.
type bucketModel struct {
	*rapid.T
	b         *bucketOf
	suspended bool
	count     int
	keys      map[string]history.State
	tags      map[string]string // by key and VersionId
}

// bucket is the bucket under the setting of the moment.
func (m *bucketModel) bucket() *bucketOf {
	if m.suspended {
		return m.b.as(router.Suspended)
	}
	return m.b
}

// key draws one.
func (m *bucketModel) key(t *rapid.T, name string) string {
	return rapid.SampledFrom(modelKeys).Draw(t, name)
}

// id draws the id of a version, or one that there is not.
func (m *bucketModel) id(t *rapid.T, key string) string {
	ids := []string{"null", "0000000000000000000000000o"}
	for _, v := range m.keys[key] {
		ids = append(ids, v.ID, v.ID)
	}
	return rapid.SampledFrom(ids).Draw(t, "id")
}

// text is a new one.
func (m *bucketModel) text() string {
	m.count++
	return fmt.Sprint("text ", m.count)
}

// did compares an answer with what the model says, and takes over the state after it.
func (m *bucketModel) did(in history.Input, out history.Output, err error) {
	m.Helper()
	if err != nil {
		e := s3err.From(err)
		out.Code = e.Code
		for _, h := range e.Headers {
			if h.Name == "x-amz-version-id" {
				out.ID = h.Value
			}
		}
	}
	in.Null = m.suspended
	ok, next := history.Step(m.keys[in.Key], in, out)
	if !ok {
		m.Fatalf("%+v -> %+v, %v, with the versions %+v", in, out, err, m.keys[in.Key])
	}
	if (in.Kind == history.Put || in.Kind == history.Delete) && out.Code == "" {
		delete(m.tags, in.Key+" "+out.ID)
	}
	m.keys[in.Key] = next
}

// put puts an object, perhaps under a condition.
func (m *bucketModel) put(t *rapid.T) {
	in := history.Input{Kind: history.Put, Key: m.key(t, "key"), Value: m.text()}
	switch rapid.IntRange(0, 4).Draw(t, "condition") {
	case 0:
		in.NoneMatch = "*"
	case 1:
		in.Match = history.ETagOf(in.Value)
		if s := m.keys[in.Key]; len(s) > 0 && s[0].ETag != "" {
			in.Match = rapid.SampledFrom(s).Draw(t, "version").ETag
		}
		if in.Match == "" { // of a marker
			in.Match = "*"
		}
	}
	out, err := m.bucket().PutObject(m.b.Context(), &s3.PutObjectInput{
		Key: &in.Key, Body: strings.NewReader(in.Value), ContentLength: new(int64(len(in.Value))), Metadata: map[string]string{"says": in.Value},
		IfMatch: orNil(in.Match), IfNoneMatch: orNil(in.NoneMatch),
	})
	answer := history.Output{}
	if err == nil {
		answer.ID, answer.ETag = aws.ToString(out.VersionId), aws.ToString(out.ETag)
	}
	m.did(in, answer, err)
}

// upload puts an object by an upload.
func (m *bucketModel) upload(t *rapid.T) {
	in := history.Input{Kind: history.Put, Key: m.key(t, "key"), Value: m.text()}
	b := m.bucket()
	u, _ := backends.As[backends.MultipartUploader](b.Backend)
	out, err := u.CompleteMultipartUpload(m.b.Context(), b.upload(in.Key, in.Value))
	answer := history.Output{}
	if err == nil {
		answer.ID, answer.ETag = aws.ToString(out.VersionId), aws.ToString(out.ETag)
	}
	m.did(in, answer, err)
}

// delete deletes an object.
func (m *bucketModel) delete(t *rapid.T) {
	in := history.Input{Kind: history.Delete, Key: m.key(t, "key")}
	out, err := m.bucket().DeleteObject(m.b.Context(), &s3.DeleteObjectInput{Key: &in.Key})
	if err != nil {
		m.Fatal(err)
	}
	m.did(in, history.Output{ID: aws.ToString(out.VersionId), Marker: aws.ToBool(out.DeleteMarker)}, nil)
}

// remove removes a version.
func (m *bucketModel) remove(t *rapid.T) {
	in := history.Input{Kind: history.Remove, Key: m.key(t, "key")}
	in.Version = m.id(t, in.Key)
	out, err := m.bucket().DeleteObject(m.b.Context(), &s3.DeleteObjectInput{Key: &in.Key, VersionId: &in.Version})
	if err != nil {
		m.Fatal(err)
	}
	m.did(in, history.Output{Marker: aws.ToBool(out.DeleteMarker)}, nil)
	delete(m.tags, in.Key+" "+in.Version)
}

// copy copies an object, or a version, to another key.
func (m *bucketModel) copy(t *rapid.T) {
	read, write := history.Input{Kind: history.Get, Key: m.key(t, "from")}, history.Input{Kind: history.Put, Key: m.key(t, "to")}
	if read.Key == write.Key {
		return
	}
	src := backends.CopySource{Key: read.Key}
	if rapid.Bool().Draw(t, "version") {
		read.Kind, read.Version = history.GetVersion, m.id(t, read.Key)
		src.VersionID = read.Version
	}
	out, err := m.bucket().CopyObject(m.b.Context(), src, &s3.CopyObjectInput{Key: &write.Key})
	if s3err.Is(err, s3err.InvalidRequest) { // as a copy is told that its source is a marker
		err = s3err.New(s3err.MethodNotAllowed)
	}
	if err != nil {
		m.did(read, history.Output{}, err)
		return
	}
	id := aws.ToString(out.CopySourceVersionId)
	s := m.keys[read.Key]
	i := s.Find(id)
	if i < 0 {
		m.Fatalf("copied %s, which there is not, of %+v", id, s)
	}
	m.did(read, history.Output{ID: id, Value: s[i].Value}, nil)
	write.Value = s[i].Value
	m.did(write, history.Output{ID: aws.ToString(out.VersionId), ETag: aws.ToString(out.CopyObjectResult.ETag)}, nil)
	m.tags[write.Key+" "+aws.ToString(out.VersionId)] = m.tags[read.Key+" "+id]
}

// tag tags a version.
func (m *bucketModel) tag(t *rapid.T) {
	key := m.key(t, "key")
	id := m.id(t, key)
	i := m.keys[key].Find(id)
	if i < 0 || m.keys[key][i].Marker {
		return
	}
	tag := rapid.SampledFrom([]string{"", "red", "blue"}).Draw(t, "tag")
	m.b.tag(key, id, tag)
	m.tags[key+" "+id] = tag
}

// get reads an object, or a version.
func (m *bucketModel) get(t *rapid.T) {
	in := history.Input{Kind: history.Get, Key: m.key(t, "key")}
	if rapid.Bool().Draw(t, "version") {
		in.Kind, in.Version = history.GetVersion, m.id(t, in.Key)
	}
	m.read(in)
}

// read reads what an input says.
func (m *bucketModel) read(in history.Input) {
	out, err := m.bucket().GetObject(m.b.Context(), &s3.GetObjectInput{Key: &in.Key, VersionId: orNil(in.Version)})
	answer := history.Output{}
	if err == nil {
		body, e := io.ReadAll(out.Body)
		if e != nil || out.Metadata["says"] != string(body) {
			m.Fatalf("%+v reads %q with %v, %v", in, body, out.Metadata, e)
		}
		answer.ID, answer.Value = aws.ToString(out.VersionId), string(body)
		if got := m.b.tags(in.Key, in.Version); got != m.tags[in.Key+" "+answer.ID] {
			m.Fatalf("%+v has the tags %q, want %q", in, got, m.tags[in.Key+" "+answer.ID])
		}
	}
	m.did(in, answer, err)
}

// shows are the lines of a listing: of each key those that of shows, and common prefixes.
func (m *bucketModel) shows(prefix, delimiter string, of func(history.State) []string) (all []string) {
	for _, key := range slices.Sorted(maps.Keys(m.keys)) {
		rest, ok := strings.CutPrefix(key, prefix)
		lines := of(m.keys[key])
		if !ok || len(lines) == 0 {
			continue
		}
		if i := strings.Index(rest, delimiter); delimiter != "" && i >= 0 {
			if p := prefix + rest[:i+1]; !slices.Contains(all, p) {
				all = append(all, p)
			}
			continue
		}
		for _, line := range lines {
			all = append(all, key+line)
		}
	}
	return all
}

// query draws a listing.
func (m *bucketModel) query(t *rapid.T) (prefix, delimiter string, size int32) {
	prefix = rapid.SampledFrom([]string{"", "a", "a/", "c/", "x"}).Draw(t, "prefix")
	delimiter = rapid.SampledFrom([]string{"", "/"}).Draw(t, "delimiter")
	return prefix, delimiter, rapid.Int32Range(1, 6).Draw(t, "size")
}

// list lists objects, page by page.
func (m *bucketModel) list(t *rapid.T) {
	prefix, delimiter, size := m.query(t)
	want := m.shows(prefix, delimiter, func(s history.State) []string {
		if s.Current() == nil {
			return nil
		}
		return []string{" " + s.Current().ETag}
	})
	in := &s3.ListObjectsV2Input{Prefix: &prefix, Delimiter: &delimiter, MaxKeys: &size}
	var got []string
	for {
		out, err := m.bucket().ListObjectsV2(m.b.Context(), in)
		if err != nil {
			m.Fatal(err)
		}
		entries := map[string]string{}
		for _, o := range out.Contents {
			entries[*o.Key] = *o.Key + " " + *o.ETag
		}
		for _, p := range out.CommonPrefixes {
			entries[*p.Prefix] = *p.Prefix
		}
		if len(entries) > int(size) {
			m.Fatalf("%d on a page of %d", len(entries), size)
		}
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			got, in.StartAfter = append(got, entries[name]), new(name)
		}
		if !*out.IsTruncated {
			break
		}
	}
	if !slices.Equal(got, want) {
		m.Fatalf("%q by %q, %d a page: listed %q, want %q", prefix, delimiter, size, got, want)
	}
}

// listVersions lists versions, page by page.
func (m *bucketModel) listVersions(t *rapid.T) {
	prefix, delimiter, size := m.query(t)
	want := m.shows(prefix, delimiter, func(s history.State) (lines []string) {
		for i, v := range s {
			line := ""
			if v.Marker {
				line += "-"
			}
			if v.ID == "null" {
				line += "(null)"
			}
			if i == 0 {
				line += "*"
			}
			lines = append(lines, line)
		}
		return lines
	})
	lister, _ := backends.As[backends.Versioned](m.bucket().Backend)
	in := &s3.ListObjectVersionsInput{Prefix: &prefix, Delimiter: &delimiter, MaxKeys: &size}
	var got []string
	for {
		out, err := lister.ListObjectVersions(m.b.Context(), in)
		if err != nil {
			m.Fatal(err)
		}
		page := versionLines(out)
		if len(page) > int(size) {
			m.Fatalf("%d on a page of %d", len(page), size)
		}
		got = append(got, page...)
		if !*out.IsTruncated {
			break
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
	if !slices.Equal(got, want) {
		m.Fatalf("%q by %q, %d a page: listed %q, want %q", prefix, delimiter, size, got, want)
	}
}

// rest reads everything, and looks at the store.
func (m *bucketModel) rest() {
	for key, s := range m.keys {
		m.read(history.Input{Kind: history.Get, Key: key})
		for _, v := range s {
			m.read(history.Input{Kind: history.GetVersion, Key: key, Version: v.ID})
		}
		if problems := append(m.b.headProblems(key), m.b.bodyProblems(key)...); len(problems) > 0 {
			m.Fatal(problems)
		}
	}
}
