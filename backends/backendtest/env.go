package backendtest

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// env is what a case works with: its test, and an empty bucket of a backend.
// Methods whose names begin with "try" return errors, the others fail the test.
type env struct {
	*testing.T
	b       backends.Backend
	bucket  string
	options Options
}

// tryPut stores an object as the edge does: with its length and an algorithm.
func (e *env) tryPut(key, body string, edits ...func(*s3.PutObjectInput)) (*s3.PutObjectOutput, error) {
	in := &s3.PutObjectInput{
		Bucket: &e.bucket, Key: &key,
		Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	}
	for _, edit := range edits {
		edit(in)
	}
	return e.b.PutObject(e.Context(), in)
}

// put is tryPut of an object that must be taken.
func (e *env) put(key, body string, edits ...func(*s3.PutObjectInput)) *s3.PutObjectOutput {
	e.Helper()
	out, err := e.tryPut(key, body, edits...)
	if err != nil {
		e.Fatalf("PutObject %q: %v", key, err)
	}
	return out
}

// tryGet reads an object, and its body to the end.
func (e *env) tryGet(key string, edits ...func(*s3.GetObjectInput)) (string, *s3.GetObjectOutput, error) {
	in := &s3.GetObjectInput{Bucket: &e.bucket, Key: &key}
	for _, edit := range edits {
		edit(in)
	}
	out, err := e.b.GetObject(e.Context(), in)
	if err != nil {
		return "", nil, err
	}
	if out.Body == nil {
		e.Fatalf("GetObject %q: Body is nil", key)
	}
	body, err := io.ReadAll(out.Body)
	if err := out.Body.Close(); err != nil {
		e.Errorf("GetObject %q: Close: %v", key, err)
	}
	if err == nil && (out.ContentLength == nil || *out.ContentLength != int64(len(body))) {
		e.Errorf("GetObject %q: ContentLength is %v, the body has %d bytes", key, show(out.ContentLength), len(body))
	}
	return string(body), out, err
}

// get is tryGet of an object that must be there.
func (e *env) get(key string, edits ...func(*s3.GetObjectInput)) (string, *s3.GetObjectOutput) {
	e.Helper()
	body, out, err := e.tryGet(key, edits...)
	if err != nil {
		e.Fatalf("GetObject %q: %v", key, err)
	}
	return body, out
}

// head asks for the headers of an object that must be there.
func (e *env) head(key string) *s3.HeadObjectOutput {
	e.Helper()
	out, err := e.b.HeadObject(e.Context(), &s3.HeadObjectInput{Bucket: &e.bucket, Key: &key})
	if err != nil {
		e.Fatalf("HeadObject %q: %v", key, err)
	}
	return out
}

// holds checks that the object under key has that body.
func (e *env) holds(key, want string) {
	e.Helper()
	if got, _ := e.get(key); got != want {
		e.Errorf("%q holds %s, want %s", key, abbreviate(got), abbreviate(want))
	}
}

// missing checks that there is no object under key.
func (e *env) missing(key string) {
	e.Helper()
	_, _, err := e.tryGet(key)
	e.refused(err, s3err.NoSuchKey)
}

// remove deletes an object.
func (e *env) remove(key string) {
	e.Helper()
	if _, err := e.b.DeleteObject(e.Context(), &s3.DeleteObjectInput{Bucket: &e.bucket, Key: &key}); err != nil {
		e.Fatalf("DeleteObject %q: %v", key, err)
	}
}

// refused checks that err has one of the codes.
func (e *env) refused(err error, codes ...s3err.Code) {
	e.Helper()
	if !slices.ContainsFunc(codes, func(c s3err.Code) bool { return s3err.Is(err, c) }) {
		e.Errorf("got error %v, want %v", err, codes)
	}
}

// list returns a page of a listing.
func (e *env) list(in s3.ListObjectsV2Input) *s3.ListObjectsV2Output {
	e.Helper()
	in.Bucket = &e.bucket
	out, err := e.b.ListObjectsV2(e.Context(), &in)
	if err != nil {
		e.Fatalf("ListObjectsV2: %v", err)
	}
	if out.IsTruncated == nil {
		e.Fatal("ListObjectsV2: IsTruncated is nil")
	}
	if !slices.IsSortedFunc(out.Contents, func(a, b types.Object) int { return strings.Compare(*a.Key, *b.Key) }) ||
		!slices.IsSortedFunc(out.CommonPrefixes, func(a, b types.CommonPrefix) int { return strings.Compare(*a.Prefix, *b.Prefix) }) {
		e.Error("ListObjectsV2: not in byte order")
	}
	return out
}

// keys lists all keys.
func (e *env) keys() []string {
	e.Helper()
	return entries(e.list(s3.ListObjectsV2Input{}))
}

// entries are the keys and common prefixes of a page, in their common order.
func entries(out *s3.ListObjectsV2Output) []string {
	all := []string{}
	for _, o := range out.Contents {
		all = append(all, *o.Key)
	}
	for _, p := range out.CommonPrefixes {
		all = append(all, *p.Prefix)
	}
	slices.Sort(all)
	return all
}

// same fails the test when got is not want.
func (e *env) same(what string, got, want any) {
	e.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		e.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// etag is the ETag of an object that was stored in one piece.
func etag(body string) string {
	sum := md5.Sum([]byte(body))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// sum is a checksum of body in base64.
func sum(a types.ChecksumAlgorithm, body string) string {
	h := checksum.New(a)
	h.Write([]byte(body))
	return checksum.Encode(h.Sum(nil))
}

// random is n bytes that look random and are the same every time.
func random(seed byte, n int) string {
	out := make([]byte, n)
	x := uint32(seed)*2654435761 + 12345
	for i := range out {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		out[i] = byte(x)
	}
	return string(out)
}

// show formats what a pointer points to.
func show[T any](p *T) string {
	if p == nil {
		return "nil"
	}
	return fmt.Sprintf("%v", *p)
}

// deref is *p, and T's zero value for nil.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// abbreviate shows a body.
func abbreviate(s string) string {
	if len(s) <= 40 {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes, %s)", s[:20], len(s), etag(s))
}

// failingBody delivers some bytes and then an error.
func failingBody(body string, err error) io.Reader {
	return io.MultiReader(bytes.NewReader([]byte(body)), errorReader{err})
}

// errorReader fails every Read.
type errorReader struct{ err error }

// Read implements io.Reader.
func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// hook is a reader that calls before every Read.
type hook struct {
	io.Reader
	before func()
}

// Read implements io.Reader.
func (r hook) Read(p []byte) (int, error) {
	r.before()
	return r.Reader.Read(p)
}
