package s3api

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// getObjectAttributes implements GetObjectAttributes.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
func (s *Server) getObjectAttributes(c *call) error {
	in, err := c.objectAttributesInput()
	if err != nil {
		return err
	}
	out, err := backends.GetObjectAttributes(c.ctx, c.route.Backend, in)
	if err != nil {
		return err
	}
	if err := c.checkAttributes(out); err != nil {
		return err
	}
	c.setTime("Last-Modified", out.LastModified)
	c.setVersion(out.VersionId)
	c.writeAttributes(in.ObjectAttributes, out)
	return nil
}

// objectAttributesInput reads and checks the request.
func (c *call) objectAttributesInput() (*s3.GetObjectAttributesInput, error) {
	want, err := c.objectAttributes()
	if err != nil {
		return nil, err
	}
	version, err := c.versionID()
	if err != nil {
		return nil, err
	}
	size, err := parseInt("x-amz-max-parts", c.header("x-amz-max-parts"), maxKeys)
	if err != nil {
		return nil, err
	}
	marker, err := parseInt("x-amz-part-number-marker", c.header("x-amz-part-number-marker"), maxParts)
	if err != nil {
		return nil, err
	}
	k, err := c.customerKey("")
	if err != nil {
		return nil, err
	}
	in := &s3.GetObjectAttributesInput{
		Bucket: &c.bucket, Key: &c.key, VersionId: version, ObjectAttributes: want, MaxParts: size,
		SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	}
	if marker != nil {
		in.PartNumberMarker = aws.String(itoa(*marker))
	}
	return in, nil
}

// attributesHeader lists the attributes that are wanted.
const attributesHeader = "x-amz-object-attributes"

// objectAttributes reads which attributes are wanted.
func (c *call) objectAttributes() ([]types.ObjectAttributes, error) {
	want, err := namedAttributes[types.ObjectAttributes](c, attributesHeader)
	if err == nil && len(want) == 0 {
		err = s3err.Newf(s3err.InvalidRequest, "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	return want, err
}

// namedAttributes reads a header that names attributes; nil when it is missing or empty.
func namedAttributes[A interface {
	~string
	Values() []A
}](c *call, name string) ([]A, error) {
	var lines []string
	for i := range c.headers {
		if strings.EqualFold(c.headers[i].Name, name) {
			lines = append(lines, c.headers[i].Value)
		}
	}
	header := strings.Join(lines, ",")
	if header == "" {
		return nil, nil // absent is no error
	}
	var want []A
	for one := range strings.SplitSeq(header, ",") {
		a := A(strings.TrimSpace(one))
		if !slices.Contains(a.Values(), a) {
			return nil, s3err.InvalidArg(name, header, "Invalid attribute name specified.")
		}
		want = append(want, a)
	}
	return want, nil
}

// checkAttributes judges the conditions of the request. No field of the SDK's carries them, and the
// documentation has them: so they are judged on what is about to be answered.
func (c *call) checkAttributes(out *s3.GetObjectAttributesOutput) error {
	err := backends.CheckRead(&backends.ObjectMeta{
		ETag: aws.ToString(out.ETag), LastModified: aws.ToTime(out.LastModified),
	}, backends.ReadConditions{
		IfMatch: c.headerPtr("If-Match"), IfNoneMatch: c.headerPtr("If-None-Match"),
		IfModifiedSince: c.sinceHeader("If-Modified-Since"), IfUnmodifiedSince: c.timeHeader("If-Unmodified-Since"),
	})
	var e *s3err.Error
	if errors.As(err, &e) && out.VersionId != nil && versioned(c.route) {
		return e.WithHeader("x-amz-version-id", *out.VersionId)
	}
	return err
}

// writeAttributes answers with the attributes that are wanted.
func (c *call) writeAttributes(want []types.ObjectAttributes, out *s3.GetObjectAttributesOutput) {
	d := newResult("GetObjectAttributesResponse")
	wants := func(a types.ObjectAttributes) bool { return slices.Contains(want, a) }
	if wants(types.ObjectAttributesEtag) && out.ETag != nil {
		d.text("ETag", strings.Trim(*out.ETag, `"`)) // S3 leaves the quotes out here.
	}
	if wants(types.ObjectAttributesChecksum) && out.Checksum != nil {
		d.open("Checksum")
		d.checksums(out.Checksum, out.Checksum.ChecksumType)
		d.close("Checksum")
	}
	if wants(types.ObjectAttributesObjectParts) && out.ObjectParts != nil {
		d.objectParts(out.ObjectParts)
	}
	if wants(types.ObjectAttributesStorageClass) {
		d.text("StorageClass", string(orStandard(out.StorageClass)))
	}
	if wants(types.ObjectAttributesObjectSize) && out.ObjectSize != nil {
		d.int("ObjectSize", *out.ObjectSize)
	}
	d.close("GetObjectAttributesResponse")
	c.writeDoc(d)
}

// objectParts writes of how many parts an object is and, where that is known, a page of them.
func (d *doc) objectParts(p *types.GetObjectAttributesParts) {
	d.open("ObjectParts")
	if p.TotalPartsCount != nil {
		d.int("PartsCount", int64(*p.TotalPartsCount))
	}
	if p.MaxParts != nil {
		d.ptr("PartNumberMarker", p.PartNumberMarker)
		d.ptr("NextPartNumberMarker", p.NextPartNumberMarker)
		d.int("MaxParts", int64(*p.MaxParts))
		d.bool("IsTruncated", isTruncated(p.IsTruncated))
	}
	for i := range p.Parts {
		d.open("Part")
		d.int("PartNumber", int64(aws.ToInt32(p.Parts[i].PartNumber)))
		d.int("Size", aws.ToInt64(p.Parts[i].Size))
		d.checksums(&p.Parts[i], "")
		d.close("Part")
	}
	d.close("ObjectParts")
}
