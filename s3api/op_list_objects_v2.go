package s3api

import (
	"strings"

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
	d := newResult("ListBucketResult")
	d.text("Name", c.bucket)
	l.field(d, "Prefix", l.prefix)
	if resumed {
		d.text("ContinuationToken", tok)
	}
	truncated := isTruncated(out.IsTruncated)
	if truncated {
		d.text("NextContinuationToken", s.Sealer.Seal(tokenObjects, []byte(last(out)), c.binding()...))
	}
	l.optionalField(d, "StartAfter", startAfter)
	d.int("KeyCount", int64(len(out.Contents)+len(out.CommonPrefixes)))
	d.int("MaxKeys", int64(l.max))
	l.optionalField(d, "Delimiter", l.delimiter)
	l.writeEncoding(d)
	d.bool("IsTruncated", truncated)
	owner := ""
	if v, _ := c.query.lookup("fetch-owner"); strings.EqualFold(v, "true") {
		owner = c.route.Owner
	}
	for i := range out.Contents {
		d.open("Contents")
		l.writeObject(d, &out.Contents[i], owner)
		d.close("Contents")
	}
	l.writePrefixes(d, out.CommonPrefixes)
	d.close("ListBucketResult")
	c.writeDoc(d)
	return nil
}
