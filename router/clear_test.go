package router_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// withVersions composes buckets with versions, when they have some.
func withVersions(w **world) func(*router.Config) {
	return func(c *router.Config) {
		plain := c.Compose
		c.Compose = func(r *router.BucketRecord, route *router.Route) backends.Backend {
			if route.Settings.Versioning == router.Unversioned || route.Settings.Enabling {
				return plain(r, route)
			}
			m, v := r.Mounts[0], r.Versions
			at := func(m router.Mount, exclude ...string) backends.Backend {
				return mount.New(mount.Options{Backend: c.Backends[m.Backend], Bucket: m.Bucket, Prefix: m.Prefix, Exclude: exclude})
			}
			return mount.New(mount.Options{BucketID: r.BucketID, MountID: m.ID, Backend: versioned.New(versioned.Options{
				Heads: at(m, v.Prefix), Bodies: at(*v), Index: (*w).index, BucketID: r.IndexID(&m), DataType: m.ID,
				Versioning: route.Settings.Versioning, Complete: route.Settings.Complete, Door: route.Door,
			})})
		}
	}
}

// versionedWorld is a world whose bucket "box" of "t/ann" has versions, and had one.
func versionedWorld(t *testing.T) *world {
	t.Helper()
	var w *world
	w = newWorld(t, func(c *router.Config) { withVersions(&w)(c) })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.CreateBucket(t.Context(), as("t/ann"), "box", router.Configuration{})
	must(err)
	must(w.SetVersioning(t.Context(), as("t/ann"), "box", router.Enabled))
	out, err := tryPut(t, w, "k")
	must(err)
	route, err := w.Resolve(t.Context(), "t", "box")
	must(err)
	_, err = route.Backend.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: new("k"), VersionId: out.VersionId})
	must(err)
	return w
}

// tryPut puts an object into the box.
func tryPut(t *testing.T, w *world, key string) (*s3.PutObjectOutput, error) {
	t.Helper()
	route, err := w.Resolve(t.Context(), "t", "box")
	if err != nil {
		return nil, err
	}
	return route.Backend.PutObject(t.Context(), &s3.PutObjectInput{
		Key: &key, Body: strings.NewReader("x"), ContentLength: aws.Int64(1), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	})
}

// TestRemovalFails holds that a bucket with versions whose removal failed anywhere is there as before, and can be
// removed again.
func TestRemovalFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for n := 1; ; n++ {
		w := versionedWorld(t)
		calls := 0
		w.fault = func(faultbackend.Call) faultbackend.Fault {
			if calls++; calls == n {
				return faultbackend.Fault{Err: broken}
			}
			return faultbackend.Fault{}
		}
		err := w.DeleteBucket(t.Context(), as("t/ann"), "box")
		w.fault = nil
		if err == nil {
			if calls >= n {
				t.Fatalf("call %d was broken, and the removal succeeded", n)
			}
			if n == 1 {
				t.Fatal("nothing was broken")
			}
			return
		}
		if _, err := tryPut(t, w, "again"); err != nil {
			t.Errorf("call %d broken: a put says %v", n, err)
		}
		if err := w.DeleteBucket(t.Context(), as("t/ann"), "box"); !s3err.Is(err, s3err.BucketNotEmpty) {
			t.Errorf("call %d broken: removing it with an object says %v", n, err)
		}
	}
}

// TestRemovalEnds holds that the removal of a bucket that nobody ended is gone on with by whoever removes it again.
func TestRemovalEnds(t *testing.T) {
	t.Parallel()
	w := versionedWorld(t)
	route, err := w.Resolve(t.Context(), "t", "box")
	if err != nil {
		t.Fatal(err)
	}
	closing := route.Settings
	closing.Seq++
	closing.Closing = true
	if err := w.index.InsertSettings(t.Context(), route.BucketID, closing); err != nil {
		t.Fatal(err)
	}
	if _, err := tryPut(t, w, "k"); !s3err.Is(err, s3err.SlowDown) {
		t.Errorf("a put into a bucket that is being removed says %v", err)
	}
	if err := w.SetVersioning(t.Context(), as("t/ann"), "box", router.Suspended); !s3err.Is(err, s3err.OperationAborted) {
		t.Errorf("changing it says %v", err)
	}
	if err := w.DeleteBucket(t.Context(), as("t/ann"), "box"); err != nil {
		t.Errorf("removing it says %v", err)
	}
	if _, err := w.CreateBucket(t.Context(), as("t/ann"), "box", router.Configuration{}); err != nil {
		t.Errorf("making it again says %v", err)
	}
}

// TestSuspendLetsThrough holds that writes under way are not refused because versions are suspended or enabled again.
func TestSuspendLetsThrough(t *testing.T) {
	t.Parallel()
	w := versionedWorld(t)
	route, err := w.Resolve(t.Context(), "t", "box")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetVersioning(t.Context(), as("t/ann"), "box", router.Suspended); err != nil {
		t.Fatal(err)
	}
	if _, err := route.Door.Enter(t.Context()); err != nil {
		t.Errorf("a write that began before says %v", err)
	}
	out, err := tryPut(t, w, "k")
	if err != nil || aws.ToString(out.VersionId) != "null" {
		t.Errorf("a write that begins now: %+v, %v", out, err)
	}
}
