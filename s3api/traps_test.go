package s3api_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends/localbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/router"
)

// user is an SDK client at work on the test's bucket.
type user struct {
	t *testing.T
	*s3.Client
	proxy  *s3test.Proxy
	bucket *string
}

// sign starts a proxy and returns it as who sees it.
func sign(t *testing.T, who router.Credential, o s3test.Options) user {
	t.Helper()
	o.Now = time.Now
	p := s3test.Start(t, o)
	return user{t, p.Client(who), p, aws.String(s3test.Bucket)}
}

// as is the same proxy for somebody else.
func (u user) as(who router.Credential) user {
	return user{u.t, u.proxy.Client(who), u.proxy, u.bucket}
}

func (u user) put(key, body string) {
	u.t.Helper()
	_, err := u.PutObject(u.t.Context(), &s3.PutObjectInput{Bucket: u.bucket, Key: &key, Body: strings.NewReader(body)})
	u.ok(err)
}

func (u user) get(key string) string {
	u.t.Helper()
	out, err := u.GetObject(u.t.Context(), &s3.GetObjectInput{Bucket: u.bucket, Key: &key})
	u.ok(err)
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	u.ok(err)
	return string(body)
}

func (u user) ok(err error) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
}

// fails checks that err is S3's error of that code.
func (u user) fails(err error, code string) {
	u.t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		u.t.Errorf("%v, want %s", err, code)
	}
}

// TestTrap02CopySourceIsARead: copying what one may not read is refused, and
// what another tenant has does not exist.
func TestTrap02CopySourceIsARead(t *testing.T) {
	root := sign(t, s3test.Root, s3test.Options{})
	root.put("secret", "s")
	cp := func(u user) error {
		_, err := u.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: u.bucket, Key: aws.String("copy"), CopySource: aws.String("bucket/secret")})
		return err
	}
	root.ok(cp(root))
	root.fails(cp(root.as(s3test.Writer)), "AccessDenied")

	stranger := root.as(s3test.Stranger)
	stranger.bucket = aws.String("theirs")
	_, err := stranger.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: stranger.bucket})
	root.ok(err)
	root.fails(cp(stranger), "NoSuchBucket")
	up, err := stranger.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: stranger.bucket, Key: aws.String("k")})
	root.ok(err)
	_, err = stranger.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{
		Bucket: stranger.bucket, Key: aws.String("k"), UploadId: up.UploadId, PartNumber: aws.Int32(1), CopySource: aws.String("bucket/secret"),
	})
	root.fails(err, "NoSuchBucket")
}

// TestTrap03TenantsNeverMeet: two tenants use the same names and see only
// their own objects and uploads.
func TestTrap03TenantsNeverMeet(t *testing.T) {
	root := sign(t, s3test.Root, s3test.Options{})
	stranger := root.as(s3test.Stranger)
	_, err := stranger.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: root.bucket})
	root.ok(err)
	for _, key := range []string{"k", "default/bucket/k", "elsewhere/bucket/k", "bucket/k", "k/../bucket/k"} {
		root.put(key, "of root")
		stranger.put(key, "of stranger")
		if root.get(key) != "of root" || stranger.get(key) != "of stranger" {
			t.Errorf("%q is shared", key)
		}
	}
	up, err := root.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: root.bucket, Key: aws.String("m")})
	root.ok(err)
	list, err := stranger.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: root.bucket})
	root.ok(err)
	if len(list.Uploads) > 0 {
		t.Errorf("a stranger sees %d uploads", len(list.Uploads))
	}
	_, err = stranger.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: root.bucket, Key: aws.String("m"), UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
	})
	root.fails(err, "NoSuchUpload")
	_, err = stranger.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: root.bucket, Key: aws.String("m"), UploadId: up.UploadId})
	root.fails(err, "NoSuchUpload")
}

// TestTrap05RepeatedParameters: a parameter that comes twice is refused. In the
// canonical request both are sorted, so that whoever has a presigned URL could
// choose which of them comes first.
func TestTrap05RepeatedParameters(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	f := func(query string, status int, code string) {
		t.Helper()
		r := dial(t, p)
		r.send("GET " + r.presign("GET", s3test.Domain, "/bucket?"+query) + " HTTP/1.1\r\nHost: " + s3test.Domain + "\r\n\r\n")
		r.expect(status, code)
	}
	f("list-type=2&prefix=a", 200, "")
	f("list-type=2&prefix=a&prefix=b", 400, "InvalidArgument")
	f("list-type=2&prefix=a&prefix=a", 400, "InvalidArgument")
	f("list-type=2&prefix=a&pref%69x=b", 400, "InvalidArgument")
	f("list-type=2&prefix=a&Prefix=b", 200, "") // another one
}

// TestTrap07Documents: what a client sends as XML is bounded.
func TestTrap07Documents(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	post := func(target, doc string, status int, code string) {
		t.Helper()
		r := dial(t, p)
		sum := md5.Sum([]byte(doc))
		r.send(r.head("POST", target, "Content-Md5: "+base64.StdEncoding.EncodeToString(sum[:]), fmt.Sprintf("Content-Length: %d", len(doc))))
		go func() { _, _ = io.WriteString(r.conn, doc) }()
		r.expect(status, code)
	}
	post("/bucket?delete", "<Delete><Object><Key>k</Key></Object></Delete>x", 400, "MalformedXML")
	post("/bucket?delete", "<Delete>"+strings.Repeat("<Object><Key>k</Key></Object>", 1001)+"</Delete>", 400, "MalformedXML")
	post("/bucket?delete", `<!DOCTYPE D [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>`, 400, "MalformedXML")
	post("/bucket?delete", strings.Repeat("<a>", 100_000), 400, "MalformedXML")
	post("/bucket?delete", "<Delete><Object><Key>k</Key><New>1</New></Object><Other/></Delete>", 200, "")
	post("/bucket?delete", strings.Repeat(" ", 2<<20+1), 400, "MaxMessageLengthExceeded")
	post("/bucket/k?uploadId=u", "<CompleteMultipartUpload>"+strings.Repeat("<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>", 10_001)+"</CompleteMultipartUpload>", 400, "MalformedXML")
}

// TestTrap08Tokens: a token that is edited, or that belongs to another bucket,
// is refused.
func TestTrap08Tokens(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	u.put("a", "1")
	u.put("b", "2")
	page, err := u.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: u.bucket, MaxKeys: aws.Int32(1)})
	u.ok(err)
	other := aws.String("other")
	_, err = u.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: other})
	u.ok(err)
	_, err = u.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: other, ContinuationToken: page.NextContinuationToken})
	u.fails(err, "InvalidArgument")

	up, err := u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: u.bucket, Key: aws.String("m")})
	u.ok(err)
	for i := range len(*up.UploadId) {
		edited := []byte(*up.UploadId)
		edited[i] ^= 1
		_, err = u.ListParts(t.Context(), &s3.ListPartsInput{Bucket: u.bucket, Key: aws.String("m"), UploadId: aws.String(string(edited))})
		u.fails(err, "NoSuchUpload")
		if tok := []byte(*page.NextContinuationToken); i < len(tok) {
			tok[i] ^= 1
			_, err = u.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: u.bucket, ContinuationToken: aws.String(string(tok))})
			u.fails(err, "InvalidArgument")
		}
	}
	_, err = u.ListParts(t.Context(), &s3.ListPartsInput{Bucket: u.bucket, Key: aws.String("n"), UploadId: up.UploadId})
	u.fails(err, "NoSuchUpload")
}

// TestTrap09VirtualNamesOnly: nothing a client can see has a physical name in it.
// The physical bucket here is "default/bucket".
func TestTrap09VirtualNamesOnly(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	for _, target := range []string{
		"/bucket", "/bucket?versions", "/bucket?uploads", "/bucket/none", "/bucket/k?uploadId=x", "/bucket?list-type=2&continuation-token=x", "/", "/bucket?location",
	} {
		r := dial(t, p)
		r.send(r.head("GET", target, "Connection: close"))
		text, err := io.ReadAll(r.br)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("default")) {
			t.Errorf("GET %s:\n%s", target, text)
		}
	}
}

// TestTrap11SignaturesHoldForOneBucket: a signature for a path below the
// domain is none for the same path below a bucket's host, nor the other way
// round. Another name of the same is.
func TestTrap11SignaturesHoldForOneBucket(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	f := func(method, signedAs, arrivesAs, target string, status int, code string) {
		t.Helper()
		r := dial(t, p)
		r.send(method + " " + r.presign(method, signedAs, target) + " HTTP/1.1\r\nHost: " + arrivesAs + "\r\nContent-Length: 0\r\n\r\n")
		r.expect(status, code)
	}
	f("PUT", s3test.Domain, s3test.Domain, "/bucket/x", 200, "")
	f("PUT", s3test.Domain, "bucket."+s3test.Domain, "/bucket/x", 403, "SignatureDoesNotMatch")
	f("GET", s3test.Domain, "bucket."+s3test.Domain, "/bucket/x", 403, "SignatureDoesNotMatch")
	f("GET", s3test.Domain, "bucket."+s3test.Domain, "/", 403, "SignatureDoesNotMatch")
	f("GET", "bucket."+s3test.Domain, s3test.Domain, "/bucket/x", 403, "SignatureDoesNotMatch")
	f("GET", "bucket."+s3test.Domain, "other."+s3test.Domain, "/x", 403, "SignatureDoesNotMatch")
	f("GET", s3test.Domain, "10.0.0.1:9000", "/bucket/x", 200, "")
	f("GET", "bucket."+s3test.Domain, "bucket."+s3test.Domain+":9000", "/x", 200, "")
	if _, ok := p.Object(t, "bucket/x"); ok {
		t.Error("written to where nobody signed for")
	}
}

// TestTrap12ParametersAreHeaders: what a presigned URL has as parameters in
// place of headers is held to what headers are.
func TestTrap12ParametersAreHeaders(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	f := func(method, query string, status int, code string) {
		t.Helper()
		r := dial(t, p)
		r.send(method + " " + r.presign(method, s3test.Domain, "/bucket/k?"+query) + " HTTP/1.1\r\nHost: " + s3test.Domain + "\r\nContent-Length: 0\r\n\r\n")
		r.expect(status, code)
	}
	f("PUT", "x-amz-meta-a=%C3%BC%09b&X-Amz-Meta-B=2&x-amz-website-redirect-location=/a", 200, "")
	f("PUT", "x-amz-meta-=1", 400, "InvalidArgument")
	f("PUT", "x-amz-meta-a%00b=1", 400, "InvalidArgument")
	f("PUT", "x-amz-meta-a%20b=1", 400, "InvalidArgument")
	f("PUT", "x-amz-meta-a%3Ab=1", 400, "InvalidArgument")
	f("PUT", "x-amz-meta-a%0D%0Ab=1", 400, "InvalidArgument")
	f("PUT", "x-amz-meta-%C3%BC=1", 400, "InvalidArgument")
	f("PUT", "x-amz-meta-a=%00", 400, "InvalidArgument")
	f("PUT", "x-amz-meta-a=1%0D%0AX:2", 400, "InvalidArgument")
	f("PUT", "x-amz-meta-a=%7F", 400, "InvalidArgument")
	f("PUT", "x-amz-website-redirect-location=/a%00", 400, "InvalidArgument")
	f("PUT", "x-amz-meta-a=1&X-Amz-Meta-A=2", 400, "InvalidArgument")
	f("PUT", "x-amz-copy-source=/bucket/other", 400, "InvalidArgument")

	f("GET", "response-content-type=text/plain&response-content-disposition=attachment;filename=%C3%BC", 200, "")
	f("GET", "response-content-disposition=%00", 400, "InvalidArgument")
	f("GET", "response-content-type=a%0D%0AX:b", 400, "InvalidArgument")
}

// TestTrap13FramingIsNotData: an aws-chunked upload is stored without its
// framing, and only when its trailer was right.
func TestTrap13FramingIsNotData(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	upload := func(trailer string, status int, code string) {
		t.Helper()
		r := dial(t, p)
		body := "5\r\nhello\r\n0\r\n" + trailer + "\r\n\r\n"
		r.send(r.head("PUT", "/bucket/k", "X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Trailer: x-amz-checksum-crc32",
			"X-Amz-Decoded-Content-Length: 5", "Content-Encoding: aws-chunked,gzip", fmt.Sprintf("Content-Length: %d", len(body))) + body)
		r.expect(status, code)
	}
	upload("x-amz-checksum-crc32:AAAAAA==", 400, "BadDigest")
	if _, ok := p.Object(t, "k"); ok {
		t.Error("stored in spite of a wrong checksum")
	}
	upload("x-amz-checksum-crc32:NhCmhg==", 200, "")
	if got, _ := p.Object(t, "k"); got != "hello" {
		t.Errorf("stored %q", got)
	}
	for _, cut := range []string{"", "0", "0\r\n", "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n"} { // Of nothing, nothing is missing but its end.
		r := dial(t, p)
		r.send(r.head("PUT", "/bucket/none", "X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Trailer: x-amz-checksum-crc32",
			"X-Amz-Decoded-Content-Length: 0", fmt.Sprintf("Content-Length: %d", len(cut))) + cut)
		r.expect(400, "IncompleteBody")
	}
	if _, ok := p.Object(t, "none"); ok {
		t.Error("stored without its end")
	}
	r := dial(t, p)
	r.send(r.head("GET", "/bucket/k", "Connection: close"))
	if text, _ := io.ReadAll(r.br); !bytes.Contains(text, []byte("Content-Encoding: gzip\r\n")) {
		t.Errorf("%s", text)
	}
}

// TestTrap14Checksums: each algorithm is kept, returned on demand, and wrong
// values are refused; multipart has full-object and composite ones.
func TestTrap14Checksums(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	body := strings.Repeat("0123456789", 1000)
	for _, a := range checksum.All() {
		h := checksum.New(a)
		h.Write([]byte(body))
		want := checksum.Encode(h.Sum(nil))
		in := &s3.PutObjectInput{Bucket: u.bucket, Key: aws.String("k"), Body: strings.NewReader(body), ChecksumAlgorithm: a}
		precalculate(in, &in.ChecksumAlgorithm, body)
		put, err := u.PutObject(t.Context(), in)
		u.ok(err)
		head, err := u.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: u.bucket, Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled})
		u.ok(err)
		if got := checksum.Get(put, a); got == nil || *got != want {
			t.Errorf("%s: put %v, want %s", a, got, want)
		}
		if got := checksum.Get(head, a); got == nil || *got != want || head.ChecksumType != types.ChecksumTypeFullObject {
			t.Errorf("%s: head %v %s, want %s", a, got, head.ChecksumType, want)
		}
		in = &s3.PutObjectInput{Bucket: u.bucket, Key: aws.String("bad"), Body: strings.NewReader("other")}
		checksum.Set(in, a, &want)
		_, err = u.PutObject(t.Context(), in)
		u.fails(err, "BadDigest")
		for _, kind := range types.ChecksumType("").Values() {
			if checksum.ValidType(a, kind) {
				u.multipartChecksum(a, kind, body)
			}
		}
	}
	_, err := u.PutObject(t.Context(), &s3.PutObjectInput{Bucket: u.bucket, Key: aws.String("bad"), Body: strings.NewReader("x"), ContentMD5: aws.String("AAAA")})
	u.fails(err, "InvalidDigest")
	_, err = u.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: u.bucket, Key: aws.String("bad")})
	u.fails(err, "NotFound")
}

// TestTrap14NamedAlgorithm: the algorithm that is named is the one whose value
// comes, in the header or behind the body.
func TestTrap14NamedAlgorithm(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	const body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
	f := func(name string, status int, code string) {
		t.Helper()
		r := dial(t, p)
		r.send(r.head("PUT", "/bucket/k", "X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Trailer: x-amz-checksum-crc32",
			"X-Amz-Decoded-Content-Length: 5", "X-Amz-Sdk-Checksum-Algorithm: "+name, fmt.Sprintf("Content-Length: %d", len(body))) + body)
		r.expect(status, code)
		r = dial(t, p)
		r.send(r.head("PUT", "/bucket/k", "X-Amz-Checksum-Crc32: NhCmhg==", "X-Amz-Sdk-Checksum-Algorithm: "+name, "Content-Length: 5") + "hello")
		r.expect(status, code)
	}
	f("CRC32", 200, "")
	f("SHA256", 400, "InvalidRequest")
	f("CRC16", 400, "InvalidRequest")
}

// precalculate sets the checksum of body in an SDK input when it is one that the SDK does not calculate.
func precalculate(in any, algorithm *types.ChecksumAlgorithm, body string) {
	a := *algorithm
	if checksum.Early(a) {
		return
	}
	h := checksum.New(a)
	h.Write([]byte(body))
	checksum.Set(in, a, aws.String(checksum.Encode(h.Sum(nil))))
	*algorithm = ""
}

// multipartChecksum uploads body twice as parts and looks at the result's checksum.
func (u user) multipartChecksum(a types.ChecksumAlgorithm, kind types.ChecksumType, body string) {
	u.t.Helper()
	ctx, key := u.t.Context(), aws.String("m")
	part := strings.Repeat(body, 600) // 6 MB
	up, err := u.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: u.bucket, Key: key, ChecksumAlgorithm: a, ChecksumType: kind})
	u.ok(err)
	var parts []types.CompletedPart
	var sums [][]byte
	whole := checksum.New(a)
	for n, text := range []string{part, body} {
		in := &s3.UploadPartInput{
			Bucket: u.bucket, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(int32(n + 1)), Body: strings.NewReader(text), ChecksumAlgorithm: a,
		}
		precalculate(in, &in.ChecksumAlgorithm, text)
		out, err := u.UploadPart(ctx, in)
		u.ok(err)
		c := types.CompletedPart{PartNumber: aws.Int32(int32(n + 1)), ETag: out.ETag}
		checksum.Set(&c, a, checksum.Get(out, a))
		parts = append(parts, c)
		sum, _ := checksum.Decode(a, *checksum.Get(out, a))
		sums = append(sums, sum)
		whole.Write([]byte(text))
	}
	want := checksum.Composite(a, sums)
	if kind == types.ChecksumTypeFullObject {
		want = checksum.Encode(whole.Sum(nil))
	}
	done, err := u.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: u.bucket, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, ChecksumType: kind,
	})
	u.ok(err)
	if got := checksum.Get(done, a); got == nil || *got != want || done.ChecksumType != kind {
		u.t.Errorf("%s %s: %v, want %s", a, kind, got, want)
	}
}

// TestTrap15DeleteObjectsChecksum: what today's SDKs send, a checksum and no
// Content-MD5, is enough.
func TestTrap15DeleteObjectsChecksum(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	u.put("a", "1")
	for _, a := range append(checksum.All(), "") {
		if a != "" && !checksum.Early(a) {
			continue // The SDK calculates none of those.
		}
		out, err := u.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{
			Bucket: u.bucket, ChecksumAlgorithm: a,
			Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("a")}, {Key: aws.String("<&>\"' ü")}}},
		})
		u.ok(err)
		if len(out.Deleted) != 2 || len(out.Errors) != 0 || *out.Deleted[1].Key != "<&>\"' ü" {
			t.Errorf("%s: %+v", a, out)
		}
	}
}

// TestTrap17LargeBodiesAndForms: no limit of the HTTP library cuts a body off,
// and a body that looks like a form is data.
func TestTrap17LargeBodiesAndForms(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	large := strings.Repeat("0123456789abcdef", 1<<20) // 16 MiB, over the library's 4
	u.put("large", large)
	if u.get("large") != large {
		t.Error("another body came back")
	}
	form := "--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nv\r\n--x--\r\n"
	_, err := u.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: u.bucket, Key: aws.String("form"), Body: strings.NewReader(form), ContentType: aws.String("multipart/form-data; boundary=x"),
	})
	u.ok(err)
	if got := u.get("form"); got != form {
		t.Errorf("%q", got)
	}
}

// TestTrap18CutUploadsAreRepeated: an upload that is cut off leaves nothing,
// and the SDK's own repetition of it succeeds.
func TestTrap18CutUploadsAreRepeated(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	cut := cutFirst(t, u.proxy.Addr, 100_000)
	client := u.proxy.Client(s3test.Root)
	through := s3.New(client.Options(), func(o *s3.Options) { o.BaseEndpoint = aws.String("http://" + cut) })
	body := strings.Repeat("0123456789", 50_000)
	_, err := through.PutObject(t.Context(), &s3.PutObjectInput{Bucket: u.bucket, Key: aws.String("k"), Body: strings.NewReader(body)})
	u.ok(err)
	if got := u.get("k"); got != body {
		t.Errorf("%d bytes came back of %d", len(got), len(body))
	}
}

// cutFirst is a relay to addr that cuts its first connection after n bytes.
func cutFirst(t *testing.T, addr string, n int64) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	done := make(chan struct{})
	t.Cleanup(func() { _ = ln.Close(); <-done })
	go func() {
		defer close(done)
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", addr)
			if err != nil {
				in.Close()
				return
			}
			t.Cleanup(func() { in.Close(); out.Close() })
			if connections.Add(1) == 1 {
				_, _ = io.CopyN(out, in, n)
				in.Close()
				out.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in) }()
			go func() { _, _ = io.Copy(in, out) }()
		}
	}()
	return ln.Addr().String()
}

// TestTrap19Ranges compares every range of a small object with the slice it means.
func TestTrap19Ranges(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	const body = "01234"
	u.put("k", body)
	u.put("empty", "")
	f := func(key, header, want, contentRange string) {
		t.Helper()
		out, err := u.GetObject(t.Context(), &s3.GetObjectInput{Bucket: u.bucket, Key: &key, Range: &header})
		if contentRange == "416" {
			u.fails(err, "InvalidRange")
			return
		}
		u.ok(err)
		defer out.Body.Close()
		got, err := io.ReadAll(out.Body)
		u.ok(err)
		if string(got) != want || aws.ToString(out.ContentRange) != contentRange {
			t.Errorf("%s of %s: %q, %q", header, key, got, aws.ToString(out.ContentRange))
		}
	}
	for from := range len(body) {
		for to := from; to < len(body); to++ {
			f("k", fmt.Sprintf("bytes=%d-%d", from, to), body[from:to+1], fmt.Sprintf("bytes %d-%d/5", from, to))
		}
		f("k", fmt.Sprintf("bytes=%d-", from), body[from:], fmt.Sprintf("bytes %d-4/5", from))
		f("k", fmt.Sprintf("bytes=-%d", from+1), body[len(body)-from-1:], fmt.Sprintf("bytes %d-4/5", len(body)-from-1))
	}
	f("k", "bytes=3-100", "34", "bytes 3-4/5")
	f("k", "bytes=-100", body, "bytes 0-4/5")
	f("k", "bytes=5-", "", "416")
	f("k", "bytes=-0", "", "416")
	f("k", "bytes=0-1,3-4", body, "")
	f("k", "bytes=3-1", body, "")
	f("k", "items=0-1", body, "")
	f("empty", "bytes=0-", "", "416")
	f("empty", "bytes=-1", "", "")
}

// TestTrap20OneConditionalWriterWins: of many writers with a condition exactly
// one succeeds, for each of the operations that take one.
func TestTrap20OneConditionalWriterWins(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	race := func(name string, f func(ctx context.Context, i int) error) {
		t.Helper()
		const writers = 8
		errs := make(chan error, writers)
		for i := range writers {
			go func() { errs <- f(t.Context(), i) }()
		}
		won := 0
		for range writers {
			if err := <-errs; err == nil {
				won++
			} else {
				u.fails(err, "PreconditionFailed")
			}
		}
		if won != 1 {
			t.Errorf("%s: %d writers won", name, won)
		}
	}
	body := func(i int) io.Reader { return strings.NewReader(fmt.Sprintf("writer %d", i)) }
	race("put if absent", func(ctx context.Context, i int) error {
		_, err := u.PutObject(ctx, &s3.PutObjectInput{Bucket: u.bucket, Key: aws.String("k"), Body: body(i), IfNoneMatch: aws.String("*")})
		return err
	})
	head, err := u.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: u.bucket, Key: aws.String("k")})
	u.ok(err)
	race("put if match", func(ctx context.Context, i int) error {
		_, err := u.PutObject(ctx, &s3.PutObjectInput{Bucket: u.bucket, Key: aws.String("k"), Body: body(i + 100), IfMatch: head.ETag})
		return err
	})
	race("copy if absent", func(ctx context.Context, _ int) error {
		_, err := u.CopyObject(ctx, &s3.CopyObjectInput{Bucket: u.bucket, Key: aws.String("copy"), CopySource: aws.String("bucket/k"), IfNoneMatch: aws.String("*")})
		return err
	})
	race("complete if absent", func(ctx context.Context, i int) error {
		up, err := u.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: u.bucket, Key: aws.String("m")})
		u.ok(err)
		part, err := u.UploadPart(ctx, &s3.UploadPartInput{Bucket: u.bucket, Key: aws.String("m"), UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: body(i)})
		u.ok(err)
		_, err = u.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: u.bucket, Key: aws.String("m"), UploadId: up.UploadId, IfNoneMatch: aws.String("*"),
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}},
		})
		return err
	})
	_, err = u.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: u.bucket, Key: aws.String("k"), IfMatch: aws.String(`"other"`)})
	u.fails(err, "PreconditionFailed")
}

// TestTrap21Multipart: order, gaps, repeated parts, small parts, repeated Complete.
func TestTrap21Multipart(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	ctx, key := t.Context(), aws.String("m")
	up, err := u.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: u.bucket, Key: key})
	u.ok(err)
	part := func(n int32, body string) types.CompletedPart {
		t.Helper()
		out, err := u.UploadPart(ctx, &s3.UploadPartInput{Bucket: u.bucket, Key: key, UploadId: up.UploadId, PartNumber: &n, Body: strings.NewReader(body)})
		u.ok(err)
		return types.CompletedPart{PartNumber: &n, ETag: out.ETag}
	}
	complete := func(parts ...types.CompletedPart) (*s3.CompleteMultipartUploadOutput, error) {
		return u.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: u.bucket, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
	}
	large := strings.Repeat("x", 5<<20)
	last, old := part(9, "end"), part(4, "old")
	first := part(4, large)
	small := part(6, "small")
	_, err = complete(last, first)
	u.fails(err, "InvalidPartOrder")
	_, err = complete(old, last)
	u.fails(err, "InvalidPart")
	_, err = complete(first, small, last)
	u.fails(err, "EntityTooSmall")
	out, err := complete(first, last)
	u.ok(err)
	m1, m2 := md5.Sum([]byte(large)), md5.Sum([]byte("end"))
	if want := fmt.Sprintf(`"%x-2"`, md5.Sum(append(m1[:], m2[:]...))); *out.ETag != want {
		t.Errorf("ETag %s, want %s", *out.ETag, want)
	}
	if u.get("m") != large+"end" {
		t.Error("another object came out")
	}
	again, err := complete(first, last)
	u.ok(err)
	if *again.ETag != *out.ETag {
		t.Errorf("again: %s", *again.ETag)
	}
	_, err = u.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: u.bucket, Key: key, UploadId: up.UploadId})
	if err != nil {
		u.fails(err, "NoSuchUpload")
	}
	if u.get("m") != large+"end" {
		t.Error("an abort took the object away")
	}
}

// TestTrap21AbortRacesComplete: afterwards there is the whole object or none.
func TestTrap21AbortRacesComplete(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	for i := range 50 {
		key := aws.String(fmt.Sprint("m", i))
		up, err := u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: u.bucket, Key: key})
		u.ok(err)
		part, err := u.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: u.bucket, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("whole")})
		u.ok(err)
		aborted := make(chan error, 1)
		go func() {
			_, err := u.AbortMultipartUpload(context.WithoutCancel(t.Context()), &s3.AbortMultipartUploadInput{Bucket: u.bucket, Key: key, UploadId: up.UploadId})
			aborted <- err
		}()
		_, err = u.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: u.bucket, Key: key, UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}},
		})
		if e := <-aborted; e != nil { // It came last.
			u.fails(e, "NoSuchUpload")
		}
		body, found := u.proxy.Object(t, *key)
		if err == nil && body != "whole" || err != nil && found {
			t.Errorf("complete: %v, then %q, %v", err, body, found)
		}
	}
}

// TestTrap22Metadata: case, duplicates, UTF-8, system headers, directive, limit.
func TestTrap22Metadata(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	ctx, key := t.Context(), aws.String("k")
	in := &s3.PutObjectInput{
		Bucket: u.bucket, Key: key, Body: strings.NewReader("x"),
		CacheControl: aws.String("no-cache"), ContentDisposition: aws.String(`attachment; filename="a b"`), ContentEncoding: aws.String("gzip"),
		ContentLanguage: aws.String("de, en"), ContentType: aws.String("text/plain"), Expires: aws.Time(time.Unix(1_800_000_000, 0)),
		Metadata: map[string]string{"MixedCase": "Value", "utf8": "Jürgen ☃", "empty": ""},
	}
	_, err := u.PutObject(ctx, in)
	u.ok(err)
	check := func(key string) {
		t.Helper()
		head, err := u.HeadObject(ctx, &s3.HeadObjectInput{Bucket: u.bucket, Key: &key})
		u.ok(err)
		want := map[string]string{"mixedcase": "Value", "utf8": "=?UTF-8?b?SsO8cmdlbiDimIM=?=", "empty": ""}
		if diff := cmp.Diff(want, head.Metadata); diff != "" {
			t.Error(diff)
		}
		for name, pair := range map[string][2]*string{
			"Cache-Control": {in.CacheControl, head.CacheControl}, "Content-Disposition": {in.ContentDisposition, head.ContentDisposition},
			"Content-Encoding": {in.ContentEncoding, head.ContentEncoding}, "Content-Language": {in.ContentLanguage, head.ContentLanguage},
			"Content-Type": {in.ContentType, head.ContentType}, "Expires": {aws.String("Fri, 15 Jan 2027 08:00:00 GMT"), head.ExpiresString},
		} {
			if aws.ToString(pair[0]) != aws.ToString(pair[1]) {
				t.Errorf("%s: %q, want %q", name, aws.ToString(pair[1]), aws.ToString(pair[0]))
			}
		}
	}
	check("k")
	_, err = u.CopyObject(ctx, &s3.CopyObjectInput{Bucket: u.bucket, Key: aws.String("copy"), CopySource: aws.String("bucket/k"), Metadata: map[string]string{"not": "taken"}})
	u.ok(err)
	check("copy")
	_, err = u.CopyObject(ctx, &s3.CopyObjectInput{Bucket: u.bucket, Key: key, CopySource: aws.String("bucket/k")})
	u.fails(err, "InvalidRequest")
	_, err = u.PutObject(ctx, &s3.PutObjectInput{Bucket: u.bucket, Key: key, Metadata: map[string]string{"a": strings.Repeat("x", 2048)}})
	u.fails(err, "MetadataTooLarge")
	_, err = u.PutObject(ctx, &s3.PutObjectInput{Bucket: u.bucket, Key: key, Metadata: map[string]string{"a": strings.Repeat("x", 2047)}})
	u.ok(err)
}

// TestTrap23KeysAreNotPaths: on local disk any key is its own object.
func TestTrap23KeysAreNotPaths(t *testing.T) {
	store, err := localbackend.Open(localbackend.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	u := sign(t, s3test.Root, s3test.Options{Backend: store})
	keys := []string{
		"foo", "foo/", "foo/bar", "foo//bar", "/", "foo/..", "foo/../x", "./x", ".", "a b", "a+b", "a%2Fb", "ü/ö", "\U0010FFFF", "con", "a\\b", "-rf", "a?b#c&d=e", "'\"<>&",
		strings.Repeat("s", 300) + "/" + strings.Repeat("t", 300), strings.Repeat("k", 1024), strings.Repeat("é", 512),
	}
	for _, key := range keys {
		u.put(key, "body of "+key)
	}
	for _, key := range keys {
		if got := u.get(key); got != "body of "+key {
			t.Errorf("%q holds %q", key, got)
		}
	}
	slices.Sort(keys)
	if diff := cmp.Diff(keys, u.keys("", "", 1000)); diff != "" {
		t.Error(diff)
	}
	_, err = u.PutObject(t.Context(), &s3.PutObjectInput{Bucket: u.bucket, Key: aws.String(strings.Repeat("k", 1025))})
	u.fails(err, "KeyTooLongError")
}

// keys lists to the end, in pages of size, and returns keys and common prefixes
// as they come.
func (u user) keys(prefix, delimiter string, size int32) (all []string) {
	u.t.Helper()
	in := &s3.ListObjectsV2Input{Bucket: u.bucket, Prefix: &prefix, Delimiter: &delimiter, MaxKeys: &size}
	for {
		out, err := u.ListObjectsV2(u.t.Context(), in)
		u.ok(err)
		var page []string
		for _, o := range out.Contents {
			page = append(page, *o.Key)
		}
		for _, p := range out.CommonPrefixes {
			page = append(page, *p.Prefix)
		}
		slices.Sort(page)
		if n := int32(len(page)); n > size || n != *out.KeyCount || n == 0 && *out.IsTruncated {
			u.t.Fatalf("page of %d entries, KeyCount %d, truncated %v", n, *out.KeyCount, *out.IsTruncated)
		}
		all = append(all, page...)
		if !*out.IsTruncated {
			return all
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

// TestTrap24Listing compares listings of random trees, at many page sizes, with
// what the definition of a listing gives.
func TestTrap24Listing(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	set := map[string]bool{}
	for range 120 {
		var b strings.Builder
		for range 1 + rnd.IntN(5) {
			b.WriteString([]string{"a", "b", "/", "//", "ab", "ü", " ", "\U0010FFFF", "a/"}[rnd.IntN(9)])
		}
		set[b.String()] = true
	}
	var keys []string
	for key := range set {
		u.put(key, "")
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, prefix := range []string{"", "a", "a/", "b", "/", "none"} {
		for _, delimiter := range []string{"", "/", "//", "ab", "ü", "b/"} {
			want := entries(keys, prefix, delimiter)
			for _, size := range []int32{1, 2, 3, 7, 1000} {
				if got := u.keys(prefix, delimiter, size); !slices.Equal(got, want) {
					t.Errorf("prefix %q delimiter %q pages of %d:\n got %q\nwant %q", prefix, delimiter, size, got, want)
				}
			}
		}
	}
	out, err := u.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: u.bucket, MaxKeys: aws.Int32(0)})
	u.ok(err)
	if *out.IsTruncated || *out.KeyCount != 0 {
		t.Errorf("max-keys 0: %+v", out)
	}
}

// entries is a listing by definition.
func entries(keys []string, prefix, delimiter string) (want []string) {
	for _, key := range keys {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if i := strings.Index(rest, delimiter); delimiter != "" && i >= 0 {
			key = prefix + rest[:i+len(delimiter)]
		}
		if len(want) == 0 || want[len(want)-1] != key {
			want = append(want, key)
		}
	}
	return want
}

// TestTrap25PrefixesAreSkipped: a page of common prefixes costs the same
// however many keys are below them.
func TestTrap25PrefixesAreSkipped(t *testing.T) {
	cost := func(below int) uint64 {
		t.Helper()
		store := membackend.New()
		u := sign(t, s3test.Root, s3test.Options{Backend: store})
		physical := router.DefaultTenant + "/" + s3test.Bucket
		for i := range 10 {
			for j := range below {
				_, err := store.PutObject(t.Context(), &s3.PutObjectInput{
					Bucket: &physical, Key: aws.String(fmt.Sprintf("%02d/%06d", i, j)), Body: strings.NewReader(""), ContentLength: aws.Int64(0),
				})
				u.ok(err)
			}
		}
		before := store.Reads()
		if got := u.keys("", "/", 5); len(got) != 10 {
			t.Fatalf("%q", got)
		}
		return uint64(store.Reads() - before)
	}
	if few, many := cost(10), cost(1000); many > few {
		t.Errorf("%d reads with 10 keys below each prefix, %d with 1000", few, many)
	}
}

// TestTrap27Uploads: prefix, delimiter, both markers, encoding; every upload
// once, at every page size.
func TestTrap27Uploads(t *testing.T) {
	u := sign(t, s3test.Root, s3test.Options{})
	var want []string
	for _, key := range []string{"a/1", "a/1", "a/2", "b", "b", "b", "c d+%"} {
		up, err := u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: u.bucket, Key: &key})
		u.ok(err)
		want = append(want, key+" "+*up.UploadId)
	}
	for size := int32(1); size <= 8; size++ {
		var got []string
		in := &s3.ListMultipartUploadsInput{Bucket: u.bucket, MaxUploads: &size}
		for {
			out, err := u.ListMultipartUploads(t.Context(), in)
			u.ok(err)
			for _, up := range out.Uploads {
				got = append(got, *up.Key+" "+*up.UploadId)
			}
			if !*out.IsTruncated {
				break
			}
			in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d:\n%s", size, diff)
		}
	}
	out, err := u.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: u.bucket, Delimiter: aws.String("/")})
	u.ok(err)
	if len(out.CommonPrefixes) != 1 || *out.CommonPrefixes[0].Prefix != "a/" || len(out.Uploads) != 4 {
		t.Errorf("%+v", out)
	}
	out, err = u.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: u.bucket, Prefix: aws.String("c"), EncodingType: types.EncodingTypeUrl})
	u.ok(err)
	if len(out.Uploads) != 1 || *out.Uploads[0].Key != "c%20d%2B%25" {
		t.Errorf("%+v", out.Uploads)
	}
}
