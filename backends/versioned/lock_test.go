package versioned_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// future is long after all tests.
var future = time.Date(2090, 1, 2, 3, 4, 5, 678_901_234, time.UTC)

// retain gives a version a retention.
func (b *bucketOf) retain(key, version string, mode types.ObjectLockRetentionMode, until time.Time) {
	b.Helper()
	l, _ := backends.As[backends.Locker](b.Backend)
	_, err := l.PutObjectRetention(b.Context(), &s3.PutObjectRetentionInput{
		Key: &key, VersionId: orNil(version), Retention: &types.ObjectLockRetention{Mode: mode, RetainUntilDate: &until},
	})
	if err != nil {
		b.Errorf("retain %q %s: %v", key, version, err)
	}
}

// tryRemove removes a version, or says why not.
func (b *bucketOf) tryRemove(key, version string) error {
	_, err := b.DeleteObject(b.Context(), &s3.DeleteObjectInput{Key: &key, VersionId: orNil(version)})
	return err
}

// TestRetentionEnds: a lock holds to its last millisecond and no longer, by the clock of the bucket.
func TestRetentionEnds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	b := open(t, func(o *versioned.Options) { o.Now = func() time.Time { return now } })
	id := b.put("k", "one")
	b.retain("k", id, types.ObjectLockRetentionModeCompliance, now.Add(time.Hour))
	now = now.Add(time.Hour - time.Millisecond)
	b.wantError(b.tryRemove("k", id), s3err.AccessDenied)
	b.wantHistory("k", "one*")
	now = now.Add(time.Millisecond)
	if err := b.tryRemove("k", id); err != nil {
		t.Error(err)
	}
	b.wantHistory("k", "")
}

// TestLockFromBefore: an object that was there before versions can be locked, as the null version, and stays also when the
// bucket is suspended.
func TestLockFromBefore(t *testing.T) {
	t.Parallel()
	b := open(t, before)
	b.putPlain("k", "old")
	b.retain("k", "", types.ObjectLockRetentionModeGovernance, future)
	b.wantError(b.tryRemove("k", "null"), s3err.AccessDenied)
	b.put("k", "new")
	b.wantHistory("k", "new* (old)")
	s := b.as(router.Suspended)
	_, err := s.PutObject(t.Context(), &s3.PutObjectInput{Key: new("k"), Body: strings.NewReader(""), ContentLength: aws.Int64(0)})
	b.wantError(err, s3err.AccessDenied)
	_, err = s.CopyObject(t.Context(), backends.CopySource{Key: "k"}, &s3.CopyObjectInput{Key: new("k"), MetadataDirective: types.MetadataDirectiveReplace})
	b.wantError(err, s3err.AccessDenied)
	b.wantError(s.tryRemove("k", ""), s3err.AccessDenied)
	b.wantHistory("k", "new* (old)")
	b.putPlain("hidden", "old")
	l, _ := backends.As[backends.Locker](b.Backend)
	_, err = l.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Key: new("hidden")})
	b.wantError(err, s3err.NoSuchObjectLockConfiguration)
	_, err = l.GetObjectLegalHold(t.Context(), &s3.GetObjectLegalHoldInput{Key: new("hidden"), VersionId: new("null")})
	b.wantError(err, s3err.NoSuchObjectLockConfiguration)
	_, err = l.GetObjectLegalHold(t.Context(), &s3.GetObjectLegalHoldInput{Key: new("none"), VersionId: new("null")})
	b.wantError(err, s3err.NoSuchVersion)
}

// TestLockComesBetween: a version that somebody else locks just before the row is inserted that would remove it, or write it
// over, stays.
func TestLockComesBetween(t *testing.T) {
	t.Parallel()
	f := func(v router.Versioning, want string, do func(b *bucketOf, id string) error) {
		t.Helper()
		b := open(t, func(o *versioned.Options) { o.Versioning = v })
		id := b.put("k", "one")
		other := *b
		other.o.Index = b.index.Index
		other.Backend = versioned.New(other.o)
		var once sync.Once
		b.index.setPlan(func(c indexCall) indexFault {
			if c.Op == "InsertRow" {
				once.Do(func() { other.retain("k", id, types.ObjectLockRetentionModeGovernance, future) })
			}
			return indexFault{}
		})
		b.wantError(do(b, id), s3err.AccessDenied)
		b.wantHistory("k", want)
	}
	put := func(b *bucketOf, _ string) error {
		_, err := b.PutObject(b.Context(), &s3.PutObjectInput{Key: new("k"), Body: strings.NewReader(""), ContentLength: aws.Int64(0)})
		return err
	}
	remove := func(b *bucketOf, id string) error { return b.tryRemove("k", id) }
	f(router.Enabled, "one*", remove)
	f(router.Suspended, "(one)*", remove)
	f(router.Suspended, "(one)*", func(b *bucketOf, _ string) error { return b.tryRemove("k", "") })
	f(router.Suspended, "(one)*", put)
}

// TestBodiesAreNotLocked: the store is asked for no locks, which its own bucket need not have.
func TestBodiesAreNotLocked(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
		Key: new("k"), Body: strings.NewReader(""), ContentLength: aws.Int64(0),
		ObjectLockMode: types.ObjectLockModeGovernance, ObjectLockRetainUntilDate: &future, ObjectLockLegalHoldStatus: types.ObjectLockLegalHoldStatusOn,
	})
	if err != nil {
		t.Fatal(err)
	}
	bodies := b.stored(bodyPrefix)
	if len(bodies) != 1 {
		t.Fatalf("the bodies are %q", bodies)
	}
	out, err := b.store.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("physical"), Key: new(bodyPrefix + bodies[0])})
	if err != nil {
		t.Fatal(err)
	}
	if out.ObjectLockMode != "" || out.ObjectLockLegalHoldStatus != "" {
		t.Errorf("the body is locked itself: %+v", out)
	}
	m, ok := versioned.ReadMark(out.Metadata)
	if !ok || m.Lock.Mode != types.ObjectLockRetentionModeGovernance || !m.Lock.Until.Equal(future.Truncate(time.Millisecond)) || m.Lock.Hold != types.ObjectLockLegalHoldStatusOn {
		t.Errorf("the body says %+v", m)
	}
}
