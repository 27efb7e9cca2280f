package sigv4

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// trailerSignature is the last line of a signed trailer.
const trailerSignature = "x-amz-trailer-signature"

// finishTrailer reads and verifies the trailer, which is everything behind the
// final chunk's header, and gives it to b.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
func (s *chunked) finishTrailer(b *Body) error {
	trailer, err := readTrailer(s.r)
	if err != nil {
		return err
	}
	var signature string
	if s.sum != nil {
		last := len(trailer) - 1
		if last < 0 || trailer[last].Name != trailerSignature || !isSHA256(trailer[last].Value) {
			return incomplete("trailer without a signature")
		}
		signature = trailer[last].Value
		trailer = trailer[:last]
	}
	if !sameNames(trailer, b.names) {
		return malformedTrailer("its names are not those that x-amz-trailer announced")
	}
	if s.sum != nil {
		if err := s.chain.trailers(signature, canonicalTrailer(trailer)); err != nil {
			return err
		}
	}
	b.trailer = trailer
	return nil
}

// readTrailer reads lines of "name:value" until r ends; the last line is
// empty. AWS's own description shows a line that ends in "\n\r\n", and clients
// that follow it exist; so an empty line may stand anywhere and LF ends a line.
func readTrailer(r *bufio.Reader) (trailer []Header, err error) {
	line, total := "", 0
	for {
		b, err := r.ReadSlice('\n')
		if err == io.EOF && len(b) == 0 {
			break
		}
		if total += len(b); total > maxTrailerBytes || errors.Is(err, bufio.ErrBufferFull) {
			return nil, malformedTrailer("too long")
		}
		if err != nil {
			return nil, brokeOff(err)
		}
		if line = strings.TrimRight(string(b), "\r\n"); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, malformedTrailer("a line without a colon")
		}
		trailer = append(trailer, Header{strings.ToLower(name), strings.Trim(value, " \t")})
	}
	if line != "" || total == 0 {
		return nil, incomplete("trailer without an end")
	}
	return trailer, nil
}

// canonicalTrailer is what a trailer's signature covers.
func canonicalTrailer(trailer []Header) (b []byte) {
	for _, h := range trailer {
		b = append(b, h.Name+":"+h.Value+"\n"...)
	}
	return b
}

// sameNames reports whether a trailer consists of exactly the announced names.
func sameNames(trailer []Header, names []string) bool {
	var got []string
	for _, h := range trailer {
		got = append(got, h.Name)
	}
	slices.Sort(got)
	return slices.Equal(got, slices.Sorted(slices.Values(names)))
}

// malformedTrailer refuses a trailer; why is for the operator.
func malformedTrailer(why string) error {
	return s3err.New(s3err.MalformedTrailer).Because(framingError(why))
}
