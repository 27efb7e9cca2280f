package policy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/policy"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// newVersioned returns a bucket that keeps versions.
func newVersioned(t *testing.T) backends.Backend {
	t.Helper()
	store := newStore(t)
	place := func(prefix string) backends.Backend {
		return mount.New(mount.Options{Backend: store, Bucket: "virtual", Prefix: prefix})
	}
	return versioned.New(versioned.Options{
		Heads: place("heads/"), Bodies: place("versions/"), Index: memindex.New(), BucketID: "id/content",
		DataType: "content", Versioning: router.Enabled, Complete: true,
	})
}

// TestVersions holds that versions are not removed, nor tags changed, where objects can be neither deleted nor replaced,
// and that they can be seen there.
func TestVersions(t *testing.T) {
	t.Parallel()
	f := func(access policy.Access, want s3err.Code) {
		t.Helper()
		below := newVersioned(t)
		put(t, below, "k", "first")
		put(t, below, "k", "second")
		b := with(below, policy.Policy{Access: access})
		v, ok := backends.As[backends.Versioned](b)
		if !ok {
			t.Fatal("no versions")
		}
		count := func() *s3.ListObjectVersionsOutput {
			out, err := v.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: new("virtual")})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		first := count().Versions[1].VersionId
		is := func(op string, err error) {
			t.Helper()
			if want == "" && err != nil || want != "" && !s3err.Is(err, want) {
				t.Errorf("access %d: %s: %v, want %q", access, op, err, want)
			}
		}
		tagger, ok := backends.As[backends.Tagger](b)
		if !ok {
			t.Fatal("no tags")
		}
		_, err := tagger.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
			Bucket: new("virtual"), Key: new("k"), VersionId: first, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: new("a"), Value: new("b")}}},
		})
		is("put tags", err)
		tags, err := tagger.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: new("virtual"), Key: new("k"), VersionId: first})
		if err != nil || (len(tags.TagSet) == 1) != (want == "") {
			t.Errorf("access %d: tags %+v, %v", access, tags, err)
		}
		_, err = tagger.DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Bucket: new("virtual"), Key: new("k"), VersionId: first})
		is("delete tags", err)
		_, err = b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("virtual"), Key: new("k"), VersionId: first})
		is("delete a version", err)
		out, err := b.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: new("virtual"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
			{Key: new("k"), VersionId: first}, {Key: new("k")},
		}}})
		if err != nil || (len(out.Errors) == 2) != (want != "") || (len(out.Deleted) == 2) != (want == "") {
			t.Errorf("access %d: DeleteObjects: %+v, %v", access, out, err)
		}
		left := 2
		if want == "" {
			left = 1
		}
		if got := count(); len(got.Versions) != left || len(got.DeleteMarkers) != 2-left {
			t.Errorf("access %d: %d versions and %d delete markers are left", access, len(got.Versions), len(got.DeleteMarkers))
		}
	}
	f(policy.ReadWrite, "")
	f(policy.ReadOnly, s3err.AccessDenied)
	f(policy.AppendOnly, s3err.AccessDenied)
	if _, ok := backends.As[backends.Versioned](with(newStore(t), policy.Policy{})); ok {
		t.Error("a bucket without versions has some")
	}
}

// TestLocks holds that versions are locked where objects can be written, and that how they are can be seen everywhere.
func TestLocks(t *testing.T) {
	t.Parallel()
	f := func(access policy.Access, want s3err.Code) {
		t.Helper()
		below := newVersioned(t)
		put(t, below, "k", "x")
		locker, ok := backends.As[backends.Locker](with(below, policy.Policy{Access: access}))
		if !ok {
			t.Fatal("no locks")
		}
		is := func(op string, err error, want s3err.Code) {
			t.Helper()
			if want == "" && err != nil || want != "" && !s3err.Is(err, want) {
				t.Errorf("access %d: %s: %v, want %q", access, op, err, want)
			}
		}
		left := want
		if want != "" {
			left = s3err.NoSuchObjectLockConfiguration
		}
		_, err := locker.PutObjectRetention(t.Context(), &s3.PutObjectRetentionInput{
			Bucket: new("virtual"), Key: new("k"), Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeGovernance, RetainUntilDate: new(time.Now().Add(time.Hour))},
		})
		is("PutObjectRetention", err, want)
		_, err = locker.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Bucket: new("virtual"), Key: new("k")})
		is("GetObjectRetention", err, left)
		_, err = locker.PutObjectLegalHold(t.Context(), &s3.PutObjectLegalHoldInput{
			Bucket: new("virtual"), Key: new("k"), LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOn},
		})
		is("PutObjectLegalHold", err, want)
		_, err = locker.GetObjectLegalHold(t.Context(), &s3.GetObjectLegalHoldInput{Bucket: new("virtual"), Key: new("k")})
		is("GetObjectLegalHold", err, left)
	}
	f(policy.ReadWrite, "")
	f(policy.AppendOnly, "")
	f(policy.ReadOnly, s3err.AccessDenied)
}
