package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// Body is a request's body, decoded and verified.
//
// Read returns bytes as they arrive, before the signature or the hash over them
// is known, but io.EOF only when everything was verified; a reader must take
// any other error as "there was no body". The last bytes of a body of known length are held
// back until then as well, so that even someone who counts never has it whole.
// Memory does not grow with the body or its chunks.
type Body struct {
	src     source
	length  int64
	left    int64 // decoded bytes that are to come, if length is known
	names   []string
	trailer []Header
	err     error // what Read returns from now on
}

// source is one kind of body. Its Read returns io.EOF at the end of the
// decoded bytes; finish verifies what is left to verify behind them.
type source interface {
	io.Reader
	finish(b *Body) error
}

// Body returns a reader of the request's body that decodes it and verifies
// what the request says of it. contentLength is -1 when unknown. r is read up
// to contentLength, or to its end; it is not closed.
func (v Verified) Body(r io.Reader, contentLength int64) (*Body, error) {
	if contentLength >= 0 {
		r = io.LimitReader(r, contentLength)
	}
	b := &Body{length: contentLength, names: announced(v.trailer)}
	if b.names != nil && !v.Payload.trailing() {
		return nil, s3err.Newf(s3err.InvalidRequest, "The value specified in the x-amz-trailer header is not supported")
	}
	switch {
	case v.Payload.Streaming():
		if err := b.stream(v, r); err != nil {
			return nil, err
		}
	case v.Payload == Unsigned:
		b.src = plain{r}
	default:
		b.src = &hashed{r, sha256.New(), string(v.Payload)}
	}
	b.left = b.length
	return b, nil
}

// stream makes b the decoder of an aws-chunked body.
func (b *Body) stream(v Verified, r io.Reader) error {
	n, err := strconv.ParseUint(v.decodedLength, 10, 63)
	if err != nil { // S3 has no other word for one that is no number.
		return s3err.New(s3err.MissingContentLength)
	}
	if v.Payload.signed() && v.chain.key == nil {
		return s3err.New(s3err.AccessDenied) // chunks of an anonymous request cannot be signed
	}
	b.length = int64(n)
	b.src = newChunked(r, v.chain, v.Payload)
	return nil
}

// Read reads decoded bytes.
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if b.length < 0 {
		return b.readToEnd(p)
	}
	n := 0
	if b.left > 0 {
		var err error
		n, err = b.src.Read(p[:min(int64(len(p)), b.left)])
		b.left -= int64(n)
		if err == io.EOF && b.left == 0 { //nolint:errorlint // a wrapped EOF is not the end
			err = nil
		}
		if err != nil {
			b.err = broken(err)
			return 0, b.err
		}
		if b.left > 0 {
			return n, nil
		}
	}
	return b.finish(n)
}

// readToEnd is Read for a body of unknown length.
func (b *Body) readToEnd(p []byte) (int, error) {
	n, err := b.src.Read(p)
	if err == nil {
		return n, nil
	}
	if err == io.EOF { //nolint:errorlint // a wrapped EOF is not the end
		return b.finish(n)
	}
	b.err = broken(err)
	return 0, b.err
}

// finish ends the body, of which n bytes are still to be returned.
func (b *Body) finish(n int) (int, error) {
	if b.err = b.src.finish(b); b.err != nil {
		return 0, b.err
	}
	b.err = io.EOF
	if n > 0 {
		return n, nil // io.EOF comes next, on its own
	}
	return 0, io.EOF
}

// Length is the number of decoded bytes; -1 when unknown.
func (b *Body) Length() int64 { return b.length }

// Trailer is what followed the body, names in lower case; nil before io.EOF.
func (b *Body) Trailer() []Header { return b.trailer }

// TrailerNames is what x-amz-trailer announced, in lower case. After io.EOF
// these are the names in Trailer, in some order.
func (b *Body) TrailerNames() []string { return b.names }

// announced splits the value of x-amz-trailer.
func announced(value string) (names []string) {
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.ToLower(strings.Trim(name, " \t")); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// plain is a body of which nothing is said.
type plain struct{ io.Reader }

// finish has nothing to verify.
func (plain) finish(*Body) error { return nil }

// hashed is a body whose SHA-256 is part of the request's signature.
type hashed struct {
	r    io.Reader
	h    hash.Hash
	want string
}

// Read reads and hashes.
func (s *hashed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.h.Write(p[:n])
	return n, err
}

// finish compares the hash.
func (s *hashed) finish(*Body) error {
	got := hex.EncodeToString(s.h.Sum(nil))
	if strings.EqualFold(got, s.want) {
		return nil
	}
	return s3err.New(s3err.XAmzContentSHA256Mismatch).
		With("ClientComputedContentSHA256", s.want).
		With("S3ComputedContentSHA256", got)
}

// broken turns an error of reading the request into the client's: a body that
// ends early is IncompleteBody. No error has io.EOF in it, which readers could take for the end of a good body.
func broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	var e *s3err.Error
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &e):
		return err
	case errors.As(err, &timeout) && timeout.Timeout():
		return s3err.New(s3err.RequestTimeout).Because(err)
	}
	return s3err.New(s3err.IncompleteBody).Because(err)
}
