package overlay

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// unlocked is what there is to say of the locks of an object of the old place, which has none.
func (o *overlay) unlocked(ctx context.Context, w wanted) error {
	_, err := o.Old.HeadObject(ctx, &s3.HeadObjectInput{Bucket: w.bucket, Key: w.key})
	return firstError(err, s3err.New(s3err.NoSuchObjectLockConfiguration))
}

// cannotLock is what is said to who wants to lock an object of the old place, which cannot be changed.
func (o *overlay) cannotLock(ctx context.Context, w wanted) error {
	_, err := o.Old.HeadObject(ctx, &s3.HeadObjectInput{Bucket: w.bucket, Key: w.key})
	return firstError(err, s3err.Newf(s3err.NotImplemented,
		"The object has not been moved to its new place yet; until it is written, it cannot be locked."))
}

// GetObjectRetention implements [backends.Locker].
func (o *overlay) GetObjectRetention(ctx context.Context, in *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error) {
	w := wanted{in.Bucket, in.Key, in.VersionId}
	return read(ctx, o, w, func() (*s3.GetObjectRetentionOutput, error) {
		return backends.LockerOf(o.New).GetObjectRetention(ctx, in)
	}, func() (*s3.GetObjectRetentionOutput, error) { return nil, o.unlocked(ctx, w) })
}

// PutObjectRetention implements [backends.Locker].
func (o *overlay) PutObjectRetention(ctx context.Context, in *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error) {
	w := wanted{in.Bucket, in.Key, in.VersionId}
	return read(ctx, o, w, func() (*s3.PutObjectRetentionOutput, error) {
		return backends.LockerOf(o.New).PutObjectRetention(ctx, in)
	}, func() (*s3.PutObjectRetentionOutput, error) { return nil, o.cannotLock(ctx, w) })
}

// GetObjectLegalHold implements [backends.Locker].
func (o *overlay) GetObjectLegalHold(ctx context.Context, in *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error) {
	w := wanted{in.Bucket, in.Key, in.VersionId}
	return read(ctx, o, w, func() (*s3.GetObjectLegalHoldOutput, error) {
		return backends.LockerOf(o.New).GetObjectLegalHold(ctx, in)
	}, func() (*s3.GetObjectLegalHoldOutput, error) { return nil, o.unlocked(ctx, w) })
}

// PutObjectLegalHold implements [backends.Locker].
func (o *overlay) PutObjectLegalHold(ctx context.Context, in *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error) {
	w := wanted{in.Bucket, in.Key, in.VersionId}
	return read(ctx, o, w, func() (*s3.PutObjectLegalHoldOutput, error) {
		return backends.LockerOf(o.New).PutObjectLegalHold(ctx, in)
	}, func() (*s3.PutObjectLegalHoldOutput, error) { return nil, o.cannotLock(ctx, w) })
}
