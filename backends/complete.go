package backends

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// MinPartSize is the least size of a part that is not the last.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const MinPartSize = 5 << 20

// PlanComplete judges a CompleteMultipartUpload and returns the object that it
// makes, but for its LastModified. upload is what [UploadMeta] gave, stored finds an
// uploaded part. The result's Parts are the chosen ones in order; the store
// looks up its bytes by their numbers. Conditions are [CheckWrite]'s affair.
func PlanComplete(upload ObjectMeta, stored func(number int32) (PartInfo, bool), in *s3.CompleteMultipartUploadInput) (ObjectMeta, error) {
	m := upload
	m.UploadID = value(in.UploadId)
	if in.ChecksumType != "" && in.ChecksumType != upload.Checksum.Type {
		return ObjectMeta{}, s3err.Newf(s3err.InvalidRequest,
			"The upload was created using the %s checksum mode. The complete request must use the same checksum mode.",
			upload.Checksum.Type)
	}
	var err error
	if m.Parts, err = chooseParts(upload.Checksum, stored, in); err != nil {
		return ObjectMeta{}, err
	}
	for _, p := range m.Parts {
		m.Size += p.Size
	}
	m.ETag = partsETag(m.Parts)
	m.Checksum.Value, m.Checksum.Default = partsChecksum(upload.Checksum, m.Parts), false
	if m.Checksum.Value == "" {
		m.Checksum = Checksum{}
	}
	if in.MpuObjectSize != nil && *in.MpuObjectSize != m.Size {
		return ObjectMeta{}, s3err.Newf(s3err.InvalidRequest,
			"The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d",
			*in.MpuObjectSize, m.Size)
	}
	return m, checkObjectChecksum(m.Checksum, in)
}

// chooseParts returns the stored parts that in lists.
func chooseParts(c Checksum, stored func(int32) (PartInfo, bool), in *s3.CompleteMultipartUploadInput) ([]PartInfo, error) {
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, s3err.New(s3err.MalformedXML)
	}
	listed := in.MultipartUpload.Parts
	for i, p := range listed {
		if p.PartNumber == nil || p.ETag == nil {
			return nil, s3err.New(s3err.MalformedXML)
		}
		if i > 0 && *p.PartNumber <= *listed[i-1].PartNumber {
			return nil, s3err.New(s3err.InvalidPartOrder).With("UploadId", value(in.UploadId))
		}
	}
	if err := CheckPartChecksums(c, listed); err != nil {
		return nil, err
	}
	parts := make([]PartInfo, len(listed))
	for i := range listed {
		part, ok := stored(*listed[i].PartNumber)
		if !ok || !samePart(c.Algorithm, part, &listed[i]) {
			return nil, s3err.New(s3err.InvalidPart).
				With("UploadId", value(in.UploadId)).
				With("PartNumber", strconv.Itoa(int(*listed[i].PartNumber))).
				With("ETag", bareETag(*listed[i].ETag))
		}
		if part.Size < MinPartSize && i < len(listed)-1 {
			return nil, s3err.New(s3err.EntityTooSmall).
				With("ProposedSize", strconv.FormatInt(part.Size, 10)).
				With("MinSizeAllowed", strconv.Itoa(MinPartSize)).
				With("PartNumber", strconv.Itoa(int(part.Number))).
				With("ETag", bareETag(part.ETag))
		}
		part.LastModified = time.Time{}
		parts[i] = part
	}
	return parts, nil
}

// CheckPartChecksums refuses a list of parts, of which each has its number, that
// leaves out checksums from which that of the object will be made, or has others. What
// [CheckPart] takes may be listed, too.
func CheckPartChecksums(upload Checksum, listed []types.CompletedPart) error {
	if upload.Algorithm == "" || upload.Algorithm == types.ChecksumAlgorithmCrc64nvme {
		return nil
	}
	for i := range listed {
		if checksum.Get(&listed[i], upload.Algorithm) != nil {
			continue
		}
		if upload.Type == types.ChecksumTypeComposite {
			return s3err.Newf(s3err.InvalidRequest,
				"The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.",
				strings.ToLower(string(upload.Algorithm)), *listed[i].PartNumber)
		}
		for _, a := range checksum.All() {
			if checksum.Get(&listed[i], a) != nil {
				return s3err.Newf(s3err.BadDigest, "The %s you specified for part %d did not match what we received.",
					strings.ToLower(string(a)), *listed[i].PartNumber)
			}
		}
	}
	return nil
}

// NoChecksum is the ChecksumAlgorithm of an UploadPart whose client sent no checksum, though it
// might have. What is made here, such as a copy, has none and says nothing.
const NoChecksum types.ChecksumAlgorithm = "null"

// CheckPart judges an UploadPart to an upload: its checksum must be of the
// upload's algorithm. An upload that chose none has CRC64NVME of the whole object, which
// takes parts with any: each was checked with its own when it arrived. Where the checksum is of the
// whole, the client may leave those of parts to us.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
func CheckPart(upload Checksum, in *s3.UploadPartInput) error {
	want, got := upload.Algorithm, in.ChecksumAlgorithm
	switch {
	case want == "", want == types.ChecksumAlgorithmCrc64nvme, got == "", got == want,
		got == NoChecksum && upload.Type != types.ChecksumTypeComposite:
		return nil
	}
	return s3err.Newf(s3err.InvalidRequest, "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
		strings.ToLower(string(want)), strings.ToLower(string(got)))
}

// samePart reports whether a client means the part that is stored. A checksum
// of an algorithm that is not the upload's was checked when the part arrived.
func samePart(a types.ChecksumAlgorithm, part PartInfo, listed *types.CompletedPart) bool {
	if bareETag(part.ETag) != bareETag(value(listed.ETag)) {
		return false
	}
	if a == "" {
		return true
	}
	want := checksum.Get(listed, a)
	return want == nil || *want == part.Checksum
}

// PartsETag is the ETag that the object will have which a CompleteMultipartUpload makes; empty
// when a part that it lists has no ETag of S3's.
func PartsETag(in *s3.CompleteMultipartUploadInput) string {
	if in.MultipartUpload == nil {
		return ""
	}
	parts := make([]PartInfo, len(in.MultipartUpload.Parts))
	for i, p := range in.MultipartUpload.Parts {
		parts[i].ETag = value(p.ETag)
		if sum, err := hex.DecodeString(bareETag(parts[i].ETag)); err != nil || len(sum) != md5.Size {
			return ""
		}
	}
	return partsETag(parts)
}

// partsETag is S3's ETag of a multipart object: the MD5 of the parts' MD5s,
// and how many there are.
func partsETag(parts []PartInfo) string {
	h := md5.New()
	for _, p := range parts {
		sum, err := hex.DecodeString(bareETag(p.ETag))
		if err != nil {
			panic("BUG: backends: a part whose ETag is no MD5: " + p.ETag)
		}
		h.Write(sum)
	}
	return fmt.Sprintf(`"%x-%d"`, h.Sum(nil), len(parts))
}

// partsChecksum is the object's checksum; "" when the upload has no algorithm.
func partsChecksum(c Checksum, parts []PartInfo) string {
	if c.Algorithm == "" {
		return ""
	}
	sums := make([][]byte, len(parts))
	sizes := make([]int64, len(parts))
	for i, p := range parts {
		sum, ok := checksum.Decode(c.Algorithm, p.Checksum)
		if !ok {
			panic("BUG: backends: a part without the upload's checksum")
		}
		sums[i], sizes[i] = sum, p.Size
	}
	if c.Type == types.ChecksumTypeComposite {
		return checksum.Composite(c.Algorithm, sums)
	}
	return checksum.Encode(checksum.Combine(c.Algorithm, sums, sizes))
}

// checkObjectChecksum compares what the client says of the whole object. The
// "-N" of a composite one may be left out.
func checkObjectChecksum(c Checksum, in *s3.CompleteMultipartUploadInput) error {
	for _, a := range checksum.All() {
		claimed := checksum.Get(in, a)
		if claimed == nil {
			continue
		}
		if a != c.Algorithm {
			return s3err.Newf(s3err.InvalidRequest,
				"Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
				strings.ToLower(string(c.Algorithm)), strings.ToLower(string(a)))
		}
		bare, _, _ := strings.Cut(c.Value, "-")
		if *claimed != c.Value && *claimed != bare {
			return s3err.Newf(s3err.BadDigest,
				"The %s you specified did not match the calculated checksum.", a)
		}
	}
	return nil
}

// WithMetadata returns metadata and more of it.
func WithMetadata(metadata, more map[string]string) map[string]string {
	all := make(map[string]string, len(metadata)+len(more))
	maps.Copy(all, metadata)
	maps.Copy(all, more)
	return all
}

// CompletedBy reports whether m is what in made already: then Complete is
// repeated, and answered as it was.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
func CompletedBy(m *ObjectMeta, in *s3.CompleteMultipartUploadInput) bool {
	if m == nil || m.UploadID == "" || m.UploadID != value(in.UploadId) || in.MultipartUpload == nil {
		return false
	}
	return slices.EqualFunc(m.Parts, in.MultipartUpload.Parts, func(have PartInfo, listed types.CompletedPart) bool {
		return listed.PartNumber != nil && *listed.PartNumber == have.Number &&
			samePart(m.Checksum.Algorithm, have, &listed)
	})
}

// CompleteOutput is the answer to the CompleteMultipartUpload that made m.
func CompleteOutput(m *ObjectMeta) *s3.CompleteMultipartUploadOutput {
	out := &s3.CompleteMultipartUploadOutput{ETag: &m.ETag}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, _, _ = m.Encryption.Shown(CustomerKey{})
	if m.Checksum.SetOn(out) {
		out.ChecksumType = m.Checksum.Type
	}
	return out
}
