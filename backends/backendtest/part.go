package backendtest

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// partCases are about UploadPart, UploadPartCopy and ListParts.
var partCases = []testCase{
	{"part/again", "a part that is uploaded again replaces the earlier one (trap 21)", partAgain},
	{"part/body-error", "UploadPart has PutObject's rules for Body: an error in it stores nothing", partBodyError},
	{"part/checksum", "the algorithm of a part is the upload's", partChecksum},
	{"part/no-checksum", "InvalidRequest for a part that a client sent without checksum to a COMPOSITE upload", partNoChecksum},
	{"part/another-checksum", "InvalidRequest for a part with another checksum than the upload's, unless that is CRC64NVME", partAnotherChecksum},
	{"part/copy", "UploadPartCopy stores a part from src", partCopy},
	{"part/copy-range", "CopySourceRange must be \"bytes=N-M\" inside the source: else InvalidArgument", partCopyRange},
	{"part/copy-refused", "CopySourceIf* as in CopyObject; NoSuchKey for a missing source", partCopyRefused},
	{"part/list", "ListParts lists parts by number, after PartNumberMarker, at most MaxParts", partList},
	{"part/race", "of parts that are uploaded at once, the one that is listed is the one in the object", partRace},
}

// tryCopyPart copies an object of the bucket into a part.
func (u *upload) tryCopyPart(n int32, from string, edits ...func(*s3.UploadPartCopyInput)) (*s3.UploadPartCopyOutput, error) {
	in := &s3.UploadPartCopyInput{Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: &n}
	for _, edit := range edits {
		edit(in)
	}
	return u.uploader().UploadPartCopy(u.Context(), backends.CopySource{Bucket: u.bucket, Key: from}, in)
}

// copyPart is tryCopyPart that must succeed.
func (u *upload) copyPart(n int32, from, wantRange string) types.CompletedPart {
	u.Helper()
	out, err := u.tryCopyPart(n, from, func(in *s3.UploadPartCopyInput) {
		if wantRange != "" {
			in.CopySourceRange = &wantRange
		}
	})
	if err != nil {
		u.Fatalf("UploadPartCopy: %v", err)
	}
	if out.CopyPartResult == nil || out.CopyPartResult.LastModified == nil {
		u.Fatalf("UploadPartCopy: no result: %+v", out.CopyPartResult)
	}
	return types.CompletedPart{PartNumber: &n, ETag: out.CopyPartResult.ETag}
}

// tryParts lists the upload's parts.
func (u *upload) tryParts(in s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	in.Bucket, in.Key, in.UploadId = &u.bucket, &u.key, &u.id
	return u.uploader().ListParts(u.Context(), &in)
}

func partAgain(e *env) {
	u := e.begin("k")
	old := u.part(1, "old")
	part := u.part(1, "new and longer")
	_, err := u.tryComplete(u.input(old))
	e.refused(err, s3err.InvalidPart)
	u.complete(part)
	e.holds("k", "new and longer")
}

func partBodyError(e *env) {
	u := e.begin("k")
	old := u.part(1, "old")
	for _, n := range []int{0, 10, 200_000} {
		body := random(1, 300_000)
		for _, number := range []int32{1, 2} {
			_, err := u.tryPart(number, body, func(in *s3.UploadPartInput) {
				in.Body = failingBody(body[:n], s3err.New(s3err.BadDigest))
			})
			e.refused(err, s3err.BadDigest)
		}
	}
	ctx, cancel := context.WithCancel(e.Context())
	defer cancel()
	_, err := u.uploader().UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: new(int32(1)),
		Body: hook{strings.NewReader("new"), cancel}, ContentLength: new(int64(3)),
	})
	if err == nil {
		e.Error("UploadPart succeeded although its context ended")
	}
	out, err := u.tryParts(s3.ListPartsInput{})
	if err != nil {
		e.Fatalf("ListParts: %v", err)
	}
	e.same("parts", len(out.Parts), 1)
	u.complete(old)
	e.holds("k", "old")
}

func partChecksum(e *env) {
	for _, wanted := range checksum.All() {
		u := e.begin("k", func(in *s3.CreateMultipartUploadInput) {
			in.ChecksumAlgorithm, in.ChecksumType = wanted, partsKind(wanted)
		})
		a, kind := e.kept(wanted, partsKind(wanted))
		out, err := u.tryPart(1, "body")
		if err != nil {
			e.Fatalf("UploadPart: %v", err)
		}
		e.same(string(a), deref(checksum.Get(out, a)), sum(a, "body"))
		list, err := u.tryParts(s3.ListPartsInput{})
		if err != nil || len(list.Parts) != 1 {
			e.Fatalf("ListParts: %v", err)
		}
		e.same(string(a)+" of ListParts", deref(checksum.Get(&list.Parts[0], a)), sum(a, "body"))
		e.same("ChecksumAlgorithm", list.ChecksumAlgorithm, a)
		e.same("ChecksumType", list.ChecksumType, kind)
	}
}

func partAnotherChecksum(e *env) {
	all := checksum.All()
	for i, wanted := range all {
		for _, of := range []types.ChecksumAlgorithm{wanted, all[(i+1)%len(all)], all[(i+2)%len(all)]} {
			u := e.begin("k", func(in *s3.CreateMultipartUploadInput) {
				in.ChecksumAlgorithm, in.ChecksumType = wanted, partsKind(wanted)
			})
			a, _ := e.kept(wanted, "")
			_, err := u.tryPart(1, "body", func(in *s3.UploadPartInput) {
				in.ChecksumAlgorithm = of
				checksum.Set(in, of, new(sum(of, "body")))
			})
			if of != a && a != types.ChecksumAlgorithmCrc64nvme {
				e.refused(err, s3err.InvalidRequest)
				list, err := u.tryParts(s3.ListPartsInput{})
				if err != nil || len(list.Parts) != 0 {
					e.Errorf("%s to %s: %v, %+v", of, a, err, list)
				}
			} else if err != nil {
				e.Errorf("%s to %s: %v", of, a, err)
			}
		}
	}
}

func partNoChecksum(e *env) {
	f := func(a types.ChecksumAlgorithm, kind types.ChecksumType) {
		e.Helper()
		u := e.begin("k", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm, in.ChecksumType = a, kind })
		out, err := u.tryPart(1, "body", func(in *s3.UploadPartInput) { in.ChecksumAlgorithm = backends.NoChecksum })
		if kind == types.ChecksumTypeComposite {
			e.refused(err, s3err.InvalidRequest)
		} else if err != nil {
			e.Errorf("%s: %v", a, err)
		} else {
			e.same(string(a), deref(checksum.Get(out, a)), sum(a, "body"))
		}
	}
	f(types.ChecksumAlgorithmSha1, types.ChecksumTypeComposite)
	f(types.ChecksumAlgorithmCrc32, types.ChecksumTypeComposite)
	f(types.ChecksumAlgorithmCrc32, types.ChecksumTypeFullObject)
	f(types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeFullObject)
}

func partCopy(e *env) {
	body := random(6, fiveMiB+10)
	e.put("from", body)
	u := e.begin("k")
	one := u.copyPart(1, "from", "")
	two := u.copyPart(2, "from", "bytes=5-14")
	e.same("ETag", deref(one.ETag), etag(body))
	e.same("ETag of a range", deref(two.ETag), etag(body[5:15]))
	e.remove("from")
	e.same("ETag of the object", deref(u.complete(one, two).ETag), multipartETag(body, body[5:15]))
	e.holds("k", body+body[5:15])
}

func partCopyRange(e *env) {
	e.put("from", "0123456789")
	u := e.begin("k")
	for _, header := range []string{"bytes=5-10", "bytes=10-11", "", "bytes=5-", "bytes=-5", "0-5", "bytes=5-4", "bytes=a-b", "bytes=0-1,2-3"} {
		_, err := u.tryCopyPart(1, "from", func(in *s3.UploadPartCopyInput) { in.CopySourceRange = &header })
		e.refused(err, s3err.InvalidArgument)
	}
	part := u.copyPart(1, "from", "bytes=9-9")
	u.complete(part)
	e.holds("k", "9")
}

func partCopyRefused(e *env) {
	e.put("from", "body")
	u := e.begin("k")
	_, err := u.tryCopyPart(1, "none")
	e.refused(err, s3err.NoSuchKey)
	_, err = u.tryCopyPart(1, "from", func(in *s3.UploadPartCopyInput) { in.CopySourceIfMatch = new(etag("other")) })
	e.refused(err, s3err.PreconditionFailed)
	_, err = u.tryCopyPart(1, "from", func(in *s3.UploadPartCopyInput) { in.CopySourceIfNoneMatch = new(etag("body")) })
	e.refused(err, s3err.PreconditionFailed)
	out, err := u.tryParts(s3.ListPartsInput{})
	if err != nil {
		e.Fatalf("ListParts: %v", err)
	}
	e.same("parts", len(out.Parts), 0)
}

func partList(e *env) {
	u := e.begin("k")
	numbers := []int32{1, 2, 3, 10, 11, 100, 9999, 10000}
	for _, n := range []int32{100, 3, 10000, 1, 2, 9999, 11, 10} {
		u.part(n, "part "+strconv.Itoa(int(n)))
	}
	for size := 1; size <= len(numbers)+1; size++ {
		var got []int32
		in := s3.ListPartsInput{MaxParts: new(int32(size))}
		for {
			out, err := u.tryParts(in)
			if err != nil {
				e.Fatalf("ListParts: %v", err)
			}
			for _, p := range out.Parts {
				got = append(got, *p.PartNumber)
				body := "part " + strconv.Itoa(int(*p.PartNumber))
				e.same("ETag", deref(p.ETag), etag(body))
				e.same("Size", deref(p.Size), int64(len(body)))
				e.same("LastModified is set", p.LastModified != nil, true)
			}
			e.same("NextPartNumberMarker", deref(out.NextPartNumberMarker), strconv.Itoa(int(got[len(got)-1])))
			e.same("IsTruncated", deref(out.IsTruncated), len(got) < len(numbers))
			if !deref(out.IsTruncated) || len(got) >= len(numbers) {
				break
			}
			in.PartNumberMarker = out.NextPartNumberMarker
		}
		e.same("parts by "+strconv.Itoa(size), got, numbers)
	}
	out, err := u.tryParts(s3.ListPartsInput{MaxParts: new(int32(0))})
	if err != nil {
		e.Fatalf("ListParts: %v", err)
	}
	e.same("MaxParts 0", len(out.Parts), 0)
	e.same("IsTruncated of MaxParts 0", deref(out.IsTruncated), false)
}

func partRace(e *env) {
	u := e.begin("k")
	together(func(i int) {
		if _, err := u.tryPart(1, strings.Repeat(strconv.Itoa(i%10), 1000+i)); err != nil {
			e.Errorf("UploadPart: %v", err)
		}
	})
	out, err := u.tryParts(s3.ListPartsInput{})
	if err != nil || len(out.Parts) != 1 {
		e.Fatalf("ListParts: %v", err)
	}
	u.complete(types.CompletedPart{PartNumber: new(int32(1)), ETag: out.Parts[0].ETag})
	body, _ := e.get("k")
	e.same("ETag of the body", etag(body), deref(out.Parts[0].ETag))
}
