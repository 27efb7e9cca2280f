package upkeep_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// kept is a place that is looked after: its bucket, what that is made of, and a clock.
type kept struct {
	testing.TB
	*upkeep.Place
	bucket backends.Backend
	store  *faultbackend.Backend
	now    time.Time
}

// begun is when the clocks of the tests begin. The store's own clock runs as it does: it is asked only
// how old a body is.
var begun = time.Now().UTC().Truncate(time.Millisecond)

// open returns a place in memory.
func open(t testing.TB, change func(*versioned.Options)) *kept {
	t.Helper()
	store := membackend.New()
	if _, err := store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("physical")}); err != nil {
		t.Fatal(err)
	}
	k := &kept{TB: t, store: faultbackend.New(store, nil), now: begun}
	at := func(prefix string) backends.Backend {
		return mount.New(mount.Options{Backend: k.store, Bucket: "physical", Prefix: prefix})
	}
	o := versioned.Options{
		Heads: at("plain/"), Bodies: at("versions/"), Index: memindex.New(), BucketID: "bucket/content",
		DataType: "content", Versioning: router.Enabled, Complete: true,
		Now: func() time.Time { return k.now },
	}
	if change != nil {
		change(&o)
	}
	return k.with(o)
}

// with is the same place under other options.
func (k *kept) with(o versioned.Options) *kept {
	c := *k
	o.Now = func() time.Time { return c.now }
	c.Place = &upkeep.Place{Place: versioned.NewPlace(o), Name: "bucket"}
	c.bucket = c.Backend()
	return &c
}

// ctx is the context of a request.
func (k *kept) ctx(operation string) context.Context {
	return backends.WithRequest(k.Context(), &backends.Request{Operation: operation, AccessKey: "AKID", UserID: "user", TenantID: "tenant"})
}

// put puts an object and returns its version.
func (k *kept) put(key, body string) string {
	k.Helper()
	k.now = k.now.Add(time.Second)
	out, err := k.bucket.PutObject(k.ctx("PutObject"), &s3.PutObjectInput{
		Key: &key, Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))), Metadata: map[string]string{"says": body},
	})
	if err != nil {
		k.Fatalf("put %q: %v", key, err)
	}
	return aws.ToString(out.VersionId)
}

// remove deletes an object, or a version of it. It returns the version.
func (k *kept) remove(key, version string) string {
	k.Helper()
	k.now = k.now.Add(time.Second)
	in := &s3.DeleteObjectInput{Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := k.bucket.DeleteObject(k.ctx("DeleteObject"), in)
	if err != nil {
		k.Fatalf("delete %q %s: %v", key, version, err)
	}
	return aws.ToString(out.VersionId)
}

// get reads an object.
func (k *kept) get(key string) string {
	k.Helper()
	out, err := k.bucket.GetObject(k.Context(), &s3.GetObjectInput{Key: &key})
	if err != nil {
		return string(s3err.From(err).Code)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	if err != nil {
		k.Fatal(err)
	}
	return string(data)
}

// raw puts an object past the proxy.
func (k *kept) raw(key, body string) {
	k.Helper()
	_, err := k.store.PutObject(k.Context(), &s3.PutObjectInput{
		Bucket: new("physical"), Key: &key, Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
	})
	if err != nil {
		k.Fatal(err)
	}
}

// rawDelete deletes an object past the proxy.
func (k *kept) rawDelete(key string) {
	k.Helper()
	if _, err := k.store.DeleteObject(k.Context(), &s3.DeleteObjectInput{Bucket: new("physical"), Key: &key}); err != nil {
		k.Fatal(err)
	}
}

// stored are the keys in the store.
func (k *kept) stored() string {
	k.Helper()
	out, err := k.store.ListObjectsV2(k.Context(), &s3.ListObjectsV2Input{Bucket: new("physical")})
	if err != nil {
		k.Fatal(err)
	}
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	return strings.Join(keys, " ")
}

// verify returns the problems, one a line.
func (k *kept) verify(repair bool) string {
	k.Helper()
	var found []string
	out, err := k.Verify(k.Context(), upkeep.Check{Repair: repair, Report: func(p upkeep.Problem) {
		line := p.Problem + " " + cmp.Or(p.Body, p.Key)
		if p.Repaired {
			line += " repaired"
		}
		if p.Error != "" {
			line += ": " + p.Error
		}
		found = append(found, line)
	}})
	if err != nil {
		k.Fatal(err)
	}
	if int(out.Problems) != len(found) {
		k.Errorf("%d problems counted, %d reported", out.Problems, len(found))
	}
	slices.Sort(found)
	return strings.Join(found, "\n")
}

// want compares.
func (k *kept) want(what, got, want string) {
	k.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		k.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestVerify breaks what can break, and holds that it is found, and what is repaired.
func TestVerify(t *testing.T) {
	t.Parallel()
	f := func(explanation string, damage func(*kept), found, left string) {
		t.Helper()
		k := open(t, nil)
		k.put("a.txt", "1")
		k.put("a.txt", "2")
		k.put("dir/b", "1")
		k.remove("dir/b", "")
		k.put("c", "1")
		k.remove("c", k.put("c", "2"))
		k.want(explanation+": before", k.verify(false), "")
		damage(k)
		k.want(explanation, k.verify(false), found)
		k.verify(true)
		k.want(explanation+": after repair", k.verify(false), left)
	}
	f("a copy is gone", func(k *kept) { k.rawDelete("plain/a.txt") }, "missing head a.txt", "")
	f("a copy is of something else", func(k *kept) { k.raw("plain/a.txt", "x") }, "stale head a.txt", "")
	f("a deleted object has one", func(k *kept) { k.raw("plain/dir/b", "x") }, "left head dir/b", "")
	f("an object past the proxy", func(k *kept) { k.raw("plain/new", "x") }, "unknown object new", "unknown object new")
	f("a delete marker is not told of", func(k *kept) { k.rawDelete("versions/.content/dir/b/d2") }, "missing marker .content/dir/b/d2", "")
	f("the current body is gone, and its copy is not", func(k *kept) { k.rawDelete("versions/.content/a.txt/v1.txt") },
		"missing body .content/a.txt/v1.txt", "")
	f("an old body is gone", func(k *kept) { k.rawDelete("versions/.content/a.txt/v0.txt") },
		"missing body .content/a.txt/v0.txt", "missing body .content/a.txt/v0.txt")
	f("a body was written over", func(k *kept) { k.raw("versions/.content/a.txt/v0.txt", "x") },
		"wrong body .content/a.txt/v0.txt", "wrong body .content/a.txt/v0.txt")
	f("the body of a removed version is there", func(k *kept) { k.raw("versions/.content/c/v1", "x") },
		"left body .content/c/v1", "")
	f("a body of a later version: the index may have lost it", func(k *kept) { k.raw("versions/.content/c/v7", "x") },
		"orphan body .content/c/v7", "orphan body .content/c/v7")
	f("a body of another object's, or of nobody's", func(k *kept) {
		k.raw("versions/.records/c/v7", "x")
		k.raw("versions/readme", "x")
	}, "", "")
}

// TestVerifyBefore: in a bucket that had objects before it had versions, what the index does not know yet is right.
func TestVerifyBefore(t *testing.T) {
	t.Parallel()
	k := open(t, func(o *versioned.Options) { o.Complete = false })
	k.raw("plain/old", "1")
	k.raw("plain/older", "1")
	k.want("before", k.verify(false), "")
	if ok, err := k.Adopt(t.Context(), "older"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	k.put("old", "2")
	k.want("after", k.verify(false), "")
	k.rawDelete("plain/older")
	k.want("gone", k.verify(false), "missing body .content/older/v0")
}

// TestVerifyUpload leaves alone what an upload from before has become at the plain place as long as it may be
// copied to the place of versions, and then takes it for a head that was left, or is not up to date.
func TestVerifyUpload(t *testing.T) {
	t.Parallel()
	f := func(first func(*kept), want string) {
		t.Helper()
		k := open(t, nil)
		k.put("k", "1")
		first(k)
		k.rawUpload("plain/k", "new")
		k.want("while it may be copied", k.verify(true), "")
		k.now = k.now.Add(3 * time.Hour)
		k.want("later", k.verify(true), want+" repaired")
		k.want("after repair", k.verify(false), "")
	}
	f(func(*kept) {}, "stale head k")
	f(func(k *kept) { k.remove("k", "") }, "left head k")
}

// rawUpload puts an object past the proxy as an upload of one part.
func (k *kept) rawUpload(key, body string) {
	k.Helper()
	begun, err := k.store.CreateMultipartUpload(k.Context(), &s3.CreateMultipartUploadInput{Bucket: new("physical"), Key: &key})
	if err != nil {
		k.Fatal(err)
	}
	part, err := k.store.UploadPart(k.Context(), &s3.UploadPartInput{
		Bucket: new("physical"), Key: &key, UploadId: begun.UploadId, PartNumber: new(int32(1)),
		Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
	})
	if err != nil {
		k.Fatal(err)
	}
	_, err = k.store.CompleteMultipartUpload(k.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: new("physical"), Key: &key, UploadId: begun.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: new(int32(1)), ETag: part.ETag}}},
	})
	if err != nil {
		k.Fatal(err)
	}
}

// TestVerifyFails: a store or an index that cannot be asked is an error, and nothing is reported of it.
func TestVerifyFails(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.put("a", "1")
	k.remove("b", k.put("b", "1"))
	for n := 1; ; n++ {
		k.store.SetPlan(faultbackend.Nth(n, faultbackend.Fault{Err: errStore}))
		out, err := k.Verify(t.Context(), upkeep.Check{Repair: true})
		calls := len(k.store.Calls())
		k.store.SetPlan(nil)
		if calls < n {
			if err != nil || n < 4 {
				t.Errorf("after %d calls: %v", calls, err)
			}
			break
		}
		if !errors.Is(err, errStore) || out.Problems > 0 {
			t.Errorf("call %d: %+v, %v", n, out, err)
		}
	}
}

// errStore is a store that fails.
var errStore = errors.New("the store fails")

// sweep sweeps and returns what was collected.
func (k *kept) sweep(since time.Time) upkeep.Swept {
	k.Helper()
	out, err := k.Sweep(k.Context(), since)
	if err != nil {
		k.Fatal(err)
	}
	return out
}

// lost leaves a body whose write was never committed.
func (k *kept) lost(key string) {
	k.Helper()
	k.store.SetPlan(faultbackend.On("PutObject", faultbackend.Fault{Err: errStore, After: true}))
	_, err := k.bucket.PutObject(k.Context(), &s3.PutObjectInput{Key: &key, Body: strings.NewReader("x"), ContentLength: aws.Int64(1)})
	k.store.SetPlan(nil)
	if !errors.Is(err, errStore) {
		k.Fatalf("the write of %q: %v", key, err)
	}
}

// TestSweepBodies: a body without a version is kept for a day from when it was first seen.
func TestSweepBodies(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.put("a", "1")
	k.lost("a")
	k.put("a", "2")
	k.lost("never")
	const all = "plain/a versions/.content/a/v0 versions/.content/a/v1 versions/.content/a/v2 versions/.content/never/v0"
	k.want("before", k.stored(), all)
	k.now = k.now.Add(1000 * time.Hour) // However old it is: nobody has seen it.
	k.want("first seen", gocmp.Diff(upkeep.Swept{Marked: 2}, k.sweep(time.Time{})), "")
	k.now = k.now.Add(versions.KeepDead - time.Millisecond)
	k.want("not yet", gocmp.Diff(upkeep.Swept{Marked: 2}, k.sweep(time.Time{})), "")
	k.want("kept", k.stored(), all)
	k.now = k.now.Add(time.Millisecond)
	k.want("collected", gocmp.Diff(upkeep.Swept{Bodies: 2, Slots: 1}, k.sweep(time.Time{})), "")
	k.want("after", k.stored(), "plain/a versions/.content/a/v0 versions/.content/a/v2")
	k.want("again", gocmp.Diff(upkeep.Swept{}, k.sweep(time.Time{})), "")
	k.put("never", "1")
	k.want("the number of a last slot is not used again", k.stored(),
		"plain/a plain/never versions/.content/a/v0 versions/.content/a/v2 versions/.content/never/v1")
	k.want("verify", k.verify(false), "")
}

// TestSweepInFlight: a sweep at any moment of a write, and one a day later, does not touch its body.
func TestSweepInFlight(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.put("a", "1")
	swept := false
	body := readerFunc(func(b []byte) (int, error) {
		if swept {
			return 0, io.EOF
		}
		// The slot is taken, and the body is not there.
		swept = true
		k.now = k.now.Add(100 * time.Hour)
		k.sweep(time.Time{})
		k.now = k.now.Add(2 * versions.KeepDead)
		k.sweep(time.Time{})
		return copy(b, "2"), nil
	})
	if _, err := k.bucket.PutObject(t.Context(), &s3.PutObjectInput{Key: new("a"), Body: body, ContentLength: aws.Int64(1)}); err != nil {
		t.Fatal(err)
	}
	k.sweep(time.Time{})
	k.want("what was written meanwhile", k.get("a"), "2")
	k.want("verify", k.verify(false), "")
	if !swept {
		t.Error("no sweep was made during the write")
	}
}

// readerFunc is a function as an io.Reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// committing is an index in which something happens just before a row is inserted.
type committing struct {
	versions.Index
	before func()
}

func (x *committing) InsertRow(ctx context.Context, o versions.Object, r versions.Row) error {
	if f := x.before; f != nil {
		x.before = nil
		f()
	}
	return x.Index.InsertRow(ctx, o, r)
}

// TestSweepBeforeCommit: a body that is there and has no row yet is seen, and its version is committed after.
func TestSweepBeforeCommit(t *testing.T) {
	t.Parallel()
	x := &committing{Index: memindex.New()}
	k := open(t, func(o *versioned.Options) { o.Index = x })
	x.before = func() {
		k.want("before the commit", gocmp.Diff(upkeep.Swept{Marked: 1}, k.sweep(time.Time{})), "")
	}
	k.put("a", "1")
	k.now = k.now.Add(2 * versions.KeepDead)
	k.want("a day later", gocmp.Diff(upkeep.Swept{}, k.sweep(time.Time{})), "")
	k.want("a", k.get("a"), "1")
}

// TestSweepRows: rows of what is gone go a day later, and nothing that is told of what is there changes.
func TestSweepRows(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.put("a", "1")
	second := k.put("a", "2")
	k.put("a", "3")
	for _, value := range []string{"x", "y"} {
		k.now = k.now.Add(time.Second)
		_, err := k.bucket.(backends.Tagger).PutObjectTagging(k.Context(), &s3.PutObjectTaggingInput{
			Key: new("a"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: new("k"), Value: &value}}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	k.remove("a", second)
	marker := k.remove("a", "")
	k.remove("a", marker)
	k.put("a", "4")
	rows := func() int {
		all, err := k.Index.Rows(t.Context(), k.Object("a"), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	seen := k.list()
	k.want("too young", gocmp.Diff(upkeep.Swept{Marked: 1}, k.sweep(time.Time{})), "")
	if rows() != 9 {
		t.Fatalf("%d rows", rows())
	}
	k.now = k.now.Add(versions.KeepDead)
	// The second put of tags, the removal and its put, the marker and its removal: 1 and 3 and 4 stay, and the tags of 3.
	k.want("old", gocmp.Diff(upkeep.Swept{Rows: 6, Slots: 1}, k.sweep(time.Time{}), gocmpIgnoreBodies), "")
	if rows() != 3 {
		t.Errorf("%d rows are left, want 3", rows())
	}
	k.want("versions", k.list(), seen)
	k.want("verify", k.verify(false), "")
	k.want("again", gocmp.Diff(upkeep.Swept{}, k.sweep(time.Time{})), "")
}

// gocmpIgnoreBodies leaves out how many bodies were deleted.
var gocmpIgnoreBodies = gocmp.FilterPath(func(p gocmp.Path) bool { return p.String() == "Bodies" }, gocmp.Ignore())

// list is what a listing of versions shows.
func (k *kept) list() string {
	k.Helper()
	out, err := k.bucket.(backends.Versioned).ListObjectVersions(k.Context(), &s3.ListObjectVersionsInput{})
	if err != nil {
		k.Fatal(err)
	}
	var lines []string
	for _, v := range out.Versions {
		lines = append(lines, *v.Key+" "+*v.VersionId+" "+*v.ETag+" "+v.LastModified.String())
	}
	for _, m := range out.DeleteMarkers {
		lines = append(lines, *m.Key+" "+*m.VersionId+" marker "+m.LastModified.String())
	}
	return strings.Join(lines, "\n")
}

// TestSweepSuspended: null versions that were replaced are compacted too.
func TestSweepSuspended(t *testing.T) {
	t.Parallel()
	k := open(t, func(o *versioned.Options) { o.Versioning = router.Suspended })
	k.put("a", "1")
	k.put("a", "2")
	k.remove("a", "")
	k.put("a", "3")
	k.sweep(time.Time{})
	k.now = k.now.Add(versions.KeepDead)
	out := k.sweep(time.Time{})
	if out.Rows != 3 || out.Slots != 2 {
		t.Errorf("swept %+v", out)
	}
	k.want("a", k.get("a"), "3")
	k.want("verify", k.verify(false), "")
}

// TestSweepFails: an object that cannot be swept keeps no other from it, and is swept the next time.
func TestSweepFails(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.lost("a")
	k.lost("b")
	k.sweep(time.Time{})
	k.now = k.now.Add(versions.KeepDead)
	k.store.SetPlan(func(c faultbackend.Call) faultbackend.Fault {
		if c.Op == "DeleteObject" && strings.Contains(c.Key, "/a/") {
			return faultbackend.Fault{Err: errStore}
		}
		return faultbackend.Fault{}
	})
	out, err := k.Sweep(t.Context(), time.Time{})
	if !errors.Is(err, errStore) || out.Failed != 1 || out.Bodies != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	k.store.SetPlan(nil)
	k.want("next", gocmp.Diff(upkeep.Swept{Bodies: 1}, k.sweep(time.Time{})), "")
	k.want("stored", k.stored(), "")
}

// version is the version with a number.
func (k *kept) version(key string, n int64) *versions.Version {
	k.Helper()
	r, err := k.Index.Find(k.Context(), k.Object(key), n)
	if err != nil || r.Seq == 0 {
		k.Fatal(r, err)
	}
	return &r.Version
}
