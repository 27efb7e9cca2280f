package s3backend

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// Capabilities is what a service can do of what S3 services do not all do. What
// it cannot is refused before anything is written; only checksums are left out
// silently, since a write without one is still a write.
type Capabilities struct {
	PutIfAbsent       bool `json:"putIfAbsent"`       // If-None-Match: * guards PutObject
	PutIfMatch        bool `json:"putIfMatch"`        // If-Match guards PutObject
	CompleteIfAbsent  bool `json:"completeIfAbsent"`  // and CompleteMultipartUpload
	CompleteIfMatch   bool `json:"completeIfMatch"`   //
	CopyIfAbsent      bool `json:"copyIfAbsent"`      // and the destination of CopyObject
	CopyIfMatch       bool `json:"copyIfMatch"`       //
	DeleteIfMatch     bool `json:"deleteIfMatch"`     // and DeleteObject
	DeleteIfUnchanged bool `json:"deleteIfUnchanged"` // which x-amz-if-match-size and -last-modified-time guard, too
	DateConditions    bool `json:"dateConditions"`    // dates in conditions are compared by the second, as they are shown
	Checksums         bool `json:"checksums"`         // x-amz-checksum-* are verified and kept
	MoreChecksums     bool `json:"moreChecksums"`     // also with MD5, SHA512 and XXHASH; else objects get CRC64NVME in place of them
	DefaultChecksums  bool `json:"defaultChecksums"`  // uploads that name none have CRC64NVME, and take it with parts; else it is asked for
	ChunkedEncoding   bool `json:"chunkedEncoding"`   // aws-chunked is not kept as an object's Content-Encoding; else it is not sent
	Trailers          bool `json:"trailers"`          // checksums may follow the body
	WholeBodies       bool `json:"wholeBodies"`       // a body that breaks off is not stored, even when no checksum tells
	UploadPartCopy    bool `json:"uploadPartCopy"`    // also into uploads with checksums; else parts are copied through here
	StorageClasses    bool `json:"storageClasses"`    // x-amz-storage-class is kept
	ListUploads       bool `json:"listUploads"`       // ListMultipartUploads lists all of them
	ObjectParts       bool `json:"objectParts"`       // GetObjectAttributes lists the parts of an object, with their checksums
	ObjectTags        bool `json:"objectTags"`        // objects have tags, also from x-amz-tagging, which copies keep and reads count
	EncodedListings   bool `json:"encodedListings"`   // encoding-type=url: listings can show keys that XML cannot carry
	ExactListings     bool `json:"exactListings"`     // IsTruncated is true exactly when there is more
	Encryption        bool `json:"encryption"`        // x-amz-server-side-encryption: AES256 is done, and told of
	KMS               bool `json:"kms"`               // aws:kms likewise, with a key that is named or without
	CustomerKeys      bool `json:"customerKeys"`      // and SSE-C
	AnyKey            bool `json:"anyKey"`            // keys are strings; else they are paths, and checkKey refuses what is none
}

// All is a service that does what S3 documents; AWS.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html says that
// conditions on size and time are for directory buckets only. That its uploads have a default checksum is documented, and
// also that the checksum of a part must be the one that the upload named: whether both go together a probe must show.
func All() Capabilities {
	return Capabilities{
		PutIfAbsent: true, PutIfMatch: true, CompleteIfAbsent: true, CompleteIfMatch: true,
		CopyIfAbsent: true, CopyIfMatch: true, DeleteIfMatch: true,
		DateConditions: true, WholeBodies: true, Checksums: true, MoreChecksums: true, ChunkedEncoding: true, Trailers: true, UploadPartCopy: true, StorageClasses: true, ListUploads: true, ObjectParts: true, ObjectTags: true,
		EncodedListings: true, ExactListings: true, Encryption: true, KMS: true, CustomerKeys: true, AnyKey: true,
	}
}

// Cautious is a service of which nothing is known: what S3 could do from its
// beginning, which everyone copied.
func Cautious() Capabilities {
	return Capabilities{WholeBodies: true, UploadPartCopy: true, ListUploads: true, StorageClasses: true}
}

// profile is what is known of the services at a host.
func profile(host string) Capabilities {
	host = strings.ToLower(host)
	for _, domain := range []string{"amazonaws.com", "amazonaws.com.cn"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return All()
		}
	}
	return Cautious()
}

// keeps is the checksum that the service keeps of an object that a client wants one of a for: its algorithm, and
// none when the service keeps none. A client whose checksum is not kept has it verified all the same, by
// whoever reads its body first, and is told what there is instead.
func (c *Capabilities) keeps(a types.ChecksumAlgorithm) types.ChecksumAlgorithm {
	switch {
	case !c.Checksums:
		return ""
	case a == "" || checksum.Early(a) || c.MoreChecksums:
		return a
	}
	return types.ChecksumAlgorithmCrc64nvme
}

// uploadChecksum is what the service is asked for when an upload begins. S3's default it may have by itself.
func (c *Capabilities) uploadChecksum(in *s3.CreateMultipartUploadInput) backends.Checksum {
	want := backends.UploadChecksum(in)
	if want.Default && c.DefaultChecksums {
		return backends.Checksum{}
	}
	switch kept := c.keeps(want.Algorithm); kept {
	case "":
		return backends.Checksum{}
	case want.Algorithm:
		return want
	default:
		return backends.Checksum{Algorithm: kept, Type: types.ChecksumTypeFullObject}
	}
}

// checkClass refuses storage classes that the service would overlook.
func (b *Backend) checkClass(class types.StorageClass) error {
	if class == "" || class == types.StorageClassStandard || b.can.Load().StorageClasses {
		return nil
	}
	return s3err.New(s3err.InvalidStorageClass).With("StorageClassRequested", string(class)).Because(errCannot)
}

// cannot is the refusal of what the service cannot do. The operator may find that it
// can: by check --probe, or xronoxProxy.connections.NAME.capabilities.
func cannot(message, header string) *s3err.Error {
	e := s3err.Newf(s3err.NotImplemented, "%s", message).Because(errCannot)
	if header != "" {
		e = e.With("Header", header)
	}
	return e
}

// errCannot is what the operator may do about it.
var errCannot = errors.New("the connection's capabilities say so; see check --probe, and capabilities: probe")

// maxSegment is the longest name of a file.
const maxSegment = 255

// checkKey refuses keys that the service would take for other keys, fail at, or
// keep and not be able to list.
func (b *Backend) checkKey(key *string) error {
	can := b.can.Load()
	if key == nil || (can.AnyKey || isPath(*key)) && (can.EncodedListings || inXML(*key)) {
		return nil
	}
	return s3err.Newf(s3err.InvalidArgument, "The storage of this bucket cannot keep an object of this key.")
}

// isPath reports whether a key is a path of names of files, perhaps with a
// slash at its end.
func isPath(key string) bool {
	segments := strings.Split(strings.TrimSuffix(key, "/"), "/")
	return !slices.ContainsFunc(segments, func(s string) bool {
		return s == "" || s == "." || s == ".." || len(s) > maxSegment || strings.ContainsRune(s, 0)
	})
}

// inXML reports whether an XML document can carry a key.
//
// https://www.w3.org/TR/xml/#charsets
func inXML(key string) bool {
	return utf8.ValidString(key) && !strings.ContainsFunc(key, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
	})
}
