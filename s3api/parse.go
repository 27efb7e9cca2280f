package s3api

import (
	"strings"
	"unicode/utf8"

	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/sigv4"
)

// maxKeyBytes is the longest key S3 takes, in bytes of UTF-8.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const maxKeyBytes = 1024

// How many header lines and query parameters a request may have. S3 has less
// use for them; each is looked for among all others.
const (
	maxHeaders = 256
	maxParams  = 256
)

// param is one query parameter, decoded.
type param struct{ name, value string }

// params are the query parameters of a request in their order.
type params []param

// lookup returns the first parameter of that name.
func (ps params) lookup(name string) (string, bool) {
	for _, p := range ps {
		if p.name == name {
			return p.value, true
		}
	}
	return "", false
}

// parse fills the call from the request line and the header lines as they
// stood on the wire. The whole head is copied once; everything in the call
// is a piece of that copy, so nothing of it dies with the connection's buffer.
func (c *call) parse(domains hostSplitter) error {
	h := &c.fc.Request.Header
	c.method = methodOf(h.Method())
	if err := c.parseHeaders(string(h.RawHeaders())); err != nil {
		return err
	}
	if err := c.parseFraming(); err != nil {
		return err
	}
	c.rawPath, c.rawQuery = splitTarget(string(h.RequestURI()))

	bucket, rawKey, hosted := domains.Split(c.header("Host"), c.rawPath)
	c.virtualHosted = hosted
	c.bucket = bucket
	key, ok := unescape(rawKey, false)
	if !ok || !utf8.ValidString(key) || !utf8.ValidString(bucket) {
		return s3err.New(s3err.InvalidURI)
	}
	c.key = key
	if bucket == "" && key != "" { // "//key"
		return s3err.New(s3err.InvalidBucketName)
	}
	switch {
	case bucket == "":
		c.scope = onService
	case key == "":
		c.scope = onBucket
	default:
		c.scope = onObject
	}
	if err := c.parseQuery(); err != nil {
		return err
	}
	return checkKey(key)
}

// checkKey refuses what no object can be called.
func checkKey(key string) error {
	switch {
	case len(key) > maxKeyBytes:
		return keyTooLong(key)
	case !utf8.ValidString(key):
		return s3err.New(s3err.InvalidURI)
	}
	return nil
}

// keyTooLong is the error for a key over the limit, with the figures S3 gives.
func keyTooLong(key string) error {
	return s3err.New(s3err.KeyTooLong).
		With("Size", itoa(len(key))).With("MaxSizeAllowed", itoa(maxKeyBytes))
}

// aboveRoot reports whether a key, read as a path, leaves the root at some point. S3 has no objects of such keys. Those
// that a store has all the same can be read and removed.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html#object-key-guidelines
func aboveRoot(key string) bool {
	if !strings.Contains(key, "..") {
		return false // Fast path.
	}
	depth := 0
	for segment := range strings.SplitSeq(key, "/") {
		switch segment {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return true
		}
	}
	return false
}

// methodOf returns the method without a copy for the ones S3 has.
func methodOf(b []byte) string {
	for _, m := range [...]string{"GET", "PUT", "HEAD", "POST", "DELETE"} {
		if string(b) == m {
			return m
		}
	}
	return string(b)
}

// splitTarget cuts a request target into raw path and raw query. The absolute
// form loses its scheme and authority.
//
// https://www.rfc-editor.org/rfc/rfc9112#section-3.2
func splitTarget(uri string) (path, query string) {
	if !strings.HasPrefix(uri, "/") {
		if _, rest, ok := strings.Cut(uri, "://"); ok {
			if i := strings.IndexAny(rest, "/?"); i >= 0 {
				uri = rest[i:]
			} else {
				uri = "/"
			}
		}
	}
	path, query, _ = strings.Cut(uri, "?")
	if path == "" {
		path = "/"
	}
	return path, query
}

// parseHeaders cuts the raw header block into lines.
func (c *call) parseHeaders(raw string) error {
	c.headers = c.headersBuf[:0]
	for raw != "" {
		line, rest, _ := strings.Cut(raw, "\n")
		raw = rest
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return s3err.Newf(s3err.BadRequest, "An error occurred when parsing the HTTP request.")
		}
		value = strings.Trim(value, " \t")
		if single(name) && c.hasHeader(name) {
			return s3err.InvalidArg(strings.ToLower(name), value, "The header may be given only once.")
		}
		if len(c.headers) == maxHeaders {
			return s3err.New(s3err.RequestHeaderSectionTooLarge).With("MaxHeadersAllowed", itoa(maxHeaders))
		}
		c.headers = append(c.headers, sigv4.Header{Name: name, Value: value})
	}
	return nil
}

// single reports whether a header of S3's, or of ours, may be given only once. SDKs give lists line by line.
func single(name string) bool {
	if strings.EqualFold(name, asOfHeader) {
		return true
	}
	return hasPrefixFold(name, "x-amz-") && len(name) > len("x-amz-") && !hasPrefixFold(name, metaPrefix) &&
		!strings.EqualFold(name, attributesHeader) && !strings.EqualFold(name, "x-amz-optional-object-attributes")
}

// parseFraming refuses what does not say in one way where its body ends. Until
// it has passed, the connection is of no further use: what follows may be a
// body or a request.
//
// https://www.rfc-editor.org/rfc/rfc9112#section-6.1
func (c *call) parseFraming() error {
	if v := c.fc.Request.Header.Protocol(); string(v) != "HTTP/1.1" && string(v) != "HTTP/1.0" {
		return s3err.Newf(s3err.BadRequest, "An error occurred when parsing the HTTP request.")
	}
	if coded := c.hasHeader("Transfer-Encoding"); coded {
		if !strings.EqualFold(c.header("Transfer-Encoding"), "chunked") {
			return s3err.New(s3err.NotImplemented).With("Header", "Transfer-Encoding")
		}
		if c.hasHeader("Content-Length") {
			return s3err.Newf(s3err.BadRequest, "An error occurred when parsing the HTTP request.")
		}
	}
	c.framed = true
	return nil
}

// parseQuery decodes the query parameters.
func (c *call) parseQuery() error {
	c.query = c.queryBuf[:0]
	rest := c.rawQuery
	for rest != "" {
		var piece string
		piece, rest, _ = strings.Cut(rest, "&")
		if piece == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(piece, "=")
		name, ok1 := unescape(rawName, true)
		value, ok2 := unescape(rawValue, true)
		if !ok1 || !ok2 || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return s3err.New(s3err.InvalidURI)
		}
		if len(c.query) == maxParams {
			return s3err.Newf(s3err.InvalidRequest, "The request has more than %d query parameters.", maxParams)
		}
		if _, ok := c.query.lookup(name); ok {
			// Signatures leave their order open, and the first would count.
			return s3err.InvalidArg(name, value, onlyOnce)
		}
		c.query = append(c.query, param{name, value})
	}
	return nil
}

// unescape undoes percent-encoding, and in a query also the plus sign. It
// fails on a percent sign without two hex digits.
func unescape(s string, query bool) (string, bool) {
	if !strings.Contains(s, "%") && (!query || !strings.Contains(s, "+")) {
		return s, true // Fast path.
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '%':
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			b = append(b, byte(hi<<4|lo)) // two hex digits are a byte
			i += 2
		case ch == '+' && query:
			b = append(b, ' ')
		default:
			b = append(b, ch)
		}
	}
	return string(b), true
}

// unhex returns the value of a hex digit, or -1.
func unhex(ch byte) int {
	switch {
	case '0' <= ch && ch <= '9':
		return int(ch - '0')
	case 'a' <= ch && ch <= 'f':
		return int(ch-'a') + 10
	case 'A' <= ch && ch <= 'F':
		return int(ch-'A') + 10
	}
	return -1
}

// hasPrefixFold is strings.HasPrefix without regard to ASCII case.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
