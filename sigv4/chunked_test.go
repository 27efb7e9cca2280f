package sigv4

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/xronox/xronox-proxy/s3err"
)

// TestChunkedRefused holds what an aws-chunked body must not be.
func TestChunkedRefused(t *testing.T) {
	t.Parallel()
	f := func(p Payload, decoded int, trailer, body string, code s3err.Code) {
		t.Helper()
		v, _ := streaming(p, decoded, trailer)
		for _, length := range []int64{int64(len(body)), -1} {
			b, err := v.Body(iotest.HalfReader(strings.NewReader(body)), length)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(b)
			if code == "" && err == nil && len(got) == decoded {
				continue
			}
			wantCode(t, err, code)
		}
	}
	const u, ut = StreamingUnsigned, StreamingUnsignedTrailer
	f(u, 5, "", "5\r\nhello\r\n0\r\n\r\n", "")
	f(u, 5, "", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", s3err.InvalidChunkSize)
	f(u, 10, "", "A\r\n0123456789\r\n000\r\n\r\n", "")

	// Framing.
	f(u, 5, "", "", s3err.IncompleteBody)
	f(u, 5, "", "5\r\nhel", s3err.IncompleteBody)
	f(u, 5, "", "5\r\nhello", s3err.IncompleteBody)
	f(u, 5, "", "5\r\nhello\r\n", s3err.IncompleteBody)
	f(u, 5, "", "5\r\nhello\r\n0\r\n", s3err.IncompleteBody)
	f(u, 5, "", "5\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", "5\r\nhello\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", "5\r\nhelloXX0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", "5\r\nhello\r\n0\r\n\r\nX", s3err.IncompleteBody)
	f(u, 5, "", "5;chunk-signature=00\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", "-5\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", "0x5\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", " 5\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", "\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", "8000000000000000\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", strings.Repeat("0", 1022)+"5\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 5, "", strings.Repeat("0", 9999)+"5\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(StreamingSigned, 5, "", "5\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(StreamingSigned, 5, "", "5;chunk-signature=00\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(StreamingSigned, 5, "", "5;chunk-signature="+strings.Repeat("0", 64)+"\r\nhello\r\n0\r\n\r\n", s3err.SignatureDoesNotMatch)

	// The announced length.
	f(u, 6, "", "5\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 4, "", "5\r\nhello\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 4, "", "4\r\nhell\r\n1\r\no\r\n0\r\n\r\n", s3err.InvalidChunkSize)
	f(u, 8192, "", "2000\r\n"+strings.Repeat("x", 8192)+"\r\n1\r\no\r\n0\r\n\r\n", s3err.IncompleteBody)
	f(u, 0, "", "1\r\no\r\n0\r\n\r\n", s3err.IncompleteBody)

	// Trailers.
	const crc = "x-amz-checksum-crc32"
	f(ut, 5, "", "5\r\nhello\r\n0\r\n\r\n", "")
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n"+crc+":AAAA\r\n\r\n", "")
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n"+crc+":AAAA\n\r\n\r\n", "")
	f(ut, 5, crc, "5\r\nhello\r\n0\r\nX-Amz-Checksum-CRC32: AAAA\r\n\r\n", "")
	f(ut, 5, crc+", x-amz-meta-a", "5\r\nhello\r\n0\r\nx-amz-meta-a:1\r\n"+crc+":AAAA\r\n\r\n", "")
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n\r\n", s3err.MalformedTrailer)
	f(ut, 5, "", "5\r\nhello\r\n0\r\n"+crc+":AAAA\r\n\r\n", s3err.MalformedTrailer)
	f(ut, 5, crc, "5\r\nhello\r\n0\r\nx-amz-checksum-sha1:AAAA\r\n\r\n", s3err.MalformedTrailer)
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n"+crc+":AAAA\r\n"+crc+":AAAA\r\n\r\n", s3err.MalformedTrailer)
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n"+crc+"\r\n\r\n", s3err.MalformedTrailer)
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n"+crc+":"+strings.Repeat("A", 9000)+"\r\n\r\n", s3err.MalformedTrailer)
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n"+strings.Repeat(crc+":A\r\n", 1000)+"\r\n", s3err.MalformedTrailer)
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n"+crc+":AAAA\r\n", s3err.IncompleteBody)
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n"+crc+":AAAA", s3err.IncompleteBody)
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n", s3err.IncompleteBody)
	f(ut, 5, crc, "5\r\nhello\r\n0\r\n"+crc+":AAAA\r\n\r\nGET / HTTP/1.1\r\n\r\n", s3err.MalformedTrailer)
}

// TestChunkSignatures breaks the chain in every way.
func TestChunkSignatures(t *testing.T) {
	t.Parallel()
	data := strings.Repeat("x", 8192)
	crc := Header{"x-amz-checksum-crc32", "AAAAAA=="}
	f := func(edit func(body string) string, code s3err.Code) {
		t.Helper()
		v, e := streaming(StreamingSignedTrailer, 2*8192, crc.Name)
		e.chunk(data)
		e.chunk(data)
		e.chunk("")
		e.end(crc)
		body := edit(e.String())
		b, err := v.Body(strings.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, b)
		if code != "" {
			wantCode(t, err, code)
		} else if err != nil {
			t.Error(err)
		}
	}
	chunks := func(body string) []string { return strings.SplitAfter(body, "x\r\n") } // two chunks, and the rest
	f(func(body string) string { return body }, "")
	f(func(body string) string { c := chunks(body); return c[1] + c[0] + c[2] }, s3err.SignatureDoesNotMatch)
	f(func(body string) string { c := chunks(body); return c[0] + c[0] + c[2] }, s3err.SignatureDoesNotMatch)
	f(func(body string) string { c := chunks(body); return c[0] + c[2] }, s3err.IncompleteBody)
	f(func(body string) string { return strings.Replace(body, "AAAAAA==", "AAAAAB==", 1) }, s3err.SignatureDoesNotMatch)
	f(func(body string) string { return strings.Replace(body, crc.Name+":AAAAAA==\r\n", "", 1) }, s3err.MalformedTrailer)
	f(func(body string) string { return body[:strings.Index(body, "x-amz-trailer-signature")] + "\r\n" }, s3err.IncompleteBody)
	f(func(body string) string { return strings.Replace(body, "trailer-signature:", "trailer-signatur:", 1) }, s3err.IncompleteBody)
	f(func(body string) string { return strings.Replace(body, "trailer-signature:", "trailer-signature:0", 1) }, s3err.IncompleteBody)
	f(func(body string) string {
		return strings.Replace(body, "\r\nx-amz-trailer-signature", "\n\r\nx-amz-trailer-signature", 1)
	}, "")
}

// TestSmallChunks refuses a chunk under 8 KiB that is not the last, signed or not.
func TestSmallChunks(t *testing.T) {
	t.Parallel()
	f := func(p Payload, sizes ...int) error {
		total := 0
		for _, n := range sizes {
			total += n
		}
		v, e := streaming(p, total, "")
		for _, n := range sizes {
			e.chunk(strings.Repeat("x", n))
		}
		e.chunk("")
		e.end()
		b, err := v.Body(strings.NewReader(e.String()), -1)
		if err != nil {
			return err
		}
		_, err = io.ReadAll(b)
		return err
	}
	for _, p := range []Payload{StreamingSigned, StreamingSignedTrailer, StreamingUnsigned, StreamingUnsignedTrailer} {
		e := wantError(t, f(p, 8192, 8191, 1), s3err.InvalidChunkSize)
		if detail(e, "Chunk") != "3" || detail(e, "BadChunkSize") != "8191" {
			t.Errorf("details %v", e.Details)
		}
		if err := f(p, 8192, 8192, 1); err != nil {
			t.Error(err)
		}
	}
}

// TestDecodedLength requires the length of the decoded body.
func TestDecodedLength(t *testing.T) {
	t.Parallel()
	f := func(length string, code s3err.Code) {
		t.Helper()
		_, err := Verified{Payload: StreamingUnsigned, decodedLength: length}.Body(strings.NewReader(""), 0)
		wantCode(t, err, code)
	}
	f("", s3err.MissingContentLength)
	f("five", s3err.MissingContentLength)
	f("-1", s3err.MissingContentLength)
	f("+1", s3err.MissingContentLength)
	f("1.0", s3err.MissingContentLength)
	f(strconv.FormatUint(1<<63, 10), s3err.MissingContentLength)
}

// TestWhyIncomplete: a body that breaks off, and one that is whole and of another length, are the same error in
// other words.
func TestWhyIncomplete(t *testing.T) {
	t.Parallel()
	f := func(decoded int, body, message string) {
		t.Helper()
		v, _ := streaming(StreamingUnsigned, decoded, "")
		b, err := v.Body(strings.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(b)
		if e := wantError(t, err, s3err.IncompleteBody); e.Message != message || errors.Is(e, io.EOF) {
			t.Errorf("%q: %q, which is the end of a body: %v", body, e.Message, errors.Is(e, io.EOF))
		}
	}
	const (
		brokeOff = "The request body terminated unexpectedly"
		length   = "You did not provide the number of bytes specified by the Content-Length HTTP header"
	)
	f(5, "5\r\nhel", brokeOff)
	f(5, "5\r\nhello", brokeOff)
	f(5, "5\r\nhelloXX0\r\n\r\n", brokeOff)
	f(5, "5\r\nhello\r\n0\r\n", brokeOff)
	f(5, "6\r\nhello\r\n0\r\n\r\n", brokeOff)
	f(6, "5\r\nhello\r\n0\r\n\r\n", length)
	f(4, "5\r\nhello\r\n0\r\n\r\n", length)
}
