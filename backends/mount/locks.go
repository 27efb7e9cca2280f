package mount

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
)

// GetObjectRetention implements [backends.Locker].
func (m *mount) GetObjectRetention(ctx context.Context, in *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.LockerOf(m.Backend).GetObjectRetention(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}

// PutObjectRetention implements [backends.Locker].
func (m *mount) PutObjectRetention(ctx context.Context, in *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.LockerOf(m.Backend).PutObjectRetention(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}

// GetObjectLegalHold implements [backends.Locker].
func (m *mount) GetObjectLegalHold(ctx context.Context, in *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.LockerOf(m.Backend).GetObjectLegalHold(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}

// PutObjectLegalHold implements [backends.Locker].
func (m *mount) PutObjectLegalHold(ctx context.Context, in *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error) {
	c := *in
	if err := m.enter(&c.Bucket, &c.Key); err != nil {
		return nil, err
	}
	out, err := backends.LockerOf(m.Backend).PutObjectLegalHold(ctx, &c)
	return out, m.outward(err, names{in.Bucket, in.Key, nil})
}
