package sigv4

import (
	"io"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// Keys finds the secret of an access key.
type Keys interface {
	// SecretKey returns the secret key that belongs to accessKey, and whether
	// there is one. It may retain nothing of its argument.
	SecretKey(accessKey string) (secret string, ok bool)
}

// Header is one header line as it came on the wire, its value trimmed. Lines
// with the same name stay apart, in their order.
type Header struct{ Name, Value string }

// Request is what a signature covers. Path and Query are raw, as they stood in
// the request line; Headers holds every header that arrived, Content-Length
// included. A Host among them is ignored in favour of the field.
type Request struct {
	Method, Path, Query, Host string
	Headers                   []Header
}

// Options configures a [Verifier].
type Options struct {
	Keys   Keys
	Region string           // the only region accepted; empty accepts any
	Now    func() time.Time // time.Now when nil
	Hosts  []string         // names that clients may have signed instead of the one that arrived: behind a load balancer
}

// Verifier verifies requests and gives readers that verify their bodies. It is
// safe for concurrent use.
type Verifier struct{ o Options }

// New returns a Verifier.
func New(o Options) *Verifier { return &Verifier{o} }

// Payload is the value of x-amz-content-sha256: one of the constants, or the
// SHA-256 of the body in hex.
type Payload string

// The payloads that are not a hash.
const (
	Unsigned                 Payload = "UNSIGNED-PAYLOAD"
	StreamingSigned          Payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingSignedTrailer   Payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingUnsigned        Payload = "STREAMING-UNSIGNED-PAYLOAD"
	StreamingUnsignedTrailer Payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// Verified is what is known of a request that was not refused. It holds
// strings of the Request it came from.
type Verified struct {
	AccessKey string // empty: the request is anonymous
	Presigned bool   // authenticated by its query
	Payload   Payload
}

// Verify returns who signed r. A request that carries no authentication is
// anonymous, and no error. Errors are *s3err.Error.
func (v *Verifier) Verify(r *Request) (Verified, error) {
	return Verified{}, s3err.New(s3err.NotImplemented)
}

// Body returns a reader of the request's body, decoded, that verifies what the
// request says of it. contentLength is -1 when unknown.
func (v Verified) Body(r io.Reader, contentLength int64) (*Body, error) {
	return &Body{r, contentLength}, nil
}

// Body is a request's body, decoded and verified. Read returns io.EOF only
// when all of it was verified.
type Body struct {
	r      io.Reader
	length int64
}

// Read reads decoded bytes.
func (b *Body) Read(p []byte) (int, error) { return b.r.Read(p) }

// Length is the number of decoded bytes; -1 when unknown.
func (b *Body) Length() int64 { return b.length }

// Trailer is what followed the body, names in lower case; complete after io.EOF.
func (b *Body) Trailer() []Header { return nil }

// TrailerNames is what x-amz-trailer announced, in lower case.
func (b *Body) TrailerNames() []string { return nil }

// StripChunkedEncoding returns a Content-Encoding without its aws-chunked
// token, which describes the transfer and not the object.
func StripChunkedEncoding(contentEncoding string) string { return contentEncoding }
