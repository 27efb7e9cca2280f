package router

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// CreateBucket makes a bucket for the identity, which has that set from the beginning: InvalidBucketName,
// BucketAlreadyOwnedByYou, BucketAlreadyExists when another user of the tenant has it. One with
// ObjectLock is Enabled.
//
// The physical bucket comes first, then what is set, then the record. A crash in between
// leaves an empty physical bucket, which the next attempt adopts, and settings of an id that nobody has.
func (r *Router) CreateBucket(ctx context.Context, id Identity, bucket string, set Configuration) (*Route, error) {
	if err := ValidateBucketName(bucket); err != nil {
		return nil, err
	}
	if !id.Allows(Admin, bucket, "") {
		return nil, s3err.New(s3err.AccessDenied)
	}
	t := r.table.Load()
	if r, ok := t.configured(id.TenantID, bucket); ok {
		return nil, taken(r.Name, "", id) // the tenant's, whoever asks
	}
	if !t.Template.namesTenant() && !slices.Equal(t.Tenants, []string{id.TenantID}) {
		return nil, s3err.New(s3err.InternalError).Because(fmt.Errorf("router: bucketTemplate is not for tenant %q", id.TenantID))
	}
	defer r.locks.lock(bucketName{id.TenantID, bucket})()

	if err := r.free(ctx, t, id, bucket); err != nil {
		return nil, err
	}
	record := BucketRecord{
		TenantID: id.TenantID, Name: bucket, BucketID: rand.Text(), Owner: id.UserID,
		Region: t.Region, Created: r.now().UTC().Truncate(time.Millisecond),
		Mounts: t.Template.mounts(id.TenantID, bucket),
	}
	record.Versions = t.Template.versions(record.Mounts[0], id.TenantID, bucket)
	route, err := t.route(&record, &Route{TenantID: id.TenantID})
	if err != nil {
		return nil, err
	}
	for _, m := range record.Mounts {
		if err := t.makePhysical(ctx, m); err != nil {
			return nil, err
		}
	}
	if err := r.firstSettings(ctx, record.BucketID, id, set); err != nil {
		return nil, fmt.Errorf("router: create %q: %w", bucket, err)
	}
	switch err := r.records.InsertBucket(ctx, record); {
	case errors.Is(err, ErrExists): // Another proxy was faster, and may have removed it again.
		if err := r.free(ctx, t, id, bucket); err != nil {
			return nil, err
		}
		return nil, s3err.New(s3err.OperationAborted)
	case err != nil:
		return nil, fmt.Errorf("router: create %q: %w", bucket, err)
	}
	r.changed(id.TenantID, bucket)
	return route, nil
}

// firstSettings are those of a bucket that nobody knows yet.
func (r *Router) firstSettings(ctx context.Context, bucketID string, id Identity, set Configuration) error {
	first := Settings{Seq: 1, Time: r.now().UTC().Truncate(time.Millisecond), Configuration: set}
	first.Versioning = r.table.Load().Template.Versioning
	if set.ObjectLock != nil {
		first.Versioning, first.AccessKey = Enabled, id.AccessKey
	}
	first.Complete = first.Versioning != Unversioned
	if first.Versioning == Unversioned && reflect.DeepEqual(first.Configuration, Configuration{}) {
		return nil
	}
	return r.records.InsertSettings(ctx, bucketID, first)
}

// free fails when the name is in use. A record whose physical bucket is gone, left by
// a removal that was cut short, does not count: it is removed.
func (r *Router) free(ctx context.Context, t *table, id Identity, bucket string) error {
	record, ok, err := r.records.GetBucket(ctx, id.TenantID, bucket)
	if err != nil {
		return fmt.Errorf("router: create %q: %w", bucket, err)
	}
	if !ok {
		return nil
	}
	if t.servable(&record) != nil || !record.Mounts[0].Own {
		return taken(bucket, record.Owner, id)
	}
	m := record.Mounts[0]
	manager, err := t.manager(m)
	if err != nil {
		return err
	}
	_, err = manager.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &m.Bucket})
	if !s3err.Is(err, s3err.NoSuchBucket) {
		return taken(bucket, record.Owner, id)
	}
	if err := r.records.DeleteBucket(ctx, record); err != nil {
		return fmt.Errorf("router: create %q: %w", bucket, err)
	}
	return nil
}

// taken is the error for a name in use. A bucket without an owner is
// everybody's in the tenant.
func taken(bucket, owner string, id Identity) error {
	code := s3err.BucketAlreadyExists
	if owner == "" || owner == id.UserID {
		code = s3err.BucketAlreadyOwnedByYou
	}
	return s3err.New(code).With("BucketName", bucket)
}

// makePhysical makes the physical bucket of m, or adopts the one that is there: left by a
// crash when it is m's own, or shared. Its name is the template's, so nothing
// else is expected under it.
func (t *table) makePhysical(ctx context.Context, m Mount) error {
	manager, err := t.manager(m)
	if err != nil {
		return err
	}
	if !m.Own {
		_, err = manager.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &m.Bucket})
		if !s3err.Is(err, s3err.NoSuchBucket) {
			return behind(err)
		}
	}
	_, err = manager.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &m.Bucket})
	if err == nil || s3err.Is(err, s3err.BucketAlreadyOwnedByYou) {
		return nil
	}
	return behind(err)
}

// behind is an error about a physical bucket: the client learns what kind it
// is, and nothing that would name that bucket.
func behind(err error) error {
	if err == nil {
		return nil
	}
	return s3err.New(s3err.From(err).Code).Because(err)
}

// DeleteBucket removes an empty bucket: BucketNotEmpty, NoSuchBucket, AccessDenied for
// one of the configuration.
//
// The physical bucket goes first: the store decides in one step that it is empty, so
// that no object is lost to a race. A crash before the record goes leaves a bucket
// that answers NoSuchBucket and that removing or making it again heals.
func (r *Router) DeleteBucket(ctx context.Context, id Identity, bucket string) error {
	t := r.table.Load()
	if _, ok := t.configured(id.TenantID, bucket); ok {
		return s3err.Newf(s3err.AccessDenied, "The bucket is part of the server's configuration.")
	}
	if err := ValidateBucketName(bucket); err != nil {
		return err
	}
	defer r.locks.lock(bucketName{id.TenantID, bucket})()

	record, ok, err := r.records.GetBucket(ctx, id.TenantID, bucket)
	if err != nil {
		return fmt.Errorf("router: delete %q: %w", bucket, err)
	}
	if !ok {
		return noSuchBucket(bucket)
	}
	if !id.Allows(Admin, bucket, "") {
		return s3err.New(s3err.AccessDenied)
	}
	record.placeVersions()
	if err := r.clear(ctx, t, &record); err != nil {
		return err
	}
	if err := r.records.DeleteBucket(ctx, record); err != nil {
		return fmt.Errorf("router: delete %q: %w", bucket, err)
	}
	r.changed(id.TenantID, bucket)
	return r.forgetBucket(ctx, &record)
}

// forgetBucket removes from the index what was known of a bucket.
func (r *Router) forgetBucket(ctx context.Context, b *BucketRecord) error {
	ids := []string{b.BucketID}
	if b.Versions != nil {
		for i := range b.Mounts {
			ids = append(ids, b.IndexID(&b.Mounts[i]))
		}
	}
	for _, id := range ids {
		if err := r.forget(ctx, id); err != nil {
			return fmt.Errorf("router: delete %q: %w", b.Name, err)
		}
	}
	return nil
}
