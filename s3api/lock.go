package s3api

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// The headers of object lock.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html#API_PutObject_RequestSyntax
const (
	lockModeHeader   = "x-amz-object-lock-mode"
	lockUntilHeader  = "x-amz-object-lock-retain-until-date"
	legalHoldHeader  = "x-amz-object-lock-legal-hold"
	bypassHeader     = "x-amz-bypass-governance-retention"
	bucketLockHeader = "x-amz-bucket-object-lock-enabled"
)

// What S3 says of a bucket without an Object Lock configuration: to operations on locks, and to writes with lock headers.
const (
	lockMissing        = "Bucket is missing Object Lock Configuration"
	lockMissingOnWrite = "Bucket is missing ObjectLockConfiguration"
)

// lock is how the version that a request writes is locked.
type lock struct {
	mode  types.ObjectLockMode
	until *time.Time
	hold  types.ObjectLockLegalHoldStatus
}

// lock reads how the request wants its version to be locked. Where it says nothing of a retention, the bucket's default does.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html#object-lock-bucket-config
func (c *call) lock() (lock, error) {
	l, err := c.lockHeaders()
	if err != nil {
		return l, err
	}
	if l != (lock{}) {
		if _, err := c.objectLock(lockMissingOnWrite); err != nil {
			return l, err
		}
	}
	if d := c.lockDefault(); l.mode == "" {
		l.mode, l.until = d.mode, d.until
	}
	if l != (lock{}) {
		_, err = c.locker()
	}
	return l, err
}

// lockDefault is how a version is locked that begins now and says nothing of it.
func (c *call) lockDefault() lock {
	set := c.route.Settings.ObjectLock
	if set == nil || set.Mode == "" {
		return lock{}
	}
	return lock{mode: types.ObjectLockMode(set.Mode), until: aws.Time(c.s.Now().AddDate(int(set.Years), 0, int(set.Days)))}
}

// lockHeaders reads the headers that lock a version.
func (c *call) lockHeaders() (l lock, err error) {
	mode, until, hold := c.header(lockModeHeader), c.header(lockUntilHeader), c.header(legalHoldHeader)
	l.mode, l.hold = types.ObjectLockMode(mode), types.ObjectLockLegalHoldStatus(hold)
	switch {
	case hold != "" && !slices.Contains(l.hold.Values(), l.hold):
		return l, s3err.InvalidArg(legalHoldHeader, hold, "Legal Hold must be either of 'ON' or 'OFF'")
	case mode == "" && until == "":
		return l, nil
	case mode == "" || until == "":
		missing := lockModeHeader
		if until == "" {
			missing = lockUntilHeader
		}
		return l, s3err.Newf(s3err.InvalidArgument, "%s and %s must both be supplied", lockUntilHeader, lockModeHeader).With("ArgumentName", missing)
	case !slices.Contains(l.mode.Values(), l.mode):
		return l, s3err.InvalidArg(lockModeHeader, mode, "Unknown wormMode directive.")
	}
	t, err := time.Parse(time.RFC3339, until)
	if err != nil {
		return l, s3err.InvalidArg(lockUntilHeader, until, "The retain until date must be provided in ISO 8601 format")
	}
	l.until = &t
	return l, c.inFuture(t, until)
}

// inFuture refuses a retention that is over when it begins; text is how the client wrote its end.
func (c *call) inFuture(until time.Time, text string) error {
	if until.After(c.s.Now()) {
		return nil
	}
	return s3err.InvalidArg(lockUntilHeader, text, "The retain until date must be in the future!")
}

// digest refuses a body that is to be locked and may be damaged on its way: it could not be replaced.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-put-object
func (l lock) digest(b *uploadBody, what string) error {
	if l == (lock{}) || b.md5 != nil || b.algorithm != "" {
		return nil
	}
	return s3err.Newf(s3err.InvalidRequest, "Content-MD5 OR x-amz-checksum- HTTP header is required for %s requests with Object Lock parameters", what)
}

// objectLock is the Object Lock configuration of the bucket; InvalidRequest, in S3's words for the operation, when it has none.
// A route may not know it yet, so that the index is asked before somebody is told that: once there, it stays.
func (c *call) objectLock(missing string) (*router.ObjectLock, error) {
	if l := c.route.Settings.ObjectLock; l != nil {
		return l, nil
	}
	set, err := c.s.Buckets.Settings(c.ctx, c.route)
	if err == nil && set.ObjectLock == nil {
		err = s3err.Newf(s3err.InvalidRequest, "%s", missing)
	}
	return set.ObjectLock, err
}

// locker returns the bucket's ability to keep locks.
func (c *call) locker() (backends.Locker, error) {
	l, ok := backends.As[backends.Locker](c.route.Backend)
	if !ok {
		return nil, s3err.Newf(s3err.NotImplemented, "The storage behind this bucket has no locks.")
	}
	return l, nil
}

// lockReader is locker for who reads locks of a version. That there is no such object is told before that the bucket
// has no locks.
func (c *call) lockReader() (l backends.Locker, version *string, err error) {
	if version, err = c.versionID(); err != nil {
		return nil, nil, err
	}
	if _, err = c.objectLock(lockMissing); err != nil {
		in := &s3.HeadObjectInput{Bucket: &c.bucket, Key: &c.key, VersionId: version}
		if _, missing := c.route.Backend.HeadObject(c.ctx, in); missing != nil {
			err = missing
		}
		return nil, nil, err
	}
	l, err = c.locker()
	return l, version, err
}

// lockWriter is locker for who changes locks of a version, and reads the document that says to what.
func (c *call) lockWriter(doc *document, read func(*elements) error) (l backends.Locker, version *string, err error) {
	if version, err = c.versionID(); err != nil {
		return nil, nil, err
	}
	if err = c.readXML(doc, read); err != nil {
		return nil, nil, err
	}
	if _, err = c.objectLock(lockMissing); err != nil {
		return nil, nil, err
	}
	l, err = c.locker()
	return l, version, err
}

// bypass says whether the request goes past retentions in mode GOVERNANCE: it says so, and the identity may change the settings of
// the bucket. That right stands for s3:BypassGovernanceRetention. Without it the header means nothing, as on S3, whose console always
// sends it.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-managing-bypass
func (c *call) bypass() *bool {
	if !strings.EqualFold(c.header(bypassHeader), "true") || !c.identity.Allows(router.Admin, c.at.bucket, "") {
		return nil
	}
	return aws.Bool(true)
}

// setLock writes how an object is locked.
func (c *call) setLock(o *objectOutput) {
	if _, ok := backends.As[backends.Locker](c.route.Backend); !ok {
		return // It would be a lock of the store's own bucket.
	}
	if o.ObjectLockMode != "" && o.ObjectLockRetainUntilDate != nil {
		c.set(lockModeHeader, string(o.ObjectLockMode))
		c.set(lockUntilHeader, o.ObjectLockRetainUntilDate.UTC().Format(timeLayout))
	}
	if o.ObjectLockLegalHoldStatus != "" {
		c.set(legalHoldHeader, string(o.ObjectLockLegalHoldStatus))
	}
}
