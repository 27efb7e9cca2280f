package fanout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// GetObjectRetention implements [backends.Locker].
func (f *fanout) GetObjectRetention(ctx context.Context, in *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error) {
	c := *in
	i, err := f.reader(in.Key, &c.VersionId)
	if err != nil {
		return nil, err
	}
	return backends.LockerOf(f.Mounts[i].Backend).GetObjectRetention(ctx, &c)
}

// PutObjectRetention implements [backends.Locker].
func (f *fanout) PutObjectRetention(ctx context.Context, in *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error) {
	c := *in
	i, err := f.reader(in.Key, &c.VersionId)
	if err != nil {
		return nil, err
	}
	return backends.LockerOf(f.Mounts[i].Backend).PutObjectRetention(ctx, &c)
}

// GetObjectLegalHold implements [backends.Locker].
func (f *fanout) GetObjectLegalHold(ctx context.Context, in *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error) {
	c := *in
	i, err := f.reader(in.Key, &c.VersionId)
	if err != nil {
		return nil, err
	}
	return backends.LockerOf(f.Mounts[i].Backend).GetObjectLegalHold(ctx, &c)
}

// PutObjectLegalHold implements [backends.Locker].
func (f *fanout) PutObjectLegalHold(ctx context.Context, in *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error) {
	c := *in
	i, err := f.reader(in.Key, &c.VersionId)
	if err != nil {
		return nil, err
	}
	return backends.LockerOf(f.Mounts[i].Backend).PutObjectLegalHold(ctx, &c)
}
