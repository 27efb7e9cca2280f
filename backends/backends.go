// Package backends is the storage contract: what every store, and every
// composition of stores, does for the S3 operations. The words and the input
// and output types are S3's own, from aws-sdk-go-v2.
//
// # The contract
//
// It is written down here once and held by the suite in backendtest.
//
//   - Bucket, Key, CopySource and UploadId are names in the callee's own
//     namespace. A composition edits a shallow copy of the input; nobody
//     changes an input that was passed to it.
//   - nil means absent. Strings are raw bytes as S3 sees them, never
//     URL-encoded; EncodingType is not set (the edge encodes).
//   - ETags carry their quotes, in inputs (IfMatch) and in outputs.
//   - Errors are *s3err.Error, possibly wrapped, with S3's code. Their
//     messages hold no names that the callee invented.
//   - A call returns when ctx ends, with an error; it leaves no work behind.
//   - After a write returned nil the write is durable and every later read
//     sees it. After it returned an error, the old state stands (or, when the
//     error is not definite such as a time-out, old or new, and never a mix).
//   - Conditions are atomic with the write they guard.
//   - Implementations are safe for concurrent use.
package backends

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Backend is the least that a virtual bucket needs. Abilities beyond it are
// the optional interfaces below, found with [As].
type Backend interface {
	ObjectReader
	ObjectWriter
	Lister
}

// ObjectReader reads objects.
type ObjectReader interface {
	// GetObject returns an object, or the part of it that Range or PartNumber
	// select. out.Body is never nil when err is nil; the caller closes it.
	// out.ContentLength is the length of Body; out.ContentRange is set exactly
	// when Range or PartNumber selected something (the edge answers 206). A Body
	// that cannot be delivered whole ends in an error other than io.EOF.
	//
	// Conditions are judged as [CheckRead] does: NotModified or PreconditionFailed.
	// Range as [ParseRange] does: InvalidRange when it is unsatisfiable, ignored
	// when it is malformed or has several ranges. NoSuchKey, NoSuchBucket.
	// Checksums are returned only when ChecksumMode is ENABLED and the whole
	// object or a whole part is read. Response* overrides are the edge's affair.
	//
	// An object that was written with a customer's key (SSE-C) is read with that key only, by all readers: InvalidRequest
	// without it, and for a key when there is none; AccessDenied for another. Outputs tell how the object is encrypted where it is
	// stored, and nothing when it is not.
	GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error)

	// HeadObject is GetObject without a body, with the same headers: ranges
	// and part numbers give the same ContentLength and ContentRange. Its
	// error for a missing object is NoSuchKey.
	HeadObject(context.Context, *s3.HeadObjectInput) (*s3.HeadObjectOutput, error)
}

// ObjectWriter changes objects.
type ObjectWriter interface {
	// PutObject stores Body under Key. ContentLength is always set. Body ends in
	// io.EOF after exactly that many bytes, or in another error, and then
	// nothing is stored and that error is returned: the edge verifies
	// signatures, digests and checksums in the reader.
	//
	// ChecksumAlgorithm is set by the edge (CRC64NVME unless the client chose);
	// the backend calculates that checksum, stores it and returns it. Values in
	// Checksum* are verified by the reader, or by the store behind; a backend
	// need not look at them.
	//
	// IfMatch, IfNoneMatch ("*" only) as [CheckWrite] judges them:
	// PreconditionFailed, or NoSuchKey for IfMatch on a missing key.
	//
	// ServerSideEncryption and what goes with it, or SSECustomer*, which the edge has checked, are done and told of, or
	// refused with NotImplemented: never overlooked. With a key of KMS or a customer's the ETag is no MD5. This is
	// so for all writes.
	PutObject(context.Context, *s3.PutObjectInput) (*s3.PutObjectOutput, error)

	// CopyObject copies src, read as GetObject would, to in.Bucket and in.Key.
	// in.CopySource is not used. CopySourceIf* guard the source: PreconditionFailed.
	// IfMatch and IfNoneMatch guard the destination. MetadataDirective COPY (the default)
	// keeps the source's metadata and system headers, REPLACE takes in's. Encryption is always in's; the key that the
	// source was written with is in CopySourceSSECustomer*. A copy onto itself
	// that changes nothing is InvalidRequest. The checksum is kept unless
	// ChecksumAlgorithm asks for another. The copy is one part with an MD5 ETag.
	// Sources over 5 GiB are InvalidRequest.
	CopyObject(ctx context.Context, src CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error)

	// DeleteObject removes Key; that it was not there is no error. IfMatch ("*" or
	// an ETag), IfMatchLastModifiedTime and IfMatchSize as [CheckDelete] judges them.
	DeleteObject(context.Context, *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error)

	// DeleteObjects removes up to 1,000 keys and reports on each, in the order
	// given, in Deleted (also when Quiet: the edge leaves those out) or Errors.
	// Only a failure that concerns all keys is an error.
	DeleteObjects(context.Context, *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error)
}

// Lister lists objects.
type Lister interface {
	// ListObjectsV2 lists keys in byte order. An entry is a key, or a common
	// prefix that stands for all keys under it. It returns the first MaxKeys (0 to 1,000;
	// nil is 1,000) entries that begin with Prefix and are greater than StartAfter,
	// comparing the entry itself: with Delimiter "/" and StartAfter "a/b", the common
	// prefix "a/" is not shown. So the last entry of a page is the next page's StartAfter.
	// IsTruncated is true exactly when a further entry exists, and never for MaxKeys 0.
	// ContinuationToken is not used. Owner is left nil. A page costs
	// reads in proportion to its entries, not to the keys below its prefixes.
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error)
}

// Versioned is a bucket that keeps versions of its objects. VersionIds are opaque; nil
// is the current version. What they do, in the other operations:
//
//   - Reads of a VersionId: NoSuchVersion when there is none, InvalidArgument when no version
//     has such an id, MethodNotAllowed when it is a delete marker. Reads of the current version are
//     NoSuchKey when it is a delete marker. Errors because of a marker carry the headers
//     x-amz-delete-marker and x-amz-version-id (and Last-Modified).
//   - Reads and writes return the VersionId that was read or written, "null" for the null
//     version; a bucket that never had versions returns nil.
//   - DeleteObject without VersionId inserts a delete marker: DeleteMarker and its VersionId are returned. With
//     one it removes that version for good; DeleteMarker says whether it was a marker. That
//     there is no such version is no error.
//   - DeleteObjects returns DeleteMarker and DeleteMarkerVersionId likewise, and the VersionId that
//     was asked for.
//   - Conditions of writes and deletions are about the current version; a delete marker is no object.
//   - Reads and listings look at the moment that [Request].AsOf says.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
type Versioned interface {
	// ListObjectVersions lists versions and delete markers: by key, those of a key the newest
	// first. Prefix, Delimiter and MaxKeys as ListObjectsV2 has them; after KeyMarker, that is greater keys
	// and, when VersionIdMarker is given, the older versions of the same key. Both markers
	// of the next page are set exactly when there is one; after a common prefix it is the key
	// alone. LastModified has milliseconds, so that one can tell in which order the
	// Versions and DeleteMarkers of a key come.
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error)
}

// Tagger keeps tags of objects: every store, unless the service behind it has none. They are checked by the edge.
//
//   - A write gives its object the tags in Tagging, which [ParseTags] reads, and no others: those of the object
//     that it replaces are gone. A multipart upload has those that it was begun with. A store without tags
//     refuses a write that has some: NotImplemented.
//   - CopyObject takes the source's tags along, unless TaggingDirective is REPLACE: then it takes in's. A directive
//     alone changes nothing of an object that is copied onto itself.
//   - Reads tell how many there are in TagCount; nil when there are none.
//   - Changing tags changes neither LastModified nor ETag. It is atomic: what it changes is the object that is there, and none
//     comes to be, or comes back, because of it.
//   - VersionId as [Versioned] has it. NoSuchKey, NoSuchBucket.
type Tagger interface {
	// GetObjectTagging returns the tags, in any order; TagSet is empty when there are none.
	GetObjectTagging(context.Context, *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error)
	// PutObjectTagging replaces all tags.
	PutObjectTagging(context.Context, *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error)
	// DeleteObjectTagging removes all tags; that there are none is no error.
	DeleteObjectTagging(context.Context, *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error)
}

// MultipartUploader does multipart uploads. Part numbers are 1 to 10,000,
// checked by the edge.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
type MultipartUploader interface {
	// CreateMultipartUpload begins an upload with the metadata of the object to
	// be. Without ChecksumAlgorithm the client named none, and the store gives the object and its parts
	// S3's default, CRC64NVME of the whole ([UploadChecksum]). What is shown of the upload here, by
	// ListMultipartUploads, ListParts and UploadPartCopy is what was named ([Checksum.Named]), but for a store that asked another
	// for the default and no longer knows. UploadIds are never reused.
	CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error)

	// UploadPart stores one part, with PutObject's rules for Body and checksums;
	// a part that is uploaded again replaces the earlier one. The algorithm is the
	// upload's; InvalidRequest for another, unless that is CRC64NVME, and for NoChecksum when the upload is COMPOSITE. So is the customer's key: InvalidRequest. NoSuchUpload, also when UploadId belongs to another key.
	UploadPart(context.Context, *s3.UploadPartInput) (*s3.UploadPartOutput, error)

	// UploadPartCopy stores a part from src, or from in.CopySourceRange of it
	// (which must be "bytes=N-M" inside the source: else InvalidArgument).
	// CopySourceIf* as in CopyObject.
	UploadPartCopy(ctx context.Context, src CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error)

	// CompleteMultipartUpload makes the object of the listed parts. InvalidPart for a
	// part that is not there or has another ETag or checksum, InvalidPartOrder, EntityTooSmall for
	// a part under 5 MiB that is not the last, InvalidRequest for another MpuObjectSize or
	// ChecksumType, or when parts of a COMPOSITE upload are listed without checksums, BadDigest for another Checksum*. Conditions as PutObject's. The
	// ETag is "md5(md5s)-N". Completing again with the same parts gives the same answer, as long
	// as the object it made is the current one.
	CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error)

	// AbortMultipartUpload ends the upload and frees its parts. NoSuchUpload. IfMatchInitiatedTime as [CheckAbort]
	// judges it.
	AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error)

	// ListParts lists parts by number, after PartNumberMarker, at most MaxParts
	// (0 to 1,000; nil is 1,000). NextPartNumberMarker is the last one shown.
	ListParts(context.Context, *s3.ListPartsInput) (*s3.ListPartsOutput, error)

	// ListMultipartUploads lists uploads by key, those of a key in the order they were initiated, with
	// Prefix and Delimiter as ListObjectsV2 has them, after KeyMarker: uploads of greater keys and, when
	// UploadIdMarker is given, those of the same key after it. A common prefix counts as one.
	ListMultipartUploads(context.Context, *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error)
}

// UploadPlacer is a store that can make the object of an upload at another place than the upload's.
type UploadPlacer interface {
	// CompleteUploadAt is CompleteMultipartUpload, but that the object is at key, which nobody else writes, of the
	// same bucket, and has metadata beside that of the upload. Conditions are not used. Completing again is NoSuchUpload.
	CompleteUploadAt(ctx context.Context, in *s3.CompleteMultipartUploadInput, key string, metadata map[string]string) (*s3.CompleteMultipartUploadOutput, error)
}

// BucketManager makes and removes physical buckets.
type BucketManager interface {
	// CreateBucket makes a bucket. BucketAlreadyOwnedByYou when it exists.
	CreateBucket(context.Context, *s3.CreateBucketInput) (*s3.CreateBucketOutput, error)
	// HeadBucket fails with NoSuchBucket when the bucket does not exist.
	HeadBucket(context.Context, *s3.HeadBucketInput) (*s3.HeadBucketOutput, error)
	// DeleteBucket removes an empty bucket and its unfinished uploads; no write that
	// was acknowledged can be lost to it. BucketNotEmpty, NoSuchBucket.
	DeleteBucket(context.Context, *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error)
}

// CopySource names the object that a copy reads, in the callee's namespace.
type CopySource struct {
	Bucket    string
	Key       string
	VersionID string // empty: the current version
}

// Abilities is a composition that has the methods of an ability and can do as much only when what it is made
// of does. A is a nil pointer to the interface: (*Versioned)(nil).
type Abilities interface {
	Can(a any) bool
}

// As finds an optional ability of b: b itself, or what b says it is made of. That b has the methods is not
// enough when it implements [Abilities], so abilities are asked for here and never by a type assertion.
func As[T any](b Backend) (T, bool) {
	for {
		if t, ok := b.(T); ok {
			if c, ok := b.(Abilities); !ok || c.Can((*T)(nil)) {
				return t, true
			}
		}
		u, ok := b.(interface{ Unwrap() Backend })
		if !ok {
			var zero T
			return zero, false
		}
		b = u.Unwrap()
	}
}

// Passing says which abilities to keep versions, tags and locks, and to rename, a composition has that is made of backends: those
// that one of them has. Others it has.
func Passing(a any, of ...Backend) bool {
	switch a.(type) {
	case *Versioned:
		return oneHas[Versioned](of)
	case *Tagger:
		return oneHas[Tagger](of)
	case *Locker:
		return oneHas[Locker](of)
	case *Renamer:
		return oneHas[Renamer](of)
	}
	return true
}

// oneHas reports whether one of the backends has an ability.
func oneHas[T any](all []Backend) bool {
	for _, b := range all {
		if _, ok := As[T](b); ok {
			return true
		}
	}
	return false
}
