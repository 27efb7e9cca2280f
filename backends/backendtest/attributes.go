package backendtest

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// attributesCases are about GetObjectAttributes.
var attributesCases = []testCase{
	{"attributes/object", "GetObjectAttributes tells what HeadObject does; an object that was written whole has no parts", attributesObject},
	{"attributes/errors", "its errors are HeadObject's", attributesErrors},
	{"attributes/parts", "of an object of parts it tells how many, and pages of them when they have checksums", attributesParts},
	{"attributes/copy", "the copy of an object of parts is an object without", attributesCopy},
}

// tryAttributes asks for attributes.
func (e *env) tryAttributes(key string, in s3.GetObjectAttributesInput, want ...types.ObjectAttributes) (*s3.GetObjectAttributesOutput, error) {
	in.Bucket, in.Key, in.ObjectAttributes = &e.bucket, &key, want
	return backends.GetObjectAttributes(e.Context(), e.b, &in)
}

// attributes is tryAttributes of an object that must be there.
func (e *env) attributes(key string, in s3.GetObjectAttributesInput, want ...types.ObjectAttributes) *s3.GetObjectAttributesOutput {
	e.Helper()
	out, err := e.tryAttributes(key, in, want...)
	if err != nil {
		e.Fatalf("GetObjectAttributes %q: %v", key, err)
	}
	return out
}

// attributesAre checks all attributes but the parts.
func (e *env) attributesAre(key string, out *s3.GetObjectAttributesOutput) {
	e.Helper()
	head, err := e.b.HeadObject(e.Context(), &s3.HeadObjectInput{Bucket: &e.bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		e.Fatalf("HeadObject %q: %v", key, err)
	}
	e.same("ETag", deref(out.ETag), deref(head.ETag))
	e.same("ObjectSize", deref(out.ObjectSize), deref(head.ContentLength))
	e.same("LastModified", out.LastModified, head.LastModified)
	e.same("StorageClass", out.StorageClass, head.StorageClass)
	e.same("VersionId", deref(out.VersionId), deref(head.VersionId))
	if head.ChecksumType == "" {
		return
	}
	if out.Checksum == nil {
		e.Fatalf("Checksum is nil, want a %s one", head.ChecksumType)
	}
	e.same("ChecksumType", out.Checksum.ChecksumType, head.ChecksumType)
	for _, a := range checksum.All() {
		e.same(string(a), deref(checksum.Get(out.Checksum, a)), deref(checksum.Get(head, a)))
	}
}

func attributesObject(e *env) {
	e.put("k", "hello")
	all := types.ObjectAttributes("").Values()
	out := e.attributes("k", s3.GetObjectAttributesInput{}, all...)
	e.attributesAre("k", out)
	if out.ObjectParts != nil {
		e.Errorf("ObjectParts of an object without: %+v", out.ObjectParts)
	}
	if out.Checksum == nil || deref(out.Checksum.ChecksumCRC64NVME) != sum(types.ChecksumAlgorithmCrc64nvme, "hello") {
		e.Errorf("Checksum: %+v", out.Checksum)
	}
	_, err := e.tryPut("cold", "x", func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassStandardIa })
	if err != nil {
		e.refused(err, s3err.InvalidStorageClass)
		return
	}
	e.same("StorageClass", e.attributes("cold", s3.GetObjectAttributesInput{}, all...).StorageClass, types.StorageClassStandardIa)
}

func attributesErrors(e *env) {
	_, err := e.tryAttributes("none", s3.GetObjectAttributesInput{}, types.ObjectAttributesEtag)
	e.refused(err, s3err.NoSuchKey)
	_, err = e.tryAttributes("none", s3.GetObjectAttributesInput{}, types.ObjectAttributesObjectParts)
	e.refused(err, s3err.NoSuchKey)
}

func attributesParts(e *env) {
	bodies := []string{random(1, fiveMiB), random(2, fiveMiB+1), "end"}
	for _, a := range []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmSha256, types.ChecksumAlgorithmXxhash128} {
		u := e.begin("k", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm, in.ChecksumType = a, partsKind(a) })
		var listed []types.CompletedPart
		for i, body := range bodies {
			p := u.part(int32(i+1), body)
			checksum.Set(&p, a, new(sum(a, body)))
			listed = append(listed, p)
		}
		u.complete(listed...)
		a, _ := e.kept(a, "")
		out := e.attributes("k", s3.GetObjectAttributesInput{}, types.ObjectAttributesObjectSize)
		e.attributesAre("k", out)
		if out.ObjectParts != nil {
			e.Errorf("ObjectParts was not asked for: %+v", out.ObjectParts)
		}
		if e.lacks(PartChecksums) {
			out := e.attributes("k", s3.GetObjectAttributesInput{}, types.ObjectAttributesObjectParts)
			if p := out.ObjectParts; p == nil || deref(p.TotalPartsCount) != int32(len(bodies)) || len(p.Parts) > 0 || p.MaxParts != nil {
				e.Errorf("ObjectParts is %+v, want the number %d and nothing else", p, len(bodies))
			}
			continue
		}
		e.pagesOfParts(a, bodies)
	}
}

// pagesOfParts lists the parts of k in pages of every size.
func (e *env) pagesOfParts(a types.ChecksumAlgorithm, bodies []string) {
	e.Helper()
	for size := range int32(len(bodies) + 2) {
		marker, seen := "0", 0
		for {
			out := e.attributes("k", s3.GetObjectAttributesInput{MaxParts: &size, PartNumberMarker: &marker}, types.ObjectAttributesObjectParts)
			e.attributesAre("k", out)
			p := out.ObjectParts
			if p == nil || p.NextPartNumberMarker == nil {
				e.Fatalf("ObjectParts is no page: %+v", p)
			}
			e.same("TotalPartsCount", deref(p.TotalPartsCount), int32(len(bodies)))
			e.same("MaxParts", deref(p.MaxParts), size)
			e.same("PartNumberMarker", deref(p.PartNumberMarker), marker)
			for _, part := range p.Parts {
				body := bodies[seen]
				seen++
				e.same("PartNumber", deref(part.PartNumber), int32(seen))
				e.same("Size", deref(part.Size), int64(len(body)))
				e.same(string(a), deref(checksum.Get(&part, a)), sum(a, body))
			}
			e.same("NextPartNumberMarker", deref(p.NextPartNumberMarker), strconv.Itoa(seen))
			more := size > 0 && seen < len(bodies)
			e.same("IsTruncated", deref(p.IsTruncated), more)
			if !more {
				break
			}
			marker = *p.NextPartNumberMarker
		}
		if size > 0 {
			e.same("parts by "+strconv.Itoa(int(size)), seen, len(bodies))
		}
	}
	whole := e.attributes("k", s3.GetObjectAttributesInput{}, types.ObjectAttributesObjectParts).ObjectParts
	e.same("parts on the default page", len(whole.Parts), len(bodies))
	e.same("MaxParts when none is given", deref(whole.MaxParts), int32(backends.DefaultMaxKeys))
	past := e.attributes("k", s3.GetObjectAttributesInput{PartNumberMarker: new("9")}, types.ObjectAttributesObjectParts).ObjectParts
	e.same("parts past the end", len(past.Parts), 0)
	e.same("IsTruncated past the end", deref(past.IsTruncated), false)
}

func attributesCopy(e *env) {
	u := e.begin("k")
	u.complete(u.part(1, "one part"))
	if p := e.attributes("k", s3.GetObjectAttributesInput{}, types.ObjectAttributesObjectParts).ObjectParts; p == nil || deref(p.TotalPartsCount) != 1 {
		e.Errorf("ObjectParts of an object of one part: %+v", p)
	}
	if _, err := e.b.CopyObject(e.Context(), backends.CopySource{Bucket: e.bucket, Key: "k"}, &s3.CopyObjectInput{Bucket: &e.bucket, Key: new("copy")}); err != nil {
		e.Fatalf("CopyObject: %v", err)
	}
	out := e.attributes("copy", s3.GetObjectAttributesInput{}, types.ObjectAttributesObjectParts)
	e.attributesAre("copy", out)
	e.same("ETag of the copy", deref(out.ETag), etag("one part"))
	if out.ObjectParts != nil {
		e.Errorf("ObjectParts of a copy: %+v", out.ObjectParts)
	}
	e.holds("copy", "one part")
}
