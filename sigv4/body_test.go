package sigv4

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/xronox/xronox-proxy/s3err"
)

// TestBody reads bodies that are not streamed.
func TestBody(t *testing.T) {
	t.Parallel()
	f := func(p Payload, body string, length int64, code s3err.Code) {
		t.Helper()
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader, iotest.HalfReader} {
			b, err := Verified{Payload: p}.Body(wrap(strings.NewReader(body)), length)
			if err != nil {
				t.Fatal(err)
			}
			if b.Length() != length {
				t.Errorf("Length %d", b.Length())
			}
			got, err := io.ReadAll(b)
			if code != "" {
				wantCode(t, err, code)
			} else if err != nil || string(got) != body[:len(got)] || length >= 0 && len(got) != int(length) {
				t.Errorf("%q, %v", got, err)
			}
		}
	}
	f(Unsigned, "hello", 5, "")
	f(Unsigned, "hello", -1, "")
	f(Unsigned, "", 0, "")
	f(Unsigned, "hello, and the next request", 5, "")
	f(Unsigned, "hell", 5, s3err.IncompleteBody)
	hash := Payload(sha256Hex("hello"))
	f(hash, "hello", 5, "")
	f(hash, "hello", -1, "")
	f(Payload(strings.ToUpper(string(hash))), "hello", 5, "")
	f(hash, "hellx", 5, s3err.XAmzContentSHA256Mismatch)
	f(hash, "hellx", -1, s3err.XAmzContentSHA256Mismatch)
	f(hash, "", 0, s3err.XAmzContentSHA256Mismatch)
	f(hash, "hell", 5, s3err.IncompleteBody)
}

// TestMismatchedHashDetails names both hashes.
func TestMismatchedHashDetails(t *testing.T) {
	t.Parallel()
	b, err := Verified{Payload: Payload(sha256Hex("a"))}.Body(strings.NewReader("b"), 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(b)
	e := wantError(t, err, s3err.XAmzContentSHA256Mismatch)
	if detail(e, "ClientComputedContentSHA256") != sha256Hex("a") || detail(e, "S3ComputedContentSHA256") != sha256Hex("b") {
		t.Errorf("details %v", e.Details)
	}
}

// TestBrokenConnection gives the client's errors their codes and keeps ours.
func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	f := func(cause error, code s3err.Code) {
		t.Helper()
		for _, p := range []Payload{Unsigned, StreamingUnsigned} {
			for _, length := range []int64{1000, -1} {
				v, _ := streaming(p, 100, "")
				b, err := v.Body(io.MultiReader(strings.NewReader("64\r\nabc"), iotest.ErrReader(cause)), length)
				if err != nil {
					t.Fatal(err)
				}
				_, err = io.ReadAll(b)
				wantCode(t, err, code)
				if !errors.Is(err, cause) {
					t.Errorf("%v does not carry its cause", err)
				}
			}
		}
	}
	f(io.ErrUnexpectedEOF, s3err.IncompleteBody)
	f(errors.New("connection reset"), s3err.IncompleteBody)
	f(os.ErrDeadlineExceeded, s3err.RequestTimeout)
	f(s3err.New(s3err.EntityTooLarge), s3err.EntityTooLarge)
}

// TestAnnouncedTrailer refuses a trailer that cannot come.
func TestAnnouncedTrailer(t *testing.T) {
	t.Parallel()
	for _, p := range []Payload{Unsigned, StreamingSigned, StreamingUnsigned, Payload(sha256Hex(""))} {
		v, _ := streaming(p, 0, "x-amz-checksum-crc32")
		_, err := v.Body(strings.NewReader(""), 0)
		wantCode(t, err, s3err.InvalidRequest)
	}
}

// TestTwoTrailerLines joins two lines of x-amz-trailer.
func TestTwoTrailerLines(t *testing.T) {
	t.Parallel()
	r := parse("PUT /b/k HTTP/1.1\nHost: h\nx-amz-trailer: A\nX-Amz-Trailer: b , C\nx-amz-decoded-content-length: 0\nx-amz-content-sha256: " +
		string(StreamingUnsignedTrailer))
	v, err := exampleVerifier().Verify(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := v.Body(strings.NewReader("0\r\nb:\r\nc:3\r\na: 1 \r\n\r\n"), -1)
	if err != nil || !slices.Equal(b.TrailerNames(), []string{"a", "b", "c"}) {
		t.Fatalf("%v, %v", b.TrailerNames(), err)
	}
	if _, err := io.ReadAll(b); err != nil || !slices.Equal(b.Trailer(), []Header{{"b", ""}, {"c", "3"}, {"a", "1"}}) {
		t.Errorf("%v, %v", b.Trailer(), err)
	}
}

// TestStripChunkedEncoding leaves what describes the object.
func TestStripChunkedEncoding(t *testing.T) {
	t.Parallel()
	f := func(in, want string) {
		t.Helper()
		if got := StripChunkedEncoding(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	f("", "")
	f("gzip", "gzip")
	f("br, gzip", "br, gzip")
	f("aws-chunked", "")
	f("AWS-Chunked", "")
	f("aws-chunked,gzip", "gzip")
	f("gzip, aws-chunked", "gzip")
	f("br, aws-chunked ,gzip", "br,gzip")
	f("aws-chunked,", "")
}
