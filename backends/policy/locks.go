package policy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// GetObjectRetention implements [backends.Locker].
func (b *bucket) GetObjectRetention(ctx context.Context, in *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error) {
	return backends.LockerOf(b.Backend).GetObjectRetention(ctx, in)
}

// PutObjectRetention implements [backends.Locker]. Where there is only appending, locks can be put: what they are
// against is not done there anyway.
func (b *bucket) PutObjectRetention(ctx context.Context, in *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error) {
	if b.of(in.Key).Access == ReadOnly {
		return nil, s3err.New(s3err.AccessDenied)
	}
	return backends.LockerOf(b.Backend).PutObjectRetention(ctx, in)
}

// GetObjectLegalHold implements [backends.Locker].
func (b *bucket) GetObjectLegalHold(ctx context.Context, in *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error) {
	return backends.LockerOf(b.Backend).GetObjectLegalHold(ctx, in)
}

// PutObjectLegalHold implements [backends.Locker].
func (b *bucket) PutObjectLegalHold(ctx context.Context, in *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error) {
	if b.of(in.Key).Access == ReadOnly {
		return nil, s3err.New(s3err.AccessDenied)
	}
	return backends.LockerOf(b.Backend).PutObjectLegalHold(ctx, in)
}
