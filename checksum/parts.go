package checksum

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// crc64NVME is the reversed polynomial of CRC64NVME.
const crc64NVME = 0x9a6c9329ac4bc9b5

// ValidType reports whether S3 makes checksums of type t with a for multipart
// uploads: FULL_OBJECT needs a CRC, since only those of parts make that of the
// whole, and CRC64NVME is never COMPOSITE.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html#Full-object-checksums
func ValidType(a types.ChecksumAlgorithm, t types.ChecksumType) bool {
	switch t {
	case types.ChecksumTypeFullObject:
		return isCRC(a)
	case types.ChecksumTypeComposite:
		return size(a) > 0 && a != types.ChecksumAlgorithmCrc64nvme
	}
	return false
}

// isCRC reports whether sums of a can be combined.
func isCRC(a types.ChecksumAlgorithm) bool {
	_, poly := polynomial(a)
	return poly != 0
}

// polynomial returns the width and the reversed polynomial of a CRC, else zeros.
func polynomial(a types.ChecksumAlgorithm) (width uint, poly uint64) {
	switch a {
	case types.ChecksumAlgorithmCrc32:
		return 32, crc32.IEEE
	case types.ChecksumAlgorithmCrc32c:
		return 32, crc32.Castagnoli
	case types.ChecksumAlgorithmCrc64nvme:
		return 64, crc64NVME
	}
	return 0, 0
}

// Combine returns the checksum of the concatenation of parts, given theirs and
// their lengths. Only CRCs combine; it panics for others, and for sums that
// are not of a's length.
func Combine(a types.ChecksumAlgorithm, sums [][]byte, sizes []int64) []byte {
	width, poly := polynomial(a)
	if poly == 0 || len(sums) != len(sizes) {
		panic("BUG: checksum: cannot combine " + string(a))
	}
	var crc uint64
	for i, sum := range sums {
		if len(sum) != size(a) {
			panic(fmt.Sprintf("BUG: checksum: %s of %d bytes", a, len(sum)))
		}
		// Appending n bytes multiplies the CRC so far by x^8n; the initial and
		// final inversions cancel out.
		crc = mulmod(powmod(uint64(sizes[i]), width, poly), crc, width, poly)
		crc ^= bigEndian(sum)
	}
	out := binary.BigEndian.AppendUint64(nil, crc)
	return out[8-size(a):]
}

// bigEndian reads up to 8 bytes as a number.
func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// mulmod returns a·b modulo the polynomial. The numbers are polynomials over
// GF(2) in reversed notation: the highest bit is the coefficient of x⁰.
func mulmod(a, b uint64, width uint, poly uint64) (product uint64) {
	for m := uint64(1) << (width - 1); m != 0 && a != 0; m >>= 1 {
		if a&m != 0 {
			product ^= b
			a ^= m
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= poly
		}
	}
	return product
}

// powmod returns x^(8·n) modulo the polynomial.
func powmod(n uint64, width uint, poly uint64) uint64 {
	power := uint64(1) << (width - 1)  // x⁰
	square := uint64(1) << (width - 9) // x⁸
	for ; n != 0; n >>= 1 {
		if n&1 != 0 {
			power = mulmod(square, power, width, poly)
		}
		square = mulmod(square, square, width, poly)
	}
	return power
}

// Composite returns the checksum of checksums that S3 shows for a COMPOSITE
// multipart object: base64(hash(sums…)) followed by "-" and how many there are.
func Composite(a types.ChecksumAlgorithm, sums [][]byte) string {
	h := New(a)
	for _, sum := range sums {
		h.Write(sum)
	}
	return Encode(h.Sum(nil)) + "-" + strconv.Itoa(len(sums))
}
