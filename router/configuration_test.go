package router_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// tagged adds a tag to what is set.
func tagged(key string) func(router.Settings) (router.Configuration, error) {
	return func(s router.Settings) (router.Configuration, error) {
		c := s.Configuration
		c.Tags = append(c.Tags[:len(c.Tags):len(c.Tags)], router.Tag{Key: key})
		return c, nil
	}
}

// settings returns what is set on a bucket, and compares it with what its route knows.
func (w *world) settings(bucket string) router.Settings {
	w.t.Helper()
	route := w.resolve("t", bucket, "")
	s, err := w.Settings(w.t.Context(), route)
	if err != nil {
		w.t.Fatal(err)
	}
	if d := cmp.Diff(s, route.Settings); d != "" {
		w.t.Errorf("the route knows something else: %s", d)
	}
	return s
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := as("t/ann")
	route := w.create(ann, "docs", "")
	if got := w.settings("docs"); got.Seq != 0 {
		t.Fatalf("a new bucket has %+v", got)
	}
	w.want(w.Configure(t.Context(), ann, "docs", tagged("a")), "")
	w.want(w.Configure(t.Context(), ann, "docs", tagged("b")), "")
	want := router.Configuration{Tags: []router.Tag{{Key: "a"}, {Key: "b"}}}
	if d := cmp.Diff(want, w.settings("docs").Configuration); d != "" {
		t.Error(d)
	}
	same := func(s router.Settings) (router.Configuration, error) { return s.Configuration, nil }
	before := w.settings("docs").Seq
	w.want(w.Configure(t.Context(), ann, "docs", same), "")
	if after := w.settings("docs").Seq; after != before {
		t.Errorf("nothing was changed by entry %d after %d", after, before)
	}
	no := func(router.Settings) (router.Configuration, error) {
		return router.Configuration{}, s3err.New(s3err.InvalidRequest)
	}
	w.want(w.Configure(t.Context(), ann, "docs", no), s3err.InvalidRequest)
	w.want(w.Configure(t.Context(), ann, "none", same), s3err.NoSuchBucket)
	w.want(w.Configure(t.Context(), as("other/eve"), "docs", same), s3err.NoSuchBucket)
	reader := as("t/rob", router.Grant{Buckets: []string{"*"}, Actions: []router.Action{router.Read}})
	w.want(w.Configure(t.Context(), reader, "docs", same), s3err.AccessDenied)
	if d := cmp.Diff(want, w.settings("docs").Configuration); d != "" {
		t.Error(d)
	}

	// With the bucket, what was set on it goes.
	w.remove(ann, "docs", "")
	if top, err := w.index.TopSettings(t.Context(), route.BucketID); err != nil || top.Seq != 0 {
		t.Errorf("what stays is %+v, %v", top, err)
	}
}

// TestConfigureAtOnce: of those who change something at once, nobody is forgotten.
func TestConfigureAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(as("t/ann"), "docs", "")
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := w.Configure(t.Context(), as("t/ann"), "docs", tagged(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := w.settings("docs"); len(got.Tags) != 16 || got.Seq != 16 {
		t.Errorf("16 tags were set, and there is %+v", got)
	}
}

// TestConfigureAndVersioning: neither takes away what the other has set, and what is set does not stop writers.
func TestConfigureAndVersioning(t *testing.T) {
	t.Parallel()
	w := versionedWorld(t)
	ann, early := as("t/ann"), w.resolve("t", "box", "")
	w.want(w.Configure(t.Context(), ann, "box", tagged("a")), "")
	leave, err := early.Door.Enter(t.Context())
	if err != nil {
		t.Fatalf("a writer from before is stopped: %v", err)
	}
	leave()
	w.want(w.SetVersioning(t.Context(), ann, "box", router.Suspended), "")
	got := w.settings("box")
	if got.Versioning != router.Suspended || got.AccessKey != ann.AccessKey || len(got.Tags) != 1 {
		t.Errorf("got %+v", got)
	}
	locks := func(s router.Settings) (router.Configuration, error) {
		if s.Versioning != router.Enabled {
			return s.Configuration, s3err.New(s3err.InvalidBucketState)
		}
		c := s.Configuration
		c.ObjectLock = &router.ObjectLock{}
		return c, nil
	}
	w.want(w.Configure(t.Context(), ann, "box", locks), s3err.InvalidBucketState)
	w.want(w.SetVersioning(t.Context(), ann, "box", router.Enabled), "")
	w.want(w.Configure(t.Context(), ann, "box", locks), "")
	w.want(w.SetVersioning(t.Context(), ann, "box", router.Suspended), s3err.InvalidBucketState)
}

func TestCreateWithConfiguration(t *testing.T) {
	t.Parallel()
	var w *world
	w = newWorld(t, func(c *router.Config) { withVersions(&w)(c) })
	set := router.Configuration{Tags: []router.Tag{{Key: "a", Value: "1"}}, ObjectLock: &router.ObjectLock{}}
	if _, err := w.CreateBucket(t.Context(), as("t/ann"), "box", set); err != nil {
		t.Fatal(err)
	}
	got := w.settings("box")
	if d := cmp.Diff(set, got.Configuration); d != "" || got.Versioning != router.Enabled || !got.Complete {
		t.Errorf("%+v %s", got, d)
	}
	out, err := tryPut(t, w, "k")
	if err != nil || out.VersionId == nil {
		t.Errorf("the first object is version %v, %v", out, err)
	}
}
