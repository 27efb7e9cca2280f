package s3api

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// listParts implements ListParts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
func (s *Server) listParts(c *call) error {
	m, err := c.multipart()
	if err != nil {
		return err
	}
	limit, err := c.intQuery("max-parts", maxKeys)
	if err != nil {
		return err
	}
	if limit == nil {
		limit = aws.Int32(maxKeys)
	}
	marker, err := c.intQuery("part-number-marker", maxParts)
	if err != nil {
		return err
	}
	if marker == nil {
		marker = aws.Int32(0)
	}
	after := itoa(*marker)
	out, err := m.ListParts(c.ctx, &s3.ListPartsInput{
		Bucket: &c.bucket, Key: &c.key, UploadId: c.uploadID(), MaxParts: limit, PartNumberMarker: &after,
	})
	if err != nil {
		return err
	}
	d := newResult("ListPartsResult")
	d.text("Bucket", c.bucket)
	d.text("Key", c.key)
	d.text("UploadId", *c.uploadID())
	d.owner("Initiator", c.route.Owner)
	d.owner("Owner", c.route.Owner)
	d.text("StorageClass", string(orStandard(out.StorageClass)))
	d.text("PartNumberMarker", after)
	if out.NextPartNumberMarker != nil {
		d.text("NextPartNumberMarker", *out.NextPartNumberMarker)
	}
	d.int("MaxParts", int64(*limit))
	d.bool("IsTruncated", isTruncated(out.IsTruncated))
	if out.ChecksumAlgorithm != "" {
		d.text("ChecksumAlgorithm", string(out.ChecksumAlgorithm))
		d.text("ChecksumType", string(out.ChecksumType))
	}
	for i := range out.Parts {
		d.part(&out.Parts[i])
	}
	d.close("ListPartsResult")
	c.writeDoc(d)
	return nil
}

// part writes one part of a listing.
func (d *doc) part(p *types.Part) {
	d.open("Part")
	d.int("PartNumber", int64(*p.PartNumber))
	d.time("LastModified", p.LastModified)
	d.ptr("ETag", p.ETag)
	d.int("Size", *p.Size)
	d.checksums(p, "")
	d.close("Part")
}

// orStandard is class, or STANDARD when it is empty.
func orStandard(class types.StorageClass) types.StorageClass {
	if class == "" {
		return types.StorageClassStandard
	}
	return class
}
