package s3api

import (
	"github.com/xronox/xronox-proxy/router"
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
			return s3err.InvalidArg("max-buckets", v, "Argument max-buckets must be an integer between 1 and 10000.")
		}
		limit = *n
	}
	prefix, _ := c.query.lookup("prefix")
	after, err := c.openBucketsToken()
	if err != nil {
		return err
	}
	region, _ := c.query.lookup("bucket-region")
	list, next, err := s.bucketsOf(c, bucketsRange{prefix, region, after, int(limit)})
	if err != nil {
		return err
	}
	where := c.asksForBuckets()
	d := newResult("ListAllMyBucketsResult")
	d.owner("Owner", c.identity.UserID)
	d.open("Buckets")
	for i := range list {
		d.open("Bucket")
		d.text("BucketArn", bucketARN(list[i].Name))
		d.text("Name", list[i].Name)
		d.time("CreationDate", &list[i].Created)
		if where {
			d.text("BucketRegion", list[i].Region)
		}
		d.close("Bucket")
	}
	d.close("Buckets")
	if prefix != "" {
		d.text("Prefix", prefix)
	}
	if next != "" {
		d.text("ContinuationToken", s.Sealer.Seal(tokenBuckets, []byte(next), c.identity.TenantID))
	}
	d.close("ListAllMyBucketsResult")
	c.writeDoc(d)
	return nil
}

// bucketsRange is which buckets are listed: those of a region, if that is not empty.
type bucketsRange struct {
	prefix, region, after string
	limit                 int
}

// bucketsOf returns the buckets of the range, and after which one to go on; empty when there are no more.
func (s *Server) bucketsOf(c *call, r bucketsRange) (list []router.Bucket, next string, err error) {
	for next = r.after; ; {
		page, more, err := s.Buckets.ListBuckets(c.ctx, *c.identity, r.prefix, next, r.limit-len(list))
		if err != nil {
			return nil, "", err
		}
		next = ""
		if more {
			next = page[len(page)-1].Name
		}
		for i := range page {
			if r.region == "" || r.region == page[i].Region {
				list = append(list, page[i])
			}
		}
		if !more || len(list) == r.limit {
			return list, next, nil
		}
	}
}

// asksForBuckets reports whether the request says which buckets, or how many: S3 tells where each is then.
func (c *call) asksForBuckets() bool {
	for _, name := range []string{"max-buckets", "prefix", "continuation-token", "bucket-region"} {
		if _, ok := c.query.lookup(name); ok {
			return true
		}
	}
	return false
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
