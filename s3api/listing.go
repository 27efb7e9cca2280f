package s3api

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// Kinds of continuation tokens: one is never taken for another.
const (
	tokenObjects byte = 'o'
	tokenBuckets byte = 'b'
)

// listing is what the list operations on objects have in common.
type listing struct {
	prefix, delimiter string
	encode            bool // encoding-type=url
	max               int32
	optional          []types.OptionalObjectAttributes
}

// listing reads the parameters; max is called max-keys or max-uploads.
func (c *call) listing(maxName string) (listing, error) {
	l := listing{max: maxKeys}
	l.prefix, _ = c.query.lookup("prefix")
	l.delimiter, _ = c.query.lookup("delimiter")
	switch v, _ := c.query.lookup("encoding-type"); {
	case v == "":
	case strings.EqualFold(v, "url"):
		l.encode = true
	default:
		return l, s3err.InvalidArg("encoding-type", v, "Invalid Encoding Method specified in Request")
	}
	n, err := c.intQuery(maxName, maxKeys)
	if n != nil {
		l.max = *n
	}
	if err == nil {
		l.optional, err = namedAttributes[types.OptionalObjectAttributes](c, "x-amz-optional-object-attributes")
	}
	return l, err
}

// page asks the backend for the entries after startAfter.
func (c *call) page(l listing, startAfter string) (*s3.ListObjectsV2Output, error) {
	return c.route.Backend.ListObjectsV2(c.ctx, &s3.ListObjectsV2Input{
		Bucket: &c.bucket, Prefix: optional(l.prefix), Delimiter: optional(l.delimiter),
		StartAfter: optional(startAfter), MaxKeys: &l.max, OptionalObjectAttributes: l.optional,
	})
}

// last is the last entry of a page: the place where the next one goes on.
func last(out *s3.ListObjectsV2Output) string {
	var key string
	if n := len(out.Contents); n > 0 {
		key = *out.Contents[n-1].Key
	}
	if n := len(out.CommonPrefixes); n > 0 {
		key = max(key, *out.CommonPrefixes[n-1].Prefix)
	}
	return key
}

// field writes an element whose value encoding-type applies to.
func (l listing) field(d *doc, name, value string) {
	if !l.encode {
		d.text(name, value)
		return
	}
	d.open(name)
	d.b = appendURLEncoded(d.b, value)
	d.close(name)
}

// optionalField is field, left out when value is empty.
func (l listing) optionalField(d *doc, name, value string) {
	if value != "" {
		l.field(d, name, value)
	}
}

// appendURLEncoded percent-encodes everything but unreserved characters and
// the slash. A space becomes %20: clients that decode it as a form value and
// clients that decode it as a path both get it back.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html#API_ListObjectsV2_RequestSyntax
func appendURLEncoded(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		ch := s[i]
		switch {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9',
			ch == '-', ch == '_', ch == '.', ch == '~', ch == '/', ch == '*':
			b = append(b, ch)
		default:
			b = append(b, '%', hex[ch>>4], hex[ch&15])
		}
	}
	return b
}

// writePrefixes writes the common prefixes, one element each.
func (l listing) writePrefixes(d *doc, prefixes []types.CommonPrefix) {
	for i := range prefixes {
		d.open("CommonPrefixes")
		l.field(d, "Prefix", *prefixes[i].Prefix)
		d.close("CommonPrefixes")
	}
}

// writeObject writes what a listing says of an object; owner may be empty.
func (l listing) writeObject(d *doc, o *types.Object, owner string) {
	l.field(d, "Key", *o.Key)
	d.time("LastModified", o.LastModified)
	d.ptr("ETag", o.ETag)
	for _, a := range o.ChecksumAlgorithm {
		d.text("ChecksumAlgorithm", string(a))
	}
	if o.ChecksumType != "" {
		d.text("ChecksumType", string(o.ChecksumType))
	}
	if o.Size != nil {
		d.int("Size", *o.Size)
	}
	class := string(o.StorageClass)
	if class == "" {
		class = string(types.ObjectStorageClassStandard)
	}
	d.text("StorageClass", class)
	d.restoreStatus(o.RestoreStatus)
	if owner != "" {
		d.owner("Owner", owner)
	}
}

// writeEncoding says so when fields are encoded.
func (l listing) writeEncoding(d *doc) {
	if l.encode {
		d.text("EncodingType", "url")
	}
}

// isTruncated is the output's flag, false when it is not set.
func isTruncated(v *bool) bool { return v != nil && *v }
