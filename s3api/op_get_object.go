package s3api

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// getObject implements GetObject.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (s *Server) getObject(c *call) error {
	in, err := c.getObjectInput()
	if err != nil {
		return err
	}
	out, err := c.route.Backend.GetObject(c.ctx, in)
	if err != nil {
		return err
	}
	c.writeObjectHeaders((*objectOutput)(out))
	c.stream(out.Body, *out.ContentLength)
	return nil
}

// getObjectInput reads and checks the request.
func (c *call) getObjectInput() (*s3.GetObjectInput, error) {
	version, err := c.versionID()
	if err != nil {
		return nil, err
	}
	for _, p := range c.query {
		if strings.HasPrefix(p.name, "response-") && !isHeader(p.name, p.value) { // It is to be one of the response.
			return nil, s3err.InvalidArg(p.name, p.value, notAHeader)
		}
	}
	part, err := c.partNumber()
	if err != nil {
		return nil, err
	}
	k, err := c.customerKey("")
	if err != nil {
		return nil, err
	}
	in := &s3.GetObjectInput{
		Bucket: &c.bucket, Key: &c.key, VersionId: version, PartNumber: part, Range: c.headerPtr("Range"),
		IfMatch: c.headerPtr("If-Match"), IfNoneMatch: c.headerPtr("If-None-Match"),
		IfModifiedSince: c.sinceHeader("If-Modified-Since"), IfUnmodifiedSince: c.timeHeader("If-Unmodified-Since"),
		SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	}
	if part != nil && in.Range != nil {
		return nil, s3err.Newf(s3err.InvalidRequest, "Cannot specify both Range header and partNumber query parameter")
	}
	if strings.EqualFold(c.header("X-Amz-Checksum-Mode"), "ENABLED") {
		in.ChecksumMode = types.ChecksumModeEnabled
	}
	return in, c.ifRange(in)
}

// ifRange drops the Range when If-Range names another state of the object.
// https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
func (c *call) ifRange(in *s3.GetObjectInput) error {
	want := c.header("If-Range")
	if want == "" || in.Range == nil {
		return nil
	}
	out, err := c.route.Backend.HeadObject(c.ctx, &s3.HeadObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	})
	if err != nil {
		return err
	}
	same := out.ETag != nil && want == *out.ETag
	if t := c.timeHeader("If-Range"); t != nil && out.LastModified != nil {
		same = httpTime(*t) == httpTime(*out.LastModified)
	}
	if !same {
		in.Range = nil
	}
	return nil
}

// objectOutput is what GetObject and HeadObject have to say of an object.
type objectOutput s3.GetObjectOutput

// writeObjectHeaders writes status and headers of a GET or HEAD.
func (c *call) writeObjectHeaders(o *objectOutput) {
	if o.ContentRange != nil {
		c.fc.SetStatusCode(http.StatusPartialContent)
		c.set("Content-Range", *o.ContentRange)
	}
	c.set("Accept-Ranges", "bytes")
	c.setPtr("ETag", o.ETag)
	c.setTime("Last-Modified", o.LastModified)
	for _, h := range []struct {
		name, override string
		value          *string
	}{
		{"Content-Type", "response-content-type", o.ContentType},
		{"Cache-Control", "response-cache-control", o.CacheControl},
		{"Content-Disposition", "response-content-disposition", o.ContentDisposition},
		{"Content-Encoding", "response-content-encoding", o.ContentEncoding},
		{"Content-Language", "response-content-language", o.ContentLanguage},
		{"Expires", "response-expires", o.ExpiresString},
	} {
		if v := c.queryPtr(h.override); v != nil {
			h.value = v
		}
		c.setPtr(h.name, h.value)
	}
	c.setPtr("x-amz-website-redirect-location", o.WebsiteRedirectLocation)
	for name, value := range o.Metadata {
		if !strings.HasPrefix(name, backends.ReservedMetadata) {
			c.set(metaPrefix+name, encodeMetadata(value))
		}
	}
	c.setVersion(o.VersionId)
	if _, ok := backends.As[backends.Tagger](c.route.Backend); ok && o.TagCount != nil && *o.TagCount > 0 {
		c.set("x-amz-tagging-count", itoa(*o.TagCount))
	}
	c.setLock(o)
	if o.StorageClass != "" && o.StorageClass != types.StorageClassStandard {
		c.set("x-amz-storage-class", string(o.StorageClass))
	}
	c.setPtr("x-amz-restore", o.Restore)
	if o.PartsCount != nil {
		c.set("x-amz-mp-parts-count", itoa(*o.PartsCount))
	}
	c.setEncryption(shownEncryption{o.ServerSideEncryption, o.SSEKMSKeyId, nil, o.BucketKeyEnabled, o.SSECustomerAlgorithm, o.SSECustomerKeyMD5})
	c.setChecksums(o, o.ChecksumType)
}

// setChecksums writes the checksum of an output, if it has one.
func (c *call) setChecksums(out any, kind types.ChecksumType) {
	for _, a := range checksum.All() {
		if v := checksum.Get(out, a); v != nil {
			c.set(checksum.HeaderName(a), *v)
			if kind != "" {
				c.set("x-amz-checksum-type", string(kind))
			}
		}
	}
}
