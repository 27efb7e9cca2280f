package router_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/fanout"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// world is a router with what it stands on.
type world struct {
	*router.Router
	t       *testing.T
	store   *membackend.Backend
	index   *memindex.Index
	fault   faultbackend.Plan // of the store, as the router sees it
	mu      sync.Mutex
	changed []string
	config  router.Config
}

// newWorld returns a router of the default template, after edits.
func newWorld(t *testing.T, edits ...func(*router.Config)) *world {
	t.Helper()
	w := &world{t: t, store: membackend.New(), index: memindex.New()}
	sealer, err := token.New(bytes.Repeat([]byte{7}, 64))
	if err != nil {
		t.Fatal(err)
	}
	local := faultbackend.New(w.store, func(c faultbackend.Call) faultbackend.Fault {
		if w.fault == nil {
			return faultbackend.Fault{}
		}
		return w.fault(c)
	})
	w.config = router.Config{
		Backends: map[string]backends.Backend{"local": local},
		Template: router.DefaultTemplate("local"),
		Tenants:  []string{"t", "u"},
		Region:   "eu-central-1",
	}
	w.config.Compose = func(r *router.BucketRecord, _ *router.Route) backends.Backend {
		selector := router.NewSelector(r)
		o := fanout.Options{Select: selector.Select}
		for _, m := range selector.Mounts() {
			o.Mounts = append(o.Mounts, fanout.Mount{Backend: mount.New(mount.Options{
				Backend: w.config.Backends[m.Backend], Bucket: m.Bucket, Prefix: m.Prefix,
				BucketID: r.BucketID, MountID: m.ID, Sealer: sealer,
			})})
		}
		if selector.TakesAny() {
			return o.Mounts[0].Backend
		}
		return fanout.New(o)
	}
	for _, edit := range edits {
		edit(&w.config)
	}
	w.Router, err = w.open()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// open returns another router on the same store and index: a process that starts.
func (w *world) open() (*router.Router, error) {
	return router.New(w.t.Context(), router.Options{
		Config: w.config, Records: w.index, Forget: w.index.Forget,
		Changed: func(tenantID, bucket string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.changed = append(w.changed, tenantID+"/"+bucket)
		},
	})
}

// as is a user of a tenant: "tenant/user".
func as(name string, grants ...router.Grant) router.Identity {
	tenant, user, _ := strings.Cut(name, "/")
	return router.Identity{AccessKey: "AK" + user, UserID: user, TenantID: tenant, Grants: grants}
}

// create makes a bucket; code is the error it must give, or "".
func (w *world) create(id router.Identity, bucket string, code s3err.Code) *router.Route {
	w.t.Helper()
	route, err := w.CreateBucket(w.t.Context(), id, bucket, router.Configuration{})
	w.want(err, code)
	if (route == nil) != (code != "") {
		w.t.Fatalf("route %v with %v", route, err)
	}
	return route
}

// remove removes a bucket.
func (w *world) remove(id router.Identity, bucket string, code s3err.Code) {
	w.t.Helper()
	w.want(w.DeleteBucket(w.t.Context(), id, bucket), code)
}

// resolve finds a bucket.
func (w *world) resolve(tenantID, bucket string, code s3err.Code) *router.Route {
	w.t.Helper()
	route, err := w.Resolve(w.t.Context(), tenantID, bucket)
	w.want(err, code)
	return route
}

// want compares the code of an error, and looks that it names nothing physical.
func (w *world) want(err error, code s3err.Code) {
	w.t.Helper()
	if (err == nil) != (code == "") || (err != nil && !s3err.Is(err, code)) {
		w.t.Fatalf("got %v, want %q", err, code)
	}
	var e *s3err.Error
	if errors.As(err, &e) && strings.Contains(fmt.Sprint(e.Message, e.Details, e.Resource), "t/") {
		w.t.Errorf("the client would read a physical name: %s %v %s", e.Message, e.Details, e.Resource)
	}
}

// list lists the names an identity sees.
func (w *world) list(id router.Identity, prefix, after string, limit int) (names []string, more bool) {
	w.t.Helper()
	list, more, err := w.ListBuckets(w.t.Context(), id, prefix, after, limit)
	w.want(err, "")
	for _, b := range list {
		if b.Region == "" || b.Created.IsZero() {
			w.t.Errorf("%+v lacks something", b)
		}
		names = append(names, b.Name)
	}
	return names, more
}

// put stores an object through a route.
func (w *world) put(route *router.Route, key string) {
	w.t.Helper()
	_, err := route.Backend.PutObject(w.t.Context(), &s3.PutObjectInput{
		Bucket: &route.Name, Key: &key, Body: strings.NewReader("x"), ContentLength: aws.Int64(1),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	})
	w.want(err, "")
}

// has reports whether the route shows the key.
func (w *world) has(route *router.Route, key string) bool {
	w.t.Helper()
	_, err := route.Backend.HeadObject(w.t.Context(), &s3.HeadObjectInput{Bucket: &route.Name, Key: &key})
	return err == nil
}

// shared is a template of prefixes in one physical bucket.
func shared(c *router.Config) {
	c.Template = router.Template{Backend: "local", Bucket: "shared", Prefix: "buckets/{tenantId}/{bucket}/"}
}

// spread is a template of several places.
func spread(c *router.Config) {
	c.Template = router.Template{Backend: "local", Bucket: "shared", Prefix: "a/{tenantId}/{bucket}/", More: []router.Spot{
		{Backend: "local", Bucket: "shared", Prefix: "b/{tenantId}/{bucket}/"},
		{Backend: "local", Bucket: "other", Prefix: "a/{tenantId}/{bucket}/"},
	}}
}

func TestLife(t *testing.T) {
	t.Parallel()
	f := func(name string, edits ...func(*router.Config)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, edits...)
			ann, bob, eve := as("t/ann"), as("t/bob"), as("u/eve")

			w.resolve("t", "docs", s3err.NoSuchBucket)
			w.remove(ann, "docs", s3err.NoSuchBucket)
			made := w.create(ann, "docs", "")
			if made.Name != "docs" || made.TenantID != "t" || made.Owner != "ann" || made.Region != "eu-central-1" || time.Since(made.Created) > time.Minute {
				t.Errorf("made %+v", made)
			}
			w.put(made, "k")
			found := w.resolve("t", "docs", "")
			if found.BucketID != made.BucketID || found.Owner != "ann" || !found.Created.Equal(made.Created) || !w.has(found, "k") {
				t.Errorf("found %+v, made %+v", found, made)
			}
			w.create(ann, "docs", s3err.BucketAlreadyOwnedByYou)
			w.create(bob, "docs", s3err.BucketAlreadyExists)

			// Another tenant has its own.
			w.resolve("u", "docs", s3err.NoSuchBucket)
			w.remove(eve, "docs", s3err.NoSuchBucket)
			others := w.create(eve, "docs", "")
			if w.has(others, "k") {
				t.Error("two tenants share an object")
			}
			w.remove(eve, "docs", "")

			w.remove(ann, "docs", s3err.BucketNotEmpty)
			if !w.has(w.resolve("t", "docs", ""), "k") {
				t.Error("a refused removal removed something")
			}
			_, err := made.Backend.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("docs"), Key: new("k")})
			w.want(err, "")
			upload(w, made, "unfinished")
			w.remove(bob, "docs", "")
			w.resolve("t", "docs", s3err.NoSuchBucket)
			w.remove(ann, "docs", s3err.NoSuchBucket)
			again := w.create(bob, "docs", "")
			if again.BucketID == made.BucketID {
				t.Error("a bucket that was made again has its old id")
			}
			if want := []string{"t/docs", "u/docs", "u/docs", "t/docs", "t/docs"}; !slices.Equal(w.changed, want) {
				t.Errorf("told of changes of %v, want %v", w.changed, want)
			}
		})
	}
	f("own physical buckets")
	f("shared physical bucket", shared)
	f("several places", spread)
}

// TestSpread: the keys of a bucket are in all places of the template, each key in one, and stay there when the
// template becomes another.
func TestSpread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spread)
	route := w.create(as("t/ann"), "docs", "")
	var keys []string
	for i := range 60 {
		keys = append(keys, fmt.Sprintf("key-%02d", i))
		w.put(route, keys[i])
	}
	w.config.Template.More = w.config.Template.More[:1]
	w.want(w.Reload(t.Context(), w.config), "")
	page, err := w.resolve("t", "docs", "").Backend.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("docs")})
	w.want(err, "")
	var listed []string
	for i := range page.Contents {
		listed = append(listed, *page.Contents[i].Key)
	}
	if !slices.Equal(listed, keys) {
		t.Errorf("listed %q", listed)
	}
	for _, at := range [][2]string{{"shared", "a/"}, {"shared", "b/"}, {"other", "a/"}} {
		page, err := w.store.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &at[0], Prefix: &at[1]})
		w.want(err, "")
		if n := len(page.Contents); n < 10 || n > 30 {
			t.Errorf("%d of 60 keys are in %s/%s", n, at[0], at[1])
		}
	}
}

// TestBornVersioned: with a template that says so, buckets have versions from the beginning, and nothing is
// to be found out about objects from before.
func TestBornVersioned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *router.Config) { c.Template.Versioning = router.Enabled })
	w.create(as("t/ann"), "docs", "")
	if s := w.resolve("t", "docs", "").Settings; s.Versioning != router.Enabled || s.Enabling || !s.Complete || s.AccessKey != "" {
		t.Errorf("settings %+v", s)
	}
}

// upload begins an upload.
func upload(w *world, route *router.Route, key string) {
	w.t.Helper()
	m, _ := backends.As[backends.MultipartUploader](route.Backend)
	_, err := m.CreateMultipartUpload(w.t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: &route.Name, Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	w.want(err, "")
}

func TestNamesAndGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(as("t/ann"), "Docs", s3err.InvalidBucketName)
	w.resolve("t", "Docs", s3err.InvalidBucketName)
	w.remove(as("t/ann"), "a/b", s3err.InvalidBucketName)
	reader := as("t/bob", router.Grant{Buckets: []string{"docs"}, Actions: []router.Action{router.Read}})
	w.create(reader, "docs", s3err.AccessDenied)
	w.create(as("t/ann"), "docs", "")
	w.remove(reader, "docs", s3err.AccessDenied)
	w.remove(reader, "none", s3err.NoSuchBucket)
}

// TestCrash cuts creations and removals short after each of their calls, and
// holds that making or removing the bucket again heals what is left.
func TestCrash(t *testing.T) {
	t.Parallel()
	crash := errors.New("crash")
	ann := as("t/ann")
	f := func(name string, cut func(*world), heal func(*world)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			cut(w)
			w.fault = nil
			var err error
			if w.Router, err = w.open(); err != nil {
				t.Fatal(err)
			}
			heal(w)
			route := w.resolve("t", "docs", "")
			w.put(route, "k")
			w.remove(ann, "docs", s3err.BucketNotEmpty)
		})
	}
	fail := func(op string, after bool) func(*world) {
		return func(w *world) {
			w.fault = faultbackend.On(op, faultbackend.Fault{Err: crash, After: after})
		}
	}
	// The physical bucket is made, or not, and there is no record.
	for _, after := range []bool{true, false} {
		f(fmt.Sprintf("create, physical made %v", after), func(w *world) {
			fail("CreateBucket", after)(w)
			w.create(ann, "docs", s3err.InternalError)
		}, func(w *world) {
			w.resolve("t", "docs", s3err.NoSuchBucket)
			w.create(as("t/bob"), "docs", "")
		})
	}
	// The physical bucket is gone, and the record is there.
	removed := func(w *world) {
		w.create(ann, "docs", "")
		fail("DeleteBucket", true)(w)
		w.remove(ann, "docs", s3err.InternalError)
	}
	f("remove, then make", removed, func(w *world) {
		old := w.resolve("t", "docs", "")
		if w.has(old, "k") {
			t.Error("an object in a bucket that is gone")
		}
		if made := w.create(as("t/bob"), "docs", ""); made.BucketID == old.BucketID {
			t.Error("a bucket that was made again has its old id")
		}
	})
	f("remove, then remove", removed, func(w *world) {
		w.remove(ann, "docs", "")
		w.remove(ann, "docs", s3err.NoSuchBucket)
		w.create(ann, "docs", "")
	})
	f("remove, physical kept", func(w *world) {
		w.create(ann, "docs", "")
		fail("DeleteBucket", false)(w)
		w.remove(ann, "docs", s3err.InternalError)
	}, func(*world) {})
}

// TestRace makes and removes one bucket from many sides, while objects are
// written: whatever was acknowledged and not removed is there in the end.
func TestRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second, err := w.open() // another proxy on the same index
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	kept := make(chan string, 1000)
	for i, r := range []*router.Router{w.Router, second, w.Router, second} {
		wg.Go(func() {
			id := as(fmt.Sprintf("t/user%d", i))
			for n := range 50 {
				if _, err := r.CreateBucket(t.Context(), id, "docs", router.Configuration{}); err != nil &&
					!s3err.Is(err, s3err.BucketAlreadyExists) && !s3err.Is(err, s3err.BucketAlreadyOwnedByYou) && !s3err.Is(err, s3err.OperationAborted) {
					t.Error("create:", err)
				}
				if n == 40+i {
					if route, err := r.Resolve(t.Context(), "t", "docs"); err == nil {
						key := fmt.Sprint(i)
						if _, err := route.Backend.PutObject(t.Context(), &s3.PutObjectInput{
							Bucket: new("docs"), Key: &key, Body: strings.NewReader("x"), ContentLength: aws.Int64(1),
							ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
						}); err == nil {
							kept <- key
						}
					}
				}
				if err := r.DeleteBucket(t.Context(), id, "docs"); err != nil &&
					!s3err.Is(err, s3err.NoSuchBucket) && !s3err.Is(err, s3err.BucketNotEmpty) {
					t.Error("delete:", err)
				}
			}
		})
	}
	wg.Wait()
	close(kept)
	_, err = w.CreateBucket(t.Context(), as("t/ann"), "docs", router.Configuration{})
	if err != nil && !s3err.Is(err, s3err.BucketAlreadyExists) {
		t.Fatal(err)
	}
	route := w.resolve("t", "docs", "")
	for key := range kept {
		if !w.has(route, key) {
			t.Errorf("object %q was acknowledged and is gone", key)
		}
	}
}
