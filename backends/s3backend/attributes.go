package s3backend

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// GetObjectAttributes implements [backends.AttributesReader]. HeadObject tells everything but the parts; services have
// more to say of an object there, and say it alike.
func (b *Backend) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	if !backends.WantsParts(in) || !b.can.Load().ObjectParts {
		return backends.HeadAttributes(ctx, b, in)
	}
	head, err := b.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, ChecksumMode: types.ChecksumModeEnabled,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	})
	if err != nil {
		return nil, err
	}
	out := backends.AttributesOf(head)
	if !backends.OfParts(head.ETag) {
		return out, nil
	}
	out.ObjectParts, err = b.objectParts(ctx, in, head.ETag)
	if s3err.Is(err, s3err.NotImplemented) || s3err.Is(err, s3err.MethodNotAllowed) || err == nil && out.ObjectParts == nil {
		return backends.HeadAttributes(ctx, b, in)
	}
	if err == nil && out.Checksum == nil {
		out.ObjectParts = &types.GetObjectAttributesParts{TotalPartsCount: out.ObjectParts.TotalPartsCount} // as S3 has it
	}
	return out, err
}

// objectParts asks for a page of the parts of an object that has that ETag; nil when the service does not tell. It asks for one part more than
// wanted: there are services that cannot say whether there is one.
func (b *Backend) objectParts(ctx context.Context, in *s3.GetObjectAttributesInput, etag *string) (*types.GetObjectAttributesParts, error) {
	size := int32(backends.DefaultMaxKeys)
	if in.MaxParts != nil {
		size = min(size, *in.MaxParts)
	}
	c := *in
	c.ObjectAttributes = []types.ObjectAttributes{types.ObjectAttributesEtag, types.ObjectAttributesObjectParts}
	c.MaxParts = new(size + 1)
	out, err := b.client.GetObjectAttributes(ctx, &c, b.again)
	if err == nil && out.ETag == nil {
		err = errNoResult
	}
	if err != nil {
		return nil, b.fail(ctx, "GetObjectAttributes", err)
	}
	if !sameETag(out.ETag, etag) {
		return nil, backends.ErrWrittenOver(nil)
	}
	p := out.ObjectParts
	if p == nil || p.TotalPartsCount == nil {
		return nil, nil //nolint:nilnil // that the service does not tell is no error
	}
	marker := in.PartNumberMarker
	if marker == nil {
		marker = new("0")
	}
	return onPage(p, size, marker), nil
}

// onPage makes of what a service has told the page of so many parts that comes after a marker.
func onPage(p *types.GetObjectAttributesParts, size int32, marker *string) *types.GetObjectAttributesParts {
	page := &types.GetObjectAttributesParts{
		TotalPartsCount: p.TotalPartsCount, MaxParts: &size, PartNumberMarker: marker, NextPartNumberMarker: marker,
	}
	n := int(size)
	capped := p.MaxParts != nil && *p.MaxParts <= size && p.IsTruncated != nil && *p.IsTruncated
	page.IsTruncated = new(n > 0 && (len(p.Parts) > n || capped))
	page.Parts = p.Parts[:min(n, len(p.Parts))]
	if len(page.Parts) > 0 {
		page.NextPartNumberMarker = new(itoa(int64(*page.Parts[len(page.Parts)-1].PartNumber)))
	}
	return page
}
