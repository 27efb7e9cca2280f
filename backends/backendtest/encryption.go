package backendtest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// encryptionCases are about encryption where objects are stored.
var encryptionCases = []testCase{
	{"encryption/managed", "ServerSideEncryption is done and told of, or refused: never overlooked", encryptionManaged},
	{"encryption/kms", "so is encryption with keys of KMS", encryptionKMS},
	{"encryption/upload", "an upload says how its object is encrypted", encryptionUpload},
	{"encryption/customer", "an object is read with the customer's key that it was written with, and no other", encryptionCustomer},
	{"encryption/customer-ranges", "any range of an encrypted object is that of its bytes", encryptionRanges},
	{"encryption/customer-keyless", "who has no key can list, replace and delete an object that was written with one", encryptionKeyless},
	{"encryption/customer-copy", "a copy takes the key of its source, and is encrypted as it asks to be", encryptionCopy},
	{"encryption/customer-upload", "parts have the customer's key of their upload", encryptionParts},
	{"encryption/customer-part-copy", "a part is copied from a source with another key", encryptionPartCopy},
}

// newKey makes a customer's key; one for each seed.
func newKey(seed byte) backends.CustomerKey {
	key := bytes.Repeat([]byte{seed}, backends.CustomerKeySize)
	sum := md5.Sum(key)
	return backends.CustomerKey{
		Algorithm: new("AES256"),
		Key:       new(base64.StdEncoding.EncodeToString(key)), MD5: new(base64.StdEncoding.EncodeToString(sum[:])),
	}
}

// putWith makes a put one with a key.
func putWith(k backends.CustomerKey) func(*s3.PutObjectInput) {
	return func(in *s3.PutObjectInput) {
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
	}
}

// getWith makes a read one with a key.
func getWith(k backends.CustomerKey) func(*s3.GetObjectInput) {
	return func(in *s3.GetObjectInput) {
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
	}
}

// copyWith makes a copy one from a source with a key to an object with another; without either where that is zero.
func copyWith(from, to backends.CustomerKey) func(*s3.CopyObjectInput) {
	return func(in *s3.CopyObjectInput) {
		in.CopySourceSSECustomerAlgorithm, in.CopySourceSSECustomerKey, in.CopySourceSSECustomerKeyMD5 = from.Algorithm, from.Key, from.MD5
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = to.Algorithm, to.Key, to.MD5
	}
}

// keyless is no key.
var keyless backends.CustomerKey

// encrypts checks that a write with what is not done is refused, and reports whether it is done.
func (e *env) encrypts(a Ability, edit func(*s3.PutObjectInput)) bool {
	e.Helper()
	if !e.lacks(a) {
		return true
	}
	out, err := e.tryPut("encrypted", "secret", edit)
	if err == nil && (out.ServerSideEncryption != "" || out.SSECustomerKeyMD5 != nil) {
		return false // One of several places has it.
	}
	e.refused(err, s3err.NotImplemented)
	e.missing("encrypted")
	return false
}

// tryHead asks for the headers of an object with a key.
func (e *env) tryHead(key string, k backends.CustomerKey) (*s3.HeadObjectOutput, error) {
	return e.b.HeadObject(e.Context(), &s3.HeadObjectInput{
		Bucket: &e.bucket, Key: &key,
		SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	})
}

// holdsWith checks that the object under key is read with k.
func (e *env) holdsWith(k backends.CustomerKey, key, want string) {
	e.Helper()
	got, out := e.get(key, getWith(k))
	if got != want {
		e.Errorf("%q holds %s, want %s", key, abbreviate(got), abbreviate(want))
	}
	head, err := e.tryHead(key, k)
	if err != nil {
		e.Fatalf("HeadObject %q: %v", key, err)
	}
	for _, told := range []backends.CustomerKey{
		{Algorithm: out.SSECustomerAlgorithm, MD5: out.SSECustomerKeyMD5}, {Algorithm: head.SSECustomerAlgorithm, MD5: head.SSECustomerKeyMD5},
	} {
		e.same("SSECustomerAlgorithm", deref(told.Algorithm), deref(k.Algorithm))
		e.same("SSECustomerKeyMD5", deref(told.MD5), deref(k.MD5))
	}
	e.same("ContentLength", deref(head.ContentLength), int64(len(want)))
	e.same("ETag", deref(head.ETag), deref(out.ETag))
}

// onlyWith checks that nobody reads the object under key without k.
func (e *env) onlyWith(k backends.CustomerKey, key, want string) {
	e.Helper()
	e.holdsWith(k, key, want)
	for _, wrong := range []struct {
		key  backends.CustomerKey
		code s3err.Code
	}{{keyless, s3err.InvalidRequest}, {newKey(200), s3err.AccessDenied}} {
		_, _, err := e.tryGet(key, getWith(wrong.key))
		e.refused(err, wrong.code)
		_, err = e.tryHead(key, wrong.key)
		e.refused(err, wrong.code)
		_, err = e.tryAttributes(key, s3.GetObjectAttributesInput{
			SSECustomerAlgorithm: wrong.key.Algorithm, SSECustomerKey: wrong.key.Key, SSECustomerKeyMD5: wrong.key.MD5,
		}, types.ObjectAttributesEtag)
		e.refused(err, wrong.code)
	}
}

// asks makes a put one that asks for an encryption.
func asks(a types.ServerSideEncryption) func(*s3.PutObjectInput) {
	return func(in *s3.PutObjectInput) { in.ServerSideEncryption = a }
}

func encryptionManaged(e *env) {
	managed := types.ServerSideEncryptionAes256
	if !e.encrypts(ManagedKeys, asks(managed)) {
		return
	}
	for _, body := range []string{"", "secret", random(7, 200_000)} {
		out := e.put("k", body, asks(managed))
		e.same("ServerSideEncryption of PutObject", out.ServerSideEncryption, managed)
		e.same("ETag", deref(out.ETag), etag(body))
		e.holds("k", body)
		head := e.head("k")
		e.same("ServerSideEncryption of HeadObject", head.ServerSideEncryption, managed)
		e.same("ContentLength", deref(head.ContentLength), int64(len(body)))
		_, get := e.get("k")
		e.same("ServerSideEncryption of GetObject", get.ServerSideEncryption, managed)
		e.same("Size", deref(e.list(s3.ListObjectsV2Input{}).Contents[0].Size), int64(len(body)))
		if len(body) > 3 {
			got, _ := e.get("k", func(in *s3.GetObjectInput) { in.Range = new("bytes=1-3") })
			e.same("a range", got, body[1:4])
		}
	}
	out, err := e.tryCopy("k", "copy", func(in *s3.CopyObjectInput) { in.ServerSideEncryption = managed })
	if err != nil {
		e.Fatal(err)
	}
	e.same("ServerSideEncryption of CopyObject", out.ServerSideEncryption, managed)
	e.holds("copy", random(7, 200_000))
	e.copy("copy", "plain")
	e.holds("plain", random(7, 200_000))
}

func encryptionKMS(e *env) {
	kms := types.ServerSideEncryptionAwsKms
	if !e.encrypts(KMSKeys, asks(kms)) {
		return
	}
	out := e.put("k", "secret", asks(kms))
	e.same("ServerSideEncryption of PutObject", out.ServerSideEncryption, kms)
	if deref(out.SSEKMSKeyId) == "" {
		e.Error("PutObject does not tell of the key")
	}
	e.holds("k", "secret")
	head := e.head("k")
	e.same("ServerSideEncryption of HeadObject", head.ServerSideEncryption, kms)
	e.same("SSEKMSKeyId", deref(head.SSEKMSKeyId), deref(out.SSEKMSKeyId))
	e.same("ETag", deref(head.ETag), deref(out.ETag))
	named := e.put("k", "secret", asks(kms), func(in *s3.PutObjectInput) { in.SSEKMSKeyId = out.SSEKMSKeyId })
	e.same("SSEKMSKeyId", deref(named.SSEKMSKeyId), deref(out.SSEKMSKeyId))
	e.holds("k", "secret")
}

func encryptionUpload(e *env) {
	managed := types.ServerSideEncryptionAes256
	if !e.encrypts(ManagedKeys, asks(managed)) {
		return
	}
	u := e.begin("k", func(in *s3.CreateMultipartUploadInput) { in.ServerSideEncryption = managed })
	one := random(1, fiveMiB)
	out := u.complete(u.part(1, one), u.part(2, "end"))
	e.same("ServerSideEncryption of CompleteMultipartUpload", out.ServerSideEncryption, managed)
	e.same("ETag", deref(out.ETag), multipartETag(one, "end"))
	e.holds("k", one+"end")
	e.same("ServerSideEncryption of HeadObject", e.head("k").ServerSideEncryption, managed)
	got, _ := e.get("k", func(in *s3.GetObjectInput) { in.Range = new("bytes=5242870-5242881") })
	e.same("a range over two parts", got, (one + "end")[5242870:5242882])
}

func encryptionCustomer(e *env) {
	k := newKey(1)
	if !e.encrypts(CustomerKeys, putWith(k)) {
		return
	}
	for _, body := range []string{"", "secret", random(7, 200_000)} {
		out := e.put("k", body, putWith(k))
		e.same("SSECustomerKeyMD5 of PutObject", deref(out.SSECustomerKeyMD5), deref(k.MD5))
		e.same("SSECustomerAlgorithm of PutObject", deref(out.SSECustomerAlgorithm), "AES256")
		if deref(out.ETag) == etag(body) {
			e.Errorf("the ETag tells the MD5 of %s", abbreviate(body))
		}
		if body == "" { // There are services that have nothing to hold another key against.
			e.holdsWith(k, "k", body)
			continue
		}
		e.onlyWith(k, "k", body)
	}
	e.put("plain", "x")
	_, _, err := e.tryGet("plain", getWith(k))
	e.refused(err, s3err.InvalidRequest)
	_, err = e.tryHead("plain", k)
	e.refused(err, s3err.InvalidRequest)
	_, _, err = e.tryGet("missing", getWith(k))
	e.refused(err, s3err.NoSuchKey)
	_, err = e.tryHead("missing", k)
	e.refused(err, s3err.NoSuchKey)
}

func encryptionRanges(e *env) {
	k := newKey(1)
	if !e.encrypts(CustomerKeys, putWith(k)) {
		return
	}
	body := random(3, 200_001)
	e.put("k", body, putWith(k))
	for _, r := range []struct {
		header     string
		start, end int
	}{
		{"bytes=0-0", 0, 1},
		{"bytes=65535-65536", 65535, 65537},
		{"bytes=65536-131071", 65536, 131072},
		{"bytes=1-199999", 1, 200_000},
		{"bytes=200000-", 200_000, 200_001},
		{"bytes=-70000", 130_001, 200_001},
	} {
		got, out := e.get("k", getWith(k), func(in *s3.GetObjectInput) { in.Range = &r.header })
		if got != body[r.start:r.end] || out.ContentRange == nil {
			e.Errorf("%s of %s is %s", r.header, abbreviate(body), abbreviate(got))
		}
	}
}

func encryptionKeyless(e *env) {
	k := newKey(1)
	if !e.encrypts(CustomerKeys, putWith(k)) {
		return
	}
	e.put("k", "secret", putWith(k))
	e.same("keys", e.keys(), []string{"k"})
	e.put("k", "plain")
	e.holds("k", "plain")
	e.put("k", "secret", putWith(k))
	e.put("k", "other", putWith(newKey(2)))
	e.onlyWith(newKey(2), "k", "other")
	e.remove("k")
	e.missing("k")
}

func encryptionCopy(e *env) {
	k, other := newKey(1), newKey(2)
	if !e.encrypts(CustomerKeys, putWith(k)) {
		return
	}
	for _, body := range []string{"secret", random(7, 200_000)} {
		e.put("from", body, putWith(k), described)
		e.put("plain", body)
		_, err := e.tryCopy("from", "to")
		e.refused(err, s3err.InvalidRequest)
		_, err = e.tryCopy("from", "to", copyWith(other, keyless))
		e.refused(err, s3err.AccessDenied)
		_, err = e.tryCopy("plain", "to", copyWith(k, keyless))
		e.refused(err, s3err.InvalidRequest)
		e.missing("to")
		out, err := e.tryCopy("from", "to", copyWith(k, other))
		if err != nil {
			e.Fatalf("CopyObject: %v", err)
		}
		e.same("SSECustomerKeyMD5 of CopyObject", deref(out.SSECustomerKeyMD5), deref(other.MD5))
		e.onlyWith(other, "to", body)
		head, _ := e.tryHead("to", other)
		e.same("Metadata", head.Metadata, map[string]string{"a": "1"})
		e.copy("from", "to", copyWith(k, keyless))
		e.holds("to", body)
		e.copy("plain", "to", copyWith(keyless, k))
		e.onlyWith(k, "to", body)
		e.copy("to", "to", copyWith(k, other)) // a key is changed like that
		e.onlyWith(other, "to", body)
		e.remove("to")
	}
}

// beginWith begins an upload with a key.
func (e *env) beginWith(key string, k backends.CustomerKey) *upload {
	return e.begin(key, func(in *s3.CreateMultipartUploadInput) {
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
	})
}

// tryPartWith stores a part with a key.
func (u *upload) tryPartWith(k backends.CustomerKey, n int32, body string) (types.CompletedPart, error) {
	out, err := u.tryPart(n, body, func(in *s3.UploadPartInput) {
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
	})
	if err != nil {
		return types.CompletedPart{}, err
	}
	u.same("SSECustomerKeyMD5 of UploadPart", deref(out.SSECustomerKeyMD5), deref(k.MD5))
	return types.CompletedPart{PartNumber: &n, ETag: out.ETag}, nil
}

// partWith is tryPartWith that must succeed.
func (u *upload) partWith(k backends.CustomerKey, n int32, body string) types.CompletedPart {
	u.Helper()
	p, err := u.tryPartWith(k, n, body)
	if err != nil {
		u.Fatalf("UploadPart: %v", err)
	}
	return p
}

func encryptionParts(e *env) {
	k := newKey(1)
	if !e.encrypts(CustomerKeys, putWith(k)) {
		return
	}
	u := e.beginWith("k", k)
	one, two := random(1, fiveMiB+3), random(2, 70_000)
	first, second := u.partWith(k, 2, one), u.partWith(k, 5, two)
	_, err := u.tryPartWith(keyless, 1, "x")
	u.refused(err, s3err.InvalidRequest)
	_, err = u.tryPartWith(newKey(2), 1, "x")
	u.refused(err, s3err.InvalidRequest)
	in := u.input(first, second)
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
	if _, err := u.tryComplete(in); err != nil {
		e.Fatalf("CompleteMultipartUpload: %v", err)
	}
	e.onlyWith(k, "k", one+two)
	got, out := e.get("k", getWith(k), func(in *s3.GetObjectInput) { in.PartNumber = new(int32(2)) })
	if got != two || deref(out.PartsCount) != 2 {
		e.Errorf("part 2 of %v is %s", show(out.PartsCount), abbreviate(got))
	}
	got, _ = e.get("k", getWith(k), func(in *s3.GetObjectInput) { in.Range = new("bytes=5242880-5242889") })
	e.same("a range over two parts", got, (one + two)[5242880:5242890])

	u = e.begin("plain")
	_, err = u.tryPartWith(k, 1, "x")
	u.refused(err, s3err.InvalidRequest)
}

func encryptionPartCopy(e *env) {
	k, other := newKey(1), newKey(2)
	if !e.encrypts(CustomerKeys, putWith(k)) {
		return
	}
	source := random(4, 100_000)
	e.put("from", source, putWith(k))
	u := e.beginWith("k", other)
	edit := func(from, to backends.CustomerKey) func(in *s3.UploadPartCopyInput) {
		return func(in *s3.UploadPartCopyInput) {
			in.CopySourceRange = new("bytes=1-70000")
			in.CopySourceSSECustomerAlgorithm, in.CopySourceSSECustomerKey, in.CopySourceSSECustomerKeyMD5 = from.Algorithm, from.Key, from.MD5
			in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = to.Algorithm, to.Key, to.MD5
		}
	}
	for _, wrong := range []struct {
		from, to backends.CustomerKey
		code     s3err.Code
	}{{keyless, other, s3err.InvalidRequest}, {other, other, s3err.AccessDenied}, {k, keyless, s3err.InvalidRequest}, {k, k, s3err.InvalidRequest}} {
		_, err := u.tryCopyPart(1, "from", edit(wrong.from, wrong.to))
		e.refused(err, wrong.code)
	}
	out, err := u.tryCopyPart(1, "from", edit(k, other))
	if err != nil {
		e.Fatalf("UploadPartCopy: %v", err)
	}
	in := u.input(types.CompletedPart{PartNumber: new(int32(1)), ETag: out.CopyPartResult.ETag})
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = other.Algorithm, other.Key, other.MD5
	if _, err := u.tryComplete(in); err != nil {
		e.Fatalf("CompleteMultipartUpload: %v", err)
	}
	e.onlyWith(other, "k", source[1:70_001])
}
