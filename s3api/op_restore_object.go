package s3api

import (
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// restoreObject implements RestoreObject.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
func (s *Server) restoreObject(c *call) error {
	version, err := c.versionID()
	if err != nil {
		return err
	}
	var r restoreRequest
	if err := c.readXML(restoreDocument, r.read); err != nil {
		return err
	}
	out, err := backends.RestoreObject(c.ctx, c.route.Backend, &s3.RestoreObjectInput{
		Bucket: &c.bucket, Key: &c.key, VersionId: version, RestoreRequest: &r.RestoreRequest,
	})
	if err != nil {
		return err
	}
	if out.Begun {
		c.fc.SetStatusCode(http.StatusAccepted)
	}
	return nil
}

// restoreRequest is the document of RestoreObject. Not everything that its schema has goes together; what does is the
// business of who has the archive.
type restoreRequest struct{ types.RestoreRequest }

// read reads the document.
func (r *restoreRequest) read(e *elements) error {
	return e.children(func(name string) (err error) {
		switch name {
		case "Days":
			return r.readDays(e)
		case "Tier":
			r.Tier, err = readTier(e, r.Tier)
		case "GlacierJobParameters":
			return r.readJob(e)
		case "Description":
			if r.Description != nil {
				return malformed(nil)
			}
			err = e.textTo(&r.Description)
		case "Type", "SelectParameters", "OutputLocation":
			return s3err.Newf(s3err.NotImplemented, "To select from archives is not implemented.").With("Element", name)
		}
		return err
	})
}

// readDays reads for how long.
func (r *restoreRequest) readDays(e *elements) error {
	n, err := e.number(32)
	switch {
	case err != nil:
		return err
	case n < 1 || r.Days != nil:
		return malformed(nil)
	}
	r.Days = aws.Int32(int32(n))
	return nil
}

// readJob reads how soon.
func (r *restoreRequest) readJob(e *elements) error {
	if r.GlacierJobParameters != nil {
		return malformed(nil)
	}
	var tier types.Tier
	err := e.children(func(name string) (err error) {
		if name == "Tier" {
			tier, err = readTier(e, tier)
		}
		return err
	})
	if err == nil && tier == "" {
		return malformed(nil)
	}
	r.GlacierJobParameters = &types.GlacierJobParameters{Tier: tier}
	return err
}

// readTier reads a tier, the first there is.
func readTier(e *elements, before types.Tier) (types.Tier, error) {
	text, err := e.text()
	tier := types.Tier(text)
	if err == nil && (before != "" || !slices.Contains(tier.Values(), tier)) {
		err = malformed(nil)
	}
	return tier, err
}

// archived writes in which tier of archives an object is.
func (c *call) archived(status types.ArchiveStatus) {
	if status != "" {
		c.set("x-amz-archive-status", string(status))
	}
}

// restoreStatus writes whether an object in an archive is being restored, or has been.
func (d *doc) restoreStatus(s *types.RestoreStatus) {
	if s == nil {
		return
	}
	d.open("RestoreStatus")
	d.bool("IsRestoreInProgress", aws.ToBool(s.IsRestoreInProgress))
	if s.RestoreExpiryDate != nil {
		d.time("RestoreExpiryDate", s.RestoreExpiryDate)
	}
	d.close("RestoreStatus")
}
