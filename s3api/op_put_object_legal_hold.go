package s3api

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// putObjectLegalHold implements PutObjectLegalHold.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html
func (s *Server) putObjectLegalHold(c *call) error {
	var doc legalHold
	l, version, err := c.lockWriter(legalHoldDocument, doc.read)
	if err != nil {
		return err
	}
	_, err = l.PutObjectLegalHold(c.ctx, &s3.PutObjectLegalHoldInput{
		Bucket: &c.bucket, Key: &c.key, VersionId: version, LegalHold: &types.ObjectLockLegalHold{Status: doc.status},
	})
	return err
}

// legalHold is the document of PutObjectLegalHold.
type legalHold struct {
	status types.ObjectLockLegalHoldStatus
}

// read reads the document.
func (l *legalHold) read(e *elements) error {
	var status *string
	err := e.texts(map[string]**string{"Status": &status})
	if status != nil {
		l.status = types.ObjectLockLegalHoldStatus(*status)
	}
	if err == nil && !slices.Contains(l.status.Values(), l.status) {
		err = malformed(nil)
	}
	return err
}
