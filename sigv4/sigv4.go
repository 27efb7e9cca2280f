package sigv4

import (
	"strings"
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

	// Aliases returns the names that clients may have signed instead of the
	// host that arrived, behind a load balancer. All of them must mean what
	// the host means to whoever serves the request: a signature holds for
	// what its URL names. Nil: there are none.
	Aliases func(host string) []string
}

// Verifier verifies requests and gives readers that verify their bodies. It is
// safe for concurrent use.
type Verifier struct {
	o    Options
	keys keyRing
}

// New returns a Verifier.
func New(o Options) *Verifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Verifier{o: o}
}

// Verified is what is known of a request that was not refused. It holds
// strings of the Request it came from.
type Verified struct {
	AccessKey string // empty: the request is anonymous
	Claimed   string // the access key that the request names, whether that is true or not; for logs
	Presigned bool   // authenticated by its query
	Payload   Payload

	chain         chain  // where the signatures of chunks begin
	decodedLength string // x-amz-decoded-content-length
	trailer       string // x-amz-trailer
}

// Verify returns who signed r. A request that carries no authentication is
// anonymous, and no error. Errors are *s3err.Error; with one, nothing but
// Claimed is known.
func (v *Verifier) Verify(r *Request) (Verified, error) {
	f, err := readFields(r.Headers)
	if err != nil {
		return Verified{}, err
	}
	q, err := readQuery(r.Query)
	if err != nil {
		return Verified{}, err
	}
	if f.authorized && (q.v4 || q.v2) {
		return Verified{}, s3err.InvalidArg("Authorization", f.authorization, onlyOneMechanism)
	}
	if q.v2 || strings.HasPrefix(f.authorization, "AWS ") {
		return Verified{}, s3err.Newf(s3err.InvalidRequest, "%s", version2)
	}
	out := Verified{Presigned: q.v4, decodedLength: f.decodedLength, trailer: f.trailer}
	if !q.v4 && !f.authorized {
		out.Payload, err = parsePayload(f.contentSHA256)
		return out, err
	}

	c, err := v.claim(r, &f, &q)
	if err == nil {
		out.chain, err = v.check(r, &c)
	}
	if err != nil {
		return Verified{Claimed: c.accessKey}, err
	}
	out.AccessKey, out.Claimed, out.Payload = c.accessKey, c.accessKey, c.payload
	return out, nil
}

// claim returns the claim that r makes, once everything but its signature has
// been found in order.
func (v *Verifier) claim(r *Request, f *fields, q *queryFields) (claim, error) {
	var c claim
	var err error
	if q.v4 {
		err = c.fromQuery(q, f)
	} else {
		err = c.fromHeader(f)
	}
	if err == nil {
		err = c.checkScope(v.o.Region)
	}
	if err == nil && (f.token || q.token) {
		err = s3err.New(s3err.InvalidToken) // No key here comes with one.
	}
	if err == nil {
		err = c.checkTime(v.o.Now())
	}
	if err == nil {
		err = c.checkDay()
	}
	if err == nil {
		err = c.checkSigned(r.Headers)
	}
	return c, err
}

// What S3 says of authentication it cannot use.
const (
	onlyOneMechanism = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified"
	version2         = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
)
