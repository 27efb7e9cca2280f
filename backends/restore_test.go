package backends_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/fanout"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/metered"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/backends/policy"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// newArchive is a store with archives that has a bucket "physical".
func newArchive(t *testing.T) *backendtest.Archive {
	t.Helper()
	m := membackend.New()
	if _, err := m.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("physical")}); err != nil {
		t.Fatal(err)
	}
	return backendtest.NewArchive(m)
}

// placeIn is a part of a store.
func placeIn(store backends.Backend, prefix string) backends.Backend {
	return mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: prefix})
}

// versionsIn is a bucket with versions in a store.
func versionsIn(store backends.Backend) backends.Backend {
	return versioned.New(versioned.Options{
		Heads: placeIn(store, "plain/"), Bodies: placeIn(store, "versions/"), Index: memindex.New(), BucketID: "id",
		DataType: "content", Versioning: router.Enabled, Complete: true,
	})
}

// TestRestore holds every composition to passing on what a store with archives does.
func TestRestore(t *testing.T) {
	t.Parallel()
	f := func(name string, compose func(archive backends.Backend) backends.Backend) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Restores(t, compose(newArchive(t)), "physical")
		})
	}
	f("store", func(b backends.Backend) backends.Backend { return b })
	f("mount", func(b backends.Backend) backends.Backend { return placeIn(b, "p/") })
	f("metered", func(b backends.Backend) backends.Backend {
		return metered.New(b, func(string, time.Duration, error) {})
	})
	f("policy", func(b backends.Backend) backends.Backend {
		return policy.New(policy.Options{Backend: b, For: func(string) *policy.Policy { return &policy.Policy{Access: policy.AppendOnly} }})
	})
	f("fanout", func(b backends.Backend) backends.Backend {
		return fanout.New(fanout.Options{
			Mounts: []fanout.Mount{{Backend: placeIn(membackend.New(), "a/")}, {Backend: placeIn(b, "b/")}},
			Select: func(string) (int, error) { return 1, nil },
		})
	})
	f("new place", func(b backends.Backend) backends.Backend {
		return overlay.New(overlay.Options{New: placeIn(b, "new/"), Old: placeIn(b, "old/"), BucketID: "id", Tombstones: memindex.New()})
	})
	f("plain", func(b backends.Backend) backends.Backend { return versioned.NewPlain(b, nil) })
	f("versions", versionsIn)
}

// TestRestoreOldPlace: an object that has not been moved yet is restored where it is.
func TestRestoreOldPlace(t *testing.T) {
	t.Parallel()
	archive := newArchive(t)
	putArchived(t, archive, "physical", "old/k", "cold")
	b := overlay.New(overlay.Options{New: placeIn(archive, "new/"), Old: placeIn(archive, "old/"), BucketID: "id", Tombstones: memindex.New()})
	restoreVersion(t, b, "k", nil)
	wantBody(t, b, "k", nil, "cold")
}

// TestRestoreVersion: what is restored of an older version is its body.
func TestRestoreVersion(t *testing.T) {
	t.Parallel()
	b := versionsIn(newArchive(t))
	older := putArchived(t, b, "virtual", "k", "cold")
	current := putArchived(t, b, "virtual", "k", "colder")
	restoreVersion(t, b, "k", older)
	wantBody(t, b, "k", older, "cold")
	if _, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: new("k"), VersionId: current}); err == nil {
		t.Error("the current version has been restored with it")
	}
	restoreVersion(t, b, "k", current)
	wantBody(t, b, "k", nil, "colder")
	_, err := backends.RestoreObject(t.Context(), b, &s3.RestoreObjectInput{Bucket: new("virtual"), Key: new("k"), VersionId: new("none"), RestoreRequest: &types.RestoreRequest{Days: aws.Int32(1)}})
	if err == nil {
		t.Error("a version that is none was restored")
	}
}

// putArchived puts an object into an archive and returns its version.
func putArchived(t *testing.T, b backends.Backend, bucket, key, body string) *string {
	t.Helper()
	out, err := b.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))), StorageClass: types.StorageClassDeepArchive,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.VersionId
}

// restoreVersion restores an object at once.
func restoreVersion(t *testing.T, b backends.Backend, key string, version *string) {
	t.Helper()
	out, err := backends.RestoreObject(t.Context(), b, &s3.RestoreObjectInput{
		Bucket: new("virtual"), Key: &key, VersionId: version,
		RestoreRequest: &types.RestoreRequest{Days: aws.Int32(1), GlacierJobParameters: &types.GlacierJobParameters{Tier: types.TierExpedited}},
	})
	if err != nil || !out.Begun {
		t.Fatalf("restore of %s: %+v, %v", key, out, err)
	}
}

// wantBody reads an object.
func wantBody(t *testing.T, b backends.Backend, key string, version *string, want string) {
	t.Helper()
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: &key, VersionId: version})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if body, err := io.ReadAll(out.Body); err != nil || string(body) != want {
		t.Errorf("%s is %q, %v; want %q", key, body, err, want)
	}
}

// TestRestoreIsCounted: calls that restore can be made to fail, and are measured.
func TestRestoreIsCounted(t *testing.T) {
	t.Parallel()
	m := membackend.New()
	faulty := faultbackend.New(m, nil)
	var names []string
	b := metered.New(faulty, func(name string, _ time.Duration, _ error) { names = append(names, name) })
	_, err := backends.RestoreObject(t.Context(), b, &s3.RestoreObjectInput{Bucket: new("none"), Key: new("k")})
	if err == nil || !slices.Contains(names, "RestoreObject") || faulty.Calls()[0].Op != "RestoreObject" {
		t.Errorf("%v: %v, %v", err, names, faulty.Calls())
	}
}

// TestRestoreStatus: listings show what is asked for besides the usual through every composition that lists.
func TestRestoreStatus(t *testing.T) {
	t.Parallel()
	archive := newArchive(t)
	in := placeIn(archive, "p/")
	putArchived(t, in, "virtual", "a/b", "cold")
	restoreVersion(t, in, "a/b", nil)
	f := func(name string, b backends.Backend, delimiter *string) {
		t.Helper()
		out, err := b.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{
			Bucket: new("virtual"), Delimiter: delimiter, OptionalObjectAttributes: []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus},
		})
		if err != nil || len(out.Contents) != 1 || out.Contents[0].RestoreStatus == nil || aws.ToBool(out.Contents[0].RestoreStatus.IsRestoreInProgress) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	f("mount", in, nil)
	f("mount that walks", mount.New(mount.Options{Backend: archive, Bucket: "physical", Prefix: "p/a/", Under: "a/"}), new("/b/"))
	f("fanout", fanout.New(fanout.Options{Mounts: []fanout.Mount{{Backend: in}}, Select: func(string) (int, error) { return 0, nil }}), nil)
	f("overlay", overlay.New(overlay.Options{New: placeIn(archive, "new/"), Old: in, BucketID: "id", Tombstones: memindex.New()}), nil)
}
