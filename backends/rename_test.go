package backends_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/fanout"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/backends/policy"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// TestRenameRefused: what would be more than one change is not done at all.
func TestRenameRefused(t *testing.T) {
	t.Parallel()
	f := func(name string, b backends.Backend, can bool) {
		t.Helper()
		putArchived(t, b, "virtual", "a/from", "body")
		putArchived(t, b, "virtual", "b/to", "other")
		if _, ok := backends.As[backends.Renamer](b); ok != can {
			t.Errorf("%s: a Renamer is %v", name, ok)
		}
		_, err := backends.RenamerOf(b).RenameObject(t.Context(), "a/from", &s3.RenameObjectInput{Bucket: new("virtual"), Key: new("b/to")})
		if !s3err.Is(err, s3err.NotImplemented) {
			t.Errorf("%s: %v", name, err)
		}
		wantLength(t, b, "a/from", 4)
		wantLength(t, b, "b/to", 5)
	}
	store := newArchive(t).Backend
	split := func(key string) (int, error) { return int(key[0] - 'a'), nil }
	f("fanout", fanout.New(fanout.Options{Mounts: []fanout.Mount{{Backend: placeIn(store, "1/")}, {Backend: placeIn(store, "2/")}}, Select: split}), true)
	f("overlay", overlay.New(overlay.Options{New: placeIn(store, "new/"), Old: placeIn(store, "old/"), BucketID: "id", Tombstones: memindex.New()}), false)
	f("versions", versionsIn(store), false)
	f("policies", policy.New(policy.Options{Backend: placeIn(store, "policies/"), For: func(key string) *policy.Policy {
		return &policy.Policy{StorageClass: map[byte]types.StorageClass{'a': "GLACIER", 'b': "STANDARD_IA"}[key[0]]}
	}}), true)
}

// wantLength holds that an object is there, and of what length.
func wantLength(t *testing.T, b backends.Backend, key string, want int64) {
	t.Helper()
	head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: &key})
	if err != nil || aws.ToInt64(head.ContentLength) != want {
		t.Errorf("%s: %v", key, err)
	}
}

// TestRenameByPolicy: a rename deletes under one name and writes under another.
func TestRenameByPolicy(t *testing.T) {
	t.Parallel()
	f := func(from, to policy.Access, exists bool, code s3err.Code) {
		t.Helper()
		below := placeIn(newArchive(t).Backend, "p/")
		putArchived(t, below, "virtual", "from", "body")
		if exists {
			putArchived(t, below, "virtual", "to", "other")
		}
		b := policy.New(policy.Options{Backend: below, For: func(key string) *policy.Policy {
			return &policy.Policy{Access: map[string]policy.Access{"from": from, "to": to}[key]}
		}})
		_, err := backends.RenamerOf(b).RenameObject(t.Context(), "from", &s3.RenameObjectInput{Bucket: new("virtual"), Key: new("to")})
		if code == "" && err != nil || code != "" && !s3err.Is(err, code) {
			t.Errorf("%v to %v: %v, want %s", from, to, err, code)
		}
		if code == "" {
			wantLength(t, below, "to", 4)
			return
		}
		wantLength(t, below, "from", 4)
		if exists {
			wantLength(t, below, "to", 5)
		}
	}
	f(policy.ReadWrite, policy.ReadWrite, true, "")
	f(policy.ReadWrite, policy.AppendOnly, false, "")
	f(policy.ReadWrite, policy.AppendOnly, true, s3err.AccessDenied)
	f(policy.ReadWrite, policy.ReadOnly, false, s3err.AccessDenied)
	f(policy.AppendOnly, policy.ReadWrite, false, s3err.AccessDenied)
	f(policy.ReadOnly, policy.ReadWrite, false, s3err.AccessDenied)
}

// TestRenameExcluded: what is excluded from a mount cannot be renamed into it, nor out of it.
func TestRenameExcluded(t *testing.T) {
	t.Parallel()
	store := newArchive(t).Backend
	putArchived(t, store, "physical", "p/hidden/k", "body")
	putArchived(t, store, "physical", "p/k", "other")
	b := mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: "p/", Exclude: []string{"p/hidden/"}})
	f := func(from, to string) {
		t.Helper()
		_, err := backends.RenamerOf(b).RenameObject(t.Context(), from, &s3.RenameObjectInput{Bucket: new("virtual"), Key: &to})
		if !s3err.Is(err, s3err.NoSuchKey) {
			t.Errorf("%s to %s: %v", from, to, err)
		}
	}
	f("hidden/k", "out")
	f("k", "hidden/k")
	f("k", "hidden/new")
	wantLength(t, b, "k", 5)
	wantLength(t, placeIn(store, "p/hidden/"), "k", 4)
}

// TestRenameMissingBucket: a physical bucket that is gone is NoSuchBucket.
func TestRenameMissingBucket(t *testing.T) {
	t.Parallel()
	b := mount.New(mount.Options{Backend: newArchive(t).Backend, Bucket: "gone", Prefix: "p/"})
	_, err := backends.RenamerOf(b).RenameObject(t.Context(), "a", &s3.RenameObjectInput{Bucket: new("virtual"), Key: new("b")})
	if !s3err.Is(err, s3err.NoSuchBucket) {
		t.Error(err)
	}
}
