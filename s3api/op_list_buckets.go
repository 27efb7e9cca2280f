package s3api

import (
	"github.com/xronox/xronox-proxy/s3err"
)

// maxBuckets is how many buckets S3 lists at a time.
const maxBuckets = 10_000

// listBuckets implements ListBuckets.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func (s *Server) listBuckets(c *call) error {
	limit := int32(maxBuckets)
	if v, ok := c.query.lookup("max-buckets"); ok {
		n, err := c.intQuery("max-buckets", maxBuckets+1)
		if err != nil || n == nil || *n < 1 || *n > maxBuckets {
			return s3err.InvalidArg("max-buckets", v, "Argument max-buckets must be an integer between 1 and 10000")
		}
		limit = *n
	}
	prefix, _ := c.query.lookup("prefix")
	after, err := c.openBucketsToken()
	if err != nil {
		return err
	}
	list, more, err := s.Buckets.ListBuckets(c.ctx, *c.identity, prefix, after, int(limit))
	if err != nil {
		return err
	}
	d := newResult("ListAllMyBucketsResult")
	d.owner("Owner", c.identity.UserID)
	d.open("Buckets")
	region, _ := c.query.lookup("bucket-region")
	for i := range list {
		if region != "" && region != list[i].Region {
			continue
		}
		d.open("Bucket")
		d.text("Name", list[i].Name)
		d.time("CreationDate", &list[i].Created)
		d.text("BucketRegion", list[i].Region)
		d.close("Bucket")
	}
	d.close("Buckets")
	if prefix != "" {
		d.text("Prefix", prefix)
	}
	if more {
		d.text("ContinuationToken", s.Sealer.Seal(tokenBuckets, []byte(list[len(list)-1].Name), c.identity.TenantID))
	}
	d.close("ListAllMyBucketsResult")
	c.writeDoc(d)
	return nil
}

// openBucketsToken returns the bucket name after which to go on.
func (c *call) openBucketsToken() (string, error) {
	v, ok := c.query.lookup("continuation-token")
	if !ok || v == "" {
		return "", nil
	}
	after, err := c.s.Sealer.Open(tokenBuckets, v, c.identity.TenantID)
	if err != nil {
		return "", s3err.InvalidArg("continuation-token", v, "The continuation token provided is incorrect")
	}
	return string(after), nil
}
