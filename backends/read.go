package backends

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// Read judges in on an object that exists, and returns the answer, without
// its Body, and the bytes that Body is to have.
func Read(m *ObjectMeta, in *s3.GetObjectInput) (*s3.GetObjectOutput, Span, error) {
	if in.PartNumber != nil && in.Range != nil {
		return nil, Span{}, s3err.Newf(s3err.InvalidRequest,
			"Cannot specify both Range header and partNumber query parameter")
	}
	if err := m.Encryption.CheckKey(GetKey(in)); err != nil {
		return nil, Span{}, err
	}
	if err := CheckRead(m, GetConditions(in)); err != nil {
		return nil, Span{}, err
	}
	span, partial, err := selectSpan(m, in)
	if err != nil {
		return nil, Span{}, err
	}
	out := m.getOutput()
	out.ContentLength = &span.Length
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = m.Encryption.Shown(GetKey(in))
	if partial && span.Length > 0 { // no Content-Range can say "none of 0 bytes"
		contentRange := span.ContentRange(m.Size)
		out.ContentRange = &contentRange
	}
	sum := m.Checksum
	if in.PartNumber != nil && len(m.Parts) > 0 {
		count := int32(len(m.Parts))
		out.PartsCount = &count
		sum.Value = m.Parts[*in.PartNumber-1].Checksum
	}
	// A range has no checksum that a client could compare.
	if in.ChecksumMode == types.ChecksumModeEnabled && (in.PartNumber != nil || !partial) && sum.SetOn(out) {
		out.ChecksumType = sum.Type
	}
	return out, span, nil
}

// selectSpan returns what in selects of m, and whether it selects at all.
func selectSpan(m *ObjectMeta, in *s3.GetObjectInput) (s Span, partial bool, err error) {
	switch {
	case in.PartNumber != nil:
		s, err = SelectPart(m, *in.PartNumber)
		return s, true, err
	case in.Range != nil:
		if s, ok, err := ParseRange(*in.Range, m.Size); ok || err != nil {
			return s, true, err
		}
	}
	return Span{Length: m.Size}, false, nil
}

// getOutput is the part of the answer that does not depend on the request.
func (m *ObjectMeta) getOutput() *s3.GetObjectOutput {
	acceptRanges := "bytes"
	out := &s3.GetObjectOutput{
		AcceptRanges:            &acceptRanges,
		CacheControl:            optional(m.CacheControl),
		ContentDisposition:      optional(m.ContentDisposition),
		ContentEncoding:         optional(m.ContentEncoding),
		ContentLanguage:         optional(m.ContentLanguage),
		ContentType:             optional(m.ContentType),
		ETag:                    &m.ETag,
		ExpiresString:           optional(m.Expires),
		LastModified:            shown(m.LastModified),
		Metadata:                m.Metadata,
		TagCount:                TagCount(m.Tags),
		WebsiteRedirectLocation: optional(m.WebsiteRedirectLocation),
	}
	if m.StorageClass != types.StorageClassStandard { // S3 leaves the usual one out
		out.StorageClass = m.StorageClass
	}
	if t, err := http.ParseTime(m.Expires); err == nil {
		out.Expires = &t //nolint:staticcheck // readers of the old field get it too
	}
	return out
}

// ReadHead is [Read] for HeadObject.
func ReadHead(m *ObjectMeta, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	out, _, err := Read(m, HeadAsGet(in))
	if err != nil {
		return nil, err
	}
	return GetAsHead(out), nil
}

// HeadAsGet is the GetObject whose headers in asks for.
func HeadAsGet(in *s3.HeadObjectInput) *s3.GetObjectInput {
	return &s3.GetObjectInput{
		Bucket:            in.Bucket,
		Key:               in.Key,
		ChecksumMode:      in.ChecksumMode,
		IfMatch:           in.IfMatch,
		IfModifiedSince:   in.IfModifiedSince,
		IfNoneMatch:       in.IfNoneMatch,
		IfUnmodifiedSince: in.IfUnmodifiedSince,
		PartNumber:        in.PartNumber,
		Range:             in.Range,
		VersionId:         in.VersionId,

		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	}
}

// GetAsHead is the answer of a GetObject that [Read] made, without its Body.
func GetAsHead(out *s3.GetObjectOutput) *s3.HeadObjectOutput {
	head := &s3.HeadObjectOutput{
		AcceptRanges:            out.AcceptRanges,
		CacheControl:            out.CacheControl,
		ChecksumType:            out.ChecksumType,
		ContentDisposition:      out.ContentDisposition,
		ContentEncoding:         out.ContentEncoding,
		ContentLanguage:         out.ContentLanguage,
		ContentLength:           out.ContentLength,
		ContentRange:            out.ContentRange,
		ContentType:             out.ContentType,
		ETag:                    out.ETag,
		Expires:                 out.Expires, //nolint:staticcheck // readers of the old field get it too
		ExpiresString:           out.ExpiresString,
		LastModified:            out.LastModified,
		Metadata:                out.Metadata,
		PartsCount:              out.PartsCount,
		StorageClass:            out.StorageClass,
		TagCount:                out.TagCount,
		WebsiteRedirectLocation: out.WebsiteRedirectLocation,

		ServerSideEncryption: out.ServerSideEncryption, SSEKMSKeyId: out.SSEKMSKeyId, BucketKeyEnabled: out.BucketKeyEnabled,
		SSECustomerAlgorithm: out.SSECustomerAlgorithm, SSECustomerKeyMD5: out.SSECustomerKeyMD5,
	}
	checksum.Copy(head, out)
	return head
}
