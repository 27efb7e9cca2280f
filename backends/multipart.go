package backends

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// ListParts answers in from an upload's parts, which are sorted by number.
func ListParts(upload *ObjectMeta, parts []PartInfo, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	after := 0
	if marker := value(in.PartNumberMarker); marker != "" {
		var err error
		if after, err = strconv.Atoi(marker); err != nil || after < 0 {
			return nil, s3err.InvalidArg("part-number-marker", marker, "Provided part-number-marker is not a valid integer")
		}
	}
	i, _ := slices.BinarySearchFunc(parts, after+1, func(p PartInfo, n int) int { return int(p.Number) - n })
	rest := parts[i:]
	shownParts := rest[:min(len(rest), max(0, pageLength(in.MaxParts)))]
	truncated := len(shownParts) > 0 && len(shownParts) < len(rest)
	out := &s3.ListPartsOutput{
		ChecksumAlgorithm: upload.Checksum.Named().Algorithm,
		ChecksumType:      upload.Checksum.Named().Type,
		IsTruncated:       &truncated,
		StorageClass:      types.StorageClassStandard,
	}
	if upload.StorageClass != "" {
		out.StorageClass = upload.StorageClass
	}
	for _, p := range shownParts {
		out.Parts = append(out.Parts, p.listed(upload.Checksum.Algorithm))
	}
	if len(shownParts) > 0 {
		last := strconv.Itoa(int(shownParts[len(shownParts)-1].Number))
		out.NextPartNumberMarker = &last
	}
	return out, nil
}

// listed is p as ListParts shows it.
func (p PartInfo) listed(a types.ChecksumAlgorithm) types.Part {
	part := types.Part{PartNumber: &p.Number, Size: &p.Size, ETag: &p.ETag, LastModified: shown(p.LastModified)}
	Checksum{Algorithm: a, Value: p.Checksum}.SetOn(&part)
	return part
}

// UploadOutput is the answer to the CreateMultipartUpload that began an upload of that id.
func UploadOutput(id string, upload *ObjectMeta, in *s3.CreateMultipartUploadInput) *s3.CreateMultipartUploadOutput {
	out := &s3.CreateMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: &id,
		ChecksumAlgorithm: upload.Checksum.Named().Algorithm, ChecksumType: upload.Checksum.Named().Type,
		SSEKMSEncryptionContext: optional(upload.Encryption.Context),
	}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = upload.Encryption.Shown(UploadKey(in))
	return out
}

// UploadPartOutput is the answer to the UploadPart that stored p in an upload.
func UploadPartOutput(p PartInfo, upload *ObjectMeta, in *s3.UploadPartInput) *s3.UploadPartOutput {
	out := &s3.UploadPartOutput{ETag: &p.ETag}
	c := upload.Checksum
	if in.ChecksumAlgorithm == "" { // No client sent it, and it is a copy that streams. See NoChecksum.
		c = c.Named()
	}
	Checksum{Algorithm: c.Algorithm, Value: p.Checksum}.SetOn(out)
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = upload.Encryption.Shown(PartKey(in))
	return out
}

// UploadPartCopyOutput is [UploadPartOutput] for UploadPartCopy.
func UploadPartCopyOutput(p PartInfo, upload *ObjectMeta, k CustomerKey) *s3.UploadPartCopyOutput {
	result := &types.CopyPartResult{ETag: &p.ETag, LastModified: shown(p.LastModified)}
	Checksum{Algorithm: upload.Checksum.Named().Algorithm, Value: p.Checksum}.SetOn(result)
	out := &s3.UploadPartCopyOutput{CopyPartResult: result}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = upload.Encryption.Shown(k)
	return out
}

// ListedUpload is an unfinished upload as a listing shows it; upload's
// LastModified is when it was initiated.
func ListedUpload(key, uploadID string, upload *ObjectMeta) types.MultipartUpload {
	u := types.MultipartUpload{
		Key:               &key,
		UploadId:          &uploadID,
		Initiated:         shown(upload.LastModified),
		StorageClass:      types.StorageClassStandard,
		ChecksumAlgorithm: upload.Checksum.Named().Algorithm,
		ChecksumType:      upload.Checksum.Named().Type,
	}
	if upload.StorageClass != "" {
		u.StorageClass = upload.StorageClass
	}
	return u
}
