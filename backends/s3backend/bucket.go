package s3backend

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/s3err"
)

// classicRegion is the region that LocationConstraint must not name.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
const classicRegion = "us-east-1"

// CreateBucket implements [backends.BucketManager]: in the connection's region.
func (b *Backend) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	c := *in
	c.CreateBucketConfiguration = nil
	if b.region != classicRegion {
		c.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(b.region),
		}
	}
	// S3 answers a second creation in us-east-1 with success.
	if b.region == classicRegion {
		if _, err := b.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: in.Bucket}); err == nil {
			return nil, s3err.New(s3err.BucketAlreadyOwnedByYou)
		}
	}
	out, err := b.client.CreateBucket(ctx, &c, b.once)
	return out, b.fail(ctx, "CreateBucket", err)
}

// HeadBucket implements [backends.BucketManager].
func (b *Backend) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	out, err := b.client.HeadBucket(ctx, in, b.again)
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() == 404 {
		return nil, b.because(s3err.New(s3err.NoSuchBucket), "HeadBucket", err)
	}
	return out, b.fail(ctx, "HeadBucket", err)
}

// DeleteBucket implements [backends.BucketManager].
func (b *Backend) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	out, err := b.client.DeleteBucket(ctx, in, b.once)
	return out, b.fail(ctx, "DeleteBucket", err)
}
