package s3api

import (
	"bytes"
	"crypto/md5" // Content-MD5 is MD5
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/sigv4"
)

// What S3 takes at most.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const (
	maxObjectBytes = 5 << 30 // in one PUT, or as one part
	maxParts       = 10_000
	maxKeys        = 1000 // in a listing, and in DeleteObjects
)

// maxIgnoredBytes bounds a body that means nothing.
const maxIgnoredBytes = 64 << 10

// uploadBody is the body of a request as the backend reads it: decoded, and
// verified by the time it ends. It ends in io.EOF only when the signature, the
// length, Content-MD5 and the checksum are all right; else in the S3 error.
type uploadBody struct {
	wire   *wireReader
	sig    *sigv4.Body
	length int64
	read   int64

	md5     []byte // claimed, or nil
	md5Hash hash.Hash

	algorithm types.ChecksumAlgorithm // claimed, or ""
	trailer   bool                    // its value comes after the body
	sum       []byte
	sumHash   hash.Hash

	err error // what it ended in
}

// wireReader counts what comes from the connection and says when that broke off.
type wireReader struct {
	r        io.Reader
	n        int64
	expected int64 // from Content-Length, or -1
	done     bool
}

// Read turns a broken connection into IncompleteBody or RequestTimeout.
func (w *wireReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.n += int64(n)
	complete := w.expected >= 0 && w.n >= w.expected
	switch {
	case err == nil:
		w.done = complete
	case err == io.EOF && (w.expected < 0 || complete):
		w.done = true
	case err == io.EOF:
		return n, s3err.New(s3err.IncompleteBody).Because(io.ErrUnexpectedEOF) // io.EOF is for bodies that are whole.
	default:
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return n, s3err.New(s3err.RequestTimeout).Because(err)
		}
		return n, s3err.New(s3err.IncompleteBody).Because(err)
	}
	return n, err
}

// openBody prepares to read the request's body. Nothing has been read when it
// returns an error.
func (c *call) openBody() (*uploadBody, error) {
	b := &uploadBody{}
	if c.body != nil { // of a form
		b.wire = c.body.wire
	} else {
		b.wire = c.newWire()
	}
	c.body = b
	if err := c.claimedDigests(b); err != nil {
		return nil, err
	}
	var err error
	if c.file != nil {
		b.sig, err = c.auth.Body(c.file, c.file.length)
	} else {
		b.sig, err = c.auth.Body(b.wire, b.wire.expected)
	}
	if err != nil {
		return nil, err
	}
	b.length = b.sig.Length()
	if b.length < 0 {
		return nil, s3err.New(s3err.MissingContentLength)
	}
	if err := b.expectTrailer(); err != nil {
		return nil, err
	}
	return b, c.agreedAlgorithm(b)
}

// newWire is the reader of what the request has behind its headers.
func (c *call) newWire() *wireReader {
	w := &wireReader{r: bytes.NewReader(nil), expected: c.contentLength()}
	if r := c.fc.RequestBodyStream(); r != nil {
		w.r = r
	}
	return w
}

// contentLength is how many bytes of body are on the wire; -1 when only
// their end will tell.
func (c *call) contentLength() int64 {
	switch {
	case c.hasHeader("Transfer-Encoding"):
		return -1
	case !c.hasHeader("Content-Length"):
		return 0
	}
	return int64(c.fc.Request.Header.ContentLength())
}

// claimedDigests reads the digests that the headers promise.
func (c *call) claimedDigests(b *uploadBody) error {
	if v := c.header("Content-Md5"); v != "" || c.hasHeader("Content-Md5") {
		sum, err := base64.StdEncoding.DecodeString(v)
		if err != nil || len(sum) != md5.Size {
			return s3err.New(s3err.InvalidDigest).With("Content-MD5", v)
		}
		b.md5, b.md5Hash = sum, md5.New() // Content-MD5 is MD5
	}
	return c.checksumHeader(func(a types.ChecksumAlgorithm, value string) error {
		sum, ok := checksum.Decode(a, value)
		if !ok {
			return badChecksum(checksum.HeaderName(a))
		}
		b.algorithm, b.sum, b.sumHash = a, sum, checksum.New(a)
		return nil
	})
}

// agreedAlgorithm holds the named algorithm against the one a value came for,
// or is to follow for; there must be one.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html#AmazonS3-PutObject-request-header-ChecksumAlgorithm
func (c *call) agreedAlgorithm(b *uploadBody) error {
	name := c.header("X-Amz-Sdk-Checksum-Algorithm")
	if name == "" {
		return nil
	}
	a, ok := checksum.Parse(name)
	switch {
	case !ok:
		return badChecksum("x-amz-sdk-checksum-algorithm")
	case b.algorithm != "" && b.algorithm != a:
		return badChecksum("x-amz-sdk-checksum-algorithm")
	case b.algorithm == "":
		return s3err.Newf(s3err.InvalidRequest, "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
	}
	return nil
}

// expectTrailer prepares for a checksum that follows the body.
func (b *uploadBody) expectTrailer() error {
	for _, name := range b.sig.TrailerNames() {
		a, ok := checksum.FromHeader(name)
		if !ok {
			if strings.HasPrefix(strings.ToLower(name), "x-amz-") {
				return s3err.Newf(s3err.InvalidRequest, "The value specified in the x-amz-trailer header is not supported")
			}
			continue
		}
		if b.algorithm != "" {
			return twoChecksums()
		}
		b.algorithm, b.trailer, b.sumHash = a, true, checksum.New(a)
	}
	return nil
}

// Read reads decoded bytes, and the verdict at their end.
func (b *uploadBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.sig.Read(p)
	b.read += int64(n)
	if b.md5Hash != nil {
		b.md5Hash.Write(p[:n])
	}
	if b.sumHash != nil {
		b.sumHash.Write(p[:n])
	}
	if err == io.EOF { //nolint:errorlint // one that an error carries is no end
		err = b.verdict()
	}
	b.err = err
	return n, err
}

// verdict is io.EOF when the body was what it claimed to be.
func (b *uploadBody) verdict() error {
	if b.read != b.length {
		return s3err.New(s3err.IncompleteBody)
	}
	if b.md5 != nil {
		if got := b.md5Hash.Sum(nil); !bytes.Equal(got, b.md5) {
			return s3err.Newf(s3err.BadDigest, "The Content-MD5 you specified did not match what we received.").
				With("ExpectedDigest", hex.EncodeToString(b.md5)). // S3 writes the one like this, the other like that
				With("CalculatedDigest", base64.StdEncoding.EncodeToString(got))
		}
	}
	if b.algorithm == "" {
		return io.EOF
	}
	if b.trailer {
		if err := b.readTrailer(); err != nil {
			return err
		}
	}
	if !bytes.Equal(b.sumHash.Sum(nil), b.sum) {
		return s3err.Newf(s3err.BadDigest, "The %s you specified did not match the calculated checksum.", b.algorithm)
	}
	return io.EOF
}

// readTrailer takes the checksum that followed the body.
func (b *uploadBody) readTrailer() error {
	for _, t := range b.sig.Trailer() {
		if a, ok := checksum.FromHeader(t.Name); ok && a == b.algorithm {
			sum, ok := checksum.Decode(a, t.Value)
			if !ok {
				return s3err.Newf(s3err.InvalidRequest, "Value for %s trailing header is invalid.", checksum.HeaderName(a))
			}
			b.sum = sum
			return nil
		}
	}
	return s3err.New(s3err.MalformedTrailer)
}

// declared is the checksum the client claims in a header, for inputs that
// carry it.
func (b *uploadBody) declared(in any) {
	if b.sum != nil {
		v := checksum.Encode(b.sum)
		checksum.Set(in, b.algorithm, &v)
	}
}

// dataBody opens a body that is object data: bounded, with its length known,
// and with the algorithm whose checksum is to be kept.
func (c *call) dataBody() (*uploadBody, types.ChecksumAlgorithm, error) {
	if !c.hasHeader("Content-Length") && !c.hasHeader("X-Amz-Decoded-Content-Length") {
		return nil, "", s3err.New(s3err.MissingContentLength)
	}
	b, err := c.openBody()
	if err != nil {
		return nil, "", err
	}
	if b.length > maxObjectBytes {
		return nil, "", s3err.New(s3err.EntityTooLarge).
			With("ProposedSize", itoa(b.length)).With("MaxSizeAllowed", itoa(int64(maxObjectBytes)))
	}
	return b, b.algorithm, nil
}

// within refuses a body of more than limit bytes.
func (b *uploadBody) within(limit int64) error {
	if b.length > limit {
		return s3err.New(s3err.MaxMessageLengthExceeded).With("MaxMessageLengthBytes", itoa(limit))
	}
	return nil
}

// noBody reads a body that says nothing for this operation, so that its
// digests are still verified.
func (c *call) noBody() error {
	if c.contentLength() == 0 {
		return nil
	}
	b, err := c.openBody()
	if err != nil {
		return err
	}
	if err := b.within(maxIgnoredBytes); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, b)
	return err
}

// lingerIfUnread makes the connection close gently when the client may still
// be sending a body that nobody is going to read.
func (c *call) lingerIfUnread() {
	if c.contentLength() == 0 {
		return
	}
	if c.body != nil && c.body.wire.done {
		return
	}
	if conn, ok := c.fc.Conn().(*conn); ok {
		conn.linger.Store(true)
	}
}
