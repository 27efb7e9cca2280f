package s3api

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// createBucket implements CreateBucket: a new virtual bucket for the tenant.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func (s *Server) createBucket(c *call) error {
	if err := c.refuseOwnership(); err != nil {
		return err
	}
	in := bucketConfiguration{tags: tagSet{max: maxBucketTags, tooMany: "Bucket tag count"}}
	err := c.readXML(createBucketDocument, in.read)
	if err != nil && !errors.Is(err, io.EOF) { // There may be no document.
		return err
	}
	if err := s.checkLocation(in.location); err != nil {
		return err
	}
	set := router.Configuration{Tags: in.tags.ofBucket()}
	if strings.EqualFold(c.header(bucketLockHeader), "true") {
		set.ObjectLock = &router.ObjectLock{}
	}
	if _, err := s.Buckets.CreateBucket(c.ctx, *c.identity, c.bucket, set); err != nil {
		return err
	}
	c.set("Location", "/"+c.bucket)
	c.set("x-amz-bucket-arn", bucketARN(c.bucket))
	return nil
}

// bucketARN is the name of a bucket as AWS's tools have it.
func bucketARN(bucket string) string { return "arn:aws:s3:::" + bucket }

// bucketConfiguration is the document of CreateBucket.
type bucketConfiguration struct {
	location *string
	tags     tagSet
}

// read reads the document.
func (b *bucketConfiguration) read(e *elements) error {
	tags := false
	return e.children(func(name string) error {
		switch name {
		case "LocationConstraint":
			if b.location != nil {
				return malformed(nil)
			}
			return e.textTo(&b.location)
		case "Tags":
			if tags {
				return malformed(nil)
			}
			tags = true
			return b.tags.readTags(e)
		case "Location", "Bucket":
			return s3err.Newf(s3err.NotImplemented, "Directory buckets are not implemented.")
		}
		return nil
	})
}

// checkLocation refuses a region that this server is not in. Buckets of us-east-1 have no constraint; where none
// is given S3 would have one in any other region, but who asks this server can mean no other.
func (s *Server) checkLocation(constraint *string) error {
	switch {
	case constraint == nil || *constraint == "":
		return nil
	case *constraint == s.Region && s.Region != "us-east-1", *constraint == "EU" && s.Region == "eu-west-1":
		return nil
	case s.Region != "us-east-1" && slices.Contains(types.BucketLocationConstraint("").Values(), types.BucketLocationConstraint(*constraint)):
		return s3err.Newf(s3err.IllegalLocationConstraint,
			"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", *constraint)
	}
	return s3err.New(s3err.InvalidLocationConstraint).With("LocationConstraint", *constraint)
}
