package backendtest

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// copyCases are about CopyObject.
var copyCases = []testCase{
	{"copy", "CopyObject copies src to Key, with metadata and system headers", copyPlain},
	{"copy/replace", "MetadataDirective REPLACE takes in's metadata and system headers", copyReplace},
	{"copy/missing", "src is read as GetObject would: NoSuchKey, NoSuchBucket", copyMissing},
	{"copy/source-condition", "CopySourceIf* guard the source: PreconditionFailed (trap 20)", copySourceCondition},
	{"copy/destination-condition", "IfMatch and IfNoneMatch guard the destination", copyDestinationCondition},
	{"copy/onto-itself", "a copy onto itself that changes nothing is InvalidRequest (trap 22)", copyOntoItself},
	{"copy/checksum", "the checksum is kept unless ChecksumAlgorithm asks for another", copyChecksum},
	{"copy/storage-class", "the storage class is the destination's own and not copied", copyStorageClass},
	{"copy/redirect", "x-amz-website-redirect-location is kept by every kind of write, and not copied", copyRedirect},
	{"copy/large", "a copy has all bytes of its source", copyLarge},
}

func copyRedirect(e *env) {
	const to = "/elsewhere"
	e.put("from", "body", func(in *s3.PutObjectInput) { in.WebsiteRedirectLocation = new(to) })
	e.same("of a put", deref(e.head("from").WebsiteRedirectLocation), to)
	e.copy("from", "to")
	e.same("of a copy", deref(e.head("to").WebsiteRedirectLocation), "")
	e.copy("from", "to", func(in *s3.CopyObjectInput) { in.WebsiteRedirectLocation = new("/new") })
	e.same("given to a copy", deref(e.head("to").WebsiteRedirectLocation), "/new")
	if _, ok := backends.As[backends.MultipartUploader](e.b); ok {
		u := e.begin("k", func(in *s3.CreateMultipartUploadInput) { in.WebsiteRedirectLocation = new(to) })
		u.complete(u.part(1, "body"))
		e.same("of an upload", deref(e.head("k").WebsiteRedirectLocation), to)
	}
}

// tryCopy copies inside the bucket.
func (e *env) tryCopy(from, to string, edits ...func(*s3.CopyObjectInput)) (*s3.CopyObjectOutput, error) {
	in := &s3.CopyObjectInput{Bucket: &e.bucket, Key: &to}
	for _, edit := range edits {
		edit(in)
	}
	return e.b.CopyObject(e.Context(), backends.CopySource{Bucket: e.bucket, Key: from}, in)
}

// copy is tryCopy that must succeed.
func (e *env) copy(from, to string, edits ...func(*s3.CopyObjectInput)) *types.CopyObjectResult {
	e.Helper()
	out, err := e.tryCopy(from, to, edits...)
	if err != nil {
		e.Fatalf("CopyObject %q to %q: %v", from, to, err)
	}
	if out.CopyObjectResult == nil {
		e.Fatalf("CopyObject %q to %q: no result", from, to)
	}
	return out.CopyObjectResult
}

// described gives an object headers.
func described(in *s3.PutObjectInput) {
	in.ContentType = new("text/plain")
	in.CacheControl = new("no-store")
	in.Metadata = map[string]string{"a": "1"}
}

func copyPlain(e *env) {
	e.put("from", "body", described)
	result := e.copy("from", "to")
	e.same("ETag", deref(result.ETag), etag("body"))
	e.holds("to", "body")
	e.holds("from", "body")
	head := e.head("to")
	e.same("ContentType", deref(head.ContentType), "text/plain")
	e.same("CacheControl", deref(head.CacheControl), "no-store")
	e.same("Metadata", head.Metadata, map[string]string{"a": "1"})
	if result.LastModified == nil || !result.LastModified.Equal(*head.LastModified) {
		e.Errorf("LastModified is %v, and then %v", result.LastModified, head.LastModified)
	}
	e.put("from", "other body")
	e.holds("to", "body")
	e.remove("from")
	e.holds("to", "body")
}

func copyReplace(e *env) {
	e.put("from", "body", described)
	e.copy("from", "to", func(in *s3.CopyObjectInput) {
		in.MetadataDirective = types.MetadataDirectiveReplace
		in.ContentType = new("text/html")
		in.Metadata = map[string]string{"b": "2"}
	})
	head := e.head("to")
	e.same("ContentType", deref(head.ContentType), "text/html")
	e.same("CacheControl", deref(head.CacheControl), "")
	e.same("Metadata", head.Metadata, map[string]string{"b": "2"})
	e.copy("from", "ignored", func(in *s3.CopyObjectInput) { in.ContentType = new("text/html") })
	e.same("ContentType without REPLACE", deref(e.head("ignored").ContentType), "text/plain")
}

func copyMissing(e *env) {
	_, err := e.tryCopy("none", "to")
	e.refused(err, s3err.NoSuchKey)
	e.missing("to")
	if e.options.OneBucket {
		return
	}
	src := backends.CopySource{Bucket: e.bucket + "-none", Key: "from"}
	_, err = e.b.CopyObject(e.Context(), src, &s3.CopyObjectInput{Bucket: &e.bucket, Key: new("to")})
	e.refused(err, s3err.NoSuchBucket)
	e.missing("to")
}

func copySourceCondition(e *env) {
	e.put("from", "body")
	at := *e.head("from").LastModified
	before := at.Add(-time.Second)
	type in = s3.CopyObjectInput
	f := func(ok bool, edit func(*in)) {
		e.Helper()
		_, err := e.tryCopy("from", "to", edit)
		if ok && err != nil {
			e.Errorf("refused: %v", err)
		}
		if ok {
			e.holds("to", "body")
			e.remove("to")
			return
		}
		e.refused(err, s3err.PreconditionFailed)
		e.missing("to")
	}
	tag, other := etag("body"), etag("other")
	f(true, func(i *in) { i.CopySourceIfMatch = &tag })
	f(false, func(i *in) { i.CopySourceIfMatch = &other })
	f(true, func(i *in) { i.CopySourceIfNoneMatch = &other })
	f(false, func(i *in) { i.CopySourceIfNoneMatch = &tag })
	f(true, func(i *in) { i.CopySourceIfModifiedSince = &before })
	f(false, func(i *in) { i.CopySourceIfModifiedSince = &at })
	f(true, func(i *in) { i.CopySourceIfUnmodifiedSince = &at })
	f(false, func(i *in) { i.CopySourceIfUnmodifiedSince = &before })
	f(true, func(i *in) { i.CopySourceIfMatch, i.CopySourceIfUnmodifiedSince = &tag, &before })
	f(false, func(i *in) { i.CopySourceIfNoneMatch, i.CopySourceIfModifiedSince = &tag, &before })
}

func copyDestinationCondition(e *env) {
	e.put("from", "body")
	e.put("to", "old")
	absent := func(in *s3.CopyObjectInput) { in.IfNoneMatch = new("*") }
	_, err := e.tryCopy("from", "to", absent)
	e.refused(err, s3err.PreconditionFailed)
	_, err = e.tryCopy("from", "to", func(in *s3.CopyObjectInput) { in.IfMatch = new(etag("other")) })
	e.refused(err, s3err.PreconditionFailed)
	e.holds("to", "old")
	_, err = e.tryCopy("from", "none", func(in *s3.CopyObjectInput) { in.IfMatch = new(etag("other")) })
	e.refused(err, s3err.NoSuchKey)
	e.missing("none")
	e.copy("from", "to", func(in *s3.CopyObjectInput) { in.IfMatch = new(etag("old")) })
	e.holds("to", "body")
	e.copy("from", "new", absent)
	e.holds("new", "body")
}

func copyOntoItself(e *env) {
	e.put("k", "body", described)
	_, err := e.tryCopy("k", "k")
	e.refused(err, s3err.InvalidRequest)
	e.same("message", s3err.From(err).Message, backends.UnchangedCopy().Message)
	e.same("Metadata after a refused copy", e.head("k").Metadata, map[string]string{"a": "1"})
	e.copy("k", "k", func(in *s3.CopyObjectInput) {
		in.MetadataDirective = types.MetadataDirectiveReplace
		in.Metadata = map[string]string{"a": "2"}
	})
	e.holds("k", "body")
	e.same("Metadata", e.head("k").Metadata, map[string]string{"a": "2"})
	if !e.storageClass() {
		return
	}
	e.copy("k", "k", func(in *s3.CopyObjectInput) { in.StorageClass = types.StorageClassStandardIa })
	e.holds("k", "body")
	e.same("StorageClass", e.head("k").StorageClass, types.StorageClassStandardIa)
	e.same("Metadata is kept", e.head("k").Metadata, map[string]string{"a": "2"})
}

func copyChecksum(e *env) {
	e.copiedChecksum(types.ChecksumAlgorithmSha256, types.ChecksumAlgorithmCrc32c)
	if !e.lacks(MoreChecksums) {
		e.copiedChecksum(types.ChecksumAlgorithmSha512, types.ChecksumAlgorithmXxhash3)
		e.copiedChecksum(types.ChecksumAlgorithmXxhash64, types.ChecksumAlgorithmMd5)
	}
}

// copiedChecksum copies what has a checksum of kept, and then with one that is wanted.
func (e *env) copiedChecksum(kept, wanted types.ChecksumAlgorithm) {
	e.Helper()
	e.put("from", "body", func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = kept })
	result := e.copy("from", "to")
	e.same("result", deref(checksum.Get(result, kept)), sum(kept, "body"))
	_, got := e.get("to", enableChecksums)
	e.same("kept", deref(checksum.Get(got, kept)), sum(kept, "body"))
	result = e.copy("from", "to", func(in *s3.CopyObjectInput) { in.ChecksumAlgorithm = wanted })
	e.same("result of another", deref(checksum.Get(result, wanted)), sum(wanted, "body"))
	_, got = e.get("to", enableChecksums)
	e.same("another", deref(checksum.Get(got, wanted)), sum(wanted, "body"))
	e.same("the old one", checksum.Get(got, kept) == nil, true)
}

func copyStorageClass(e *env) {
	if !e.storageClass() {
		e.put("from", "body")
		_, err := e.tryCopy("from", "to", func(in *s3.CopyObjectInput) { in.StorageClass = types.StorageClassStandardIa })
		e.refused(err, s3err.InvalidStorageClass)
		e.missing("to")
		return
	}
	e.put("from", "body", func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassStandardIa })
	e.copy("from", "to")
	e.same("not copied", e.head("to").StorageClass, types.StorageClass(""))
	e.copy("to", "cold", func(in *s3.CopyObjectInput) { in.StorageClass = types.StorageClassStandardIa })
	e.same("given", e.head("cold").StorageClass, types.StorageClassStandardIa)
}

func copyLarge(e *env) {
	body := random(5, 2<<20+3)
	e.put("from", body)
	e.same("ETag", deref(e.copy("from", "to").ETag), etag(body))
	e.holds("to", body)
}
