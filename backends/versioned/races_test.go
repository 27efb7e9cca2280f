package versioned_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// hookStore does something before a call.
type hookStore struct {
	faultbackend.Store

	mu   sync.Mutex
	left int // calls up to that one
	hook func()
}

// before has hook be called before the n-th call from now on; nil takes that back.
func (s *hookStore) before(n int, hook func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.hook = n, hook
}

// comeIn is what happens when a call is made.
func (s *hookStore) comeIn() {
	s.mu.Lock()
	s.left--
	hook := s.hook
	if s.left != 0 {
		hook = nil
	}
	s.mu.Unlock()
	if hook != nil {
		hook()
	}
}

// GetObject comes in.
func (s *hookStore) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	s.comeIn()
	return s.Store.GetObject(ctx, in)
}

// HeadObject comes in.
func (s *hookStore) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	s.comeIn()
	return s.Store.HeadObject(ctx, in)
}

// PutObject comes in.
func (s *hookStore) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	s.comeIn()
	return s.Store.PutObject(ctx, in)
}

// DeleteObject comes in.
func (s *hookStore) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	s.comeIn()
	return s.Store.DeleteObject(ctx, in)
}

// ListObjectsV2 comes in.
func (s *hookStore) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	s.comeIn()
	return s.Store.ListObjectsV2(ctx, in)
}

// CopyObject comes in.
func (s *hookStore) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	s.comeIn()
	return s.Store.CopyObject(ctx, src, in)
}

// raceCase is an operation that somebody else comes in between of.
type raceCase struct {
	name  string
	first func(*bucketOf)
	other func(*bucketOf)
	run   func(*bucketOf) string // what it says
	want  []string               // what it may say, and the history after both
}

// raceCases are about objects from before, whose bodies are moved when they are first written over.
func raceCases() []raceCase {
	old := func(b *bucketOf) { b.putPlain("k", "old") }
	// The same content with other metadata: its ETag says nothing.
	same := func(b *bucketOf) {
		_, err := b.PutObject(b.Context(), &s3.PutObjectInput{
			Key: new("k"), Body: strings.NewReader("old"), ContentLength: aws.Int64(3), Metadata: map[string]string{"says": "old", "new": ""},
		})
		if err != nil {
			b.Error(err)
		}
	}
	read := func(version string) func(*bucketOf) string {
		return func(b *bucketOf) string {
			out, err := b.GetObject(b.Context(), &s3.GetObjectInput{Key: new("k"), VersionId: orNil(version)})
			if err != nil {
				return string(s3err.From(err).Code)
			}
			_, isNew := out.Metadata["new"]
			return fmt.Sprintf("%s %v %v", out.Metadata["says"], isNew, aws.ToString(out.VersionId) == "null")
		}
	}
	put := func(b *bucketOf) { b.put("k", "new") }
	copied := func(version string) func(*bucketOf) string {
		return func(b *bucketOf) string {
			if _, err := b.copyOf("k", version, "copy", nil); err != nil {
				return string(s3err.From(err).Code)
			}
			return b.history("copy")
		}
	}
	list := func(b *bucketOf) string { return b.listAll("", 10) }
	one := func(b *bucketOf) { b.put("k", "one") }
	return append(beforeRaceCases(), []raceCase{
		{"read", old, same, read(""), []string{"old false true", "old true false"}},
		{"read null", old, same, read("null"), []string{"old false true"}},
		{"read a known one", func(b *bucketOf) { old(b); b.tag("k", "", "x") }, same, read(""), []string{"old false true", "old true false"}},
		{"read null when it is deleted", old, func(b *bucketOf) { b.remove("k", "") }, read("null"), []string{"old false true"}},
		{"read null when it is removed", old, func(b *bucketOf) { b.remove("k", "null") }, read("null"), []string{"old false true", "NoSuchVersion"}},
		{"put", old, same, func(b *bucketOf) string { b.put("k", "new"); return read("null")(b) }, []string{"old false true"}},
		{"delete", old, same, func(b *bucketOf) string { b.remove("k", ""); return read("null")(b) }, []string{"old false true"}},
		{"copy", old, put, copied(""), []string{"old*", "new*"}},
		{"copy null", old, put, copied("null"), []string{"old*"}},
		{"copy what is replaced", func(b *bucketOf) { b.as(router.Suspended).put("k", "old") }, func(b *bucketOf) { b.as(router.Suspended).put("k", "new") }, copied(""), []string{"old*", "new*"}},
		{"read what is replaced", func(b *bucketOf) { b.as(router.Suspended).put("k", "old") }, func(b *bucketOf) { b.as(router.Suspended).put("k", "new") }, func(b *bucketOf) string { text, err := b.get("k", ""); return fmt.Sprint(text, err) }, []string{"old<nil>", "new<nil>"}},
		{"list", old, put, list, []string{"k"}},
		{"list versions", old, put, func(b *bucketOf) string { return b.listAllVersions("", 10) }, []string{"k(null)*", "k* k(null)"}},
		{"list when it is deleted", old, func(b *bucketOf) { b.remove("k", "") }, list, []string{"k", ""}},
		{"list versions when it is deleted", old, func(b *bucketOf) { b.remove("k", "") }, func(b *bucketOf) string { return b.listAllVersions("", 10) }, []string{"k(null)*", "k-* k(null)"}},
		{"delete while it is undeleted", one, func(b *bucketOf) {
			for _, id := range b.markers("k") {
				b.remove("k", id)
			}
		}, func(b *bucketOf) string { b.remove("k", ""); return b.history("k") }, []string{"-* one", "one*"}},
		{"delete nothing while it is undeleted", func(*bucketOf) {}, func(b *bucketOf) {
			for _, id := range b.markers("k") {
				b.remove("k", id)
			}
		}, func(b *bucketOf) string { b.remove("k", ""); return b.history("k") }, []string{"-*", ""}},
	}...)
}

// markers are the ids of the delete markers of a key.
func (b *bucketOf) markers(key string) (ids []string) {
	b.Helper()
	lister, _ := backends.As[backends.Versioned](b.Backend)
	out, err := lister.ListObjectVersions(b.Context(), &s3.ListObjectVersionsInput{Prefix: &key})
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range out.DeleteMarkers {
		ids = append(ids, *m.VersionId)
	}
	return ids
}

// TestRaces has somebody else do something before each of the calls that an operation makes.
func TestRaces(t *testing.T) {
	t.Parallel()
	for _, c := range raceCases() {
		points := 0
		for _, in := range []string{"index", "store"} {
			for n := 1; c.race(t, in, n); n++ {
				points++
			}
		}
		if points < 2 {
			t.Errorf("%s: nobody came in between", c.name)
		}
	}
}

// race has the other come in before the n-th call. It returns false when there are not so many.
func (c *raceCase) race(t *testing.T, in string, n int) bool {
	t.Helper()
	b := open(t, before)
	c.first(b)
	b.o.Repairs = versioned.NewRepairs()
	b.Backend = versioned.New(b.o)
	came := false
	other := *b // whose calls the plans do not count
	other.o.Index = b.index.Index
	direct := options(b.below, b.index.Index)
	other.o.Heads, other.o.Bodies = direct.Heads, direct.Bodies
	other.index = &faultIndex{Index: b.index.Index}
	other.Backend = versioned.New(other.o)
	come := func() {
		for range 1000 { // What the operation does at the same time goes on.
			runtime.Gosched()
		}
		came = true
		c.other(&other)
	}
	if in == "index" {
		b.index.setPlan(func(call indexCall) indexFault {
			if call.N == n {
				come()
			}
			return indexFault{}
		})
	} else {
		b.hook.before(n, come)
	}
	got := c.run(b)
	b.index.setPlan(nil)
	b.hook.before(0, nil)
	if !came {
		return false
	}
	if left := b.o.Repairs.Settle(t.Context()); left != 0 {
		t.Errorf("%d objects are left to settle", left)
	}
	if !slices.Contains(c.want, got) {
		t.Errorf("%s: when somebody comes in before call %d of the %s, it is %q; want one of %q", c.name, n, in, got, c.want)
	}
	for _, key := range []string{"k", "copy"} {
		if !b.lags {
			b.checkHead(key)
		}
		b.checkBodies(key)
		b.checkMarkers(key)
	}
	return true
}

// checkMarkers holds that the store tells of the delete markers that there are, and of no others.
func (b *bucketOf) checkMarkers(key string) {
	b.Helper()
	var told int
	for _, name := range b.stored(bodyPrefix) {
		if _, k, n, ok := b.o.Layout.Parse(name); ok && k == key && n < 0 {
			told++
		}
	}
	if want := len(b.markers(key)); told != want {
		b.Errorf("the store tells of %d delete markers of %q; there are %d", told, key, want)
	}
}

// TestCompleteTwice completes an upload many times at once: it is one version.
func TestCompleteTwice(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	for range 50 {
		u := b.upload("k", "one")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := b.complete(t.Context(), u); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if got := b.history("k"); got != "one*"+strings.Repeat(" one", 49) {
		t.Errorf("of 50 uploads became %s", got)
	}
}

// TestCopyGone copies what is removed meanwhile.
func TestCopyGone(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	id := b.put("k", "one")
	b.hook.before(1, func() { b.remove("k", id) })
	_, err := b.copyOf("k", id, "copy", func(in *s3.CopyObjectInput) { in.MetadataDirective = types.MetadataDirectiveReplace })
	b.wantError(err, s3err.NoSuchVersion)
	b.wantHistory("copy", "")
}
