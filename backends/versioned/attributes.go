package versioned

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// GetObjectAttributes implements [backends.AttributesReader]. Of a version the index knows everything but the parts,
// which the store of its body knows.
func (b *bucket) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	head, err := b.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, ChecksumMode: types.ChecksumModeEnabled,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	})
	if err != nil {
		return nil, err
	}
	out := backends.AttributesOf(head)
	if backends.WantsParts(in) && backends.OfParts(head.ETag) {
		out.ObjectParts, err = b.objectParts(ctx, in, head)
	}
	if out.ObjectParts != nil && out.Checksum == nil { // The version has none, though its body may have got one.
		out.ObjectParts = &types.GetObjectAttributesParts{TotalPartsCount: out.ObjectParts.TotalPartsCount}
	}
	return out, err
}

// objectParts are the parts of what head has shown; nil when it has none any more. It reads them as it would read the first part:
// where there are parts.
func (b *bucket) objectParts(ctx context.Context, in *s3.GetObjectAttributesInput, head *s3.HeadObjectOutput) (*types.GetObjectAttributesParts, error) {
	var parts *types.GetObjectAttributesParts
	get := func(ctx context.Context, s backends.Backend, c *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
		out, err := headAsGet(ctx, s, c)
		if err != nil {
			return nil, err
		}
		a := *in
		a.Bucket, a.Key, a.VersionId = c.Bucket, c.Key, nil
		told, err := backends.GetObjectAttributes(ctx, s, &a)
		if err != nil {
			return nil, err
		}
		if aws.ToString(told.ETag) != aws.ToString(out.ETag) {
			return nil, backends.ErrWrittenOver(nil)
		}
		parts = told.ObjectParts
		return out, nil
	}
	first := &s3.GetObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: head.VersionId, PartNumber: aws.Int32(1),
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	}
	out, err := read(ctx, b, first, get)
	if err == nil && aws.ToString(out.ETag) != aws.ToString(head.ETag) {
		err = backends.ErrWrittenOver(nil) // It was a null version, and another has taken its place.
	}
	if err != nil {
		return nil, err
	}
	return parts, nil
}
