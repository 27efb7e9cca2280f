package router_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// static is a configured bucket.
func static(tenant, name, bucket, prefix string) router.BucketRecord {
	return router.BucketRecord{TenantID: tenant, Name: name, Mounts: []router.Mount{{Backend: "local", Bucket: bucket, Prefix: prefix}}}
}

// buckets configures buckets.
func buckets(list ...router.BucketRecord) func(*router.Config) {
	return func(c *router.Config) { c.Buckets = list }
}

func TestConfiguredBucket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, buckets(static("t", "Legacy_Name", "xronox", "content/")))
	route := w.resolve("t", "Legacy_Name", "")
	if route.BucketID == "" || route.Created.IsZero() || route.Region != "eu-central-1" || route.TenantID != "t" {
		t.Errorf("route %+v", route)
	}
	w.resolve("u", "Legacy_Name", s3err.InvalidBucketName)
	w.remove(as("t/ann"), "Legacy_Name", s3err.AccessDenied)
	w.remove(as("u/eve"), "Legacy_Name", s3err.InvalidBucketName)

	// Its id and time are kept for good.
	w.config.Buckets = append(w.config.Buckets, static("t", "first", "xronox", "other/"))
	slices.Reverse(w.config.Buckets)
	again, err := w.open()
	w.want(err, "")
	w.Router = again
	if r := w.resolve("t", "Legacy_Name", ""); r.BucketID != route.BucketID || !r.Created.Equal(route.Created) {
		t.Errorf("after a restart %+v, before %+v", r, route)
	}
	if r := w.resolve("t", "first", ""); r.BucketID == route.BucketID {
		t.Error("two buckets with one id")
	}
	w.create(as("t/ann"), "first", s3err.BucketAlreadyOwnedByYou)
}

func TestListBuckets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, buckets(static("t", "b-static", "one", ""), static("t", "d-static", "two", ""), static("u", "c-other", "three", "")))
	ann := as("t/ann")
	for _, name := range []string{"e-made", "a-made", "c-made"} {
		w.create(ann, name, "")
	}
	w.create(as("u/eve"), "hers", "")
	all := []string{"a-made", "b-static", "c-made", "d-static", "e-made"}
	f := func(id router.Identity, prefix, after string, limit int, more bool, want ...string) {
		t.Helper()
		got, m := w.list(id, prefix, after, limit)
		if !slices.Equal(got, want) || m != more {
			t.Errorf("prefix %q after %q by %d: %q, %v; want %q, %v", prefix, after, limit, got, m, want, more)
		}
	}
	for limit := 1; limit <= 6; limit++ {
		var got []string
		for after, more := "", true; more; after = got[len(got)-1] {
			var page []string
			page, more = w.list(ann, "", after, limit)
			if len(page) > limit || more && len(page) < limit {
				t.Fatalf("a page of %d has %q, more %v", limit, page, more)
			}
			got = append(got, page...)
		}
		if !slices.Equal(got, all) {
			t.Errorf("by %d: %q, want %q", limit, got, all)
		}
	}
	f(ann, "c", "", 10, false, "c-made")
	f(ann, "", "c-made", 1, true, "d-static")
	f(ann, "x", "", 10, false)
	f(as("u/eve"), "", "", 10, false, "c-other", "hers")
	f(as("v/nobody"), "", "", 10, false)
	some := as("t/bob", router.Grant{Buckets: []string{"*-static", "a*"}, Actions: []router.Action{router.Read}}, router.Grant{Buckets: []string{"*"}})
	f(some, "", "", 2, true, "a-made", "b-static")
	f(some, "", "", 3, false, "a-made", "b-static", "d-static")
}

// TestConflicts holds that no configuration is taken under which two buckets
// share an object.
func TestConflicts(t *testing.T) {
	t.Parallel()
	f := func(want string, edits ...func(*router.Config)) {
		t.Helper()
		w := newWorld(t)
		w.create(as("t/ann"), "docs", "")
		for _, edit := range edits {
			edit(&w.config)
		}
		_, err := w.open()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		}
		// A reload that is refused changes nothing.
		generation := w.Generation()
		err = w.Reload(t.Context(), w.config)
		if (err == nil) != (want == "") || (w.Generation() == generation) != (err != nil) {
			t.Errorf("reload: %v; generation %d, then %d", err, generation, w.Generation())
		}
		w.resolve("t", "docs", "")
	}
	f("", buckets(static("t", "one", "x", "a/"), static("t", "two", "x", "b/"), static("u", "one", "x", "c/")))
	f("share objects", buckets(static("t", "one", "x", "a/"), static("t", "two", "x", "a/b/")))
	f("share objects", buckets(static("t", "one", "x", "a/"), static("u", "one", "x", "")))
	f("given twice", buckets(static("t", "one", "x", "a/"), static("t", "one", "x", "b/")))

	alias := func(tenant, name string) router.BucketRecord {
		r := static(tenant, name, "x", "a/")
		r.BucketID = "alias"
		return r
	}
	f("", buckets(alias("t", "one"), alias("t", "two")))
	f("share objects", buckets(alias("t", "one"), alias("u", "one")))

	// What clients have made, and what they may make.
	f("bucketTemplate puts new ones", buckets(static("u", "docs2", "t/docs", "a/")))
	f("bucketTemplate puts new ones", buckets(static("t", "one", "t/new", "")))
	f("", buckets(static("t", "new", "t/new", "")))
	f("bucketTemplate puts new ones", shared, buckets(static("t", "one", "shared", "buckets/t/one/x/")))
	f("bucketTemplate puts new ones", shared, buckets(static("t", "one", "shared", "")))
	f("", shared, buckets(static("t", "one", "shared", "content/")))
	f("share objects", shared, buckets(static("u", "docs2", "t/docs", "a/")))
	f("bucketTemplate puts new ones", func(c *router.Config) {
		c.Template = router.Template{Backend: "local", Bucket: "t/docs", Prefix: "{tenantId}/{bucket}/"}
	})
	f("tenants would share", func(c *router.Config) { c.Template.Bucket = "{bucket}" })
	f("", spread)
	f("bucketTemplate puts new ones", spread, buckets(static("t", "one", "other", "")))
	f("", spread, buckets(static("t", "one", "shared", "content/")))
	more := func(bucket, prefix string) func(*router.Config) {
		return func(c *router.Config) {
			spread(c)
			c.Template.More[1] = router.Spot{Backend: "local", Bucket: bucket, Prefix: prefix}
		}
	}
	f("could be one", more("shared", "a/{tenantId}/{bucket}/more/"))
	f("could be one", more("shared", "{tenantId}/{bucket}/"))
	f("goes with one place only", more("x/{bucket}", "{tenantId}/"))
	f("tenants would share", more("other", "{bucket}/"))
	f("no connection", spread, func(c *router.Config) { c.Template.More[0].Backend = "elsewhere" })
	f("could give one place to two buckets", spread, func(c *router.Config) { c.Template.VersionsPrefix = "b/{tenantId}/{bucket}/" })

	f("no connection", func(c *router.Config) { c.Template.Backend = "elsewhere" })
	f("no connection", buckets(router.BucketRecord{TenantID: "t", Name: "one", Mounts: []router.Mount{{Backend: "elsewhere"}}}))
	f("mounts", buckets(router.BucketRecord{TenantID: "t", Name: "one"}))
}

// TestLostConnection holds that a bucket whose connection was taken out of the
// configuration is an error for the operator, and no missing bucket.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(as("t/ann"), "docs", "")
	local := w.config.Backends["local"]
	w.config.Backends = map[string]backends.Backend{"other": local}
	w.config.Template.Backend = "other"
	w.want(w.Reload(t.Context(), w.config), "")
	w.resolve("t", "docs", s3err.InternalError)
	w.create(as("t/ann"), "docs", s3err.BucketAlreadyOwnedByYou)
	w.remove(as("t/ann"), "docs", s3err.InternalError)
}

// TestSettingsOutdate: of the routes that are cached, those of a bucket whose settings change are given up, and those
// of others only when the configuration may have given it other names.
func TestSettingsOutdate(t *testing.T) {
	t.Parallel()
	configured := static("t", "configured", "phys", "v/")
	configured.Versions = &router.Mount{Backend: "local", Bucket: "phys", Prefix: "w/"}
	w := newWorld(t, buckets(configured))
	owner := as("t/o")
	w.create(owner, "made", "")
	f := func(bucket string, renewed bool, changed ...string) {
		t.Helper()
		generation := w.Generation()
		w.changed = nil
		if err := w.SetVersioning(t.Context(), owner, bucket, router.Enabled); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(w.changed, changed) || (w.Generation() != generation) != renewed {
			t.Errorf("%s: changed %q, generation %d after %d", bucket, w.changed, w.Generation(), generation)
		}
	}
	f("made", false, "t/made", "t/made") // in two steps
	f("made", false)                     // nothing to do
	f("configured", true)
}
