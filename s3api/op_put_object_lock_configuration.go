package s3api

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// putObjectLockConfiguration implements PutObjectLockConfiguration. A bucket that is Enabled gets its Object Lock by it, and
// keeps it for good. The token that S3 asked for before 2023 is not looked at, as S3 does not any more.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
func (s *Server) putObjectLockConfiguration(c *call) error {
	var doc lockConfiguration
	if err := c.readXML(lockDocument, doc.read); err != nil {
		return err
	}
	return s.Buckets.Configure(c.ctx, *c.identity, c.bucket, func(set router.Settings) (router.Configuration, error) {
		if set.Versioning != router.Enabled || set.Enabling {
			return set.Configuration, s3err.Newf(s3err.InvalidBucketState, "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		set.ObjectLock = &doc.lock
		return set.Configuration, nil
	})
}

// How long a default retention may be at most.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-managing-retention-limits
const (
	maxRetentionDays  = 36_500
	maxRetentionYears = 100
)

// lockConfiguration is the document of PutObjectLockConfiguration.
type lockConfiguration struct{ lock router.ObjectLock }

// read reads the document.
func (l *lockConfiguration) read(e *elements) error {
	enabled := ""
	err := e.children(func(name string) (err error) {
		switch name {
		case "ObjectLockEnabled":
			enabled, err = e.text()
		case "Rule":
			err = l.readRule(e)
		}
		return err
	})
	if err == nil && enabled != string(types.ObjectLockEnabledEnabled) {
		err = malformed(nil)
	}
	return err
}

// readRule reads a Rule.
func (l *lockConfiguration) readRule(e *elements) error {
	found := false
	err := e.children(func(name string) error {
		if name != "DefaultRetention" {
			return nil
		}
		if found {
			return malformed(nil)
		}
		found = true
		return l.readDefault(e)
	})
	if err == nil && !found {
		err = malformed(nil)
	}
	return err
}

// readDefault reads a DefaultRetention: a mode, and either days or years.
func (l *lockConfiguration) readDefault(e *elements) error {
	l.lock = router.ObjectLock{}
	var periods []string
	period := func(name string, to *int32) error {
		n, err := e.number(32)
		*to, periods = int32(n), append(periods, name) // it has no more bits
		return err
	}
	err := e.children(func(name string) (err error) {
		switch name {
		case "Mode":
			l.lock.Mode, err = e.text()
		case "Days":
			err = period(name, &l.lock.Days)
		case "Years":
			err = period(name, &l.lock.Years)
		}
		return err
	})
	mode := types.ObjectLockRetentionMode(l.lock.Mode)
	switch {
	case err != nil:
		return err
	case len(periods) != 1 || !slices.Contains(mode.Values(), mode):
		return malformed(nil)
	}
	return l.check(periods[0])
}

// check refuses a period that S3 does not take, in days or in years.
func (l *lockConfiguration) check(name string) error {
	switch n := l.lock.Days + l.lock.Years; { // One of them is 0.
	case n <= 0:
		return s3err.Newf(s3err.InvalidArgument, "Default retention period must be a positive integer value.").With("ArgumentName", name)
	case l.lock.Days > maxRetentionDays || l.lock.Years > maxRetentionYears:
		return s3err.Newf(s3err.InvalidArgument, "Default retention period too large.").With("ArgumentName", name)
	}
	return nil
}
