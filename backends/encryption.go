package backends

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// Encryption is how an object is encrypted where it is stored. The zero value is: not at all.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
type Encryption struct {
	Algorithm types.ServerSideEncryption // AES256, aws:kms or aws:kms:dsse; empty with a customer's key
	KMSKeyID  string
	Context   string // of KMS: base64 of JSON, as the header has it
	BucketKey bool
	Customer  string // tells the key of SSE-C from others, see [CustomerKey.Verifier]; empty without one
}

// CustomerKey is a key of SSE-C as requests carry it, that is in base64. The edge has checked that it is whole. It
// is never kept, and never in a log or an error.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
type CustomerKey struct{ Algorithm, Key, MD5 *string }

// String implements fmt.Stringer: keys are not printed.
func (k CustomerKey) String() string { return "***" }

// GoString implements fmt.GoStringer.
func (k CustomerKey) GoString() string { return k.String() }

// MarshalText implements encoding.TextMarshaler, for logs that are JSON.
func (k CustomerKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Given reports whether there is one.
func (k CustomerKey) Given() bool { return k.Key != nil }

// CustomerKeySize is how many bytes a key has.
const CustomerKeySize = 32

// Bytes is the key itself; nil for none that can be one.
func (k CustomerKey) Bytes() []byte {
	b, err := base64.StdEncoding.DecodeString(value(k.Key))
	if err != nil || len(b) != CustomerKeySize {
		return nil
	}
	return b
}

// The headers of SSE-C, and what the names of those for the source of a copy begin with in the place of "x-amz-".
const (
	CustomerAlgorithmHeader = "x-amz-server-side-encryption-customer-algorithm"
	CustomerKeyHeader       = "x-amz-server-side-encryption-customer-key"
	CustomerKeyMD5Header    = "x-amz-server-side-encryption-customer-key-MD5"
	CopySourceHeader        = "x-amz-copy-source-"
)

// Check judges the members of a key that came with a request, in headers as [CustomerHeader] names them.
func (k CustomerKey) Check(prefix string) error {
	refused := func(name, message string) error {
		// The value is left out: it may be the key, or most of it.
		return s3err.Newf(s3err.InvalidArgument, "%s", message).With("ArgumentName", CustomerHeader(prefix, name))
	}
	switch {
	case k == CustomerKey{}:
		return nil
	case k.Algorithm == nil:
		return refused(CustomerAlgorithmHeader, "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.")
	case *k.Algorithm != string(types.ServerSideEncryptionAes256):
		return s3err.New(s3err.InvalidEncryptionAlgorithm).
			With("ArgumentName", CustomerHeader(prefix, CustomerAlgorithmHeader)).With("ArgumentValue", *k.Algorithm)
	case k.Key == nil:
		return refused(CustomerKeyHeader, "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.")
	case k.MD5 == nil:
		return refused(CustomerKeyMD5Header, "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.")
	}
	b := k.Bytes()
	if b == nil {
		return refused(CustomerKeyHeader, "The secret key was invalid for the specified algorithm.")
	}
	if sum := md5.Sum(b); base64.StdEncoding.EncodeToString(sum[:]) != *k.MD5 {
		return refused(CustomerKeyMD5Header, "The calculated MD5 hash of the key did not match the hash that was provided.")
	}
	return nil
}

// CustomerHeader is the name of a header of SSE-C; prefix is [CopySourceHeader], or empty.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_RequestSyntax
func CustomerHeader(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + strings.TrimPrefix(name, "x-amz-")
}

// saltSize is how many bytes of a verifier are its salt.
const saltSize = 16

// Verifier is what is kept of a key, to know it again: as S3 has it, a salted MAC. Nobody can make the key of it.
func (k CustomerKey) Verifier() string {
	if !k.Given() {
		return ""
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // It never fails.
	return base64.StdEncoding.EncodeToString(k.verifier(salt))
}

// verifier is the salt that v begins with, and the MAC that goes with it.
func (k CustomerKey) verifier(v []byte) []byte {
	salt := v[:saltSize:saltSize]
	mac := hmac.New(sha256.New, k.Bytes())
	mac.Write(salt)
	return mac.Sum(salt)
}

// verifies reports whether v was made of this key.
func (k CustomerKey) verifies(v string) bool {
	b, err := base64.StdEncoding.DecodeString(v)
	return err == nil && len(b) > saltSize && k.Given() && hmac.Equal(b, k.verifier(b))
}

// errNeedsKey is the answer to a request without the key that an object was written with.
func errNeedsKey() error {
	return s3err.Newf(s3err.InvalidRequest, "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
}

// errNoKey is the answer to a key for what was written without.
func errNoKey() error {
	return s3err.Newf(s3err.InvalidRequest, "The encryption parameters are not applicable to this object.")
}

// CheckKey judges the key in a read of an object that is encrypted so: InvalidRequest when there is to be one and is
// none, or the other way about; AccessDenied for another.
func (e *Encryption) CheckKey(k CustomerKey) error {
	switch {
	case e.Customer == "" && k.Given():
		return errNoKey()
	case e.Customer == "":
		return nil
	case !k.Given():
		return errNeedsKey()
	case !k.verifies(e.Customer):
		return s3err.New(s3err.AccessDenied)
	}
	return nil
}

// NeedsKey reports whether err is the answer to a read without the key that the object was written with: then there is
// an object.
func NeedsKey(err error) bool { return s3err.Is(err, s3err.InvalidRequest) }

// CheckPartKey judges the key in an upload of a part, of an object that is to be encrypted so.
func (e *Encryption) CheckPartKey(k CustomerKey) error {
	switch {
	case e.Customer == "" && k.Given():
		return errNoKey()
	case e.Customer == "":
		return nil
	case !k.Given():
		return s3err.Newf(s3err.InvalidRequest, "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
	case !k.verifies(e.Customer):
		return s3err.Newf(s3err.InvalidRequest, "The provided encryption parameters did not match the ones used originally.")
	}
	return nil
}

// Hides reports whether the ETag of an object that is encrypted so is no digest of its bytes.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
func (e *Encryption) Hides() bool {
	return e.Customer != "" || e.Algorithm != "" && e.Algorithm != types.ServerSideEncryptionAes256
}

// Asked is what a writer asks for in the fields of an SDK input.
func Asked(algorithm types.ServerSideEncryption, keyID, kmsContext *string, bucketKey *bool, k CustomerKey) Encryption {
	return Encryption{
		Algorithm: algorithm, KMSKeyID: value(keyID), Context: value(kmsContext),
		BucketKey: bucketKey != nil && *bucketKey, Customer: k.Verifier(),
	}
}

// Shown is what the fields of an SDK output tell of e to who came with that key.
func (e *Encryption) Shown(k CustomerKey) (algorithm types.ServerSideEncryption, keyID *string, bucketKey *bool, customer, customerMD5 *string) {
	if e.BucketKey {
		bucketKey = &e.BucketKey
	}
	if e.Customer != "" {
		customer, customerMD5 = k.Algorithm, k.MD5
	}
	return e.Algorithm, optional(e.KMSKeyID), bucketKey, customer, customerMD5
}

// PutKey is the key of a PutObject.
func PutKey(in *s3.PutObjectInput) CustomerKey {
	return CustomerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
}

// GetKey is the key of a GetObject.
func GetKey(in *s3.GetObjectInput) CustomerKey {
	return CustomerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
}

// HeadKey is the key of a HeadObject.
func HeadKey(in *s3.HeadObjectInput) CustomerKey {
	return CustomerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
}

// AttributesKey is the key of a GetObjectAttributes.
func AttributesKey(in *s3.GetObjectAttributesInput) CustomerKey {
	return CustomerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
}

// CopyKey is the key of what a CopyObject writes.
func CopyKey(in *s3.CopyObjectInput) CustomerKey {
	return CustomerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
}

// CopySourceKey is the key of what a CopyObject reads.
func CopySourceKey(in *s3.CopyObjectInput) CustomerKey {
	return CustomerKey{in.CopySourceSSECustomerAlgorithm, in.CopySourceSSECustomerKey, in.CopySourceSSECustomerKeyMD5}
}

// UploadKey is the key of a CreateMultipartUpload.
func UploadKey(in *s3.CreateMultipartUploadInput) CustomerKey {
	return CustomerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
}

// PartKey is the key of an UploadPart.
func PartKey(in *s3.UploadPartInput) CustomerKey {
	return CustomerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
}

// PartCopyKey is the key of what an UploadPartCopy writes.
func PartCopyKey(in *s3.UploadPartCopyInput) CustomerKey {
	return CustomerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
}

// PartCopySourceKey is the key of what an UploadPartCopy reads.
func PartCopySourceKey(in *s3.UploadPartCopyInput) CustomerKey {
	return CustomerKey{in.CopySourceSSECustomerAlgorithm, in.CopySourceSSECustomerKey, in.CopySourceSSECustomerKeyMD5}
}

// HeadKeyless is HeadObject for who cannot have the key of an object: of one that was written with a customer's, it tells
// what a listing does, how many tags it has, and that it is such a one by SSECustomerAlgorithm.
func HeadKeyless(ctx context.Context, b Backend, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	out, err := b.HeadObject(ctx, in)
	if !NeedsKey(err) {
		return out, err
	}
	algorithm := string(types.ServerSideEncryptionAes256)
	if in.VersionId != nil { // Listings do not tell of it.
		return &s3.HeadObjectOutput{SSECustomerAlgorithm: &algorithm, VersionId: in.VersionId}, nil
	}
	o, err := listedAt(ctx, b, in)
	if err != nil {
		return nil, err
	}
	if in.IfMatch != nil && value(in.IfMatch) != value(o.ETag) {
		return nil, preconditionFailed(ifMatch)
	}
	out = &s3.HeadObjectOutput{
		ContentLength: o.Size, ETag: o.ETag, LastModified: o.LastModified,
		StorageClass: types.StorageClass(o.StorageClass), SSECustomerAlgorithm: &algorithm,
	}
	t, ok := As[Tagger](b)
	if !ok {
		return out, nil
	}
	tags, err := t.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: in.Bucket, Key: in.Key})
	if err != nil {
		return nil, err
	}
	out.TagCount = TagCount(TagsOf(&types.Tagging{TagSet: tags.TagSet}))
	return out, nil
}

// listedAt is what a listing shows under a key. The key itself comes before all others that begin with it.
func listedAt(ctx context.Context, b Backend, in *s3.HeadObjectInput) (*types.Object, error) {
	one := int32(1)
	page, err := b.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: in.Bucket, Prefix: in.Key, MaxKeys: &one})
	if err != nil {
		return nil, err
	}
	if len(page.Contents) == 0 || value(page.Contents[0].Key) != value(in.Key) {
		return nil, s3err.New(s3err.NoSuchKey)
	}
	return &page.Contents[0], nil
}
