package clients

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"io"
	mathrand "math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
)

// exercise is one client at work in a bucket of its own.
type exercise struct {
	client
	at     endpoint // where what it did is looked at
	bucket string
	dir    string
	seed   uint64
}

// number is the version in what a program says of its version.
var number = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)

// exerciseAll does everything with each client that find knows, over HTTP and
// over HTTPS. That there was none is told as what.
func exerciseAll(t *testing.T, what string, find func(context.Context, endpoint) []client) {
	t.Helper()
	found := find(t.Context(), plain)
	if len(found) == 0 {
		lacking(t, what)
	}
	for _, c := range found {
		t.Run(number.FindString(c.version)+"/http", func(t *testing.T) {
			e := newExercise(t, c, plain)
			e.must(t, "make", args{bucket: e.bucket})
			t.Run("object", e.object)
			t.Run("tree", e.tree)
			if e.has("mirror") {
				t.Run("mirror", e.mirror)
			}
			if e.has("sign-get") {
				t.Run("presign", e.presign)
				t.Run("form", e.form)
			}
			if e.has("wait") {
				t.Run("wait", e.wait)
				t.Run("pages", e.pages)
			}
			t.Run("clear", e.clear)
		})
	}
	for _, c := range find(t.Context(), secure) {
		t.Run(number.FindString(c.version)+"/https", func(t *testing.T) {
			e := newExercise(t, c, plain)
			e.must(t, "make", args{bucket: e.bucket})
			t.Run("object", e.object)
			t.Run("parts", e.parts)
			if e.has("transfer") {
				t.Run("transfer", e.transfer)
			}
			t.Run("clear", e.clear)
		})
	}
	if spread.url == "" {
		return
	}
	for _, c := range find(t.Context(), spread) {
		if c.has("mirror") {
			t.Run(number.FindString(c.version)+"/spread", func(t *testing.T) {
				e := newExercise(t, c, spread)
				e.must(t, "make", args{bucket: e.bucket})
				t.Run("mirror", e.mirror)
			})
		}
	}
}

// lacking skips a test for which this machine has no client, or fails it.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("no %s: scripts/install-clients should have installed it", what)
	}
	t.Skipf("this machine has no %s (make clients installs it)", what)
}

// newExercise gives the client a name for its bucket and tells what runs.
func newExercise(t *testing.T, c client, at endpoint) exercise {
	t.Helper()
	e := exercise{
		client: c,
		at:     at,
		bucket: "clients-" + c.name + "-" + strings.ToLower(rand.Text()),
		dir:    t.TempDir(),
		seed:   mathrand.Uint64(),
	}
	t.Logf("%s; seed %d", c.version, e.seed)
	return e
}

// object puts, gets, lists, copies and deletes an object. (The tree has an empty one.)
func (e exercise) object(t *testing.T) {
	file, back := filepath.Join(e.dir, "small"), filepath.Join(e.dir, "small.back")
	makeFile(t, file, 70_000, e.seed)
	want := fileDigest(t, file)
	a := args{bucket: e.bucket, key: "dir/an object+1 é.bin", file: file}
	e.must(t, "put", a)
	a.file = back
	e.must(t, "get", a)
	same(t, "got", want, fileDigest(t, back))
	if e.has("resume") {
		if err := os.Truncate(back, 30_000); err != nil {
			t.Fatal(err)
		}
		e.must(t, "resume", a)
		same(t, "resumed", want, fileDigest(t, back))
	}

	a.from, a.key = a.key, "copy of/an object+1 é.bin"
	e.must(t, "copy", a)
	same(t, "copied", want, storedDigest(t, e.at, a.bucket, a.key))
	same(t, "keys", []string{a.key, a.from}, e.list(t, e.bucket))

	e.must(t, "delete", a)
	if exists(t, e.at, a.bucket, a.key) {
		t.Errorf("%q is there after its deletion", a.key)
	}
	same(t, "keys", []string{a.from}, e.list(t, e.bucket))
	e.must(t, "delete", args{bucket: e.bucket, key: a.from})
}

// parts moves 100 MiB, which every client does in parts, and copies them.
func (e exercise) parts(t *testing.T) {
	file, back := filepath.Join(e.dir, "big"), filepath.Join(e.dir, "big.back")
	makeFile(t, file, 100<<20, e.seed)
	want := fileDigest(t, file)
	a := args{bucket: e.bucket, key: "big", file: file}
	e.must(t, "put", a)
	head, err := sdk(e.at).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &a.bucket, Key: &a.key})
	if err != nil {
		t.Fatal(err)
	}
	if etag := aws.ToString(head.ETag); !strings.Contains(etag, "-") {
		t.Errorf("ETag %s is not that of a multipart upload", etag)
	}
	a.file = back
	e.must(t, "get", a)
	same(t, "got", want, fileDigest(t, back))

	e.must(t, "copy", args{bucket: e.bucket, from: "big", key: "big copy"})
	same(t, "copied", want, storedDigest(t, e.at, e.bucket, "big copy"))
	e.must(t, "delete", args{bucket: e.bucket, key: "big"})
	e.must(t, "delete", args{bucket: e.bucket, key: "big copy"})
	uploads, err := sdk(e.at).ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &e.bucket})
	if err != nil {
		t.Fatal(err)
	}
	if len(uploads.Uploads) > 0 {
		t.Errorf("%d uploads are left", len(uploads.Uploads))
	}
}

// tree uploads the odd names, lists them in pages and downloads them again.
func (e exercise) tree(t *testing.T) {
	dir := makeTree(t, e.names(), e.seed)
	want := digests(t, dir)
	a := args{bucket: e.bucket, key: "tree", file: dir}
	e.must(t, "upload", a)
	same(t, "uploaded", want, storedDigests(t, e.at, e.bucket, "tree/"))

	var keys []string
	for name := range want {
		keys = append(keys, "tree/"+name)
	}
	slices.Sort(keys)
	same(t, "keys", keys, e.list(t, e.bucket))

	a.file = filepath.Join(e.dir, "tree.back")
	if err := os.Mkdir(a.file, 0o755); err != nil {
		t.Fatal(err)
	}
	e.must(t, "download", a)
	same(t, "downloaded", want, digests(t, a.file))
}

// names are the odd names that the client takes.
func (e exercise) names() []string {
	return slices.DeleteFunc(slices.Clone(oddNames), func(name string) bool { return slices.Contains(e.cannot, name) })
}

// mirror syncs a tree three times: whole, unchanged and changed. An unchanged
// file must not travel again: sizes, times and ETags have come back as the
// client expects them.
func (e exercise) mirror(t *testing.T) {
	if !e.has("mirror") {
		t.Skip("an SDK has no sync")
	}
	dir := makeTree(t, e.names(), e.seed+1)
	a := args{bucket: e.bucket, key: "mirror", file: dir}
	e.must(t, "mirror", a)
	same(t, "mirrored", digests(t, dir), storedDigests(t, e.at, e.bucket, "mirror/"))

	before := stored(t, e.at, e.bucket, "mirror/")
	e.must(t, "mirror", a)
	for name, object := range stored(t, e.at, e.bucket, "mirror/") {
		if !object.LastModified.Equal(*before[name].LastModified) {
			t.Errorf("%q was uploaded again", name)
		}
	}

	makeFile(t, filepath.Join(dir, "plain.txt"), 30_000, e.seed)
	if err := os.Remove(filepath.Join(dir, "with space.txt")); err != nil {
		t.Fatal(err)
	}
	e.must(t, "mirror", a)
	same(t, "mirrored", digests(t, dir), storedDigests(t, e.at, e.bucket, "mirror/"))
	e.reflect(t, a)
}

// reflect syncs the other way what has changed in the bucket.
func (e exercise) reflect(t *testing.T, a args) {
	put := &s3.PutObjectInput{Bucket: &a.bucket, Key: aws.String(a.key + "/plain.txt"), Body: strings.NewReader("changed")}
	if _, err := sdk(e.at).PutObject(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	remove := &s3.DeleteObjectInput{Bucket: &a.bucket, Key: aws.String(a.key + "/same/prefix")}
	if _, err := sdk(e.at).DeleteObject(t.Context(), remove); err != nil {
		t.Fatal(err)
	}
	makeFile(t, filepath.Join(a.file, "extra/file"), 100, e.seed)
	e.must(t, "reflect", a)
	same(t, "reflected", storedDigests(t, e.at, a.bucket, a.key+"/"), digests(t, a.file))
	if !e.has("check") {
		return
	}
	e.must(t, "check", a)
	if err := os.WriteFile(filepath.Join(a.file, "plain.txt"), []byte("Changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := e.do(t.Context(), "check", a); err == nil {
		t.Error("a file that differs from its object is not noticed")
	}
}

// presign fetches and stores with URLs that need no credential.
func (e exercise) presign(t *testing.T) {
	file := filepath.Join(e.dir, "presigned")
	makeFile(t, file, 50_000, e.seed)
	want := fileDigest(t, file)
	a := args{bucket: e.bucket, key: "signed/a b+c é%20.bin", file: file}
	if e.has("sign-put") {
		body, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		status, answer := fetch(t, http.MethodPut, e.must(t, "sign-put", a), body)
		if status != http.StatusOK {
			t.Fatalf("presigned PUT: %d %s", status, answer)
		}
	} else {
		e.must(t, "put", a)
	}
	same(t, "stored", want, storedDigest(t, e.at, a.bucket, a.key))
	url := e.must(t, "sign-get", a)
	status, answer := fetch(t, http.MethodGet, url, nil)
	if status != http.StatusOK {
		t.Fatalf("presigned GET: %d %s", status, answer)
	}
	same(t, "fetched", want, digest(t, strings.NewReader(answer)))

	status, answer = fetch(t, http.MethodGet, strings.Replace(url, "signed/", "Signed/", 1), nil)
	if status != http.StatusForbidden || errorCode(answer) != "SignatureDoesNotMatch" {
		t.Errorf("a changed URL gives %d %s", status, answer)
	}
}

// form stores with a form that needs no credential, and no more than its policy allows.
func (e exercise) form(t *testing.T) {
	if !e.has("sign-post") {
		t.Skip("makes no forms")
	}
	file := filepath.Join(e.dir, "posted")
	makeFile(t, file, 200_000, e.seed)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a := args{bucket: e.bucket, key: "posted/a b+c é%20.bin"}
	var form struct {
		URL    string
		Fields map[string]string
	}
	if err := json.Unmarshal([]byte(e.must(t, "sign-post", a)), &form); err != nil {
		t.Fatal(err)
	}
	want := http.StatusNoContent
	if form.Fields["success_action_status"] == "201" {
		want = http.StatusCreated
	}
	if status, answer := postForm(t, form.URL, form.Fields, content); status != want {
		t.Fatalf("POST: %d %s", status, answer)
	}
	same(t, "stored", fileDigest(t, file), storedDigest(t, e.at, a.bucket, a.key))
	if status, answer := postForm(t, form.URL, form.Fields, make([]byte, 2<<20)); errorCode(answer) != "EntityTooLarge" {
		t.Errorf("a file that is too large gives %d %s", status, answer)
	}
	form.Fields["key"] = "posted/another"
	if status, answer := postForm(t, form.URL, form.Fields, content); status != http.StatusForbidden || errorCode(answer) != "AccessDenied" {
		t.Errorf("another key gives %d %s", status, answer)
	}
}

// postForm sends a form as a browser would.
func postForm(t *testing.T, url string, fields map[string]string, file []byte) (status int, answer string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "f")
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return fetch(t, http.MethodPost, url, &body, "Content-Type", w.FormDataContentType())
}

// clear removes everything, and the bucket.
func (e exercise) clear(t *testing.T) {
	e.must(t, "clear", args{bucket: e.bucket})
	if _, err := sdk(e.at).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &e.bucket}); err == nil {
		t.Error("the bucket is still there")
	}
}

// fetch makes a request as a browser would.
func fetch(t *testing.T, method, url string, body io.Reader, headers ...string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSpace(url), body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if f, ok := body.(*os.File); ok {
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = info.Size()
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return out.StatusCode, string(content)
}

// errorCode is the code of an S3 error document.
func errorCode(document string) string {
	var e struct{ Code string }
	if xml.Unmarshal([]byte(document), &e) != nil {
		return ""
	}
	return e.Code
}

// same reports how got differs from want.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
