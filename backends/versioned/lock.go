package versioned

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// errLocked refuses what a lock is against.
func errLocked() error {
	return s3err.Newf(s3err.AccessDenied, "Access Denied because object protected by object lock.")
}

// GetObjectRetention implements [backends.Locker].
func (b *bucket) GetObjectRetention(ctx context.Context, in *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error) {
	v, err := b.lockable(ctx, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	if v == nil || v.Retention.Mode == "" {
		return nil, s3err.New(s3err.NoSuchObjectLockConfiguration)
	}
	r := &types.ObjectLockRetention{Mode: v.Retention.Mode, RetainUntilDate: aws.Time(v.Retention.Until)}
	return &s3.GetObjectRetentionOutput{Retention: r}, nil
}

// GetObjectLegalHold implements [backends.Locker].
func (b *bucket) GetObjectLegalHold(ctx context.Context, in *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error) {
	v, err := b.lockable(ctx, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	status := holdOf(v)
	if status == "" {
		return nil, s3err.New(s3err.NoSuchObjectLockConfiguration)
	}
	return &s3.GetObjectLegalHoldOutput{LegalHold: &types.ObjectLockLegalHold{Status: status}}, nil
}

// lockable finds a version whose locks are asked for; nil for an object from before that is there, which has none.
func (b *bucket) lockable(ctx context.Context, key, versionID *string) (*versions.Version, error) {
	f, err := b.find(ctx, key, versionID)
	if err != nil || f.version != nil {
		return f.version, err
	}
	_, err = b.Heads.HeadObject(ctx, &s3.HeadObjectInput{Key: &f.Key})
	if s3err.Is(err, s3err.NoSuchKey) {
		err = f.notThere(versionID)
	}
	return nil, err
}

// holdOf is what was said of a legal hold on a version; empty when nothing was.
func holdOf(v *versions.Version) types.ObjectLockLegalHoldStatus {
	switch {
	case v != nil && v.LegalHold:
		return types.ObjectLockLegalHoldStatusOn
	case v != nil && v.LegalHoldOff:
		return types.ObjectLockLegalHoldStatusOff
	}
	return ""
}

// PutObjectRetention implements [backends.Locker].
func (b *bucket) PutObjectRetention(ctx context.Context, in *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error) {
	var to versions.Retention
	if r := in.Retention; r != nil {
		to = retention(r.Mode, r.RetainUntilDate)
	}
	bypass := aws.ToBool(in.BypassGovernanceRetention)
	_, err := b.amend(ctx, in.Key, in.VersionId, func(v *versions.Version) error {
		if !v.Retention.Yields(to, b.Now(), bypass) {
			return errLocked()
		}
		v.Retention = to
		return nil
	})
	return &s3.PutObjectRetentionOutput{}, err
}

// retention is a retention as rows have it.
func retention(mode types.ObjectLockRetentionMode, until *time.Time) versions.Retention {
	if mode == "" {
		return versions.Retention{}
	}
	return versions.Retention{Mode: mode, Until: aws.ToTime(until).UTC().Truncate(time.Millisecond)}
}

// PutObjectLegalHold implements [backends.Locker].
func (b *bucket) PutObjectLegalHold(ctx context.Context, in *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error) {
	_, err := b.amend(ctx, in.Key, in.VersionId, func(v *versions.Version) error {
		if in.LegalHold != nil {
			hold(v, in.LegalHold.Status)
		}
		return nil
	})
	return &s3.PutObjectLegalHoldOutput{}, err
}

// hold gives a version a legal hold, or says that it has none.
func hold(v *versions.Version, status types.ObjectLockLegalHoldStatus) {
	v.LegalHold, v.LegalHoldOff = status == types.ObjectLockLegalHoldStatusOn, status == types.ObjectLockLegalHoldStatusOff
}

// takeLock locks a new version as the input of its write says. The body knows nothing of it: how versions are locked
// is in the index, and the store's own bucket need not have locks.
func (w *write) takeLock(mode *types.ObjectLockMode, until **time.Time, status *types.ObjectLockLegalHoldStatus) {
	w.version.Retention = retention(types.ObjectLockRetentionMode(*mode), *until)
	hold(&w.version, *status)
	*mode, *until, *status = "", nil, ""
}

// showLock is how a version is locked, on what was read of it; v is nil for an object that the index does not know.
func showLock(out *s3.GetObjectOutput, v *versions.Version) {
	out.ObjectLockMode, out.ObjectLockRetainUntilDate = "", nil
	out.ObjectLockLegalHoldStatus = holdOf(v)
	if v != nil && v.Retention.Mode != "" {
		out.ObjectLockMode, out.ObjectLockRetainUntilDate = types.ObjectLockMode(v.Retention.Mode), aws.Time(v.Retention.Until)
	}
}

// headLock gives a head the locks of what was read.
func headLock(head *s3.HeadObjectOutput, out *s3.GetObjectOutput) {
	head.ObjectLockMode, head.ObjectLockRetainUntilDate = out.ObjectLockMode, out.ObjectLockRetainUntilDate
	head.ObjectLockLegalHoldStatus = out.ObjectLockLegalHoldStatus
}

// checkReplaced refuses to put a null version, or marker, in place of one that cannot be removed.
func (b *bucket) checkReplaced(ctx context.Context, o versions.Object, top versions.Row, null bool) error {
	if !null || !top.State.HasNull() {
		return nil
	}
	v, err := versions.Lookup(ctx, b.Index, versions.Head{Object: o, Top: top}, versions.VersionID{Null: true})
	if err == nil && v.Held(b.Now(), false) {
		err = errLocked()
	}
	return err
}

// Held together at compile time: what a versioned bucket can be asked for.
var _ backends.Locker = (*bucket)(nil)

// Lock is how a version was locked when it was written. Its body says so, too, as an upload has to remember it, and for who has
// nothing but the storage.
type Lock struct {
	versions.Retention
	Hold types.ObjectLockLegalHoldStatus // empty: nothing was said
}

// lockOf is how a version is locked.
func lockOf(v *versions.Version) Lock { return Lock{v.Retention, holdOf(v)} }

// On locks a version.
func (l Lock) On(v *versions.Version) {
	v.Retention = l.Retention
	hold(v, l.Hold)
}

// retained is the retention as a text; empty when there is none.
func (l Lock) retained() string {
	if l.Mode == "" {
		return ""
	}
	return string(l.Mode) + " " + strconv.FormatInt(l.Until.UnixMilli(), 10)
}

// parseLock reads a lock.
func parseLock(retained, hold string) Lock {
	l := Lock{Hold: types.ObjectLockLegalHoldStatus(hold)}
	mode, end, _ := strings.Cut(retained, " ")
	if ms, err := strconv.ParseInt(end, 10, 64); err == nil {
		l.Retention = versions.Retention{Mode: types.ObjectLockRetentionMode(mode), Until: time.UnixMilli(ms).UTC()}
	}
	return l
}

// lockTag is the tag by which the body of an upload says how its version is to be locked, when it takes a customer's key to read what
// else it says: who completes the upload need not have that.
const lockTag = backends.ReservedMetadata + "lock"

// maxTags is how many tags S3 takes of an object.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
const maxTags = 10

// tagLock gives the body of an upload its lockTag, if it needs one.
func (w *write) tagLock(in *s3.CreateMultipartUploadInput) error {
	tags := givenTags(in.Tagging)
	if slices.ContainsFunc(tags, isLockTag) {
		return s3err.New(s3err.InvalidTag)
	}
	l := lockOf(&w.version)
	if in.SSECustomerKey == nil || l == (Lock{}) {
		return nil
	}
	if len(tags) == maxTags {
		return s3err.Newf(s3err.NotImplemented, "An upload with a customer's key and a lock can have no more than %d tags.", maxTags-1)
	}
	in.Tagging = backends.EncodeTags(append(tags, versions.Tag{Key: lockTag, Value: l.retained() + "/" + string(l.Hold)}))
	return nil
}

// untagLock locks the version of an upload as its lockTag says. That is no tag of the version's.
func (w *write) untagLock() {
	i := slices.IndexFunc(w.version.Tags, isLockTag)
	if i < 0 {
		return
	}
	retained, status, _ := strings.Cut(w.version.Tags[i].Value, "/")
	if w.version.Tags = slices.Delete(w.version.Tags, i, i+1); len(w.version.Tags) == 0 {
		w.version.Tags = nil
	}
	if w.version.UploadID == "" { // Uploads from before had no locks.
		parseLock(retained, status).On(&w.version)
	}
}

// isLockTag reports whether a tag is ours.
func isLockTag(t versions.Tag) bool { return t.Key == lockTag }
