package versioned_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// errBroken is the error that the tests inject.
var errBroken = errors.New("broken")

// faultCase is an operation on "k" that is broken off at each of its calls.
type faultCase struct {
	name   string
	change func(*versioned.Options)
	first  func(*bucketOf)
	run    func(context.Context, *bucketOf) error

	old, new string // histories
	again    string // after it was done twice
}

// oneTwo puts two versions.
func oneTwo(b *bucketOf) {
	b.put("k", "one")
	b.put("k", "two")
}

// tryPut puts "three" under a condition.
func tryPut(ctx context.Context, b *bucketOf, match *string) error {
	_, err := b.PutObject(ctx, &s3.PutObjectInput{
		Key: new("k"), Body: strings.NewReader("three"), ContentLength: aws.Int64(5), IfMatch: match,
		Metadata: map[string]string{"says": "three"},
	})
	return err
}

// tryDelete deletes a version, or the object.
func tryDelete(ctx context.Context, b *bucketOf, version string) error {
	_, err := b.DeleteObject(ctx, &s3.DeleteObjectInput{Key: new("k"), VersionId: orNil(version)})
	return err
}

// suspended is a setting.
func suspended(o *versioned.Options) { o.Versioning = router.Suspended }

// suspendedBefore is a suspended bucket over a place in use.
func suspendedBefore(o *versioned.Options) { o.Versioning, o.Complete = router.Suspended, false }

// faultCases are the operations.
func faultCases() []faultCase {
	put := func(ctx context.Context, b *bucketOf) error { return tryPut(ctx, b, nil) }
	del := func(ctx context.Context, b *bucketOf) error { return tryDelete(ctx, b, "") }
	removeNull := func(ctx context.Context, b *bucketOf) error { return tryDelete(ctx, b, "null") }
	old := func(b *bucketOf) { b.putPlain("k", "old") }
	var ids []string // of the case that runs
	twoIDs := func(b *bucketOf) { ids = []string{b.put("k", "one"), b.put("k", "two")} }
	var upload *s3.CompleteMultipartUploadInput
	return append(beforeFaultCases(), []faultCase{
		{"first put", nil, func(*bucketOf) {}, put, "", "three*", "three* three"},
		{"put", nil, oneTwo, put, "two* one", "three* two one", "three* three two one"},
		{"put under a condition", nil, oneTwo, func(ctx context.Context, b *bucketOf) error { return tryPut(ctx, b, new("*")) }, "two* one", "three* two one", "three* three two one"},
		{"delete", nil, oneTwo, del, "two* one", "-* two one", "-* - two one"},
		{"delete nothing", nil, func(*bucketOf) {}, del, "", "-*", "-* -"},
		{"remove the current", nil, twoIDs, func(ctx context.Context, b *bucketOf) error { return tryDelete(ctx, b, ids[1]) }, "two* one", "one*", "one*"},
		{"remove an older one", nil, twoIDs, func(ctx context.Context, b *bucketOf) error { return tryDelete(ctx, b, ids[0]) }, "two* one", "two*", "two*"},
		{"undelete", nil, func(b *bucketOf) {
			oneTwo(b)
			ids = []string{*b.remove("k", "").VersionId}
		}, func(ctx context.Context, b *bucketOf) error { return tryDelete(ctx, b, ids[0]) }, "-* two one", "two* one", "two* one"},
		{"restore", nil, twoIDs, func(ctx context.Context, b *bucketOf) error {
			_, err := b.CopyObject(ctx, backends.CopySource{Key: "k", VersionID: ids[0]}, &s3.CopyObjectInput{Key: new("k")})
			return err
		}, "two* one", "one* two one", "one* one two one"},
		{"complete", nil, func(b *bucketOf) {
			oneTwo(b)
			upload = b.upload("k", "three")
		}, func(ctx context.Context, b *bucketOf) error { return b.complete(ctx, upload) }, "two* one", "three* two one", "three* two one"},
		{"suspended put", suspended, oneTwo, put, "(two)*", "(three)*", "(three)*"},
		{"suspended delete", suspended, oneTwo, del, "(two)*", "(-)*", "(-)*"},
		{"suspended put over a marker", suspended, func(b *bucketOf) { b.remove("k", "") }, put, "(-)*", "(three)*", "(three)*"},
		{"remove null", suspended, oneTwo, removeNull, "(two)*", "", ""},
		{"put over old", before, old, put, "(old)*", "three* (old)", "three* three (old)"},
		{"delete old", before, old, del, "(old)*", "-* (old)", "-* - (old)"},
		{"remove old", before, old, removeNull, "(old)*", "", ""},
		{"replace old", suspendedBefore, old, put, "(old)*", "(three)*", "(three)*"},
		{"copy old by its id", before, old, func(ctx context.Context, b *bucketOf) error {
			_, err := b.CopyObject(ctx, backends.CopySource{Key: "k", VersionID: "null"}, &s3.CopyObjectInput{
				Key: new("k"), MetadataDirective: types.MetadataDirectiveReplace, Metadata: map[string]string{"says": "old"},
			})
			return err
		}, "(old)*", "old* (old)", "old* old (old)"},
	}...)
}

// upload begins an upload of one part.
func (b *bucketOf) upload(key, body string) *s3.CompleteMultipartUploadInput {
	b.Helper()
	u, _ := backends.As[backends.MultipartUploader](b.Backend)
	begun, err := u.CreateMultipartUpload(b.Context(), &s3.CreateMultipartUploadInput{
		Key: &key, Metadata: map[string]string{"says": body},
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	if err != nil {
		b.Fatal(err)
	}
	part, err := u.UploadPart(b.Context(), &s3.UploadPartInput{
		Key: &key, UploadId: begun.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
	})
	if err != nil {
		b.Fatal(err)
	}
	return &s3.CompleteMultipartUploadInput{Key: &key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
		Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}},
	}}
}

// complete completes an upload.
func (b *bucketOf) complete(ctx context.Context, in *s3.CompleteMultipartUploadInput) error {
	u, _ := backends.As[backends.MultipartUploader](b.Backend)
	_, err := u.CompleteMultipartUpload(ctx, in)
	return err
}

// TestFaults breaks off each operation at each of its calls: before it is made, after it was made, and because the
// client has left. The object is as before or as after, the operation can be repeated, and a process that
// begins anew finds what is left to do.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range faultCases() {
		t.Run(c.name, func(t *testing.T) {
			points := 0
			for _, in := range []string{"index", "store"} {
				for _, how := range []string{"before", "after", "left"} {
					for n := 1; c.strike(t, in, how, n, false) && c.strike(t, in, how, n, true); n++ {
						points++
					}
				}
			}
			if points < 12 {
				t.Errorf("broken off %d times only", points)
			}
		})
	}
}

// strike breaks off the n-th call. It returns false when there are not so many. The process that did it, or one that
// begins anew, looks after the object.
func (c *faultCase) strike(t *testing.T, in, how string, n int, anew bool) bool {
	t.Helper()
	b := open(t, c.change)
	b.o.Repairs = versioned.NewRepairs()
	b.Backend = versioned.New(b.o)
	c.first(b)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	struck := false
	strikes := func(i int) (error, bool) {
		switch struck = struck || i == n; {
		case i != n:
			return nil, false
		case how == "left":
			leave()
			return nil, false
		}
		return errBroken, how == "after"
	}
	var what string
	b.index.setPlan(func(call indexCall) (f indexFault) {
		if in == "index" {
			if f.Err, f.After = strikes(call.N); call.N == n {
				what = call.Op
			}
		}
		return f
	})
	b.store.SetPlan(func(call faultbackend.Call) (f faultbackend.Fault) {
		if in == "store" {
			if f.Err, f.After = strikes(call.N); call.N == n {
				what = call.Op + " " + call.Key
			}
		}
		return f
	})
	err := c.run(ctx, b)
	b.index.setPlan(nil)
	b.store.SetPlan(nil)
	if !struck {
		return false
	}
	defer func() {
		if t.Failed() {
			t.Fatalf("the operation was broken off at call %d of the %s, %s %s: %v", n, in, how, what, err)
		}
	}()
	if anew { // It is told of the key, as `index verify` tells.
		b.o.Repairs = versioned.NewRepairs()
		b.Backend = versioned.New(b.o)
		if !b.lags {
			b.o.Repairs.Note(b.Backend, "k")
		}
	}
	c.judge(t, b, err)
	return true
}

// judge looks at a bucket after the operation was broken off, repeats it, and looks again.
func (c *faultCase) judge(t *testing.T, b *bucketOf, err error) {
	t.Helper()
	was := b.history("k")
	if was != c.new && (was != c.old || err == nil) {
		t.Errorf("the versions are %q, want %q or %q", was, c.old, c.new)
	}
	b.checkBodies("k")
	if left := b.o.Repairs.Settle(t.Context()); left != 0 {
		t.Errorf("%d objects are left to settle", left)
	}
	if !b.lags || err == nil {
		b.checkHead("k")
	}
	b.wantHistory("k", was)

	if err != nil {
		if e := c.run(t.Context(), b); e != nil {
			t.Errorf("repeated: %v", e)
		}
		if got := b.history("k"); got != c.new && (got != c.again || was != c.new) {
			t.Errorf("repeated after %q, the versions are %q, want %q or %q", was, got, c.new, c.again)
		}
		b.checkHead("k")
		b.checkBodies("k")
	}
}

// checkHead holds that the head of a key shows what is current.
func (b *bucketOf) checkHead(key string) {
	b.Helper()
	for _, problem := range b.headProblems(key) {
		b.Error(problem)
	}
}

// headProblems says what is wrong with the head of a key.
func (b *bucketOf) headProblems(key string) []string {
	top, err := b.index.Top(context.Background(), versions.Object{BucketID: bucketID, Key: key})
	if err != nil {
		return []string{err.Error()}
	}
	if top.Seq == 0 {
		return nil
	}
	head, err := b.store.HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: new("physical"), Key: new(headPrefix + key)})
	v := top.State.Current
	switch {
	case v.Meta() == nil && !s3err.Is(err, s3err.NoSuchKey):
		return []string{fmt.Sprintf("the head of %q is there, %v; nothing is current", key, err)}
	case v.Meta() == nil:
		return nil
	case err != nil:
		return []string{fmt.Sprintf("the head of %q: %v; current is %s", key, err, v.ID)}
	}
	m, marked := versioned.ReadMark(head.Metadata)
	if marked && m.ID.Name() != v.ID.Name() || !marked && !v.Plain || aws.ToInt64(head.ContentLength) != v.Size {
		return []string{fmt.Sprintf("the head of %q shows %v; current is %v", key, m.ID, v.ID)}
	}
	return nil
}

// checkBodies holds that every version has its body, and that every other body can be found: it has
// a slot, or a row says that it is dead.
func (b *bucketOf) checkBodies(key string) {
	b.Helper()
	for _, problem := range b.bodyProblems(key) {
		b.Error(problem)
	}
}

// bodyProblems says what is wrong with the bodies of a key.
func (b *bucketOf) bodyProblems(key string) (problems []string) {
	ctx, o := context.Background(), versions.Object{BucketID: bucketID, Key: key}
	top, err := b.index.Top(ctx, o)
	entries, err2 := b.index.Versions(ctx, versions.Range{BucketID: bucketID, Prefix: key, Limit: 1_000_000})
	slots, err3 := b.index.Slots(ctx, versions.Slot{Object: o}, 1_000_000)
	if err := errors.Join(err, err2, err3); err != nil {
		return []string{err.Error()}
	}
	stored := map[int64]bool{}
	for _, name := range b.stored(bodyPrefix) {
		if _, k, n, ok := b.o.Layout.Parse(name); ok && k == key {
			stored[n] = true
		}
	}
	for _, e := range entries {
		if e.Key != key || !top.State.Live(e.Row) {
			continue
		}
		atHome := e.Version.Plain && e.Version.Is(top.State.Current)
		if !stored[e.Version.ID.N] && !atHome && !e.Version.Marker {
			problems = append(problems, fmt.Sprintf("%q: version %d has no body", key, e.Version.ID.N))
		}
	}
	for n := range stored {
		about, err := b.index.Find(ctx, o, n)
		found := about.Seq > 0 || slices.ContainsFunc(slots, func(s versions.Slot) bool { return s.Object == o && s.N == n })
		if err != nil || !found {
			problems = append(problems, fmt.Sprintf("%q: nothing leads to the body %d, %v", key, n, err))
		}
	}
	return problems
}
