package backendtest

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// Ability is a promise of the contract that a store cannot keep when the
// service behind it does not. The suite then holds it to saying so: what is not
// done is refused, and nothing is written.
type Ability string

// What services lack. [Options].Lacks says why.
const (
	ConditionalDelete Ability = "conditional delete" // IfMatch guards DeleteObject; else NotImplemented
	DeleteIfUnchanged Ability = "delete if size and time match"
	StorageClasses    Ability = "storage classes"                     // are kept; else InvalidStorageClass
	ListUploads       Ability = "list uploads"                        // else NotImplemented
	UploadOrder       Ability = "order of uploads"                    // else those of a key are listed in any order
	ListedChecksums   Ability = "checksums in listings"               // the algorithm; else none is shown
	PartChecksums     Ability = "checksums of parts in reads"         // else none is shown
	MoreChecksums     Ability = "checksums of MD5, SHA512 and XXHASH" // are kept; else there is CRC64NVME in place of them
	AbortAnswers      Ability = "abort answers"                       // NoSuchUpload; else aborting what is gone is no error
	AtomicAbort       Ability = "atomic abort"                        // else it may fail, or be lost, when a Complete runs at the same time
	ManagedKeys       Ability = "encryption with keys of the store's" // SSE-S3; else NotImplemented
	KMSKeys           Ability = "encryption with keys of KMS"         // else NotImplemented
	CustomerKeys      Ability = "encryption with keys of customers"   // SSE-C; else NotImplemented
	AllKeys           Ability = "all keys"                            // else keys are paths of files, and what is none is refused
)

// lacks reports whether the backend lacks an ability, and says why.
func (e *env) lacks(a Ability) bool {
	why, ok := e.options.Lacks[a]
	if ok {
		e.Logf("no %s: %s", a, why)
	}
	return ok
}

// kept is the checksum that the backend keeps where one of a and kind is wanted.
func (e *env) kept(a types.ChecksumAlgorithm, kind types.ChecksumType) (types.ChecksumAlgorithm, types.ChecksumType) {
	if checksum.Early(a) || !e.lacks(MoreChecksums) {
		return a, kind
	}
	return types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeFullObject
}

// partsKind is the type of checksums of a that uploads have when nobody chooses.
func partsKind(a types.ChecksumAlgorithm) types.ChecksumType {
	if checksum.ValidType(a, types.ChecksumTypeComposite) {
		return types.ChecksumTypeComposite
	}
	return types.ChecksumTypeFullObject
}

// fit leaves out the keys that are directories of others, where keys are paths
// and there cannot be both.
func (e *env) fit(keys ...string) []string {
	if !e.lacks(AllKeys) {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		return notPath(key) || slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, key+"/") })
	})
}

// notPath reports whether a key names no file or directory.
func notPath(key string) bool {
	return strings.HasPrefix(key, "/") || strings.Contains(key, "//") ||
		slices.ContainsFunc(strings.Split(key, "/"), func(s string) bool { return s == "." || s == ".." })
}

// bodyFor is body, and empty for a directory where keys are paths.
func (e *env) bodyFor(key, body string) string {
	if _, ok := e.options.Lacks[AllKeys]; ok && strings.HasSuffix(key, "/") {
		return ""
	}
	return body
}

// storageClass checks that a class which is not kept is refused, and reports
// whether classes are kept.
func (e *env) storageClass() bool {
	e.Helper()
	if !e.lacks(StorageClasses) {
		return true
	}
	class := func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassStandardIa }
	_, err := e.tryPut("classy", "x", class)
	e.refused(err, s3err.InvalidStorageClass)
	e.missing("classy")
	return false
}

// deletes checks that a condition on DeleteObject which does not hold is
// refused as not implemented where it would be overlooked, and reports
// whether it would be judged.
func (e *env) deletes(a Ability, in s3.DeleteObjectInput) bool {
	e.Helper()
	if !e.lacks(a) {
		return true
	}
	e.put("kept", "kept")
	in.Bucket, in.Key = &e.bucket, new("kept")
	_, err := e.b.DeleteObject(e.Context(), &in)
	e.refused(err, s3err.NotImplemented)
	e.holds("kept", "kept")
	e.remove("kept")
	return false
}

// listsUploads checks that ListMultipartUploads is refused where it would not
// list all, and reports whether it lists.
func (e *env) listsUploads() bool {
	e.Helper()
	if !e.lacks(ListUploads) {
		return true
	}
	_, err := e.uploader().ListMultipartUploads(e.Context(), &s3.ListMultipartUploadsInput{Bucket: &e.bucket})
	e.refused(err, s3err.NotImplemented)
	return false
}

// open checks which uploads are unfinished, where they can be listed.
func (e *env) open(want []string) {
	e.Helper()
	if e.listsUploads() {
		e.same("uploads", e.uploads(s3.ListMultipartUploadsInput{}), e.inOrder(want))
	}
}

// inOrder is a list of uploads as they were begun; in any one order where
// they are not listed so.
func (e *env) inOrder(uploads []string) []string {
	if e.lacks(UploadOrder) {
		uploads = slices.Clone(uploads)
		slices.Sort(uploads)
	}
	return uploads
}
