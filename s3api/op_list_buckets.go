package s3api

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// maxBuckets is how many buckets S3 lists at a time.
const maxBuckets = 10_000

// listBuckets implements ListBuckets.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func (s *Server) listBuckets(c *call) error {
	r, err := c.bucketsRange()
	if err != nil {
		return err
	}
	list, next, err := s.bucketsOf(c, r)
	if err != nil {
		return err
	}
	d := newResult("ListAllMyBucketsResult")
	d.owner("Owner", c.identity.UserID)
	d.open("Buckets")
	for i := range list {
		d.open("Bucket")
		d.text("Name", list[i].Name)
		d.time("CreationDate", &list[i].Created)
		d.text("BucketRegion", list[i].Region)
		d.text("BucketArn", bucketARN(list[i].Name))
		d.close("Bucket")
	}
	d.close("Buckets")
	if r.prefix != "" {
		d.text("Prefix", r.prefix)
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

// bucketsRange reads which buckets are wanted.
func (c *call) bucketsRange() (r bucketsRange, err error) {
	r.limit = maxBuckets
	if v, ok := c.query.lookup("max-buckets"); ok {
		n, err := strconv.ParseInt(v, 10, 32)
		switch {
		case err != nil:
			return r, s3err.InvalidArg("max-buckets", v, "Provided max-buckets not an integer or within integer range")
		case n < 1 || n > maxBuckets:
			return r, s3err.InvalidArg("max-buckets", v, "Argument max-buckets must be an integer between 1 and 10000")
		}
		r.limit = int(n)
	}
	if v, ok := c.query.lookup("bucket-region"); ok && v != c.s.Region {
		message := "Argument value " + v + " is not a valid AWS Region"
		if v == "us-east-1" || slices.Contains(types.BucketLocationConstraint("").Values(), types.BucketLocationConstraint(v)) {
			message = "Requests with bucket-region specified must be made to the corresponding regional endpoint"
		}
		return r, s3err.Newf(s3err.InvalidArgument, "%s", message).With("ArgumentName", "bucket-region")
	}
	r.region, _ = c.query.lookup("bucket-region")
	r.prefix, _ = c.query.lookup("prefix")
	r.after, err = c.openBucketsToken()
	return r, err
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
