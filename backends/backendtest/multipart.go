package backendtest

import (
	"crypto/md5"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// multipartCases are about an upload as a whole.
var multipartCases = []testCase{
	{"multipart/object", "CompleteMultipartUpload makes the object of the listed parts; the ETag is md5(md5s)-N (trap 21)", multipartObject},
	{"multipart/headers", "the object has the metadata with which the upload began", multipartHeaders},
	{"multipart/part-reads", "PartNumber selects a part; ContentRange and PartsCount say so", multipartPartReads},
	{"multipart/invisible", "an upload shows no object, and disturbs none, before it is completed", multipartInvisible},
	{"multipart/default-checksum", "without ChecksumAlgorithm the object and its parts have CRC64NVME of the whole, and what is shown of the upload says nothing of it", multipartDefaultChecksum},
	{"multipart/abort", "AbortMultipartUpload ends the upload and frees its parts", multipartAbort},
	{"multipart/abort-condition", "IfMatchInitiatedTime as CheckAbort judges it", multipartAbortCondition},
	{"multipart/no-such-upload", "NoSuchUpload, also when UploadId belongs to another key", noSuchUpload},
	{"multipart/ids", "UploadIds are never reused; the uploads of a key are listed as they were begun", uploadIDs},
	{"multipart/overwritten", "a multipart object is replaced, copied and deleted as any other", multipartOverwritten},
	{"multipart/complete-race", "a Complete that is repeated while it runs gives the same answer", completeRacesItself},
	{"multipart/create-once", "conditions are atomic with the Complete they guard: of N conditional ones one wins", completeOnce},
	{"multipart/race", "abort races complete: one of them wins, and the object is whole or absent (trap 21)", abortRacesComplete},
}

// upload is one multipart upload of a case.
type upload struct {
	*env
	key, id string
}

// uploader returns the ability, or skips the case.
func (e *env) uploader() backends.MultipartUploader {
	m, ok := backends.As[backends.MultipartUploader](e.b)
	if !ok {
		e.Skip("no MultipartUploader")
	}
	return m
}

// begin begins an upload as most clients do, who name no checksum.
func (e *env) begin(key string, edits ...func(*s3.CreateMultipartUploadInput)) *upload {
	e.Helper()
	in := &s3.CreateMultipartUploadInput{Bucket: &e.bucket, Key: &key}
	for _, edit := range edits {
		edit(in)
	}
	out, err := e.uploader().CreateMultipartUpload(e.Context(), in)
	if err != nil {
		e.Fatalf("CreateMultipartUpload %q: %v", key, err)
	}
	if deref(out.UploadId) == "" {
		e.Fatalf("CreateMultipartUpload %q: no UploadId", key)
	}
	return &upload{env: e, key: key, id: *out.UploadId}
}

// tryPart stores a part.
func (u *upload) tryPart(n int32, body string, edits ...func(*s3.UploadPartInput)) (*s3.UploadPartOutput, error) {
	in := &s3.UploadPartInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: &n,
		Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
	}
	for _, edit := range edits {
		edit(in)
	}
	return u.uploader().UploadPart(u.Context(), in)
}

// part is tryPart that must succeed; it returns what Complete wants to hear.
func (u *upload) part(n int32, body string) types.CompletedPart {
	u.Helper()
	out, err := u.tryPart(n, body)
	if err != nil {
		u.Fatalf("UploadPart %d of %q: %v", n, u.key, err)
	}
	if want := etag(body); deref(out.ETag) != want {
		u.Errorf("UploadPart %d of %q: ETag %s, want %s", n, u.key, deref(out.ETag), want)
	}
	return types.CompletedPart{PartNumber: &n, ETag: out.ETag}
}

// input is a CompleteMultipartUpload of parts.
func (u *upload) input(parts ...types.CompletedPart) *s3.CompleteMultipartUploadInput {
	return &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
}

// tryComplete completes the upload.
func (u *upload) tryComplete(in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	return u.uploader().CompleteMultipartUpload(u.Context(), in)
}

// complete is tryComplete that must succeed.
func (u *upload) complete(parts ...types.CompletedPart) *s3.CompleteMultipartUploadOutput {
	u.Helper()
	out, err := u.tryComplete(u.input(parts...))
	if err != nil {
		u.Fatalf("CompleteMultipartUpload %q: %v", u.key, err)
	}
	return out
}

// tryAbort ends the upload.
func (u *upload) tryAbort() error {
	_, err := u.uploader().AbortMultipartUpload(u.Context(), &s3.AbortMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id,
	})
	return err
}

// multipartETag is the ETag of an object of those parts.
func multipartETag(bodies ...string) string {
	h := md5.New()
	for _, body := range bodies {
		sum := md5.Sum([]byte(body))
		h.Write(sum[:])
	}
	return fmt.Sprintf(`"%x-%d"`, h.Sum(nil), len(bodies))
}

// fiveMiB is the least size of a part that is not the last.
const fiveMiB = backends.MinPartSize

func multipartObject(e *env) {
	u := e.begin("k")
	one, two, three := random(1, fiveMiB), random(2, fiveMiB+1), "the end"
	// Parts arrive in any order, with gaps between their numbers.
	last := u.part(9000, three)
	first := u.part(2, one)
	middle := u.part(17, two)
	unlisted := u.part(5, "not listed, and so not in the object")
	_ = unlisted
	out := u.complete(first, middle, last)
	want := multipartETag(one, two, three)
	e.same("ETag", deref(out.ETag), want)
	e.holds("k", one+two+three)
	head := e.head("k")
	e.same("ETag of HeadObject", deref(head.ETag), want)
	e.same("ContentLength", deref(head.ContentLength), int64(len(one+two+three)))
	e.same("ETag in the listing", deref(e.list(s3.ListObjectsV2Input{}).Contents[0].ETag), want)
	across := "bytes=5242870-5242889"
	got, _ := e.get("k", func(in *s3.GetObjectInput) { in.Range = &across })
	e.same("a range across parts", got == (one + two)[5242870:5242890], true)

	single := e.begin("single")
	e.same("ETag of one empty part", deref(single.complete(single.part(1, "")).ETag), multipartETag(""))
	e.holds("single", "")
}

func multipartHeaders(e *env) {
	classes := e.storageClass()
	u := e.begin("k", func(in *s3.CreateMultipartUploadInput) {
		in.ContentType = new("text/plain")
		in.CacheControl = new("no-store")
		in.ContentDisposition = new("inline")
		in.Metadata = map[string]string{"a": "1"}
		if classes {
			in.StorageClass = types.StorageClassStandardIa
		}
	})
	u.complete(u.part(1, "body"))
	head := e.head("k")
	e.same("ContentType", deref(head.ContentType), "text/plain")
	e.same("CacheControl", deref(head.CacheControl), "no-store")
	e.same("ContentDisposition", deref(head.ContentDisposition), "inline")
	e.same("Metadata", head.Metadata, map[string]string{"a": "1"})
	if classes {
		e.same("StorageClass", head.StorageClass, types.StorageClassStandardIa)
	}
}

func multipartPartReads(e *env) {
	u := e.begin("k")
	one, two := random(1, fiveMiB), "second"
	u.complete(u.part(1, one), u.part(2, two))
	part := func(n int32) func(*s3.GetObjectInput) {
		return func(in *s3.GetObjectInput) { in.PartNumber = &n }
	}
	got, out := e.get("k", part(1))
	e.same("part 1", got == one, true)
	e.same("ContentRange of part 1", deref(out.ContentRange), "bytes 0-5242879/5242886")
	e.same("PartsCount", deref(out.PartsCount), int32(2))
	got, out = e.get("k", part(2))
	e.same("part 2", got, two)
	e.same("ContentRange of part 2", deref(out.ContentRange), "bytes 5242880-5242885/5242886")
	head, err := e.b.HeadObject(e.Context(), &s3.HeadObjectInput{Bucket: &e.bucket, Key: new("k"), PartNumber: new(int32(2))})
	if err != nil {
		e.Fatalf("HeadObject of part 2: %v", err)
	}
	e.same("ContentLength of part 2", deref(head.ContentLength), int64(len(two)))
	e.same("PartsCount of HeadObject", deref(head.PartsCount), int32(2))
	_, _, err = e.tryGet("k", part(3))
	e.refused(err, s3err.InvalidPartNumber)
	_, out = e.get("k")
	e.same("PartsCount of the whole", show(out.PartsCount), "nil")
}

func multipartInvisible(e *env) {
	e.put("old", "old")
	u := e.begin("old")
	v := e.begin("new")
	u.part(1, "new")
	part := v.part(1, "new")
	e.holds("old", "old")
	e.missing("new")
	e.same("keys", e.keys(), []string{"old"})
	v.complete(part)
	e.same("keys", e.keys(), []string{"new", "old"})
	e.open([]string{"old " + u.id})
}

func multipartAbort(e *env) {
	u := e.begin("k")
	part := u.part(1, "body")
	if err := u.tryAbort(); err != nil {
		e.Fatalf("AbortMultipartUpload: %v", err)
	}
	e.open([]string{})
	e.missing("k")
	u.abortGone()
	_, err := u.tryComplete(u.input(part))
	e.refused(err, s3err.NoSuchUpload)
	_, err = u.tryPart(2, "x")
	e.refused(err, s3err.NoSuchUpload)
}

func multipartAbortCondition(e *env) {
	u := e.begin("k")
	part := u.part(1, "body")
	abort := func(at time.Time) error {
		_, err := u.uploader().AbortMultipartUpload(u.Context(), &s3.AbortMultipartUploadInput{
			Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, IfMatchInitiatedTime: &at,
		})
		return err
	}
	if !e.listsUploads() { // Then it cannot be known, either.
		e.refused(abort(time.Now()), s3err.NotImplemented)
		u.complete(part)
		return
	}
	e.begin("k2")
	out, _ := e.uploadPage(s3.ListMultipartUploadsInput{Prefix: new("k")})
	at := *out.Uploads[0].Initiated
	for _, other := range []time.Time{at.Add(-time.Second), at.Add(time.Second), at.Add(24 * time.Hour), time.Unix(0, 0)} {
		e.refused(abort(other), s3err.PreconditionFailed)
	}
	if _, err := u.tryParts(s3.ListPartsInput{}); err != nil {
		e.Errorf("after an abort that was refused: %v", err)
	}
	if err := abort(at); err != nil {
		e.Errorf("AbortMultipartUpload: %v", err)
	}
	_, err := u.tryComplete(u.input(part))
	e.refused(err, s3err.NoSuchUpload)
	e.refused(abort(at), s3err.NoSuchUpload)
	e.missing("k")
}

func multipartDefaultChecksum(e *env) {
	const a = types.ChecksumAlgorithmCrc64nvme
	e.put("from", "copied")
	begun, err := e.uploader().CreateMultipartUpload(e.Context(), &s3.CreateMultipartUploadInput{Bucket: &e.bucket, Key: new("k")})
	if err != nil {
		e.Fatalf("CreateMultipartUpload: %v", err)
	}
	e.same("checksum of CreateMultipartUpload", string(begun.ChecksumAlgorithm)+string(begun.ChecksumType), "")
	u := &upload{env: e, key: "k", id: *begun.UploadId}
	one, two := random(1, backends.MinPartSize), "copied"
	first, err := u.tryPart(1, one, func(in *s3.UploadPartInput) { in.ChecksumAlgorithm = backends.NoChecksum })
	if err != nil {
		e.Fatalf("UploadPart: %v", err)
	}
	e.same("checksum of a part", deref(first.ChecksumCRC64NVME), sum(a, one))
	second, err := u.tryCopyPart(2, "from")
	if err != nil {
		e.Fatalf("UploadPartCopy: %v", err)
	}
	e.same("checksum of a copied part", deref(second.CopyPartResult.ChecksumCRC64NVME), "")
	u.showsNoChecksum([]string{sum(a, one), sum(a, two)})
	in := u.input(
		types.CompletedPart{PartNumber: new(int32(1)), ETag: first.ETag, ChecksumCRC64NVME: first.ChecksumCRC64NVME},
		types.CompletedPart{PartNumber: new(int32(2)), ETag: second.CopyPartResult.ETag},
	)
	in.ChecksumType, in.ChecksumCRC64NVME = types.ChecksumTypeFullObject, new(sum(a, one+two))
	out, err := u.tryComplete(in)
	if err != nil {
		e.Fatalf("CompleteMultipartUpload: %v", err)
	}
	_, got := e.get("k", enableChecksums)
	for name, shown := range map[string]*string{"CompleteMultipartUpload": out.ChecksumCRC64NVME, "GetObject": got.ChecksumCRC64NVME} {
		e.same("checksum of "+name, deref(shown), sum(a, one+two))
	}
	e.same("ChecksumType", out.ChecksumType, types.ChecksumTypeFullObject)
}

// showsNoChecksum wants the upload to be listed as one that named no checksum, and its parts with the checksums that they have.
func (u *upload) showsNoChecksum(parts []string) {
	u.Helper()
	list, err := u.tryParts(s3.ListPartsInput{})
	if err != nil || len(list.Parts) != len(parts) {
		u.Fatalf("ListParts: %v, %+v", err, list)
	}
	u.same("checksum of ListParts", string(list.ChecksumAlgorithm)+string(list.ChecksumType), "")
	for i, want := range parts {
		u.same("checksum of a listed part", deref(list.Parts[i].ChecksumCRC64NVME), want)
	}
	if u.listsUploads() {
		out, _ := u.uploadPage(s3.ListMultipartUploadsInput{})
		u.same("uploads", len(out.Uploads), 1)
		u.same("checksum of ListMultipartUploads", string(out.Uploads[0].ChecksumAlgorithm)+string(out.Uploads[0].ChecksumType), "")
	}
}

func noSuchUpload(e *env) {
	u := e.begin("k")
	part := u.part(1, "body")
	other := &upload{env: e, key: "other", id: u.id}
	unknown := &upload{env: e, key: "k", id: "nobody-gave-this"}
	for _, v := range []*upload{other, unknown} {
		_, err := v.tryPart(1, "x")
		e.refused(err, s3err.NoSuchUpload)
		_, err = v.tryCopyPart(1, "k")
		e.refused(err, s3err.NoSuchUpload)
		_, err = v.tryParts(s3.ListPartsInput{})
		e.refused(err, s3err.NoSuchUpload)
		_, err = v.tryComplete(v.input(part))
		e.refused(err, s3err.NoSuchUpload)
		v.abortGone()
	}
	e.missing("other")
	u.complete(part)
	e.holds("k", "body")
	_, err := u.tryPart(2, "x")
	e.refused(err, s3err.NoSuchUpload)
	_, err = u.tryParts(s3.ListPartsInput{})
	e.refused(err, s3err.NoSuchUpload)
	u.abortGone()
	e.holds("k", "body")
}

// abortGone aborts an upload that is not there.
func (u *upload) abortGone() {
	u.Helper()
	err := u.tryAbort()
	if err == nil && u.lacks(AbortAnswers) {
		return
	}
	u.refused(err, s3err.NoSuchUpload)
}

func uploadIDs(e *env) {
	seen := map[string]bool{}
	open := []string{}
	for i := range 30 {
		u := e.begin("k")
		if seen[u.id] {
			e.Errorf("UploadId %q was given before", u.id)
		}
		seen[u.id] = true
		if i%2 == 1 {
			open = append(open, "k "+u.id)
		} else if err := u.tryAbort(); err != nil {
			e.Errorf("AbortMultipartUpload: %v", err)
		}
	}
	e.open(open)
}

func multipartOverwritten(e *env) {
	upload := func(key string) string {
		u := e.begin(key)
		one, two := random(3, fiveMiB), random(4, 100)
		u.complete(u.part(1, one), u.part(2, two))
		return one + two
	}
	body := upload("k")
	result := e.copy("k", "copy")
	e.same("a copy is one part with an MD5 ETag", deref(result.ETag), etag(body))
	e.put("k", "small")
	e.holds("k", "small")
	upload("k")
	e.holds("k", body)
	e.remove("k")
	e.missing("k")
	e.holds("copy", body)
}

func abortRacesComplete(e *env) {
	for range 20 {
		u := e.begin("k")
		part := u.part(1, "body")
		var completed, aborted error
		together(func(i int) {
			switch i {
			case 0:
				_, completed = u.tryComplete(u.input(part))
			case 1:
				aborted = u.tryAbort()
			}
		})
		switch {
		case completed == nil && (s3err.Is(aborted, s3err.NoSuchUpload) ||
			aborted == nil && (e.lacks(AbortAnswers) || e.lacks(AtomicAbort))):
			e.holds("k", "body")
			e.remove("k")
		case aborted == nil && (s3err.Is(completed, s3err.NoSuchUpload) || s3err.Is(completed, s3err.InvalidPart) && e.lacks(AtomicAbort)):
			e.missing("k")
		default:
			e.Fatalf("complete: %v; abort: %v", completed, aborted)
		}
	}
	if !e.lacks(AtomicAbort) {
		e.open([]string{})
	}
}

func completeRacesItself(e *env) {
	for range 10 {
		u := e.begin("k")
		part := u.part(1, "body")
		together(func(int) {
			out, err := u.tryComplete(u.input(part))
			if err != nil {
				e.Errorf("CompleteMultipartUpload: %v", err)
				return
			}
			e.same("ETag", deref(out.ETag), multipartETag("body"))
		})
		e.holds("k", "body")
	}
}

func completeOnce(e *env) {
	for range 10 {
		var uploads []*upload
		var parts []types.CompletedPart
		for i := range workers {
			u := e.begin("k")
			uploads, parts = append(uploads, u), append(parts, u.part(1, strings.Repeat("x", i)))
		}
		var won [workers]bool
		together(func(i int) {
			in := uploads[i].input(parts[i])
			in.IfNoneMatch = new("*")
			_, err := uploads[i].tryComplete(in)
			if won[i] = err == nil; err != nil && !lost(err) {
				e.Errorf("CompleteMultipartUpload: %v", err)
			}
		})
		winners := 0
		for i := range workers {
			if won[i] {
				winners++
				e.holds("k", strings.Repeat("x", i))
			} else if err := uploads[i].tryAbort(); err != nil {
				e.Errorf("AbortMultipartUpload of a loser: %v", err)
			}
		}
		e.same("winners", winners, 1)
		e.remove("k")
	}
}
