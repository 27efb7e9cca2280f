package s3api

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// listObjectsV2 implements ListObjectsV2. The continuation token is the last
// entry of the page before, sealed for this bucket and the time that is looked at.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
func (s *Server) listObjectsV2(c *call) error {
	l, err := c.listing("max-keys")
	if err != nil {
		return err
	}
	startAfter, _ := c.query.lookup("start-after")
	after := startAfter
	tok, resumed := c.query.lookup("continuation-token")
	if resumed {
		last, err := s.Sealer.Open(tokenObjects, tok, c.binding()...)
		if err != nil {
			return s3err.InvalidArg("continuation-token", tok, "The continuation token provided is incorrect")
		}
		after = string(last)
	}
	out, err := c.page(l, after)
	if err != nil {
		return err
	}
	page := objectsPage{listing: l, name: c.bucket, startAfter: startAfter, out: out}
	if resumed {
		page.token = tok
	}
	if isTruncated(out.IsTruncated) {
		page.nextToken = s.Sealer.Seal(tokenObjects, []byte(last(out)), c.binding()...)
	}
	if v, _ := c.query.lookup("fetch-owner"); strings.EqualFold(v, "true") {
		page.owner = c.route.Owner
	}
	c.writeDoc(page.document())
	return nil
}

// objectsPage is a page of ListObjectsV2; what is empty is left out.
type objectsPage struct {
	listing
	name, startAfter, owner string
	token, nextToken        string
	out                     *s3.ListObjectsV2Output
}

// bytesOfEntry is about what an object of a listing takes.
const bytesOfEntry = 400

// document writes the page.
func (p *objectsPage) document() *doc {
	d := newResult("ListBucketResult")
	d.b = slices.Grow(d.b, (len(p.out.Contents)+1)*bytesOfEntry) // once, instead of again and again
	d.text("Name", p.name)
	p.field(d, "Prefix", p.prefix)
	if p.token != "" {
		d.text("ContinuationToken", p.token)
	}
	if p.nextToken != "" {
		d.text("NextContinuationToken", p.nextToken)
	}
	p.optionalField(d, "StartAfter", p.startAfter)
	d.int("KeyCount", int64(len(p.out.Contents)+len(p.out.CommonPrefixes)))
	d.int("MaxKeys", int64(p.max))
	p.optionalField(d, "Delimiter", p.delimiter)
	p.writeEncoding(d)
	d.bool("IsTruncated", p.nextToken != "")
	for i := range p.out.Contents {
		d.open("Contents")
		p.writeObject(d, &p.out.Contents[i], p.owner)
		d.close("Contents")
	}
	p.writePrefixes(d, p.out.CommonPrefixes)
	d.close("ListBucketResult")
	return d
}
