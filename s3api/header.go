package s3api

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/sigv4"
)

// metaPrefix begins the headers of user metadata.
const metaPrefix = "x-amz-meta-"

// maxMetadataBytes bounds names and values of user metadata together.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
const maxMetadataBytes = 2048

// defaultContentType is what S3 gives an object that came without a type.
const defaultContentType = "binary/octet-stream"

// unsupportedHeaders ask for what we do not do. To ignore them would promise
// what is not there.
var unsupportedHeaders = []string{
	"X-Amz-Write-Offset-Bytes", "X-Amz-Mfa",
}

// refuseHeaders refuses what the request asks for and would not get.
func (c *call) refuseHeaders() error {
	for i := range c.headers {
		h := &c.headers[i]
		if !hasPrefixFold(h.Name, "x-amz-") {
			continue
		}
		switch name := http.CanonicalHeaderKey(h.Name); {
		case isACLHeader(name):
			if err := c.refuseACL(name, h.Value); err != nil {
				return err
			}
		case slices.Contains(unsupportedHeaders, name) && h.Value != "" && !strings.EqualFold(h.Value, "false"):
			return s3err.New(s3err.NotImplemented).With("Header", strings.ToLower(h.Name))
		}
	}
	return c.noEncryption()
}

// notHoisted are x-amz- parameters of a presigned URL that do not stand for a
// header: those of the signature itself; and checksums, which SDKs that presign
// compute over a body they do not have yet.
var notHoisted = []string{
	"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders",
	"x-amz-signature", "x-amz-security-token", "x-amz-content-sha256", "x-amz-sdk-checksum-algorithm",
}

// hoisted takes x-amz- parameters, and ours, of a presigned URL for the headers they stand
// for. SDKs move headers there, so that the URL is all that its user needs. They
// are signed as all parameters are.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
func (c *call) hoisted() error {
	for _, p := range c.query {
		name := strings.ToLower(p.name)
		if !strings.HasPrefix(name, "x-amz-") && name != asOfHeader || slices.Contains(notHoisted, name) ||
			strings.HasPrefix(name, "x-amz-checksum-") && name != "x-amz-checksum-mode" {
			continue
		}
		switch {
		case name == "x-amz-copy-source":
			// The operation was chosen without it, and would not copy.
			return s3err.InvalidArg(p.name, p.value, "The copy source must be a header.")
		case !isHeader(name, p.value):
			return s3err.InvalidArg(p.name, p.value, notAHeader)
		case !c.hasHeader(name):
			c.headers = append(c.headers, sigv4.Header{Name: name, Value: p.value})
		case c.header(name) != p.value:
			return s3err.InvalidArg(p.name, p.value, onlyOnce)
		}
	}
	return nil
}

// What is said of parameters that stand for headers, and cannot.
const (
	notAHeader = "The parameter cannot be represented as a header."
	onlyOnce   = "The parameter may be given only once."
)

// isHeader reports whether name and value can be a header line: what the
// server library holds headers to, but not what was percent-encoded.
//
// https://www.rfc-editor.org/rfc/rfc9110#section-5.1
func isHeader(name, value string) bool {
	for i := range len(name) {
		if ch := name[i]; !isAlphanumeric(ch) && strings.IndexByte("!#$%&'*+-.^_`|~", ch) < 0 {
			return false
		}
	}
	for i := range len(value) {
		if ch := value[i]; ch < ' ' && ch != '\t' || ch == 0x7f {
			return false
		}
	}
	return len(name) > 0
}

// isAlphanumeric reports whether ch is a letter or digit of ASCII.
func isAlphanumeric(ch byte) bool {
	return '0' <= ch && ch <= '9' || 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z'
}

// objectHeaders are the headers that describe an object to be written.
type objectHeaders struct {
	cacheControl, contentDisposition, contentEncoding *string
	contentLanguage, contentType, websiteRedirect     *string
	expires                                           *time.Time
	metadata                                          map[string]string
	storageClass                                      types.StorageClass
}

// objectHeaders reads the headers that describe an object to be written, whose key must be one that S3 has objects of.
func (c *call) objectHeaders() (objectHeaders, error) {
	if aboveRoot(c.key) {
		return objectHeaders{}, s3err.New(s3err.InvalidURI)
	}
	h := objectHeaders{
		cacheControl:       c.headerPtr("Cache-Control"),
		contentDisposition: c.headerPtr("Content-Disposition"),
		contentEncoding:    optional(sigv4.StripChunkedEncoding(c.header("Content-Encoding"))),
		contentLanguage:    c.headerPtr("Content-Language"),
		contentType:        c.headerPtr("Content-Type"),
		websiteRedirect:    c.headerPtr("X-Amz-Website-Redirect-Location"),
	}
	if v := c.header("Expires"); v != "" {
		t, err := http.ParseTime(v)
		if err != nil {
			return h, s3err.InvalidArg("Expires", v, "The Expires header must be an HTTP date.")
		}
		h.expires = &t
	}
	if r := h.websiteRedirect; r != nil && !strings.HasPrefix(*r, "/") &&
		!hasPrefixFold(*r, "http://") && !hasPrefixFold(*r, "https://") {
		return h, s3err.New(s3err.InvalidRedirectLocation)
	}
	var err error
	if h.storageClass, err = c.storageClass(); err != nil {
		return h, err
	}
	h.metadata, err = c.metadata()
	return h, err
}

// storageClass reads the storage class; empty stands for STANDARD.
func (c *call) storageClass() (types.StorageClass, error) {
	class := types.StorageClass(c.header("X-Amz-Storage-Class"))
	if class != "" && (!slices.Contains(class.Values(), class) || slices.Contains(elsewhere, class)) {
		return "", s3err.New(s3err.InvalidStorageClass).With("StorageClassRequested", string(class))
	}
	return class, nil
}

// elsewhere are the storage classes of buckets of other kinds, and of other services of AWS.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html#AmazonS3-PutObject-request-header-StorageClass
var elsewhere = []types.StorageClass{
	types.StorageClassOutposts, types.StorageClassSnow, types.StorageClassExpressOnezone, types.StorageClassFsxOpenzfs, types.StorageClassFsxOntap,
}

// metadata reads the user metadata: names in lower case, repeated ones joined
// by a comma, values decoded from RFC 2047. Names that are reserved are dropped: nobody but the
// proxy says what they say.
func (c *call) metadata() (map[string]string, error) {
	var m map[string]string
	size := 0
	for i := range c.headers {
		if !hasPrefixFold(c.headers[i].Name, metaPrefix) {
			continue
		}
		name := strings.ToLower(c.headers[i].Name[len(metaPrefix):])
		if name == "" {
			return nil, s3err.InvalidArg(c.headers[i].Name, c.headers[i].Value, "Metadata must have a name.")
		}
		if strings.HasPrefix(name, backends.ReservedMetadata) {
			continue
		}
		if m == nil {
			m = map[string]string{}
		}
		value := decodeMetadata(c.headers[i].Value)
		if old, ok := m[name]; ok {
			value = old + "," + value
			size -= len(name) + len(old)
		}
		m[name] = value
		size += len(name) + len(value)
	}
	if size > maxMetadataBytes {
		return nil, s3err.New(s3err.MetadataTooLarge).
			With("Size", itoa(size)).With("MaxSizeAllowed", itoa(maxMetadataBytes))
	}
	return m, nil
}

// decodeMetadata turns a header value into the text it stands for: encoded
// words are decoded, bytes that are no UTF-8 are Latin-1.
func decodeMetadata(v string) string {
	if strings.Contains(v, "=?") {
		if d, err := new(mime.WordDecoder).DecodeHeader(v); err == nil && utf8.ValidString(d) {
			return d
		}
	}
	if utf8.ValidString(v) {
		return v
	}
	runes := make([]rune, len(v))
	for i := range len(v) {
		runes[i] = rune(v[i])
	}
	return string(runes)
}

// encodeMetadata is the way back: text that is not plain ASCII goes out in
// encoded words, as S3 does it.
func encodeMetadata(v string) string {
	return strings.ReplaceAll(mime.BEncoding.Encode("UTF-8", v), "\r\n ", " ")
}

// timeHeader reads a header that holds an HTTP date. S3 ignores one that does not.
func (c *call) timeHeader(name string) *time.Time {
	v := c.header(name)
	if v == "" {
		return nil
	}
	t, err := http.ParseTime(v)
	if err != nil {
		return nil
	}
	return &t
}

// sinceHeader reads a header that asks for what was modified since a time. One that is yet to come is ignored.
func (c *call) sinceHeader(name string) *time.Time {
	t := c.timeHeader(name)
	if t != nil && t.After(c.s.Now()) {
		return nil
	}
	return t
}

// intQuery reads a query parameter that is a number from 0 to limit; nil when
// it is absent.
func (c *call) intQuery(name string, limit int) (*int32, error) {
	v, _ := c.query.lookup(name)
	return parseInt(name, v, limit)
}

// parseInt reads the value of a parameter or header that is a number from 0 to limit; nil when it is empty.
func parseInt(name, v string, limit int) (*int32, error) {
	if v == "" {
		return nil, nil // absent is no error
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil {
		return nil, s3err.InvalidArg(name, v, "Provided "+name+" not an integer or within integer range")
	}
	if n < 0 {
		if name == "max-keys" {
			name = "maxKeys" // as S3 calls it here
		}
		return nil, s3err.InvalidArg(name, v, "Argument "+name+" must be an integer between 0 and 2147483647")
	}
	m := int32(min(n, int64(limit))) // bounded above
	return &m, nil
}

// partNumber reads the partNumber parameter; nil when it is absent.
func (c *call) partNumber() (*int32, error) {
	v, ok := c.query.lookup("partNumber")
	if !ok {
		return nil, nil // absent is no error
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil || n < 1 || n > maxParts {
		return nil, s3err.InvalidArg("partNumber", v, "Part number must be an integer between 1 and 10000, inclusive")
	}
	m := int32(n)
	return &m, nil
}

// httpTime is t as HTTP headers have it.
func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// setTime writes a response header unless t is nil.
func (c *call) setTime(name string, t *time.Time) {
	if t != nil {
		c.set(name, httpTime(*t))
	}
}
