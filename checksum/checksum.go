// Package checksum is the arithmetic of S3's additional checksums: the five
// algorithms, their headers and their encoding, how the checksums of parts
// become that of an object, and where the SDK's types keep them.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
package checksum

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/crc64nvme"
)

// headerPrefix is what all checksum headers begin with.
const headerPrefix = "x-amz-checksum-"

// algorithms are the ones S3 verifies, in the order of its documentation.
var algorithms = []types.ChecksumAlgorithm{
	types.ChecksumAlgorithmCrc32,
	types.ChecksumAlgorithmCrc32c,
	types.ChecksumAlgorithmCrc64nvme,
	types.ChecksumAlgorithmSha1,
	types.ChecksumAlgorithmSha256,
}

// castagnoli is the polynomial of CRC32C.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// All returns the algorithms that this package knows; the caller owns the slice.
func All() []types.ChecksumAlgorithm { return slices.Clone(algorithms) }

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

// New returns a hash whose Sum is what S3 encodes: CRCs are big-endian.
// It panics for an algorithm that [Parse] does not return.
func New(a types.ChecksumAlgorithm) hash.Hash {
	switch a {
	case types.ChecksumAlgorithmCrc32:
		return crc32.NewIEEE()
	case types.ChecksumAlgorithmCrc32c:
		return crc32.New(castagnoli)
	case types.ChecksumAlgorithmCrc64nvme:
		return crc64nvme.New()
	case types.ChecksumAlgorithmSha1:
		return sha1.New()
	case types.ChecksumAlgorithmSha256:
		return sha256.New()
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

// size is the length of a's sums in bytes; 0 for an unknown algorithm.
func size(a types.ChecksumAlgorithm) int {
	switch a {
	case types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c:
		return crc32.Size
	case types.ChecksumAlgorithmCrc64nvme:
		return crc64nvme.Size
	case types.ChecksumAlgorithmSha1:
		return sha1.Size
	case types.ChecksumAlgorithmSha256:
		return sha256.Size
	}
	return 0
}
