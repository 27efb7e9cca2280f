package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// SetVersioning has a bucket keep versions from now on, or keep no more: NoSuchBucket, AccessDenied,
// NotImplemented for a bucket that has no place for versions. When it returns nil, every later write
// to the bucket is versioned as v says.
//
// A bucket gets its first versions in two steps. While it is Enabling, nobody writes to it: neither those who
// know that yet, nor, once all routes from before are out of date, those who did not. Only then does somebody write
// versions. A process that dies in between leaves the bucket Enabling, and whoever
// resolves it later finishes that.
func (r *Router) SetVersioning(ctx context.Context, id Identity, bucket string, v Versioning) error {
	route, err := r.Resolve(ctx, id.TenantID, bucket)
	if err != nil {
		return err
	}
	if !id.Allows(Admin, bucket, "") {
		return s3err.New(s3err.AccessDenied)
	}
	if route.Record.Versions == nil {
		return s3err.Newf(s3err.NotImplemented, "The bucket has no place for versions.")
	}
	return r.setVersioning(ctx, route.Record, v, id.AccessKey)
}

// setVersioning brings a bucket to a state that somebody wants, or the configuration.
func (r *Router) setVersioning(ctx context.Context, b *BucketRecord, want Versioning, accessKey string) error {
	for {
		top, err := r.records.TopSettings(ctx, b.BucketID)
		switch {
		case err != nil:
			return fmt.Errorf("router: versioning of %q: %w", b.Name, err)
		case top.Closing:
			return s3err.New(s3err.OperationAborted)
		case top.Versioning == want && !top.Enabling:
			return nil
		case want == Suspended && top.ObjectLock != nil:
			return s3err.Newf(s3err.InvalidBucketState, "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		next := top
		next.Versioning, next.AccessKey, next.Enabling = want, accessKey, top.Versioning == Unversioned
		if top.Enabling {
			if next.Complete, err = r.quiesce(ctx, b); err != nil {
				return err
			}
		}
		if err := r.insertSettings(ctx, b, top, next); err != nil && !errors.Is(err, ErrExists) {
			return fmt.Errorf("router: versioning of %q: %w", b.Name, err)
		}
	}
}

// insertSettings adds settings behind top, and lets no route live that does not know them.
func (r *Router) insertSettings(ctx context.Context, b *BucketRecord, top, next Settings) error {
	next.Seq, next.Time = top.Seq+1, r.now().UTC().Truncate(time.Millisecond)
	err := r.records.InsertSettings(ctx, b.BucketID, next)
	if !next.agrees(top) {
		r.gates.close(b.BucketID)
	}
	r.outdate(b)
	return err
}

// quiesce waits until nobody writes to a bucket any more as if it had no versions. It reports whether
// the bucket is empty then.
func (r *Router) quiesce(ctx context.Context, b *BucketRecord) (empty bool, err error) {
	r.gates.close(b.BucketID)
	if !r.table.Load().fresh[b.BucketID] {
		if err := r.propagate(ctx); err != nil {
			return false, err
		}
	}
	return r.table.Load().empty(ctx, b), nil
}

// empty reports whether there is no object in any view of a bucket that would have versions. A store that
// cannot be asked may have some.
func (t *table) empty(ctx context.Context, b *BucketRecord) bool {
	views := []*BucketRecord{b}
	for i := range t.Buckets {
		if t.Buckets[i].BucketID == b.BucketID {
			views = append(views, &t.Buckets[i])
		}
	}
	for _, v := range views {
		for _, m := range v.Mounts {
			if m.Old || m.ID == versionsMount {
				continue
			}
			m = m.whole()
			one := &BucketRecord{Name: v.Name, BucketID: v.BucketID, Mounts: []Mount{m}}
			if t.servable(one) != nil {
				return false
			}
			out, err := t.Compose(one, &Route{}).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &v.Name, MaxKeys: aws.Int32(1)})
			if err != nil || len(out.Contents) > 0 {
				return false
			}
		}
	}
	return true
}

// propagate waits until every proxy has noticed what is in the index.
func (r *Router) propagate(ctx context.Context) error {
	if r.table.Load().blindness() == 0 {
		return nil
	}
	longest, _, err := r.longest(ctx)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(longest + takeEffect):
		return nil
	}
}

// takeEffect is how long a write may take from when it passes its door until it has taken effect.
const takeEffect = 2 * time.Second

// outdate has no cached route of a bucket be used any more. One of the configuration may have many names.
func (r *Router) outdate(b *BucketRecord) {
	same := func(c BucketRecord) bool { return c.BucketID == b.BucketID }
	if t := r.table.Load(); t != nil && !slices.ContainsFunc(t.Buckets, same) {
		r.changed(b.TenantID, b.Name)
		return
	}
	r.renew()
}

// renew has no cached route of any bucket be used any more.
func (r *Router) renew() {
	for {
		old := r.table.Load()
		if old == nil {
			return
		}
		t := *old
		t.generation++
		if r.table.CompareAndSwap(old, &t) {
			return
		}
	}
}

// configureVersioning carries out what the configuration says of versioning, for buckets on which nobody has
// set anything else.
func (r *Router) configureVersioning(ctx context.Context, t *table) error {
	for i := range t.Buckets {
		b := &t.Buckets[i]
		if b.Versioning == Unversioned || b.Versions == nil {
			continue
		}
		top, err := r.records.TopSettings(ctx, b.BucketID)
		if err != nil {
			return fmt.Errorf("router: versioning of %q: %w", b.Name, err)
		}
		if top.AccessKey != "" || top.Versioning == b.Versioning && !top.Enabling {
			continue
		}
		if err := r.setVersioning(ctx, b, b.Versioning, ""); err != nil {
			return err
		}
	}
	return nil
}

// open returns what is in force for a bucket, and the door for writes to it.
func (r *Router) open(ctx context.Context, b *BucketRecord) (Settings, *Door, error) {
	if b.Versions == nil { // Writes are the same, whatever is set.
		s, err := r.Settings(ctx, &Route{Name: b.Name, BucketID: b.BucketID})
		return s, nil, err
	}
	t := r.table.Load()
	d := &Door{gate: r.gates.get(b.BucketID), read: time.Now(), freshFor: t.FreshFor, outage: t.Outage}
	d.current = func(ctx context.Context) (Settings, error) { return r.records.TopSettings(ctx, b.BucketID) }
	var err error
	if d.settings, err = d.current(ctx); err != nil {
		return Settings{}, nil, fmt.Errorf("router: settings of %q: %w", b.Name, unavailable(err))
	}
	if d.settings.Enabling && r.now().Sub(d.settings.Time) > abandonedAfter {
		go r.finishEnabling(context.WithoutCancel(ctx), b, d.settings)
	}
	if d.settings.Closing && r.now().Sub(d.settings.Time) > closingAfter {
		go func() { _ = r.reopen(context.WithoutCancel(ctx), b) }() // Or the next one does.
	}
	return d.settings, d, nil
}

// closingAfter is when it is given up to remove a bucket whose removal was begun and never ended.
const closingAfter = 10 * time.Minute

// abandonedAfter is when somebody else goes on with what a process began and did not finish. It is
// no harm if both do.
const abandonedAfter = time.Minute

// finishEnabling goes on with Enabling a bucket.
func (r *Router) finishEnabling(ctx context.Context, b *BucketRecord, s Settings) {
	ctx, cancel := context.WithTimeout(ctx, 2*abandonedAfter)
	defer cancel()
	_ = r.setVersioning(ctx, b, s.Versioning, s.AccessKey) // Or the next one does.
}
