// Package checksum is the arithmetic of S3's additional checksums: the
// algorithms, their headers and their encoding, how the checksums of parts
// become that of an object, and where the SDK's types keep them.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
package checksum

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cespare/xxhash/v2"
	"github.com/minio/crc64nvme"
	"github.com/zeebo/xxh3"
)

// headerPrefix is what all checksum headers begin with.
const headerPrefix = "x-amz-checksum-"

// algorithms are the ones S3 verifies, in the order in which it names them to
// clients that asked for another.
var algorithms = []types.ChecksumAlgorithm{
	types.ChecksumAlgorithmCrc32,
	types.ChecksumAlgorithmCrc32c,
	types.ChecksumAlgorithmCrc64nvme,
	types.ChecksumAlgorithmMd5,
	types.ChecksumAlgorithmSha1,
	types.ChecksumAlgorithmSha256,
	types.ChecksumAlgorithmSha512,
	types.ChecksumAlgorithmXxhash128,
	types.ChecksumAlgorithmXxhash3,
	types.ChecksumAlgorithmXxhash64,
}

// castagnoli is the polynomial of CRC32C.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// All returns the algorithms that this package knows; the caller owns the slice.
func All() []types.ChecksumAlgorithm { return slices.Clone(algorithms) }

// Early reports whether a is one of the five algorithms that S3 had before it got
// MD5, SHA512 and XXHASH. Most other services know no more, if they know any.
func Early(a types.ChecksumAlgorithm) bool {
	switch a {
	case types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme,
		types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256:
		return true
	}
	return false
}

// Parse returns the algorithm of that name, in any case; false when there is none.
func Parse(name string) (types.ChecksumAlgorithm, bool) {
	for _, a := range algorithms {
		if strings.EqualFold(name, string(a)) {
			return a, true
		}
	}
	return "", false
}

// HeaderName returns the header, and trailer, that carries a value of a:
// "x-amz-checksum-crc32".
func HeaderName(a types.ChecksumAlgorithm) string {
	return headerPrefix + strings.ToLower(string(a))
}

// FromHeader returns the algorithm whose value a header carries; names are
// compared without case. x-amz-checksum-type and the like are no algorithms.
func FromHeader(name string) (types.ChecksumAlgorithm, bool) {
	if len(name) < len(headerPrefix) || !strings.EqualFold(name[:len(headerPrefix)], headerPrefix) {
		return "", false
	}
	return Parse(name[len(headerPrefix):])
}

// New returns a hash whose Sum is what S3 encodes: numbers are big-endian, also
// those of XXHASH, whose seed is 0.
// It panics for an algorithm that [Parse] does not return.
func New(a types.ChecksumAlgorithm) hash.Hash {
	switch a {
	case types.ChecksumAlgorithmCrc32:
		return crc32.NewIEEE()
	case types.ChecksumAlgorithmCrc32c:
		return crc32.New(castagnoli)
	case types.ChecksumAlgorithmCrc64nvme:
		return crc64nvme.New()
	case types.ChecksumAlgorithmMd5:
		return md5.New()
	case types.ChecksumAlgorithmSha1:
		return sha1.New()
	case types.ChecksumAlgorithmSha256:
		return sha256.New()
	case types.ChecksumAlgorithmSha512:
		return sha512.New()
	case types.ChecksumAlgorithmXxhash128:
		return xxh3.New128()
	case types.ChecksumAlgorithmXxhash3:
		return xxh3.New()
	case types.ChecksumAlgorithmXxhash64:
		return xxhash.New()
	}
	panic("BUG: checksum: unknown algorithm " + strconv.Quote(string(a)))
}

// Encode returns sum as headers and documents carry it.
func Encode(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }

// Decode is the inverse of [Encode]; false when s is not base64 or not of a's length.
func Decode(a types.ChecksumAlgorithm, s string) ([]byte, bool) {
	sum, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(sum) != size(a) || strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	return sum, true
}

// IsObjectSum reports whether s can be the checksum of an object: a sum, with or
// without "-" and a number of parts.
func IsObjectSum(a types.ChecksumAlgorithm, s string) bool {
	sum, parts, composite := strings.Cut(s, "-")
	if _, ok := Decode(a, sum); !ok {
		return false
	}
	n, err := strconv.ParseUint(parts, 10, 16)
	return !composite || err == nil && n > 0
}

// size is the length of a's sums in bytes; 0 for an unknown algorithm.
func size(a types.ChecksumAlgorithm) int {
	switch a {
	case types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c:
		return crc32.Size
	case types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmXxhash3, types.ChecksumAlgorithmXxhash64:
		return crc64nvme.Size
	case types.ChecksumAlgorithmMd5, types.ChecksumAlgorithmXxhash128:
		return md5.Size
	case types.ChecksumAlgorithmSha1:
		return sha1.Size
	case types.ChecksumAlgorithmSha256:
		return sha256.Size
	case types.ChecksumAlgorithmSha512:
		return sha512.Size
	}
	return 0
}
