package backendtest

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// modelCases compare the backend with a model.
var modelCases = []testCase{
	{"model", "random operations on few keys leave what they leave in a map, and list as a sorted map lists", modelRandom},
}

// model is what a bucket should hold; it knows nothing but a map.
type model struct {
	*env
	keys        []string
	tags        bool
	conditional bool // deletions
	objects     map[string]modelObject
}

// modelObject is an object of the model.
type modelObject struct{ body, contentType, tags string }

// modelKeys nest, neighbour and share prefixes.
var modelKeys = []string{
	"a", "a/", "a/b", "a/b/c", "a/b/d", "a0", "a//", "b", "b/1", "b/2", "b!1", "b!2", "c/d/e", "c/d/f", "\U0010ffff", "\U0010ffff/x", "ü/ä",
}

// modelDelimiters are what listings of the model split at.
var modelDelimiters = []string{"", "/", "/b", "//", "!", "a", "\U0010ffff"}

func modelRandom(e *env) {
	keys := slices.DeleteFunc(slices.Clone(e.fit(modelKeys...)), func(key string) bool { return e.bodyFor(key, "x") == "" })
	conditional := e.deletes(ConditionalDelete, s3.DeleteObjectInput{IfMatch: new("*")})
	_, tags := backends.As[backends.Tagger](e.b)
	rapid.Check(e.T, func(t *rapid.T) {
		e.empty()
		m := &model{env: e, keys: keys, tags: tags, conditional: conditional, objects: map[string]modelObject{}}
		t.Repeat(map[string]func(*rapid.T){
			"put":    m.put,
			"delete": m.delete,
			"many":   m.deleteMany,
			"copy":   m.copy,
			"get":    m.get,
			"list":   m.list,
			"upload": m.upload,
			"tag":    m.tag,
		})
		m.listed(t, s3.ListObjectsV2Input{})
	})
}

// empty removes what an earlier run left.
func (e *env) empty() {
	for _, key := range e.keys() {
		e.remove(key)
	}
}

// key draws a key.
func (m *model) key(t *rapid.T) string { return rapid.SampledFrom(m.keys).Draw(t, "key") }

// body draws a body.
func (m *model) body(t *rapid.T) string {
	n := rapid.SampledFrom([]int{0, 1, 10, 100_000}).Draw(t, "size")
	return random(byte(rapid.IntRange(1, 5).Draw(t, "seed")), n)
}

// expect checks an error.
func expect(t *rapid.T, err error, want s3err.Code) {
	t.Helper()
	if want == "" && err != nil || want != "" && !s3err.Is(err, want) {
		t.Fatalf("got error %v, want %q", err, want)
	}
}

// write draws conditions and returns them with what they should lead to.
func (m *model) write(t *rapid.T, key string) (ifMatch, ifNoneMatch *string, want s3err.Code) {
	old, exists := m.objects[key]
	switch rapid.SampledFrom([]string{"", "", "match", "other", "absent"}).Draw(t, "condition") {
	case "match":
		if ifMatch = new(m.etag(old)); !exists {
			want = s3err.NoSuchKey
		}
	case "other":
		ifMatch, want = new(etag("never stored")), s3err.PreconditionFailed
		if !exists {
			want = s3err.NoSuchKey
		}
	case "absent":
		if ifNoneMatch = new("*"); exists {
			want = s3err.PreconditionFailed
		}
	}
	return ifMatch, ifNoneMatch, want
}

// etag is the ETag of an object of the model; of uploads it knows one part.
func (m *model) etag(o modelObject) string {
	if o.contentType == "upload" {
		return multipartETag(o.body)
	}
	return etag(o.body)
}

func (m *model) put(t *rapid.T) {
	key, body := m.key(t), m.body(t)
	contentType := rapid.SampledFrom([]string{"text/plain", "text/html"}).Draw(t, "type")
	ifMatch, ifNoneMatch, want := m.write(t, key)
	tags := m.someTags(t)
	fail := rapid.IntRange(0, 9).Draw(t, "fail") == 0
	_, err := m.tryPut(key, body, func(in *s3.PutObjectInput) {
		in.ContentType, in.Tagging, in.IfMatch, in.IfNoneMatch = &contentType, &tags, ifMatch, ifNoneMatch
		if fail {
			in.Body = failingBody(body[:len(body)/2], s3err.New(s3err.BadDigest))
		}
	})
	if fail {
		if err == nil {
			t.Fatal("a failing body was stored")
		}
		return
	}
	expect(t, err, want)
	if want == "" {
		m.objects[key] = modelObject{body, contentType, tags}
	}
}

func (m *model) delete(t *rapid.T) {
	key := m.key(t)
	in := &s3.DeleteObjectInput{Bucket: &m.bucket, Key: &key}
	var want s3err.Code
	if m.conditional && rapid.Bool().Draw(t, "conditional") {
		in.IfMatch, _, want = m.write(t, key)
		if in.IfMatch == nil {
			want = ""
		}
	}
	_, err := m.b.DeleteObject(m.Context(), in)
	expect(t, err, want)
	if want == "" {
		delete(m.objects, key)
	}
}

func (m *model) deleteMany(t *rapid.T) {
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom(m.keys), 1, 4, rapid.ID[string]).Draw(t, "keys")
	var objects []types.ObjectIdentifier
	for _, key := range keys {
		objects = append(objects, types.ObjectIdentifier{Key: &key})
		delete(m.objects, key)
	}
	if out := m.deleteKeys(false, objects...); len(out.Deleted) != len(keys) {
		t.Fatalf("%d of %d were deleted: %+v", len(out.Deleted), len(keys), out.Errors)
	}
}

func (m *model) copy(t *rapid.T) {
	from, to := m.key(t), m.key(t)
	ifMatch, ifNoneMatch, want := m.write(t, to)
	src, exists := m.objects[from]
	switch {
	case !exists:
		want = s3err.NoSuchKey
	case from == to:
		want = s3err.InvalidRequest
	}
	_, err := m.tryCopy(from, to, func(in *s3.CopyObjectInput) { in.IfMatch, in.IfNoneMatch = ifMatch, ifNoneMatch })
	expect(t, err, want)
	if want == "" {
		// The copy of an upload has the type "upload" but an MD5 ETag.
		if src.contentType == "upload" {
			if _, err := m.tryCopy(from, to, func(in *s3.CopyObjectInput) {
				in.MetadataDirective, in.ContentType = types.MetadataDirectiveReplace, new("copied")
			}); err != nil {
				t.Fatalf("CopyObject with REPLACE: %v", err)
			}
			src.contentType = "copied"
		}
		m.objects[to] = src
	}
}

func (m *model) get(t *rapid.T) {
	key := m.key(t)
	o, exists := m.objects[key]
	body, out, err := m.tryGet(key)
	if !exists {
		expect(t, err, s3err.NoSuchKey)
		return
	}
	expect(t, err, "")
	if body != o.body || deref(out.ETag) != m.etag(o) || deref(out.ContentType) != o.contentType {
		t.Fatalf("%q holds %s of type %s with ETag %s, want %s of type %s with ETag %s", key,
			abbreviate(body), deref(out.ContentType), deref(out.ETag), abbreviate(o.body), o.contentType, m.etag(o))
	}
	if !m.tags {
		return
	}
	if tags, err := m.tagsOf(key); err != nil || tags != o.tags {
		t.Fatalf("the tags of %q are %q, %v, want %q", key, tags, err, o.tags)
	}
}

// someTags draws tags, where there are tags.
func (m *model) someTags(t *rapid.T) string {
	if !m.tags {
		return ""
	}
	return rapid.SampledFrom([]string{"", "a=1", "a=2&b=3"}).Draw(t, "tags")
}

// tag changes the tags of an object.
func (m *model) tag(t *rapid.T) {
	if !m.tags {
		t.Skip("no tags")
	}
	key, tags := m.key(t), m.someTags(t)
	o, exists := m.objects[key]
	if err := m.trySetTags(key, tags); exists {
		expect(t, err, "")
	} else {
		if !m.tagsRefused(err) {
			t.Fatalf("tags of %q, which is not there: %v", key, err)
		}
		return
	}
	o.tags = tags
	m.objects[key] = o
}

// upload makes an object of one part, with another part that is not listed.
func (m *model) upload(t *rapid.T) {
	m.uploader()
	key, body := m.key(t), m.body(t)
	tags := m.someTags(t)
	u := m.begin(key, func(in *s3.CreateMultipartUploadInput) { in.ContentType, in.Tagging = new("upload"), &tags })
	u.part(1, "not listed")
	part := u.part(2, body)
	if rapid.Bool().Draw(t, "abort") {
		if err := u.tryAbort(); err != nil {
			t.Fatalf("AbortMultipartUpload: %v", err)
		}
		return
	}
	u.complete(part)
	m.objects[key] = modelObject{body, "upload", tags}
}

func (m *model) list(t *rapid.T) {
	prefixes := []string{"", "a", "a/", "b", "c/d/", "zz", "\U0010ffff"}
	m.listed(t, s3.ListObjectsV2Input{
		Prefix:     new(rapid.SampledFrom(prefixes).Draw(t, "prefix")),
		Delimiter:  new(rapid.SampledFrom(modelDelimiters).Draw(t, "delimiter")),
		StartAfter: new(rapid.SampledFrom(append([]string{"", "a/b0", "b/"}, modelKeys...)).Draw(t, "after")),
		MaxKeys:    new(int32(rapid.IntRange(0, 6).Draw(t, "max"))),
	})
}

// listed compares a page with what the contract's words say of the map.
func (m *model) listed(t *rapid.T, in s3.ListObjectsV2Input) {
	var want []string
	for key := range m.objects {
		rest, ok := strings.CutPrefix(key, deref(in.Prefix))
		if !ok {
			continue
		}
		entry := key
		if d := deref(in.Delimiter); d != "" {
			if before, _, found := strings.Cut(rest, d); found {
				entry = deref(in.Prefix) + before + d
			}
		}
		if entry > deref(in.StartAfter) && !slices.Contains(want, entry) {
			want = append(want, entry)
		}
	}
	slices.Sort(want)
	limit := 1000
	if in.MaxKeys != nil {
		limit = int(*in.MaxKeys)
	}
	truncated := limit > 0 && len(want) > limit
	want = want[:min(limit, len(want))]
	out := m.env.list(in)
	if got := entries(out); !slices.Equal(got, want) || *out.IsTruncated != truncated {
		t.Fatalf("got %q truncated %v, want %q truncated %v", got, *out.IsTruncated, want, truncated)
	}
}
