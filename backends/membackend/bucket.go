package membackend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// CreateBucket implements [backends.BucketManager].
func (b *Backend) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.buckets[deref(in.Bucket)]; ok {
		return nil, s3err.New(s3err.BucketAlreadyOwnedByYou)
	}
	b.buckets[deref(in.Bucket)] = &bucket{objects: map[string]*object{}}
	return &s3.CreateBucketOutput{}, nil
}

// HeadBucket implements [backends.BucketManager].
func (b *Backend) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if _, err := b.bucket(in.Bucket); err != nil {
		return nil, err
	}
	return &s3.HeadBucketOutput{}, nil
}

// DeleteBucket implements [backends.BucketManager].
func (b *Backend) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, err := b.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	if len(k.keys) > 0 {
		return nil, s3err.New(s3err.BucketNotEmpty)
	}
	delete(b.buckets, deref(in.Bucket))
	return &s3.DeleteBucketOutput{}, nil
}
