package sigv4

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// arrival is a request as it was on the wire, verified.
type arrival struct {
	verified Verified
	body     []byte
	trailer  []Header
	err      error
}

// wire is a server that reads requests without an HTTP library in between,
// verifies them, and answers each with 200.
type wire struct {
	url      string
	client   *http.Client
	verifier *Verifier
	arrivals chan arrival
}

// newWire starts one, speaking TLS if asked to.
func newWire(t *testing.T, secure bool) *wire {
	w := &wire{
		verifier: New(Options{Keys: secrets{exampleKey: exampleSecret}, Region: "us-east-1"}),
		arrivals: make(chan arrival, 1),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url, w.client = "http://"+listener.Addr().String(), http.DefaultClient
	if secure {
		s := httptest.NewTLSServer(nil) // for its certificate
		t.Cleanup(s.Close)
		w.url, w.client = "https://"+listener.Addr().String(), s.Client()
		listener = tls.NewListener(listener, &tls.Config{Certificates: s.TLS.Certificates})
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.serve(conn)
		}
	}()
	return w
}

// serve reads one request.
func (w *wire) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	br := bufio.NewReader(conn)
	var head strings.Builder
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return
		}
		if line == "\r\n" {
			break
		}
		head.WriteString(line)
	}
	r := parse(head.String())
	body, length := io.Reader(br), int64(0)
	if s := get(r, "Content-Length"); s != "" {
		length, _ = strconv.ParseInt(s, 10, 64)
	}
	if get(r, "Transfer-Encoding") == "chunked" {
		body, length = httputil.NewChunkedReader(br), -1
	}
	if get(r, "Expect") != "" {
		fmt.Fprint(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	w.arrivals <- w.read(r, body, length)
	fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

// read verifies one request and reads its body.
func (w *wire) read(r *Request, body io.Reader, length int64) (a arrival) {
	if a.verified, a.err = w.verifier.Verify(r); a.err != nil {
		return a
	}
	b, err := a.verified.Body(body, length)
	if err != nil {
		return arrival{err: err}
	}
	a.body, a.err = io.ReadAll(b)
	a.trailer = b.Trailer()
	return a
}

// s3Client returns the SDK's client for the server.
func (w *wire) s3Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(w.url), Region: "us-east-1", UsePathStyle: true, HTTPClient: w.client, RetryMaxAttempts: 1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		Credentials:                credentials.NewStaticCredentialsProvider(exampleKey, exampleSecret, ""),
	})
}

// oddKey is a key that SDKs must escape.
const oddKey = "a b+c/../ü%2F//~!'()*;=&$@,?#.txt"

// TestSDKUploads verifies what the SDK sends for uploads: over plain HTTP and
// TLS, with bodies it can and cannot rewind, and each algorithm.
func TestSDKUploads(t *testing.T) {
	t.Parallel()
	secure, open := newWire(t, true), newWire(t, false)
	data := bytes.Repeat([]byte("0123456789abcdef"), 20000)
	f := func(w *wire, body io.Reader, in s3.PutObjectInput, want Payload, trailer string, options ...func(*s3.Options)) {
		t.Helper()
		in.Bucket, in.Key, in.Body = aws.String("bucket"), aws.String(oddKey), body
		in.Metadata = map[string]string{"a": "b  c", "d": ""}
		_, err := w.s3Client().PutObject(context.Background(), &in, options...)
		if err != nil {
			t.Fatal(err)
		}
		a := <-w.arrivals
		if a.err != nil || a.verified.AccessKey != exampleKey || a.verified.Payload != want || !bytes.Equal(a.body, data) {
			t.Errorf("%+v: %d bytes, %v", a.verified, len(a.body), a.err)
		}
		if got := trailerNames(a.trailer); got != trailer {
			t.Errorf("trailer %q, want %q", got, trailer)
		}
	}
	unseekable := func() io.Reader { return io.MultiReader(bytes.NewReader(data)) }
	length := s3.PutObjectInput{ContentLength: aws.Int64(int64(len(data)))}
	f(open, bytes.NewReader(data), s3.PutObjectInput{}, Payload(sha256Hex(string(data))), "")
	f(secure, bytes.NewReader(data), s3.PutObjectInput{}, StreamingUnsignedTrailer, "x-amz-checksum-crc32")
	f(secure, unseekable(), length, StreamingUnsignedTrailer, "x-amz-checksum-crc32")
	f(open, unseekable(), length, Unsigned, "", func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired },
		s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware))
	for _, a := range types.ChecksumAlgorithm("").Values() {
		switch a {
		case types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256:
			f(secure, bytes.NewReader(data), s3.PutObjectInput{ChecksumAlgorithm: a}, StreamingUnsignedTrailer, "x-amz-checksum-"+strings.ToLower(string(a)))
			f(open, bytes.NewReader(data), s3.PutObjectInput{ChecksumAlgorithm: a}, Payload(sha256Hex(string(data))), "")
		}
	}
}

// trailerNames joins the names in a trailer.
func trailerNames(trailer []Header) string {
	var names []string
	for _, h := range trailer {
		names = append(names, h.Name)
	}
	return strings.Join(names, ",")
}

// TestSDKRequests verifies other requests of the SDK, their odd keys and
// queries.
func TestSDKRequests(t *testing.T) {
	t.Parallel()
	w := newWire(t, false)
	f := func(call func(*s3.Client, context.Context) error) {
		t.Helper()
		_ = call(w.s3Client(), context.Background()) // it does not like the empty answer
		if a := <-w.arrivals; a.err != nil || a.verified.AccessKey != exampleKey {
			t.Errorf("%+v", a)
		}
	}
	f(func(c *s3.Client, ctx context.Context) error {
		_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String(oddKey), Range: aws.String("bytes=0-1")})
		return err
	})
	f(func(c *s3.Client, ctx context.Context) error {
		_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("b"), Prefix: aws.String(oddKey), Delimiter: aws.String("/"), StartAfter: aws.String("é+ %")})
		return err
	})
	f(func(c *s3.Client, ctx context.Context) error {
		_, err := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), CopySource: aws.String("b/s%20t?versionId=1")})
		return err
	})
	f(func(c *s3.Client, ctx context.Context) error {
		_, err := c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String("b"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String(oddKey)}}}})
		return err
	})
	f(func(c *s3.Client, ctx context.Context) error {
		_, err := c.ListBuckets(ctx, &s3.ListBucketsInput{})
		return err
	})
}

// TestSDKPresigned verifies presigned requests of the SDK.
func TestSDKPresigned(t *testing.T) {
	t.Parallel()
	w := newWire(t, false)
	f := func(p *v4.PresignedHTTPRequest, err error, body string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(context.Background(), p.Method, p.URL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range p.SignedHeader {
			req.Header[name] = values
		}
		resp, err := w.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if a := <-w.arrivals; a.err != nil || !a.verified.Presigned || a.verified.AccessKey != exampleKey || string(a.body) != body {
			t.Errorf("%s\n%+v", p.URL, a)
		}
	}
	ctx := context.Background()
	c := s3.NewPresignClient(w.s3Client(), s3.WithPresignExpires(time.Hour))
	get, err := c.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String(oddKey), ResponseContentType: aws.String("text/plain; x=ü+1")})
	f(get, err, "")
	head, err := c.PresignHeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String(oddKey)})
	f(head, err, "")
	put, err := c.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String(oddKey), ContentType: aws.String("text/plain"), Metadata: map[string]string{"a": "b"}})
	f(put, err, "hello")
	part, err := c.PresignUploadPart(ctx, &s3.UploadPartInput{Bucket: aws.String("b"), Key: aws.String(oddKey), PartNumber: aws.Int32(1), UploadId: aws.String("u/+=")})
	f(part, err, "hello")
}
