package versions

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Held reports whether a version cannot be removed at a time. bypass says that whoever wants to may go past governance:
// nobody goes past compliance, or past a legal hold.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html#object-lock-overview
func (v *Version) Held(now time.Time, bypass bool) bool {
	switch {
	case v == nil:
		return false
	case v.LegalHold:
		return true
	}
	bypassed := bypass && v.Retention.Mode == types.ObjectLockRetentionModeGovernance
	return v.Retention.holds(now) && !bypassed
}

// holds reports whether a retention is in force at a time.
func (r Retention) holds(now time.Time) bool { return r.Mode != "" && r.Until.After(now) }

// Yields reports whether another retention may take the place of r at a time; the zero Retention is none. One that is over yields
// to any. One in force may be extended by anybody. Governance yields to anything of who may bypass it; compliance to
// nothing else.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html#object-lock-retention-modes
func (r Retention) Yields(to Retention, now time.Time, bypass bool) bool {
	switch {
	case !r.holds(now):
		return true
	case to.Mode == r.Mode && !to.Until.Before(r.Until):
		return true
	}
	return bypass && r.Mode == types.ObjectLockRetentionModeGovernance
}
