package sigv4

import (
	"io"
	"strings"
	"testing"
)

// TestPublishedExamples verifies the requests that AWS publishes with their
// signatures.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#example-signature-calculations
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html#query-string-auth-v4-signing-example
func TestPublishedExamples(t *testing.T) {
	t.Parallel()
	f := func(text, body string) {
		t.Helper()
		v, err := exampleVerifier().Verify(parse(text))
		if err != nil {
			t.Fatal(err)
		}
		if v.AccessKey != exampleKey {
			t.Fatalf("access key %q", v.AccessKey)
		}
		b, err := v.Body(strings.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(b); string(got) != body || err != nil {
			t.Fatalf("body %q, %v", got, err)
		}
	}
	const credential = "AWS4-HMAC-SHA256 Credential=" + exampleKey + "/" + exampleScope + ","
	f(`GET /test.txt HTTP/1.1
		Host: examplebucket.s3.amazonaws.com
		Authorization: `+credential+`SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41
		Range: bytes=0-9
		x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
		x-amz-date: 20130524T000000Z`, "")
	f(`PUT /test$file.text HTTP/1.1
		Host: examplebucket.s3.amazonaws.com
		Date: Fri, 24 May 2013 00:00:00 GMT
		Authorization: `+credential+`SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd
		x-amz-date: 20130524T000000Z
		x-amz-storage-class: REDUCED_REDUNDANCY
		x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072`, "Welcome to Amazon S3.")
	f(`GET /?lifecycle HTTP/1.1
		Host: examplebucket.s3.amazonaws.com
		Authorization: `+credential+`SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543
		x-amz-date: 20130524T000000Z
		x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`, "")
	f(`GET /?max-keys=2&prefix=J HTTP/1.1
		Host: examplebucket.s3.amazonaws.com
		Authorization: `+credential+`SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7
		x-amz-date: 20130524T000000Z
		x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`, "")
	f(`GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404 HTTP/1.1
		Host: examplebucket.s3.amazonaws.com`, "")
}

// TestPublishedChunks verifies AWS's examples of aws-chunked uploads, 65 KiB of
// the letter a in two chunks, without and with a trailer.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html#example-signature-calculations-streaming
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html#example-signature-calculations-trailing-header
func TestPublishedChunks(t *testing.T) {
	t.Parallel()
	f := func(headers, body string) {
		t.Helper()
		v, err := exampleVerifier().Verify(parse("PUT /examplebucket/chunkObject.txt HTTP/1.1\n" + headers))
		if err != nil {
			t.Fatal(err)
		}
		b, err := v.Body(strings.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != strings.Repeat("a", 66560) || b.Length() != 66560 {
			t.Fatalf("%d bytes, Length %d", len(got), b.Length())
		}
		if v.Payload.trailing() && (len(b.Trailer()) != 1 || b.Trailer()[0] != Header{"x-amz-checksum-crc32c", "sOO8/Q=="}) {
			t.Fatalf("trailer %v", b.Trailer())
		}
	}
	body := func(signature1, signature2, signature3, trailer string) string {
		return "10000;chunk-signature=" + signature1 + "\r\n" + strings.Repeat("a", 65536) + "\r\n" +
			"400;chunk-signature=" + signature2 + "\r\n" + strings.Repeat("a", 1024) + "\r\n" +
			"0;chunk-signature=" + signature3 + "\r\n" + trailer
	}
	f(`Host: s3.amazonaws.com
		x-amz-date: 20130524T000000Z
		x-amz-storage-class: REDUCED_REDUNDANCY
		Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9
		x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD
		Content-Encoding: aws-chunked
		x-amz-decoded-content-length: 66560
		Content-Length: 66824`,
		body("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
			"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
			"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", "\r\n"))
	const trailing = `Host: s3.amazonaws.com
		x-amz-date: 20130524T000000Z
		x-amz-storage-class: REDUCED_REDUNDANCY
		Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e
		x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
		Content-Encoding: aws-chunked
		x-amz-decoded-content-length: 66560
		x-amz-trailer: x-amz-checksum-crc32c`
	for _, end := range []string{"\r\n", "\n\r\n"} { // the page shows both
		f(trailing, body("b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
			"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
			"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
			"x-amz-checksum-crc32c:sOO8/Q=="+end+"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"))
	}
}
