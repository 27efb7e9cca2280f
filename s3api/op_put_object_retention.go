package s3api

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// putObjectRetention implements PutObjectRetention.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
func (s *Server) putObjectRetention(c *call) error {
	var doc retention
	l, version, err := c.lockWriter(retentionDocument, doc.read)
	if err != nil {
		return err
	}
	in := &s3.PutObjectRetentionInput{
		Bucket: &c.bucket, Key: &c.key, VersionId: version, BypassGovernanceRetention: c.bypass(),
		Retention: &types.ObjectLockRetention{Mode: doc.mode},
	}
	if doc.mode != "" {
		in.Retention.RetainUntilDate = &doc.until
		if err := c.inFuture(doc.until, doc.untilText); err != nil {
			return err
		}
	}
	_, err = l.PutObjectRetention(c.ctx, in)
	return err
}

// retention is the document of PutObjectRetention. An empty one takes a retention away.
type retention struct {
	mode      types.ObjectLockRetentionMode
	until     time.Time
	untilText string // as the client wrote it
}

// read reads the document.
func (r *retention) read(e *elements) error {
	var mode, until *string
	err := e.texts(map[string]**string{"Mode": &mode, "RetainUntilDate": &until})
	switch {
	case err != nil:
		return err
	case mode == nil && until == nil:
		return nil
	case mode == nil || until == nil:
		return malformed(nil)
	}
	r.mode, r.untilText = types.ObjectLockRetentionMode(*mode), *until
	if !slices.Contains(r.mode.Values(), r.mode) {
		return malformed(nil)
	}
	if r.until, err = time.Parse(time.RFC3339, *until); err != nil {
		return malformed(err)
	}
	return nil
}
