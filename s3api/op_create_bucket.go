package s3api

import (
	"errors"
	"io"

	"github.com/xronox/xronox-proxy/s3err"
)

// createBucketConfiguration is the document of CreateBucket.
type createBucketConfiguration struct {
	LocationConstraint string `xml:"LocationConstraint"`
}

// createBucket implements CreateBucket: a new virtual bucket for the tenant.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func (s *Server) createBucket(c *call) error {
	var conf createBucketConfiguration
	if err := c.readXML("CreateBucketConfiguration", &conf); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	// us-east-1 is what an absent constraint means; the SDKs name the region they sign for.
	if l := conf.LocationConstraint; l != "" && l != s.Region {
		return s3err.Newf(s3err.InvalidLocationConstraint, "The specified location-constraint is not valid; expecting '%s'", s.Region).
			With("LocationConstraint", l)
	}
	if _, err := s.Buckets.CreateBucket(c.ctx, *c.identity, c.bucket); err != nil {
		return err
	}
	c.set("Location", "/"+c.bucket)
	return nil
}
