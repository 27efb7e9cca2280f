package backends

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// Locker keeps locks on versions: a retention, which says until when, and a legal hold. VersionId as [Versioned]
// has it; modes, statuses and dates are checked by the edge, and so is whether the bucket has an Object Lock configuration.
//
//   - A version with a retention that is not over, or with a legal hold, cannot be removed, nor can a null version be written
//     over: AccessDenied. Delete markers can be added, and have no locks.
//   - A retention can be extended. In mode GOVERNANCE it can be shortened, removed, or given another mode where
//     BypassGovernanceRetention is set, as the version can be deleted then; in mode COMPLIANCE by nobody. One that is
//     over is as good as none.
//   - Versions are locked from the beginning as the ObjectLock* of PutObject, CopyObject and CreateMultipartUpload say; a copy
//     does not take the locks of its source. Reads of objects return them.
//   - NoSuchObjectLockConfiguration is what is asked for that was never set. A retention that is over was.
//
// Whoever decides about a version decides on the state that its change follows, so that of a lock and a deletion at the same time
// one fails. Stores that are no Locker do not look at any of this.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
type Locker interface {
	GetObjectRetention(context.Context, *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error)
	// PutObjectRetention replaces the retention; one without Mode, or nil, is none.
	PutObjectRetention(context.Context, *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error)
	GetObjectLegalHold(context.Context, *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error)
	PutObjectLegalHold(context.Context, *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error)
}

// LockerOf returns b's ability to keep locks, or one that answers for objects without.
func LockerOf(b Backend) Locker {
	if l, ok := As[Locker](b); ok {
		return l
	}
	return unlocked{b}
}

// unlocked answers for a backend whose objects cannot be locked.
type unlocked struct{ Backend }

// none is what there is of an object, if it is there.
func (u unlocked) none(ctx context.Context, bucket, key, versionID *string) error {
	if err := CheckVersion(value(versionID)); err != nil {
		return err
	}
	if _, err := u.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key}); err != nil {
		return err
	}
	return s3err.New(s3err.NoSuchObjectLockConfiguration)
}

// GetObjectRetention implements [Locker].
func (u unlocked) GetObjectRetention(ctx context.Context, in *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error) {
	return nil, u.none(ctx, in.Bucket, in.Key, in.VersionId)
}

// GetObjectLegalHold implements [Locker].
func (u unlocked) GetObjectLegalHold(ctx context.Context, in *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error) {
	return nil, u.none(ctx, in.Bucket, in.Key, in.VersionId)
}

// PutObjectRetention implements [Locker].
func (u unlocked) PutObjectRetention(context.Context, *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error) {
	return nil, s3err.New(s3err.NotImplemented)
}

// PutObjectLegalHold implements [Locker].
func (u unlocked) PutObjectLegalHold(context.Context, *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error) {
	return nil, s3err.New(s3err.NotImplemented)
}

// CheckLock refuses a write that wants to lock what it writes where b has no locks, so that nobody takes for locked what is not.
func CheckLock(b Backend, mode types.ObjectLockMode, hold types.ObjectLockLegalHoldStatus) error {
	if mode == "" && hold == "" {
		return nil
	}
	if _, ok := As[Locker](b); !ok {
		return s3err.New(s3err.NotImplemented)
	}
	return nil
}
