package s3api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// locks has the bucket keep versions, and locks.
func (u user) locks() {
	u.t.Helper()
	u.versioned(types.BucketVersioningStatusEnabled)
	_, err := u.PutObjectLockConfiguration(u.t.Context(), &s3.PutObjectLockConfigurationInput{
		Bucket: u.bucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled},
	})
	u.ok(err)
}

// governed puts a version that is locked in mode GOVERNANCE, and returns its id.
func (u user) governed(key string) *string {
	u.t.Helper()
	out, err := u.PutObject(u.t.Context(), &s3.PutObjectInput{
		Bucket: u.bucket, Key: &key, Body: strings.NewReader("x"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		ObjectLockMode: types.ObjectLockModeGovernance, ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour)),
	})
	u.ok(err)
	return out.VersionId
}

// TestBypass: who may change the settings of a bucket goes past governance, when he says so; nobody else does.
func TestBypass(t *testing.T) {
	t.Parallel()
	person := func(name string, grants ...router.Grant) router.Credential {
		return router.Credential{Identity: router.Identity{AccessKey: name, Grants: grants}, SecretKey: name + "-secret"}
	}
	all := []router.Action{router.Read, router.Write, router.Delete, router.List}
	member := person("MEMBER", router.Grant{Buckets: []string{"*"}, Actions: all}, router.Grant{Buckets: []string{"other"}, Actions: []router.Action{router.Admin}})
	below := person("BELOW", router.Grant{Buckets: []string{"*"}, Actions: all}, router.Grant{Buckets: []string{"*"}, Prefix: "k", Actions: []router.Action{router.Admin}})
	keeper := person("KEEPER", router.Grant{Buckets: []string{"*"}, Actions: all}, router.Grant{Buckets: []string{s3test.Bucket}, Actions: []router.Action{router.Admin}})
	root := sign(t, s3test.Root, s3test.Options{People: []router.Credential{member, below, keeper}})
	root.locks()
	f := func(who router.Credential, bypass, want bool) {
		t.Helper()
		u := root.as(who)
		is := func(op string, err error) {
			t.Helper()
			if want && err != nil || !want && s3err.From(err).Code != s3err.AccessDenied {
				t.Errorf("%s with bypass %v: %s: %v", who.AccessKey, bypass, op, err)
			}
		}
		one, two, three := root.governed("k1"), root.governed("k2"), root.governed("k3")
		_, err := u.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: u.bucket, Key: new("k1"), VersionId: one, BypassGovernanceRetention: &bypass})
		is("DeleteObject", err)
		out, err := u.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{
			Bucket: u.bucket, BypassGovernanceRetention: &bypass, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: new("k2"), VersionId: two}}},
		})
		if err != nil || len(out.Deleted) == 1 != want || len(out.Errors) == 1 == want {
			t.Errorf("%s with bypass %v: DeleteObjects: %+v, %v", who.AccessKey, bypass, out, err)
		}
		_, err = u.PutObjectRetention(t.Context(), &s3.PutObjectRetentionInput{
			Bucket: u.bucket, Key: new("k3"), VersionId: three, BypassGovernanceRetention: &bypass, Retention: &types.ObjectLockRetention{},
		})
		is("PutObjectRetention", err)
	}
	for _, who := range []router.Credential{s3test.Root, keeper} {
		f(who, true, true)
		f(who, false, false)
	}
	for _, who := range []router.Credential{member, below} {
		f(who, true, false)
		f(who, false, false)
	}
}

// unaware is a resolver of a proxy that has not noticed yet which buckets have locks.
type unaware struct{ router.Resolver }

// Resolve implements router.Resolver.
func (u unaware) Resolve(ctx context.Context, tenantID, bucket string) (*router.Route, error) {
	route, err := u.Resolver.Resolve(ctx, tenantID, bucket)
	if err != nil {
		return nil, err
	}
	c := *route
	c.Settings.ObjectLock = nil
	return &c, nil
}

// TestLockNotNoticed: nobody is told that a bucket has no locks by a proxy that does not know of them yet.
func TestLockNotNoticed(t *testing.T) {
	t.Parallel()
	u := sign(t, s3test.Root, s3test.Options{Resolver: func(r router.Resolver) router.Resolver { return unaware{r} }})
	u.locks()
	id := u.governed("k")
	out, err := u.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Bucket: u.bucket, Key: new("k")})
	u.ok(err)
	if out.Retention.Mode != types.ObjectLockRetentionModeGovernance {
		t.Errorf("%+v", out.Retention)
	}
	_, err = u.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: u.bucket, Key: new("k"), VersionId: id})
	if s3err.From(err).Code != s3err.AccessDenied {
		t.Errorf("a locked version is removed: %v", err)
	}
}
