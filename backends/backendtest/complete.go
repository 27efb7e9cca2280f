package backendtest

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// completeCases are about what CompleteMultipartUpload refuses and promises.
var completeCases = []testCase{
	{"complete/invalid-part", "InvalidPart for a part that is not there or has another ETag or checksum (trap 21)", completeInvalidPart},
	{"complete/order", "InvalidPartOrder (trap 21)", completeOrder},
	{"complete/too-small", "EntityTooSmall for a part under 5 MiB that is not the last (trap 21)", completeTooSmall},
	{"complete/no-parts", "MalformedXML for no parts at all", completeNoParts},
	{"complete/size", "InvalidRequest for another MpuObjectSize", completeSize},
	{"complete/checksum-type", "InvalidRequest for another ChecksumType", completeChecksumType},
	{"complete/checksum", "the checksum of the object, of the whole or of the parts', and BadDigest for another (trap 14)", completeChecksum},
	{"complete/other-part-checksums", "BadDigest when parts are listed with checksums of another algorithm", completeOtherPartChecksums},
	{"complete/part-checksums", "InvalidRequest when parts of a COMPOSITE upload are listed without checksums", completePartChecksums},
	{"complete/again", "completing again with the same parts gives the same answer (trap 21)", completeAgain},
	{"complete/conditions", "conditions as PutObject's", completeConditions},
	{"complete/at", "a store that can makes the object at another place, with more metadata", completeAt},
	{"complete/after-refusal", "a refused Complete leaves the upload as it was", completeAfterRefusal},
}

func completeAt(e *env) {
	p, ok := backends.As[backends.UploadPlacer](e.b)
	if !ok {
		return
	}
	e.put("k", "there")
	u := e.begin("k", func(in *s3.CreateMultipartUploadInput) {
		in.Metadata, in.ContentType = map[string]string{"a": "1", "b": "2"}, new("text/plain")
	})
	one, two := u.part(1, random(1, fiveMiB)), u.part(2, "two")
	_, err := p.CompleteUploadAt(e.Context(), u.input(two, one), "elsewhere", nil)
	e.refused(err, s3err.InvalidPartOrder)
	e.missing("elsewhere")
	out, err := p.CompleteUploadAt(e.Context(), u.input(one, two), "elsewhere", map[string]string{"b": "3", "c": "4"})
	if err != nil {
		e.Fatal(err)
	}
	e.holds("k", "there")
	e.holds("elsewhere", random(1, fiveMiB)+"two")
	head := e.head("elsewhere")
	e.same("metadata", head.Metadata, map[string]string{"a": "1", "b": "3", "c": "4"})
	e.same("headers", []string{*head.ContentType, *head.ETag}, []string{"text/plain", *out.ETag})
	_, err = p.CompleteUploadAt(e.Context(), u.input(one, two), "again", nil)
	e.refused(err, s3err.NoSuchUpload)
	_, err = u.tryComplete(u.input(one, two))
	e.refused(err, s3err.NoSuchUpload)
	e.missing("again")
	e.open([]string{})
}

func completeInvalidPart(e *env) {
	u := e.begin("k")
	part := u.part(1, "body")
	f := func(p types.CompletedPart) {
		e.Helper()
		_, err := u.tryComplete(u.input(p))
		e.refused(err, s3err.InvalidPart)
		e.missing("k")
	}
	f(types.CompletedPart{PartNumber: new(int32(2)), ETag: part.ETag})
	f(types.CompletedPart{PartNumber: new(int32(1)), ETag: new(etag("other"))})
	wrong := part
	checksum.Set(&wrong, types.ChecksumAlgorithmCrc64nvme, new(sum(types.ChecksumAlgorithmCrc64nvme, "other")))
	f(wrong)
	right := part
	checksum.Set(&right, types.ChecksumAlgorithmCrc64nvme, new(sum(types.ChecksumAlgorithmCrc64nvme, "body")))
	u.complete(right)
	e.holds("k", "body")
}

func completeOrder(e *env) {
	u := e.begin("k")
	one, two := u.part(1, random(1, fiveMiB)), u.part(2, "two")
	_, err := u.tryComplete(u.input(two, one))
	e.refused(err, s3err.InvalidPartOrder)
	_, err = u.tryComplete(u.input(one, one))
	e.refused(err, s3err.InvalidPartOrder)
	e.missing("k")
	u.complete(one, two)
}

func completeTooSmall(e *env) {
	u := e.begin("k")
	one, two := u.part(1, random(1, fiveMiB-1)), u.part(2, "two")
	_, err := u.tryComplete(u.input(one, two))
	e.refused(err, s3err.EntityTooSmall)
	e.missing("k")
	u.complete(one)
	e.holds("k", random(1, fiveMiB-1))
}

func completeNoParts(e *env) {
	u := e.begin("k")
	u.part(1, "body")
	_, err := u.tryComplete(u.input())
	e.refused(err, s3err.MalformedXML)
	in := u.input()
	in.MultipartUpload = nil
	_, err = u.tryComplete(in)
	e.refused(err, s3err.MalformedXML)
	e.missing("k")
}

func completeSize(e *env) {
	u := e.begin("k")
	in := u.input(u.part(1, "body"))
	in.MpuObjectSize = new(int64(5))
	_, err := u.tryComplete(in)
	e.refused(err, s3err.InvalidRequest)
	e.missing("k")
	in.MpuObjectSize = new(int64(4))
	if _, err := u.tryComplete(in); err != nil {
		e.Errorf("with the right size: %v", err)
	}
}

func completeChecksumType(e *env) {
	u := e.begin("k")
	in := u.input(u.part(1, "body"))
	in.ChecksumType = types.ChecksumTypeComposite
	_, err := u.tryComplete(in)
	e.refused(err, s3err.InvalidRequest)
	e.missing("k")
	in.ChecksumType = types.ChecksumTypeFullObject
	if _, err := u.tryComplete(in); err != nil {
		e.Errorf("with the right type: %v", err)
	}
}

func completeChecksum(e *env) {
	one, two := random(1, fiveMiB), "second"
	for _, a := range checksum.All() {
		for _, kind := range []types.ChecksumType{types.ChecksumTypeFullObject, types.ChecksumTypeComposite} {
			if !checksum.ValidType(a, kind) {
				continue
			}
			want := sum(a, one+two)
			if kind == types.ChecksumTypeComposite {
				first, _ := checksum.Decode(a, sum(a, one))
				second, _ := checksum.Decode(a, sum(a, two))
				want = sum(a, string(first)+string(second)) + "-2"
			}
			e.completeWith(a, kind, want, one, two)
		}
	}
}

func completeOtherPartChecksums(e *env) {
	const a = types.ChecksumAlgorithmCrc32c
	u := e.begin("k", func(in *s3.CreateMultipartUploadInput) {
		in.ChecksumAlgorithm, in.ChecksumType = a, types.ChecksumTypeFullObject
	})
	part := u.part(1, "body")
	other := part
	checksum.Set(&other, types.ChecksumAlgorithmSha256, new(sum(types.ChecksumAlgorithmSha256, "body")))
	_, err := u.tryComplete(u.input(other))
	e.refused(err, s3err.BadDigest)
	e.missing("k")
	u.complete(part)
	e.holds("k", "body")
}

func completePartChecksums(e *env) {
	const a = types.ChecksumAlgorithmSha256
	u := e.begin("k", func(in *s3.CreateMultipartUploadInput) {
		in.ChecksumAlgorithm, in.ChecksumType = a, types.ChecksumTypeComposite
	})
	part := u.part(1, "body")
	_, err := u.tryComplete(u.input(part))
	e.refused(err, s3err.InvalidRequest)
	other := part
	checksum.Set(&other, types.ChecksumAlgorithmCrc32, new(sum(types.ChecksumAlgorithmCrc32, "body")))
	_, err = u.tryComplete(u.input(other))
	e.refused(err, s3err.InvalidRequest)
	e.missing("k")
	checksum.Set(&part, a, new(sum(a, "body")))
	u.complete(part)
	e.holds("k", "body")
}

// completeWith makes an object of two parts, and wants its checksum everywhere.
func (e *env) completeWith(a types.ChecksumAlgorithm, kind types.ChecksumType, want, one, two string) {
	e.Helper()
	name := string(a) + " " + string(kind)
	u := e.begin("k", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm, in.ChecksumType = a, kind })
	first, second := u.part(1, one), u.part(2, two)
	checksum.Set(&first, a, new(sum(a, one)))
	checksum.Set(&second, a, new(sum(a, two)))
	in := u.input(first, second)
	in.ChecksumType = kind
	checksum.Set(in, a, new(sum(a, "another body")))
	_, err := u.tryComplete(in)
	e.refused(err, s3err.BadDigest)
	checksum.Set(in, a, &want)
	out, err := u.tryComplete(in)
	if err != nil {
		e.Errorf("%s: %v", name, err)
		return
	}
	if kept, keptKind := e.kept(a, kind); kept != a {
		a, kind, want = kept, keptKind, sum(kept, one+two)
	}
	e.same(name, deref(checksum.Get(out, a)), want)
	e.same(name+": ChecksumType", out.ChecksumType, kind)
	_, got := e.get("k", enableChecksums)
	e.same(name+" of GetObject", deref(checksum.Get(got, a)), want)
	e.same(name+": ChecksumType of GetObject", got.ChecksumType, kind)
	_, got = e.get("k", enableChecksums, func(in *s3.GetObjectInput) { in.PartNumber = new(int32(2)) })
	if !e.lacks(PartChecksums) {
		e.same(name+" of a part", deref(checksum.Get(got, a)), sum(a, two))
	}
}

func completeAgain(e *env) {
	u := e.begin("k")
	parts := []types.CompletedPart{u.part(1, random(1, fiveMiB)), u.part(2, "two")}
	in := u.input(parts...)
	in.IfNoneMatch = new("*")
	first, err := u.tryComplete(in)
	if err != nil {
		e.Fatalf("CompleteMultipartUpload: %v", err)
	}
	second, err := u.tryComplete(in)
	if err != nil {
		e.Fatalf("CompleteMultipartUpload again: %v", err)
	}
	e.same("ETag", deref(second.ETag), deref(first.ETag))
	e.same("checksum", deref(second.ChecksumCRC64NVME), deref(first.ChecksumCRC64NVME))
	e.same("ChecksumType", second.ChecksumType, first.ChecksumType)
	_, err = u.tryComplete(u.input(parts[0]))
	e.refused(err, s3err.NoSuchUpload)
	e.holds("k", random(1, fiveMiB)+"two")
}

func completeConditions(e *env) {
	e.put("k", "old")
	u := e.begin("k")
	part := u.part(1, "new")
	in := u.input(part)
	in.IfNoneMatch = new("*")
	_, err := u.tryComplete(in)
	e.refused(err, s3err.PreconditionFailed)
	in = u.input(part)
	in.IfMatch = new(etag("other"))
	_, err = u.tryComplete(in)
	e.refused(err, s3err.PreconditionFailed)
	e.holds("k", "old")
	in.IfMatch = new(etag("old"))
	if _, err := u.tryComplete(in); err != nil {
		e.Errorf("with the right ETag: %v", err)
	}
	e.holds("k", "new")

	v := e.begin("none")
	in = v.input(v.part(1, "x"))
	in.IfMatch = new(etag("old"))
	_, err = v.tryComplete(in)
	e.refused(err, s3err.NoSuchKey)
	in.IfMatch, in.IfNoneMatch = nil, new("*")
	if _, err := v.tryComplete(in); err != nil {
		e.Errorf("IfNoneMatch of a new key: %v", err)
	}
	e.holds("none", "x")
}

func completeAfterRefusal(e *env) {
	u := e.begin("k")
	one := u.part(1, "one")
	_, err := u.tryComplete(u.input(types.CompletedPart{PartNumber: new(int32(7)), ETag: one.ETag}))
	e.refused(err, s3err.InvalidPart)
	two := u.part(1, "two")
	_, err = u.tryComplete(u.input(one))
	e.refused(err, s3err.InvalidPart)
	u.complete(two)
	e.holds("k", "two")
}
