package s3api

import (
	"errors"
	"io"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// createBucket implements CreateBucket: a new virtual bucket for the tenant.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func (s *Server) createBucket(c *call) error {
	var location string
	err := c.readXML(createBucketDocument, func(e *elements) error {
		return e.children(func(name string) (err error) {
			if name == "LocationConstraint" {
				location, err = e.text()
			}
			return err
		})
	})
	if err != nil && !errors.Is(err, io.EOF) { // There may be no document.
		return err
	}
	// us-east-1 is what an absent constraint means; the SDKs name the region they sign for.
	if location != "" && location != s.Region {
		return s3err.Newf(s3err.InvalidLocationConstraint, "The specified location-constraint is not valid; expecting '%s'", s.Region).
			With("LocationConstraint", location)
	}
	if _, err := s.Buckets.CreateBucket(c.ctx, *c.identity, c.bucket, router.Configuration{}); err != nil {
		return err
	}
	c.set("Location", "/"+c.bucket)
	return nil
}
