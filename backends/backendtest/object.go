package backendtest

import (
	"context"
	"errors"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// objectCases are about PutObject and what it leaves behind.
var objectCases = []testCase{
	{"put/get", "PutObject stores Body under Key", putGet},
	{"put/large", "bodies of any size come back as they were", putLarge},
	{"put/etag", "ETags carry their quotes; that of an object stored in one piece is the MD5 of its bytes", putETag},
	{"put/overwrite", "after a write returned nil every later read sees it, and nothing of what it replaced", putOverwrite},
	{"put/headers", "system headers and metadata come back as they were given", putHeaders},
	{"put/storage-class", "the storage class is kept; STANDARD is not shown by reads", putStorageClass},
	{"put/checksum", "the backend calculates the checksum of ChecksumAlgorithm, stores it and returns it", putChecksum},
	{"put/body-error", "a Body that ends in another error than io.EOF: nothing is stored and that error is returned (trap 6)", putBodyError},
	{"put/body-error-keeps-old", "after a write returned an error the old state stands", putBodyErrorKeepsOld},
	{"put/body-error-at-end", "an error in place of io.EOF counts when all bytes have been delivered, too", putBodyErrorAtEnd},
	{"put/context", "a call returns when its context ends, with an error, and stores nothing", putContext},
	{"put/input-unchanged", "nobody changes an input that was passed to it", putInputUnchanged},
	{"context/ended", "every call with a context that has ended fails", contextEnded},
	{"bucket/missing", "NoSuchBucket", bucketMissing},
}

func putGet(e *env) {
	for _, body := range []string{"", "x", "hello, world"} {
		e.put("k", body)
		e.holds("k", body)
		e.same("ContentLength of HeadObject", deref(e.head("k").ContentLength), int64(len(body)))
	}
}

func putLarge(e *env) {
	for _, n := range []int{1<<16 - 1, 1 << 16, 1<<16 + 1, 3<<20 + 17} {
		body := random(byte(n), n)
		e.put("k", body)
		e.holds("k", body)
	}
}

func putETag(e *env) {
	out := e.put("k", "hello")
	want := etag("hello")
	e.same("PutObject", deref(out.ETag), want)
	_, got := e.get("k")
	e.same("GetObject", deref(got.ETag), want)
	e.same("HeadObject", deref(e.head("k").ETag), want)
	e.same("ListObjectsV2", deref(e.list(s3.ListObjectsV2Input{}).Contents[0].ETag), want)
}

func putOverwrite(e *env) {
	e.put("k", "one", func(in *s3.PutObjectInput) {
		in.ContentType = new("text/plain")
		in.CacheControl = new("no-store")
		in.Metadata = map[string]string{"a": "1"}
	})
	e.put("k", "second")
	e.holds("k", "second")
	head := e.head("k")
	e.same("Metadata", len(head.Metadata), 0)
	e.same("CacheControl", deref(head.CacheControl), "")
	if deref(head.ContentType) == "text/plain" {
		e.Error("ContentType of the replaced object")
	}
}

func putHeaders(e *env) {
	expires := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	metadata := map[string]string{"colour": "blue", "empty-ish": "-", "x": strings.Repeat("v", 500)}
	e.put("k", "body", func(in *s3.PutObjectInput) {
		in.CacheControl = new("max-age=60")
		in.ContentDisposition = new(`attachment; filename="a b.txt"`)
		in.ContentEncoding = new("identity")
		in.ContentLanguage = new("de-DE, en")
		in.ContentType = new("text/plain; charset=utf-8")
		in.Expires = &expires
		in.Metadata = maps.Clone(metadata)
	})
	_, got := e.get("k")
	e.same("CacheControl", deref(got.CacheControl), "max-age=60")
	e.same("ContentDisposition", deref(got.ContentDisposition), `attachment; filename="a b.txt"`)
	e.same("ContentEncoding", deref(got.ContentEncoding), "identity")
	e.same("ContentLanguage", deref(got.ContentLanguage), "de-DE, en")
	e.same("ContentType", deref(got.ContentType), "text/plain; charset=utf-8")
	e.same("ExpiresString", deref(got.ExpiresString), "Tue, 06 May 2031 07:08:09 GMT")
	e.same("Metadata", got.Metadata, metadata)

	head := e.head("k")
	e.same("HeadObject: ContentType", deref(head.ContentType), deref(got.ContentType))
	e.same("HeadObject: ExpiresString", deref(head.ExpiresString), deref(got.ExpiresString))
	e.same("HeadObject: Metadata", head.Metadata, metadata)
	if got.LastModified == nil || head.LastModified == nil || !got.LastModified.Equal(*head.LastModified) {
		e.Errorf("LastModified is %v for GetObject and %v for HeadObject", got.LastModified, head.LastModified)
	} else {
		e.same("LastModified has whole seconds", got.LastModified.Nanosecond(), 0)
	}
}

func putStorageClass(e *env) {
	e.put("k", "x")
	e.same("HeadObject of a usual object", e.head("k").StorageClass, types.StorageClass(""))
	e.same("ListObjectsV2", e.list(s3.ListObjectsV2Input{}).Contents[0].StorageClass, types.ObjectStorageClassStandard)
	e.put("k", "x", func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassStandard })
	e.same("HeadObject of a STANDARD object", e.head("k").StorageClass, types.StorageClass(""))
	if !e.storageClass() {
		return
	}
	e.put("k", "x", func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassStandardIa })
	e.same("HeadObject", e.head("k").StorageClass, types.StorageClassStandardIa)
	e.same("ListObjectsV2", e.list(s3.ListObjectsV2Input{}).Contents[0].StorageClass, types.ObjectStorageClassStandardIa)
}

func putChecksum(e *env) {
	for _, wanted := range checksum.All() {
		a, _ := e.kept(wanted, "")
		want := sum(a, "hello")
		out := e.put("k", "hello", func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = wanted })
		e.same(string(a)+" of PutObject", deref(checksum.Get(out, a)), want)

		_, got := e.get("k")
		e.same(string(a)+" without ChecksumMode", checksum.Get(got, a) == nil, true)
		_, got = e.get("k", enableChecksums)
		e.same(string(a)+" of GetObject", deref(checksum.Get(got, a)), want)
		e.same("ChecksumType", got.ChecksumType, types.ChecksumTypeFullObject)
		_, got = e.get("k", enableChecksums, func(in *s3.GetObjectInput) { in.Range = new("bytes=0-1") })
		e.same(string(a)+" of a range", checksum.Get(got, a) == nil, true)
		o := e.list(s3.ListObjectsV2Input{}).Contents[0]
		if !e.lacks(ListedChecksums) {
			e.same("algorithm in ListObjectsV2", o.ChecksumAlgorithm, []types.ChecksumAlgorithm{a})
		}
	}
}

// enableChecksums asks for the checksum.
func enableChecksums(in *s3.GetObjectInput) { in.ChecksumMode = types.ChecksumModeEnabled }

func putBodyError(e *env) {
	for _, n := range []int{0, 1, 70_000, 300_000} {
		_, err := e.tryPut("k", random(1, 400_000), func(in *s3.PutObjectInput) {
			in.Body = failingBody(random(1, n), s3err.New(s3err.BadDigest))
		})
		e.refused(err, s3err.BadDigest)
		e.missing("k")
		e.same("keys", e.keys(), []string{})
	}
	_, err := e.tryPut("k", "12345", func(in *s3.PutObjectInput) {
		in.Body = failingBody("123", io.ErrUnexpectedEOF)
	})
	if err == nil || errors.Is(err, io.EOF) {
		e.Errorf("a body that breaks off: %v", err)
	}
	e.missing("k")
}

func putBodyErrorKeepsOld(e *env) {
	e.put("k", "old")
	_, err := e.tryPut("k", "new body", func(in *s3.PutObjectInput) {
		in.Body = failingBody("new", s3err.New(s3err.XAmzContentSHA256Mismatch))
	})
	e.refused(err, s3err.XAmzContentSHA256Mismatch)
	e.holds("k", "old")
}

func putBodyErrorAtEnd(e *env) {
	for _, body := range []string{"", "hello", random(2, 200_000)} {
		_, err := e.tryPut("k", body, func(in *s3.PutObjectInput) {
			in.Body = failingBody(body, s3err.New(s3err.SignatureDoesNotMatch))
		})
		e.refused(err, s3err.SignatureDoesNotMatch)
		e.missing("k")
	}
}

// putContext ends the context in the middle of a body that would go on for
// long, and wants the store to stop reading soon.
func putContext(e *env) {
	e.put("k", "old")
	ctx, cancel := context.WithCancel(e.Context())
	defer cancel()
	const length, patience = int64(64 << 20), int64(16 << 20)
	body := &countingReader{}
	in := &s3.PutObjectInput{
		Bucket: &e.bucket, Key: new("k"), ContentLength: new(length),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		Body: io.LimitReader(hook{body, func() {
			if body.read > 0 {
				cancel()
			}
		}}, length),
	}
	if _, err := e.b.PutObject(ctx, in); err == nil {
		e.Error("PutObject succeeded although its context ended")
	}
	if body.read > patience {
		e.Errorf("%d bytes were read of a body whose context ended at once", body.read)
	}
	e.holds("k", "old")
}

// countingReader has no end, and counts.
type countingReader struct{ read int64 }

// Read implements io.Reader.
func (r *countingReader) Read(p []byte) (int, error) {
	r.read += int64(len(p))
	return len(p), nil
}

func putInputUnchanged(e *env) {
	metadata := map[string]string{"a": "b"}
	var in *s3.PutObjectInput
	e.put("k", "x", func(i *s3.PutObjectInput) { i.Metadata, in = metadata, i })
	e.same("Bucket", *in.Bucket, e.bucket)
	e.same("Key", *in.Key, "k")
	e.same("Metadata", metadata, map[string]string{"a": "b"})

	metadata["a"] = "changed by its owner"
	e.same("stored Metadata", e.head("k").Metadata, map[string]string{"a": "b"})
}

func contextEnded(e *env) {
	e.put("k", "x")
	ctx, cancel := context.WithCancel(e.Context())
	cancel()
	f := func(name string, err error) {
		e.Helper()
		if err == nil {
			e.Errorf("%s succeeded although its context had ended", name)
		}
	}
	_, err := e.b.GetObject(ctx, &s3.GetObjectInput{Bucket: &e.bucket, Key: new("k")})
	f("GetObject", err)
	_, err = e.b.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &e.bucket, Key: new("k")})
	f("HeadObject", err)
	_, err = e.b.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &e.bucket})
	f("ListObjectsV2", err)
	_, err = e.b.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &e.bucket, Key: new("k"), Body: strings.NewReader("y"), ContentLength: new(int64(1)),
	})
	f("PutObject", err)
	_, err = e.b.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &e.bucket, Key: new("k")})
	f("DeleteObject", err)
	e.holds("k", "x")
}

func bucketMissing(e *env) {
	if e.options.OneBucket {
		e.Skip("there is one bucket")
	}
	e.put("k", "x")
	other := &env{T: e.T, b: e.b, bucket: e.bucket + "-none"}
	_, _, err := other.tryGet("k")
	e.refused(err, s3err.NoSuchBucket)
	_, err = other.tryPut("k", "x")
	e.refused(err, s3err.NoSuchBucket)
	_, err = e.b.HeadObject(e.Context(), &s3.HeadObjectInput{Bucket: &other.bucket, Key: new("k")})
	e.refused(err, s3err.NoSuchBucket)
	other.tagsOfNoBucket()
	_, err = other.tryAttributes("k", s3.GetObjectAttributesInput{}, types.ObjectAttributesObjectParts)
	e.refused(err, s3err.NoSuchBucket)
	_, err = e.b.ListObjectsV2(e.Context(), &s3.ListObjectsV2Input{Bucket: &other.bucket})
	e.refused(err, s3err.NoSuchBucket)
	_, err = e.b.DeleteObject(e.Context(), &s3.DeleteObjectInput{Bucket: &other.bucket, Key: new("k")})
	e.refused(err, s3err.NoSuchBucket)
	_, err = e.b.DeleteObjects(e.Context(), &s3.DeleteObjectsInput{
		Bucket: &other.bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: new("k")}}},
	})
	e.refused(err, s3err.NoSuchBucket)
}
