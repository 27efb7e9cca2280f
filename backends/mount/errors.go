package mount

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/xronox/xronox-proxy/s3err"
)

// What cannot happen, for the operator's log.
var (
	errNoKey   = errors.New("BUG: mount: no key")
	errOutside = errors.New("BUG: mount: a physical key outside of the prefix")
)

// names are the client's, for errors that come from below with physical ones.
type names struct{ bucket, key, uploadID *string }

// outward returns err with every name in it put back into the client's words.
// The original stays as the cause.
func (m *mount) outward(err error, n names) error {
	var e *s3err.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if e.Code == s3err.NoSuchBucket {
		e = e.Because(fmt.Errorf("physical bucket %q: %w", m.Bucket, err)) // The operator must know which.
		err = e
	}
	if e.Resource == "" && len(e.Details) == 0 {
		return err // Fast path: nothing names anything.
	}
	c := *e
	c.Resource, c.Details, c.Cause = "", nil, err
	for _, d := range e.Details {
		switch d.Name {
		case "BucketName", "Bucket":
			d.Value = aws.ToString(n.bucket)
		case "Key":
			if key, err := m.leave(&d.Value); err == nil {
				d.Value = *key
			} else {
				d.Value = aws.ToString(n.key)
			}
		case "UploadId":
			d.Value = aws.ToString(n.uploadID)
		}
		if d.Value != "" {
			c.Details = append(c.Details, d)
		}
	}
	return &c
}
