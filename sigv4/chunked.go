package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// Limits of an aws-chunked body. The size of a chunk has none but the length
// of the body: chunks are not held in memory.
const (
	minChunkBytes       = 8 << 10 // of a chunk that others follow, signed or not; S3's own rule
	maxChunkHeaderBytes = 1 << 10
	maxTrailerBytes     = 8 << 10
)

// chunked decodes an aws-chunked body:
//
//	hex-size[;chunk-signature=hex]\r\n bytes \r\n … 0[;chunk-signature=hex]\r\n trailer \r\n
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
type chunked struct {
	r         *bufio.Reader
	payload   Payload
	chain     chain
	signature string    // of the chunk being read
	sum       hash.Hash // of its bytes; nil when chunks are not signed
	number    int       // of the chunk being read, from 1
	size      int64
	left      int64 // of its bytes
}

// newChunked returns the decoder for a streaming payload.
func newChunked(r io.Reader, c chain, p Payload) *chunked {
	s := &chunked{r: bufio.NewReader(r), payload: p, chain: c}
	if p.signed() {
		s.sum = sha256.New()
	}
	return s
}

// Read reads the bytes of the next chunk, or of the rest of this one. The body
// asks for no more bytes than were announced in all; so a final chunk is one that came too early.
func (s *chunked) Read(p []byte) (int, error) {
	if s.left == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
		if s.size == 0 {
			return 0, s3err.New(s3err.IncompleteBody).Because(framingError("the final chunk came before x-amz-decoded-content-length bytes"))
		}
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if s.sum != nil {
		s.sum.Write(p[:n])
	}
	switch {
	case err != nil:
		err = brokeOff(err)
	case s.left == 0:
		err = s.end()
	}
	return n, err
}

// next reads the header of a chunk.
func (s *chunked) next() error {
	line, err := s.r.ReadSlice('\n')
	if err != nil {
		return brokeOff(err)
	}
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || len(line) > maxChunkHeaderBytes {
		return incomplete("malformed chunk header")
	}
	digits := string(text)
	if s.sum != nil {
		if digits, s.signature, ok = strings.Cut(digits, ";chunk-signature="); !ok || !isSHA256(s.signature) {
			return incomplete("chunk without a signature")
		}
		s.sum.Reset()
	}
	size, err := strconv.ParseUint(digits, 16, 63)
	if err != nil {
		return incomplete("malformed chunk size")
	}
	s.number++
	if s.number > 1 && size > 0 && s.size < minChunkBytes {
		return s3err.New(s3err.InvalidChunkSize).
			With("Chunk", strconv.Itoa(s.number)).
			With("BadChunkSize", strconv.FormatInt(s.size, 10))
	}
	s.size, s.left = int64(size), int64(size)
	return nil
}

// end verifies the chunk that was read.
func (s *chunked) end() error {
	if err := s.crlf(); err != nil {
		return err
	}
	if s.sum == nil {
		return nil
	}
	return s.chain.chunk(s.signature, s.sum)
}

// crlf reads the line end behind a chunk.
func (s *chunked) crlf() error {
	var b [2]byte
	if _, err := io.ReadFull(s.r, b[:]); err != nil {
		return brokeOff(err)
	}
	if b != [2]byte{'\r', '\n'} {
		return incomplete("chunk is not followed by CRLF")
	}
	return nil
}

// finish reads and verifies the final chunk and what follows it.
func (s *chunked) finish(b *Body) error {
	if s.left == 0 {
		if err := s.next(); err != nil {
			return err
		}
	}
	if s.left > 0 {
		if _, err := io.CopyN(io.Discard, s.r, min(s.left, minChunkBytes)); err != nil {
			return brokeOff(err)
		}
		if s.left < minChunkBytes { // A chunk that ends soon may be one that is only said to be longer than it is.
			if err := s.crlf(); err != nil {
				return err
			}
		}
		return s3err.New(s3err.IncompleteBody).Because(framingError("chunks hold more than x-amz-decoded-content-length bytes"))
	}
	if s.payload.trailing() {
		if s.sum != nil {
			if err := s.chain.chunk(s.signature, s.sum); err != nil {
				return err
			}
		}
		return s.finishTrailer(b)
	}
	if err := s.end(); err != nil {
		return err
	}
	if _, err := s.r.ReadByte(); err != io.EOF {
		return incomplete("content after the final chunk")
	}
	return nil
}

// incomplete refuses a body whose framing is wrong; why is for the operator.
func incomplete(why string) error {
	return s3err.Newf(s3err.IncompleteBody, "%s", endsInside).Because(framingError(why))
}

// endsInside is said of chunks that are not whole.
const endsInside = "The request body terminated unexpectedly"

// brokeOff is broken for what is inside of chunks: S3 says in other words that it ends there.
func brokeOff(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) { //nolint:errorlint // a wrapped EOF is not the end
		return s3err.Newf(s3err.IncompleteBody, "%s", endsInside).Because(io.ErrUnexpectedEOF)
	}
	return broken(err)
}

// framingError says what is wrong with the framing.
type framingError string

// Error is the text.
func (e framingError) Error() string { return "sigv4: aws-chunked: " + string(e) }

// StripChunkedEncoding returns a Content-Encoding without its aws-chunked
// token, which describes the transfer and not the object.
func StripChunkedEncoding(contentEncoding string) string {
	if !strings.Contains(strings.ToLower(contentEncoding), "aws-chunked") {
		return contentEncoding // Fast path
	}
	var kept []string
	for token := range strings.SplitSeq(contentEncoding, ",") {
		if token = strings.Trim(token, " \t"); token != "" && !strings.EqualFold(token, "aws-chunked") {
			kept = append(kept, token)
		}
	}
	return strings.Join(kept, ",")
}
