package versioned_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// TestPlaces holds that heads and bodies are where CR-001 draws them, and say of which version they are.
func TestPlaces(t *testing.T) {
	t.Parallel()
	b := open(t, func(o *versioned.Options) { o.DataType = "records" })
	for _, key := range []string{"orders/42/head.json", "orders/42/notes.txt", ".x/head.json"} {
		b.put(key, "zero")
		b.put(key, "one")
		marker := *b.remove(key, "").VersionId
		b.put(key, "two")
		b.remove(key, marker)
		b.remove(key, "")
		b.put(key, "three")
		b.checkHead(key)
		b.checkBodies(key)
		b.wantHistory(key, "three* - two one zero")
	}
	b.wantStored(headPrefix, ".x/head.json", "orders/42/head.json", "orders/42/notes.txt")
	f := func(prefix, ext string) {
		t.Helper()
		b.wantStored(bodyPrefix+prefix, "d6"+ext, "v0"+ext, "v1"+ext, "v2"+ext, "v3"+ext)
	}
	f("orders/42/", ".json")
	f(".records/orders/42/notes.txt/", ".txt")
	f(".records/.x/head.json/", ".json")

	// The metadata names the version, for the operator and for who reads the store; clients do not see it.
	ctx := backends.WithRequest(t.Context(), &backends.Request{Operation: "PutObject", AccessKey: "AK", UserID: "u", TenantID: "t"})
	out, err := b.PutObject(ctx, &s3.PutObjectInput{Key: new("by"), Body: strings.NewReader("x"), ContentLength: aws.Int64(1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{headPrefix + "by", bodyPrefix + ".records/by/v0"} {
		head, err := b.store.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("physical"), Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		m, ok := versioned.ReadMark(head.Metadata)
		want := versions.By{Operation: "PutObject", AccessKey: "AK", UserID: "u", TenantID: "t"}
		if !ok || m.ID.String() != *out.VersionId || m.By != want {
			t.Errorf("%s says %+v, %v", key, m, ok)
		}
	}
}

// TestHeads holds that what is at the plain place never changes what a reader gets, and is healed.
func TestHeads(t *testing.T) {
	t.Parallel()
	f := func(name string, spoil func(*bucketOf)) {
		t.Helper()
		b := open(t, func(o *versioned.Options) { o.Repairs = versioned.NewRepairs() })
		b.put("other", "another object")
		b.put("k", "one")
		stale := b.rawHead("k")
		b.put("k", "two")
		spoil(b)
		if stale == "" || len(b.headProblems("k")) == 0 {
			t.Errorf("%s: nothing is spoiled", name)
		}
		b.wantHistory("k", "two* one")
		head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Key: new("k")})
		if err != nil || aws.ToInt64(head.ContentLength) != 3 || head.Metadata["says"] != "two" {
			t.Errorf("%s: the head is %v, %v", name, head, err)
		}
		out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Key: new("k"), Range: new("bytes=1-1")})
		if err != nil || aws.ToString(out.ContentRange) != "bytes 1-1/3" {
			t.Errorf("%s: a range reads %v, %v", name, out, err)
		}
		if left := b.o.Repairs.Settle(t.Context()); left != 0 {
			t.Errorf("%s: %d are left", name, left)
		}
		b.checkHead("k")
	}
	raw := func(b *bucketOf, from, to string) {
		_, err := b.store.CopyObject(t.Context(), backends.CopySource{Bucket: "physical", Key: from}, &s3.CopyObjectInput{Bucket: new("physical"), Key: &to})
		if err != nil {
			t.Fatal(err)
		}
	}
	f("stale", func(b *bucketOf) { raw(b, bodyPrefix+".content/k/v0", headPrefix+"k") })
	f("foreign", func(b *bucketOf) { b.putPlain("k", "foreign") })
	f("of another key", func(b *bucketOf) { raw(b, headPrefix+"other", headPrefix+"k") })
	f("empty", func(b *bucketOf) { b.putPlain("k", "") })
	f("missing", func(b *bucketOf) {
		if _, err := b.store.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("physical"), Key: new(headPrefix + "k")}); err != nil {
			t.Fatal(err)
		}
	})

	// Where nothing is current, nothing is read and listed.
	b := open(t, func(o *versioned.Options) { o.Repairs, o.Complete = versioned.NewRepairs(), false })
	b.put("k", "one")
	b.remove("k", "")
	b.putPlain("k", "foreign")
	_, err := b.get("k", "")
	b.wantError(err, s3err.NoSuchKey)
	b.wantHistory("k", "-* one")
	if got := b.listAll("", 10); got != "" {
		t.Errorf("listed %s", got)
	}
	b.o.Repairs.Note(b.Backend, "k")
	b.o.Repairs.Settle(t.Context())
	b.checkHead("k")
}

// rawHead is the ETag of a head.
func (b *bucketOf) rawHead(key string) string {
	b.Helper()
	out, err := b.store.HeadObject(b.Context(), &s3.HeadObjectInput{Bucket: new("physical"), Key: new(headPrefix + key)})
	if err != nil {
		b.Fatal(err)
	}
	return *out.ETag
}

// TestRepairsRun holds that what was noted is settled in the background.
func TestRepairsRun(t *testing.T) {
	t.Parallel()
	b := open(t, func(o *versioned.Options) { o.Repairs = versioned.NewRepairs() })
	b.put("k", "one")
	b.putPlain("k", "foreign")
	ctx, stop := context.WithCancel(t.Context())
	settled := make(chan struct{}, 1)
	b.index.setPlan(func(c indexCall) indexFault {
		if c.Op == "Top" && c.N > 2 { // the read's, the repair's, and the one after its copy
			settled <- struct{}{}
		}
		return indexFault{}
	})
	done := make(chan struct{})
	go func() { b.o.Repairs.Run(ctx); close(done) }()
	if text, err := b.get("k", ""); text != "one" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
	<-settled
	b.checkHeadOnly("k")
	stop()
	<-done
}

// checkHeadOnly is checkHead, while a plan of the index counts calls.
func (b *bucketOf) checkHeadOnly(key string) {
	b.Helper()
	b.index.setPlan(nil)
	b.checkHead(key)
}

// TestAsOf reads and lists what was there.
func TestAsOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	b := open(t, func(o *versioned.Options) { o.Now = func() time.Time { return now } })
	hour := func(n int) context.Context {
		at := time.Date(2026, 11, 23, 10+n, 30, 0, 0, time.UTC)
		return backends.WithRequest(t.Context(), &backends.Request{AsOf: at})
	}
	one := b.put("k", "one") // at 10:00
	now = now.Add(time.Hour)
	two := b.put("k", "two") // 11:00
	b.put("l", "one")
	now = now.Add(time.Hour)
	marker := *b.remove("k", "").VersionId // 12:00
	now = now.Add(time.Hour)
	b.put("k", "three") // 13:00
	b.remove("l", "")
	f := func(n int, read, list, all string) {
		t.Helper()
		c := *b
		c.TB = contextOf{t, hour(n)}
		got, err := c.get("k", "")
		if err != nil {
			got = string(s3err.From(err).Code)
		}
		if got != read {
			t.Errorf("after %d hours k reads %q, want %q", n, got, read)
		}
		for size := int32(1); size < 4; size++ {
			if got := c.listAll("", size); got != list {
				t.Errorf("after %d hours, %d a page: listed %q, want %q", n, size, got, list)
			}
			if got := c.listAllVersions("", size); got != all {
				t.Errorf("after %d hours, %d a page: listed %q, want %q", n, size, got, all)
			}
		}
	}
	f(-1, "NoSuchKey", "", "")
	f(0, "one", "k", "k*")
	f(1, "two", "k l", "k* k l*")
	f(2, "NoSuchKey", "l", "k-* k k l*")
	f(3, "three", "k", "k* k- k k l-* l")
	g := func(n int, version, want string) {
		t.Helper()
		c := *b
		c.TB = contextOf{t, hour(n)}
		got, err := c.get("k", version)
		if err != nil {
			got = string(s3err.From(err).Code)
		}
		if got != want {
			t.Errorf("after %d hours %s reads %q, want %q", n, version, got, want)
		}
	}
	g(0, one, "one")
	g(0, two, "NoSuchVersion")
	g(3, two, "two")
	g(1, marker, "NoSuchVersion")
	g(2, marker, "MethodNotAllowed")

	// A restore is a copy of what was there.
	if _, err := b.CopyObject(hour(1), backends.CopySource{Key: "k"}, &s3.CopyObjectInput{Key: new("k")}); err != nil {
		t.Fatal(err)
	}
	b.wantHistory("k", "two* three - two one")
}

// contextOf is a test whose context is another.
type contextOf struct {
	testing.TB
	ctx context.Context //nolint:containedctx // it stands for the test's own
}

// Context returns it.
func (c contextOf) Context() context.Context { return c.ctx }

// TestAsOfBefore is about objects from before.
func TestAsOfBefore(t *testing.T) {
	t.Parallel()
	b := open(t, before)
	b.putPlain("k", "old")
	at := func(d time.Duration) *bucketOf {
		c := *b
		c.TB = contextOf{t, backends.WithRequest(t.Context(), &backends.Request{AsOf: time.Now().Add(d)})}
		return &c
	}
	for range 2 { // not known to the index, and known
		if text, err := at(time.Hour).get("k", "null"); text != "old" || err != nil {
			t.Errorf("read %q, %v", text, err)
		}
		_, err := at(-time.Hour).get("k", "")
		b.wantError(err, s3err.NoSuchKey)
		_, err = at(-time.Hour).get("k", "null")
		b.wantError(err, s3err.NoSuchVersion)
		if got := at(-time.Hour).listAll("", 5) + at(-time.Hour).listAllVersions("", 5); got != "" {
			t.Errorf("listed %q", got)
		}
		if got := at(time.Hour).listAll("", 5) + " " + at(time.Hour).listAllVersions("", 5); got != "k k(null)*" {
			t.Errorf("listed %q", got)
		}
		b.tag("k", "", "known")
	}
}

// TestMultipart is about versions that uploads make.
func TestMultipart(t *testing.T) {
	t.Parallel()
	enabled := open(t, nil)
	f := func(b *bucketOf, body, want string) *s3.CompleteMultipartUploadInput {
		t.Helper()
		u := b.upload("k", body)
		if err := b.complete(t.Context(), u); err != nil {
			t.Error(err)
		}
		b.wantHistory("k", want)
		b.checkHead("k")
		b.checkBodies("k")
		return u
	}
	one := f(enabled, "one", "one*")
	early := enabled.upload("k", "early") // It begins before two and ends after it.
	f(enabled, "two", "two* one")
	if err := enabled.complete(t.Context(), early); err != nil {
		t.Error(err)
	}
	enabled.wantHistory("k", "early* two one")
	if err := enabled.complete(t.Context(), early); err != nil {
		t.Errorf("completed again: %v", err)
	}
	enabled.wantError(enabled.complete(t.Context(), one), s3err.NoSuchUpload)
	enabled.wantHistory("k", "early* two one")
	suspended := enabled.as(router.Suspended)
	f(suspended, "null", "(null)* early two one")
	f(suspended, "again", "(again)* early two one")
	if got := enabled.stored(bodyPrefix + ".content/k/"); fmt.Sprint(got) != "[v0 v1 v2 v4]" {
		t.Errorf("stored %v", got)
	}

	// A condition that does not hold leaves the upload to be completed or aborted later.
	u := enabled.upload("k", "conditional")
	u.IfNoneMatch = new("*")
	enabled.wantError(enabled.complete(t.Context(), u), s3err.PreconditionFailed)
	enabled.remove("k", "")
	if err := enabled.complete(t.Context(), u); err != nil {
		t.Error(err)
	}
	enabled.wantHistory("k", "conditional* - (again) early two one")
}

// TestSweptUpload holds that an upload is not completed any more whose body, which was left behind, is about
// to be swept.
func TestSweptUpload(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := open(t, func(o *versioned.Options) { o.Now = func() time.Time { return now } })
	f := func(later time.Duration, want s3err.Code) {
		t.Helper()
		now = time.Now()
		u := b.upload("k", "one")
		b.index.setPlan(func(c indexCall) (f indexFault) {
			if c.Op == "InsertRow" {
				f.Err = errBroken
			}
			return f
		})
		if err := b.complete(t.Context(), u); err == nil {
			t.Error("completed")
		}
		b.index.setPlan(nil)
		slots, err := b.index.Slots(t.Context(), versions.Slot{Object: versions.Object{BucketID: bucketID}}, 100)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.index.MarkSlot(t.Context(), slots[len(slots)-1], now); err != nil { // the sweeper sees the body
			t.Fatal(err)
		}
		now = now.Add(later)
		if err = b.complete(t.Context(), u); want == "" && err != nil {
			t.Errorf("after %v: %v", later, err)
		} else if want != "" {
			b.wantError(err, want)
		}
	}
	f(20*time.Hour, "")
	f(23*time.Hour, s3err.NoSuchUpload)
}
