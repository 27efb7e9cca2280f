package s3api

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// getObjectAttributes implements GetObjectAttributes. Of its parts it tells the number.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
func (s *Server) getObjectAttributes(c *call) error {
	want, err := c.objectAttributes()
	if err != nil {
		return err
	}
	version, err := c.versionID()
	if err != nil {
		return err
	}
	in := &s3.HeadObjectInput{Bucket: &c.bucket, Key: &c.key, VersionId: version, ChecksumMode: types.ChecksumModeEnabled}
	out, err := c.route.Backend.HeadObject(c.ctx, in)
	if err != nil {
		return err
	}
	var parts *int32
	if slices.Contains(want, types.ObjectAttributesObjectParts) {
		if parts, err = c.partsCount(in, out); err != nil {
			return err
		}
	}
	c.setTime("Last-Modified", out.LastModified)
	c.setVersion(out.VersionId)
	c.writeAttributes(want, out, parts)
	return nil
}

// attributesHeader lists the attributes that are wanted.
const attributesHeader = "x-amz-object-attributes"

// objectAttributes reads which attributes are wanted.
func (c *call) objectAttributes() ([]types.ObjectAttributes, error) {
	var lines []string
	for i := range c.headers {
		if strings.EqualFold(c.headers[i].Name, attributesHeader) {
			lines = append(lines, c.headers[i].Value)
		}
	}
	header := strings.Join(lines, ",")
	if header == "" {
		return nil, s3err.Newf(s3err.InvalidRequest, "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	var want []types.ObjectAttributes
	for name := range strings.SplitSeq(header, ",") {
		a := types.ObjectAttributes(strings.TrimSpace(name))
		if !slices.Contains(a.Values(), a) {
			return nil, s3err.InvalidArg(attributesHeader, header, "Invalid attribute name specified.")
		}
		want = append(want, a)
	}
	return want, nil
}

// partsCount is of how many parts an object was made; nil for one that was written whole. Only a read of
// a part tells.
func (c *call) partsCount(in *s3.HeadObjectInput, whole *s3.HeadObjectOutput) (*int32, error) {
	if whole.PartsCount != nil || !strings.Contains(aws.ToString(whole.ETag), "-") {
		return whole.PartsCount, nil
	}
	first := *in
	first.PartNumber, first.IfMatch = aws.Int32(1), whole.ETag
	if whole.VersionId != nil && versioned(c.route) {
		first.VersionId = whole.VersionId
	}
	out, err := c.route.Backend.HeadObject(c.ctx, &first)
	switch {
	case s3err.Is(err, s3err.PreconditionFailed):
		return nil, s3err.Newf(s3err.SlowDown, "The object has been written over meanwhile. Please try again.").Because(err)
	case err != nil:
		return nil, err
	}
	return out.PartsCount, nil
}

// writeAttributes answers with the attributes that are wanted.
func (c *call) writeAttributes(want []types.ObjectAttributes, out *s3.HeadObjectOutput, parts *int32) {
	d := newResult("GetObjectAttributesResponse")
	wants := func(a types.ObjectAttributes) bool { return slices.Contains(want, a) }
	if wants(types.ObjectAttributesEtag) && out.ETag != nil {
		d.text("ETag", strings.Trim(*out.ETag, `"`)) // S3 leaves the quotes out here.
	}
	if wants(types.ObjectAttributesChecksum) && out.ChecksumType != "" {
		d.open("Checksum")
		d.checksums(out, out.ChecksumType)
		d.close("Checksum")
	}
	if parts != nil {
		d.open("ObjectParts")
		d.int("PartsCount", int64(*parts))
		d.close("ObjectParts")
	}
	if wants(types.ObjectAttributesStorageClass) {
		d.text("StorageClass", string(orStandard(out.StorageClass)))
	}
	if wants(types.ObjectAttributesObjectSize) && out.ContentLength != nil {
		d.int("ObjectSize", *out.ContentLength)
	}
	d.close("GetObjectAttributesResponse")
	c.writeDoc(d)
}
