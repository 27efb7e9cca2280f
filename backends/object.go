package backends

import (
	"maps"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
)

// DefaultContentType is what S3 gives an object whose writer named no type.
const DefaultContentType = "binary/octet-stream"

// ObjectMeta is all that a store of ours keeps about an object besides its
// bytes, and, in a multipart upload, about the object to be. It is a plain
// value that stores may encode as they like; the zero value of a field means
// that S3 would not show it.
type ObjectMeta struct {
	Headers
	Size         int64
	ETag         string    // with its quotes
	LastModified time.Time // kept to the millisecond, shown to the second
	StorageClass types.StorageClass
	Checksum     Checksum
	Tags         []Tag
	Encryption   Encryption
	Parts        []PartInfo // of a multipart object, by number; nil for others
	UploadID     string     // the upload that made the object, so that Complete can be repeated
	Renamed      string     // by which request, so that it can be repeated; see [RenamedBy]
}

// Headers are the headers that a writer gives an object and its readers get back.
type Headers struct {
	CacheControl            string
	ContentDisposition      string
	ContentEncoding         string
	ContentLanguage         string
	ContentType             string
	Expires                 string // an HTTP date
	WebsiteRedirectLocation string
	Metadata                map[string]string // x-amz-meta-…, names in lower case without that prefix
}

// Checksum is an object's additional checksum. Without Algorithm there is none.
type Checksum struct {
	Algorithm types.ChecksumAlgorithm
	Type      types.ChecksumType
	Value     string // base64, with "-N" when Type is COMPOSITE
	Default   bool   // of an upload only: its client named no algorithm, and this is S3's
}

// PartInfo is one part of a multipart object or upload.
type PartInfo struct {
	Number       int32
	Size         int64
	ETag         string    // with its quotes
	Checksum     string    // base64, of the upload's algorithm
	LastModified time.Time // of an upload's part only
}

// PutMeta returns what a PutObject says about its object; [Digest.Finish]
// adds what its bytes say.
func PutMeta(in *s3.PutObjectInput) ObjectMeta {
	return ObjectMeta{
		Headers: newHeaders(Headers{
			CacheControl:            value(in.CacheControl),
			ContentDisposition:      value(in.ContentDisposition),
			ContentEncoding:         value(in.ContentEncoding),
			ContentLanguage:         value(in.ContentLanguage),
			ContentType:             value(in.ContentType),
			Expires:                 httpDate(in.Expires),
			WebsiteRedirectLocation: value(in.WebsiteRedirectLocation),
			Metadata:                in.Metadata,
		}),
		StorageClass: in.StorageClass,
		Checksum:     Checksum{Algorithm: in.ChecksumAlgorithm, Type: types.ChecksumTypeFullObject},
		Tags:         givenTags(in.Tagging),
		Encryption:   Asked(in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled, PutKey(in)),
	}
}

// UploadMeta returns what a CreateMultipartUpload says about the object to be.
func UploadMeta(in *s3.CreateMultipartUploadInput) ObjectMeta {
	return ObjectMeta{
		Headers: newHeaders(Headers{
			CacheControl:            value(in.CacheControl),
			ContentDisposition:      value(in.ContentDisposition),
			ContentEncoding:         value(in.ContentEncoding),
			ContentLanguage:         value(in.ContentLanguage),
			ContentType:             value(in.ContentType),
			Expires:                 httpDate(in.Expires),
			WebsiteRedirectLocation: value(in.WebsiteRedirectLocation),
			Metadata:                in.Metadata,
		}),
		StorageClass: in.StorageClass,
		Checksum:     UploadChecksum(in),
		Tags:         givenTags(in.Tagging),
		Encryption:   Asked(in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled, UploadKey(in)),
	}
}

// UploadChecksum is the checksum that the object of an upload gets: what its client named, or S3's default.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html#Full-object-checksums
func UploadChecksum(in *s3.CreateMultipartUploadInput) Checksum {
	c := Checksum{Algorithm: in.ChecksumAlgorithm, Type: in.ChecksumType}
	switch {
	case c.Algorithm == "":
		return Checksum{Algorithm: types.ChecksumAlgorithmCrc64nvme, Type: types.ChecksumTypeFullObject, Default: true}
	case c.Type != "":
	case c.Algorithm == types.ChecksumAlgorithmCrc64nvme:
		c.Type = types.ChecksumTypeFullObject
	default:
		c.Type = types.ChecksumTypeComposite
	}
	return c
}

// CopyMeta returns what the copy of src that in asks for will be, but for what
// [Digest.Finish] adds: the copy is one part, so that ETag, and a checksum of
// parts or of another algorithm, must be calculated from its bytes. Storage
// class, redirect and encryption belong to an object and are never copied.
func CopyMeta(src *ObjectMeta, in *s3.CopyObjectInput) ObjectMeta {
	headers := src.Headers
	if in.MetadataDirective == types.MetadataDirectiveReplace {
		headers = Headers{
			CacheControl:       value(in.CacheControl),
			ContentDisposition: value(in.ContentDisposition),
			ContentEncoding:    value(in.ContentEncoding),
			ContentLanguage:    value(in.ContentLanguage),
			ContentType:        value(in.ContentType),
			Expires:            httpDate(in.Expires),
			Metadata:           in.Metadata,
		}
	}
	headers.WebsiteRedirectLocation = value(in.WebsiteRedirectLocation)
	algorithm := in.ChecksumAlgorithm
	if algorithm == "" {
		algorithm = src.Checksum.Algorithm
	}
	tags := src.Tags
	if in.TaggingDirective == types.TaggingDirectiveReplace {
		tags = givenTags(in.Tagging)
	}
	return ObjectMeta{
		Headers:      newHeaders(headers),
		StorageClass: in.StorageClass,
		Checksum:     Checksum{Algorithm: algorithm, Type: types.ChecksumTypeFullObject},
		Tags:         tags,
		Encryption:   Asked(in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled, CopyKey(in)),
	}
}

// newHeaders completes h as S3 does and takes its metadata from the caller's hands.
func newHeaders(h Headers) Headers {
	if h.ContentType == "" {
		h.ContentType = DefaultContentType
	}
	h.Metadata = maps.Clone(h.Metadata)
	return h
}

// PutOutput is the answer to the PutObject that made m with that key.
func PutOutput(m *ObjectMeta, k CustomerKey) *s3.PutObjectOutput {
	out := &s3.PutObjectOutput{ETag: &m.ETag, SSEKMSEncryptionContext: optional(m.Encryption.Context)}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = m.Encryption.Shown(k)
	if m.Checksum.SetOn(out) {
		out.ChecksumType = m.Checksum.Type
	}
	return out
}

// CopyOutput is the answer to the CopyObject that made m with that key.
func CopyOutput(m *ObjectMeta, k CustomerKey) *s3.CopyObjectOutput {
	result := &types.CopyObjectResult{ETag: &m.ETag, LastModified: shown(m.LastModified)}
	if m.Checksum.SetOn(result) {
		result.ChecksumType = m.Checksum.Type
	}
	out := &s3.CopyObjectOutput{CopyObjectResult: result, SSEKMSEncryptionContext: optional(m.Encryption.Context)}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = m.Encryption.Shown(k)
	return out
}

// ListedObject is m as a listing shows it.
func ListedObject(key string, m *ObjectMeta) types.Object {
	o := types.Object{
		Key:          &key,
		ETag:         &m.ETag,
		LastModified: shown(m.LastModified),
		Size:         &m.Size,
		StorageClass: types.ObjectStorageClassStandard,
	}
	if m.StorageClass != "" {
		o.StorageClass = types.ObjectStorageClass(m.StorageClass)
	}
	if m.Checksum.Value != "" {
		o.ChecksumAlgorithm = []types.ChecksumAlgorithm{m.Checksum.Algorithm}
		o.ChecksumType = m.Checksum.Type
	}
	return o
}

// Named is c, and none when no client named it: so an upload is shown. Its parts are shown with their checksums, the default
// one too, but for those that are copies.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Part.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyPartResult.html
func (c Checksum) Named() Checksum {
	if c.Default {
		return Checksum{}
	}
	return c
}

// SetOn sets the checksum's field of an SDK struct; false when there is no checksum.
func (c Checksum) SetOn(v any) bool {
	if c.Algorithm == "" || c.Value == "" {
		return false
	}
	checksum.Set(v, c.Algorithm, &c.Value)
	return true
}

// value is *s, and empty for nil.
func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// optional is the inverse of [value].
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return new(s) // so that s itself stays off the heap when it is empty
}

// httpDate writes a date as a header has it; empty for nil.
func httpDate(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(http.TimeFormat)
}

// shown is t as clients see it: S3's times have whole seconds, so that
// If-Modified-Since can be exact.
func shown(t time.Time) *time.Time {
	t = t.UTC().Truncate(time.Second)
	return &t
}
