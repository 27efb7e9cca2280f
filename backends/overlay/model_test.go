package overlay_test

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// modelKeys nest, neighbour and share prefixes.
var modelKeys = []string{"a", "a/", "a/b", "a/b/c", "a0", "b/1", "b/2", "b/3", "c/d/e", "c/d/f", "\U0010ffff", "\U0010ffff/x"}

// model is what a client should see: one bucket.
type model struct {
	*testing.T
	*parts
	objects map[string]string
	moved   map[string]bool // keys that were written to the new place and are there
}

// TestModel runs random operations on an overlay of a filled old place, and compares
// with one map.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{T: t, parts: over(t, memory, memory), objects: map[string]string{}, moved: map[string]bool{}}
		for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom(modelKeys), rapid.ID).Draw(rt, "old") {
			m.objects[key] = "old " + key
			put(t, m.past, key, m.objects[key])
		}
		old := maps.Clone(m.objects)
		m.old.SetPlan(nil)
		rt.Repeat(map[string]func(*rapid.T){
			"put": m.put, "delete": m.delete, "many": m.deleteMany, "copy": m.copy, "upload": m.upload, "look": m.look, "list": m.list,
		})
		if ops := wrote(m.old); len(ops) > 0 {
			rt.Fatalf("the old place was asked to %v", ops)
		}
		for key, body := range old {
			if got := read(t, m.past, key); got != body {
				rt.Fatalf("%q in the old place is %q", key, got)
			}
		}
	})
}

// key draws a key.
func (m *model) key(t *rapid.T) string { return rapid.SampledFrom(modelKeys).Draw(t, "key") }

// etag is the ETag of an object; of uploads it knows one part.
func etag(body string) string {
	sum := md5.Sum([]byte(body))
	if strings.HasPrefix(body, "upload") {
		sum = md5.Sum(sum[:])
		return `"` + hex.EncodeToString(sum[:]) + `-1"`
	}
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// conditions draws conditions of a write, and what they should lead to.
func (m *model) conditions(t *rapid.T, key string) (ifMatch, ifNoneMatch *string, want s3err.Code) {
	body, exists := m.objects[key]
	switch rapid.SampledFrom([]string{"", "", "match", "other", "absent"}).Draw(t, "condition") {
	case "match":
		ifMatch = new(etag(body))
	case "other":
		ifMatch, want = new(etag("never stored")), s3err.PreconditionFailed
	case "absent":
		if ifNoneMatch = new("*"); exists {
			want = s3err.PreconditionFailed
		}
	}
	switch {
	case ifMatch != nil && !exists:
		want = s3err.NoSuchKey
	case ifMatch != nil && !m.moved[key]:
		want = s3err.NotImplemented
	}
	return ifMatch, ifNoneMatch, want
}

// expect checks an error.
func expect(t *rapid.T, err error, want s3err.Code) {
	t.Helper()
	if want == "" && err != nil || want != "" && !s3err.Is(err, want) {
		t.Fatalf("got error %v, want %q", err, want)
	}
}

// wrote notes a write.
func (m *model) wrote(key, body string) { m.objects[key], m.moved[key] = body, true }

// gone notes a deletion.
func (m *model) gone(key string) {
	delete(m.objects, key)
	delete(m.moved, key)
}

func (m *model) put(t *rapid.T) {
	key, body := m.key(t), rapid.SampledFrom([]string{"one", "two"}).Draw(t, "body")
	ifMatch, ifNoneMatch, want := m.conditions(t, key)
	err := tryPut(m.T, m, key, body, func(in *s3.PutObjectInput) { in.IfMatch, in.IfNoneMatch = ifMatch, ifNoneMatch })
	expect(t, err, want)
	if want == "" {
		m.wrote(key, body)
	}
}

func (m *model) delete(t *rapid.T) {
	key := m.key(t)
	body, exists := m.objects[key]
	in := &s3.DeleteObjectInput{Bucket: new("virtual"), Key: &key}
	var want s3err.Code
	switch rapid.SampledFrom([]string{"", "match", "other", "size"}).Draw(t, "condition") {
	case "match":
		in.IfMatch = new(etag(body))
	case "other":
		in.IfMatch, want = new(etag("never stored")), s3err.PreconditionFailed
	case "size":
		if in.IfMatchSize = new(int64(3)); exists && len(body) != 3 {
			want = s3err.PreconditionFailed
		}
	}
	if in.IfMatch != nil && !exists {
		want = s3err.NoSuchKey
	}
	_, err := m.DeleteObject(m.Context(), in)
	expect(t, err, want)
	if want == "" {
		m.gone(key)
	}
}

func (m *model) deleteMany(t *rapid.T) {
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom(modelKeys), 1, 4, rapid.ID).Draw(t, "keys")
	var request []types.ObjectIdentifier
	var deleted, failed []string
	for i, key := range keys {
		o := types.ObjectIdentifier{Key: &key}
		body, exists := m.objects[key]
		if i%2 == 1 {
			o.ETag = new(etag("one"))
		}
		if o.ETag != nil && (!exists || *o.ETag != etag(body)) {
			failed = append(failed, key)
		} else {
			deleted = append(deleted, key)
			m.gone(key)
		}
		request = append(request, o)
	}
	out, err := m.DeleteObjects(m.Context(), &s3.DeleteObjectsInput{Bucket: new("virtual"), Delete: &types.Delete{Objects: request}})
	expect(t, err, "")
	var gotDeleted, gotFailed []string
	for _, d := range out.Deleted {
		gotDeleted = append(gotDeleted, *d.Key)
	}
	for _, e := range out.Errors {
		gotFailed = append(gotFailed, *e.Key)
	}
	if !slices.Equal(gotDeleted, deleted) || !slices.Equal(gotFailed, failed) {
		t.Fatalf("deleted %q, failed %q; want %q and %q", gotDeleted, gotFailed, deleted, failed)
	}
}

func (m *model) copy(t *rapid.T) {
	from, to := m.key(t), m.key(t)
	body, exists := m.objects[from]
	in := &s3.CopyObjectInput{Bucket: new("virtual"), Key: &to}
	want := s3err.Code("")
	if rapid.Bool().Draw(t, "absent") {
		if in.IfNoneMatch = new("*"); m.objects[to] != "" {
			want = s3err.PreconditionFailed
		}
	}
	src := backends.CopySource{Bucket: "virtual", Key: from}
	_, err := m.CopyObject(m.Context(), src, in)
	switch {
	case (!exists || from == to) && want != "" && s3err.Is(err, want): // Either answer is one.
		return
	case !exists:
		want = s3err.NoSuchKey
	case from == to:
		want = s3err.InvalidRequest
	}
	expect(t, err, want)
	if want == "" {
		m.wrote(to, strings.Replace(body, "upload", "copied", 1))
		if body != m.objects[to] { // A copy has no ETag of parts: have bytes that say so.
			put(m.T, m, to, m.objects[to])
		}
	}
}

// upload makes an object of one part, which may be a copy.
func (m *model) upload(t *rapid.T) {
	key, body := m.key(t), "upload"
	u, _ := backends.As[backends.MultipartUploader](m.Backend)
	begun, err := u.CreateMultipartUpload(m.Context(), &s3.CreateMultipartUploadInput{
		Bucket: new("virtual"), Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	expect(t, err, "")
	part, err := u.UploadPart(m.Context(), &s3.UploadPartInput{
		Bucket: new("virtual"), Key: &key, UploadId: begun.UploadId, PartNumber: new(int32(1)),
		Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
	})
	expect(t, err, "")
	tag := part.ETag
	from := m.key(t)
	if source, exists := m.objects[from]; exists && rapid.Bool().Draw(t, "part is a copy") {
		body = source
		copied, err := u.UploadPartCopy(m.Context(), backends.CopySource{Bucket: "virtual", Key: from}, &s3.UploadPartCopyInput{
			Bucket: new("virtual"), Key: &key, UploadId: begun.UploadId, PartNumber: new(int32(1)),
		})
		expect(t, err, "")
		tag = copied.CopyPartResult.ETag
	}
	ifMatch, ifNoneMatch, want := m.conditions(t, key)
	_, err = u.CompleteMultipartUpload(m.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: new("virtual"), Key: &key, UploadId: begun.UploadId, IfMatch: ifMatch, IfNoneMatch: ifNoneMatch,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: new(int32(1)), ETag: tag}}},
	})
	expect(t, err, want)
	if want == "" {
		m.wrote(key, body)
		if body != "upload" {
			put(m.T, m, key, body) // so that its ETag is that of its bytes
		}
	}
}

func (m *model) look(t *rapid.T) {
	key := m.key(t)
	body, exists := m.objects[key]
	head, err := m.HeadObject(m.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: &key})
	if !exists {
		expect(t, err, s3err.NoSuchKey)
		body = string(s3err.NoSuchKey)
	} else if expect(t, err, ""); *head.ETag != etag(body) {
		t.Fatalf("the ETag of %q is %s", key, *head.ETag)
	}
	if got := read(m.T, m, key); got != body {
		t.Fatalf("%q is %q, want %q", key, got, body)
	}
}

func (m *model) list(t *rapid.T) {
	delimiter := rapid.SampledFrom([]string{"", "/", "/b", "a"}).Draw(t, "delimiter")
	var want []string
	for key := range m.objects {
		if before, _, found := strings.Cut(key, delimiter); found && delimiter != "" {
			key = before + delimiter
		}
		want = append(want, key)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	if got := list(m.T, m, delimiter, rapid.IntRange(1, 6).Draw(t, "size")); !slices.Equal(got, want) {
		t.Fatalf("delimiter %q: listed %q, want %q", delimiter, got, want)
	}
}
