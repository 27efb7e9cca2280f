package s3backend

import (
	"context"
	"crypto/md5" // ETags are MD5s
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// CompleteMultipartUpload implements [backends.MultipartUploader]. What services
// overlook is judged here by the parts they have; the ETags in the list hold
// them to what was judged.
func (b *Backend) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	can := b.can.Load()
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	if err := refuseConditions(in.IfMatch, in.IfNoneMatch, can.CompleteIfMatch, can.CompleteIfAbsent); err != nil {
		return nil, err
	}
	if err := checkOrder(in); err != nil {
		return nil, err
	}
	c := *in
	err := b.leaveOutSums(&c)
	if err != nil {
		return nil, err
	}
	err = b.prepareComplete(ctx, &c)
	gone := s3err.Is(err, s3err.NoSuchUpload)
	if err != nil && !gone { // When it is gone, the service may still know that it was completed.
		return nil, err
	}
	out, err := b.client.CompleteMultipartUpload(slow(ctx), &c, b.once)
	switch {
	case err == nil && out.ETag == nil:
		err = errNoResult
	case err == nil && gone: // It was completed, but perhaps with other parts.
		return b.completedBefore(ctx, in, s3err.New(s3err.NoSuchUpload))
	}
	if err != nil {
		err = writeError(b.fail(ctx, "CompleteMultipartUpload", err), in.IfMatch, in.IfNoneMatch)
		return b.completedBefore(ctx, in, err)
	}
	out.Location, out.Bucket, out.Key = nil, in.Bucket, in.Key // The location is the service's.
	b.completeChecksum(ctx, in, out)
	return out, nil
}

// checkOrder refuses a list of parts that no service would take; they differ on
// what they refuse first.
func checkOrder(in *s3.CompleteMultipartUploadInput) error {
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return s3err.New(s3err.MalformedXML)
	}
	last := int32(0)
	for _, p := range in.MultipartUpload.Parts {
		if p.PartNumber == nil || p.ETag == nil {
			return s3err.New(s3err.MalformedXML)
		}
		if *p.PartNumber <= last {
			return s3err.New(s3err.InvalidPartOrder)
		}
		last = *p.PartNumber
	}
	return nil
}

// prepareComplete judges in and completes its checksums. Clients need not name
// those of parts unless the upload is COMPOSITE, since those that chose none have one asked for;
// services want them of every upload that was begun with one.
func (b *Backend) prepareComplete(ctx context.Context, in *s3.CompleteMultipartUploadInput) error {
	begun, err := b.upload(ctx, named(in.Bucket, in.Key, in.UploadId))
	if err != nil {
		return err
	}
	if in.ChecksumType != "" && begun.Type != "" && in.ChecksumType != begun.Type {
		return s3err.Newf(s3err.InvalidRequest,
			"The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", begun.Type)
	}
	if err := backends.CheckPartChecksums(begun, in.MultipartUpload.Parts); err != nil {
		return err
	}
	missing := func(p types.CompletedPart) bool {
		return begun.Algorithm != "" && checksum.Get(&p, begun.Algorithm) == nil
	}
	parts := slices.Clone(in.MultipartUpload.Parts)
	if in.MpuObjectSize != nil || slices.ContainsFunc(parts, missing) {
		stored, err := b.storedParts(ctx, in)
		if err != nil {
			return err
		}
		if err := checkSize(in, stored); err != nil {
			return err
		}
		for i := range parts {
			if p, ok := stored[*parts[i].PartNumber]; ok && missing(parts[i]) && sameETag(p.ETag, parts[i].ETag) {
				checksum.Set(&parts[i], begun.Algorithm, checksum.Get(&p, begun.Algorithm))
			}
		}
	}
	in.MultipartUpload = &types.CompletedMultipartUpload{Parts: parts}
	in.ChecksumType = begun.Type // Some take a checksum without it for one of parts.
	return nil
}

// leaveOutSums leaves out of in what is said with checksums that the service does not keep. That of the object was
// made of those of the parts, and must agree with them.
func (b *Backend) leaveOutSums(in *s3.CompleteMultipartUploadInput) error {
	can := b.can.Load()
	parts := slices.Clone(in.MultipartUpload.Parts)
	for _, a := range checksum.All() {
		if kept := can.keeps(a); kept == "" || kept == a {
			continue
		}
		whole := checksum.Get(in, a)
		var sums [][]byte
		for i := range parts {
			if sum, ok := checksum.Decode(a, value(checksum.Get(&parts[i], a))); ok {
				sums = append(sums, sum)
				checksum.Set(&parts[i], a, nil)
			}
		}
		if whole == nil && len(sums) == 0 {
			continue
		}
		if made := checksum.Composite(a, sums); whole != nil && len(sums) == len(parts) && !sameSum(*whole, made) {
			return s3err.Newf(s3err.BadDigest, "The %s you specified did not match the calculated checksum.", a)
		}
		checksum.Set(in, a, nil)
		in.ChecksumType = "" // It is that of the checksum which is not kept.
	}
	in.MultipartUpload = &types.CompletedMultipartUpload{Parts: parts}
	return nil
}

// sameSum reports whether a client means that composite checksum, whose "-N" may be left out.
func sameSum(claimed, made string) bool {
	bare, _, _ := strings.Cut(made, "-")
	return claimed == made || claimed == bare
}

// checkSize holds the size that the client claims against that of the parts.
func checkSize(in *s3.CompleteMultipartUploadInput, stored map[int32]types.Part) error {
	if in.MpuObjectSize == nil {
		return nil
	}
	size := int64(0)
	for _, p := range in.MultipartUpload.Parts {
		have, ok := stored[*p.PartNumber]
		if !ok || have.Size == nil {
			return nil // InvalidPart, which the service says.
		}
		size += *have.Size
	}
	if size != *in.MpuObjectSize {
		return s3err.Newf(s3err.InvalidRequest,
			"The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *in.MpuObjectSize, size)
	}
	return nil
}

// storedParts are the parts of the upload that in completes, by number.
func (b *Backend) storedParts(ctx context.Context, in *s3.CompleteMultipartUploadInput) (map[int32]types.Part, error) {
	parts := map[int32]types.Part{}
	list := &s3.ListPartsInput{Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId}
	for {
		out, err := b.ListParts(ctx, list)
		if err != nil {
			return nil, err
		}
		for _, p := range out.Parts {
			parts[*p.PartNumber] = p
		}
		if out.IsTruncated == nil || !*out.IsTruncated || len(out.Parts) == 0 {
			return parts, nil
		}
		list.PartNumberMarker = out.NextPartNumberMarker
	}
}

// sameETag compares ETags, whose quotes clients leave out.
func sameETag(a, b *string) bool {
	return strings.Trim(value(a), `"`) == strings.Trim(value(b), `"`)
}

// completedBefore judges a refusal. Services that forget an upload when it is
// done refuse to complete it again, as missing or for a condition or a part; S3 answers as it
// did. When there is no such upload and the current object is the one that
// the listed parts make, it was made of them.
func (b *Backend) completedBefore(ctx context.Context, in *s3.CompleteMultipartUploadInput, refusal error) (*s3.CompleteMultipartUploadOutput, error) {
	switch {
	case s3err.Is(refusal, s3err.NoSuchUpload):
	case s3err.Is(refusal, s3err.PreconditionFailed), s3err.Is(refusal, s3err.InvalidPart):
		_, err := b.ListParts(ctx, &s3.ListPartsInput{Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, MaxParts: new(int32(1))})
		if !s3err.Is(err, s3err.NoSuchUpload) {
			return nil, refusal
		}
		refusal = err
	default:
		return nil, refusal
	}
	head, err := b.head(ctx, &s3.GetObjectInput{Bucket: in.Bucket, Key: in.Key}, types.ChecksumModeEnabled)
	if err != nil || value(head.ETag) != partsETag(in.MultipartUpload.Parts) {
		return nil, refusal
	}
	out := &s3.CompleteMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, ETag: head.ETag}
	copyChecksum(out, &out.ChecksumType, head)
	return out, nil
}

// completeChecksum adds the checksum, and how the object is encrypted, which some services do not show in the
// answer. The object has been made: that they do not show it now either is no error.
func (b *Backend) completeChecksum(ctx context.Context, in *s3.CompleteMultipartUploadInput, out *s3.CompleteMultipartUploadOutput) {
	can, has := b.can.Load(), false
	for _, a := range checksum.All() {
		if sum := checksum.Get(out, a); sum != nil {
			out.ChecksumType, has = checksumType(out.ChecksumType, *sum), true
		}
	}
	if (has || !can.Checksums) && (out.ServerSideEncryption != "" || !can.Encryption) {
		return
	}
	head, err := b.head(ctx, &s3.GetObjectInput{
		Bucket: in.Bucket, Key: in.Key, IfMatch: out.ETag,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	}, types.ChecksumModeEnabled)
	if err != nil {
		return
	}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled = head.ServerSideEncryption, head.SSEKMSKeyId, head.BucketKeyEnabled
	if !has && can.Checksums {
		copyChecksum(out, &out.ChecksumType, head)
	}
}

// copyChecksum copies the checksum of an object to the SDK struct out, which
// has its type in t.
func copyChecksum(out any, t *types.ChecksumType, head *s3.HeadObjectOutput) {
	for _, a := range checksum.All() {
		sum := checksum.Get(head, a)
		checksum.Set(out, a, sum)
		if sum != nil {
			*t = checksumType(head.ChecksumType, *sum)
		}
	}
}

// checksumType is the type of a sum: what the service says, else what it looks like.
func checksumType(t types.ChecksumType, sum string) types.ChecksumType {
	switch {
	case t != "":
		return t
	case strings.Contains(sum, "-"):
		return types.ChecksumTypeComposite
	}
	return types.ChecksumTypeFullObject
}

// partsETag is the ETag of the object that parts make; empty when it cannot be
// known, since their ETags are no MD5s.
func partsETag(parts []types.CompletedPart) string {
	h := md5.New()
	for _, p := range parts {
		sum, err := hex.DecodeString(strings.Trim(value(p.ETag), `"`))
		if err != nil || len(sum) != md5.Size {
			return ""
		}
		h.Write(sum)
	}
	return fmt.Sprintf(`"%x-%d"`, h.Sum(nil), len(parts))
}
