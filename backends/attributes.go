package backends

import (
	"context"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// AttributesReader tells of which parts objects are. Ask by [GetObjectAttributes].
type AttributesReader interface {
	// GetObjectAttributes returns ETag, with its quotes, LastModified, VersionId, ObjectSize, StorageClass and Checksum as
	// HeadObject shows them, whatever ObjectAttributes names. When it names ObjectParts, and the object is one of
	// parts, ObjectParts has TotalPartsCount; and when its parts have checksums, too, a page of them, as S3 has it: those
	// after PartNumberMarker, at most MaxParts (0 to 1,000; nil is 1,000), and the numbers of that page. Parts are
	// numbered as [SelectPart] counts. Errors are HeadObject's.
	GetObjectAttributes(context.Context, *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error)
}

// GetObjectAttributes asks b, or makes the answer from what HeadObject tells where b has no better: that is how many
// parts there are, and nothing of each.
func GetObjectAttributes(ctx context.Context, b Backend, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	if r, ok := As[AttributesReader](b); ok {
		return r.GetObjectAttributes(ctx, in)
	}
	return HeadAttributes(ctx, b, in)
}

// WantsParts reports whether in asks for ObjectParts.
func WantsParts(in *s3.GetObjectAttributesInput) bool {
	return slices.Contains(in.ObjectAttributes, types.ObjectAttributesObjectParts)
}

// OfParts reports whether an ETag is that of an object of parts.
func OfParts(etag *string) bool { return strings.Contains(value(etag), "-") }

// Attributes answers in from what a store keeps of an object.
func Attributes(m *ObjectMeta, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	if err := m.Encryption.CheckKey(AttributesKey(in)); err != nil {
		return nil, err
	}
	out := &s3.GetObjectAttributesOutput{
		ETag: &m.ETag, LastModified: shown(m.LastModified), ObjectSize: &m.Size, StorageClass: m.StorageClass,
	}
	if m.StorageClass == types.StorageClassStandard { // as HeadObject shows it
		out.StorageClass = ""
	}
	sum := &types.Checksum{ChecksumType: m.Checksum.Type}
	if m.Checksum.SetOn(sum) {
		out.Checksum = sum
	}
	if !WantsParts(in) || len(m.Parts) == 0 {
		return out, nil
	}
	var err error
	out.ObjectParts, err = m.objectParts(in)
	return out, err
}

// objectParts are the parts of an object of parts. Without checksums S3 tells how many there are, and no more.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributesParts.html
func (m *ObjectMeta) objectParts(in *s3.GetObjectAttributesInput) (*types.GetObjectAttributesParts, error) {
	total := int32(len(m.Parts))
	out := &types.GetObjectAttributesParts{TotalPartsCount: &total}
	if m.Checksum.Algorithm == "" || m.Checksum.Value == "" {
		return out, nil
	}
	var parts []types.ObjectPart
	for i, p := range m.Parts {
		n := int32(i + 1)
		part := types.ObjectPart{PartNumber: &n, Size: &p.Size}
		Checksum{Algorithm: m.Checksum.Algorithm, Value: p.Checksum}.SetOn(&part)
		parts = append(parts, part)
	}
	return out, pageParts(out, parts, in)
}

// pageParts makes of out the page of parts that in asks for; parts are all of the object's, sorted by number.
func pageParts(out *types.GetObjectAttributesParts, parts []types.ObjectPart, in *s3.GetObjectAttributesInput) error {
	marker := value(in.PartNumberMarker)
	if marker == "" {
		marker = "0"
	}
	after, err := strconv.Atoi(marker)
	if err != nil || after < 0 {
		return s3err.InvalidArg("x-amz-part-number-marker", marker, "Provided part-number-marker is not a valid integer")
	}
	size := int32(pageLength(in.MaxParts))
	rest := parts[sort.Search(len(parts), func(i int) bool { return int(*parts[i].PartNumber) > after }):]
	page := rest[:min(len(rest), max(0, int(size)))]
	truncated, next := len(page) > 0 && len(page) < len(rest), marker
	if len(page) > 0 {
		next = strconv.Itoa(int(*page[len(page)-1].PartNumber))
	}
	out.Parts, out.MaxParts, out.IsTruncated = page, &size, &truncated
	out.PartNumberMarker, out.NextPartNumberMarker = &marker, &next
	return nil
}

// HeadAttributes is GetObjectAttributes by HeadObject: only a read of a part tells how many there are.
func HeadAttributes(ctx context.Context, b ObjectReader, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	whole := &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, ChecksumMode: types.ChecksumModeEnabled}
	whole.SSECustomerAlgorithm, whole.SSECustomerKey, whole.SSECustomerKeyMD5 = in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5
	head, err := b.HeadObject(ctx, whole)
	if err != nil {
		return nil, err
	}
	out := AttributesOf(head)
	if !WantsParts(in) || !OfParts(head.ETag) {
		return out, nil
	}
	count, err := PartsCount(ctx, b, whole, head)
	if err == nil && count != nil {
		out.ObjectParts = &types.GetObjectAttributesParts{TotalPartsCount: count}
	}
	return out, err
}

// AttributesOf are the attributes that a HeadObject, with checksums, has told, without parts.
func AttributesOf(head *s3.HeadObjectOutput) *s3.GetObjectAttributesOutput {
	out := &s3.GetObjectAttributesOutput{
		ETag: head.ETag, LastModified: head.LastModified, ObjectSize: head.ContentLength,
		StorageClass: head.StorageClass, VersionId: head.VersionId,
	}
	sum := &types.Checksum{ChecksumType: head.ChecksumType}
	for _, a := range checksum.All() {
		if v := checksum.Get(head, a); v != nil {
			checksum.Set(sum, a, v)
			out.Checksum = sum
		}
	}
	return out
}

// PartsCount is of how many parts the object is that in has read as head; nil for one that keeps no parts. SlowDown
// when another is there by now.
func PartsCount(ctx context.Context, b ObjectReader, in *s3.HeadObjectInput, head *s3.HeadObjectOutput) (*int32, error) {
	if head.PartsCount != nil {
		return head.PartsCount, nil
	}
	first, one := *in, int32(1)
	first.PartNumber, first.IfMatch = &one, head.ETag
	out, err := b.HeadObject(ctx, &first)
	switch {
	case s3err.Is(err, s3err.PreconditionFailed):
		return nil, ErrWrittenOver(err)
	case err != nil:
		return nil, err
	}
	return out.PartsCount, nil
}

// ErrWrittenOver is the error of a read in several steps, between which the object has changed.
func ErrWrittenOver(cause error) error {
	return s3err.Newf(s3err.SlowDown, "The object has been written over meanwhile. Please try again.").Because(cause)
}
