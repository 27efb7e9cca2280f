package router

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// clear removes what is physical of an empty bucket.
func (r *Router) clear(ctx context.Context, t *table, b *BucketRecord) error {
	settings, door, err := r.open(ctx, b)
	if err != nil {
		return err
	}
	route := &Route{TenantID: b.TenantID, Settings: settings, Door: door}
	route.Settings.Closing = false // Who removes a bucket sees it as long as there is anything of it.
	if route, err = t.route(b, route); err != nil {
		return err
	}
	if settings.Versioning == Unversioned {
		return t.clearPlace(ctx, route)
	}
	return r.clearVersions(ctx, t, route, settings)
}

// maxClears is how often a place is cleared because of what writes, which are all refused by now, have left there late.
const maxClears = 5

// clearVersions is clear for a bucket with versions that has none any more: what writes have left behind that
// did not succeed goes too. So nobody must be writing: the bucket is Closing until it is gone, or until
// that has failed. It goes on with what was begun before and never ended.
func (r *Router) clearVersions(ctx context.Context, t *table, route *Route, settings Settings) error {
	b := route.Record
	err := checkNoVersions(ctx, route)
	if err == nil && !settings.Closing {
		closing := settings
		closing.Closing = true
		if err := r.insertSettings(ctx, b, settings, closing); err != nil {
			return fmt.Errorf("router: delete %q: %w", b.Name, err)
		}
	}
	if err == nil {
		err = r.propagate(ctx)
	}
	for clears := 0; err == nil; clears++ {
		if err = checkNoVersions(ctx, route); err == nil {
			err = t.purge(ctx, b)
		}
		if err != nil {
			break
		}
		if err = t.clearPlace(ctx, route); err == nil {
			return nil
		}
		if s3err.Is(err, s3err.BucketNotEmpty) && clears < maxClears {
			err = nil
		}
	}
	return errors.Join(err, r.reopen(context.WithoutCancel(ctx), b))
}

// reopen has a bucket be there again whose removal has failed.
func (r *Router) reopen(ctx context.Context, b *BucketRecord) error {
	top, err := r.records.TopSettings(ctx, b.BucketID)
	if err == nil && top.Closing {
		open := top
		open.Closing = false
		if err = r.insertSettings(ctx, b, top, open); errors.Is(err, ErrExists) {
			err = nil // Somebody else has done so.
		}
	}
	if err != nil {
		return fmt.Errorf("router: reopen %q: %w", b.Name, err)
	}
	return nil
}

// clearPlace removes the place of an empty bucket.
func (t *table) clearPlace(ctx context.Context, route *Route) error {
	m := route.Record.Mounts[0]
	if !m.Own {
		return clearShared(ctx, route)
	}
	manager, err := t.manager(m)
	if err != nil {
		return err
	}
	_, err = manager.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &m.Bucket})
	switch {
	case err == nil, s3err.Is(err, s3err.NoSuchBucket):
		return nil
	case s3err.Is(err, s3err.BucketNotEmpty):
		return s3err.New(s3err.BucketNotEmpty).With("BucketName", route.Name)
	}
	return behind(err)
}

// checkNoVersions refuses to remove a bucket that has versions or delete markers.
func checkNoVersions(ctx context.Context, route *Route) error {
	v, ok := backends.As[backends.Versioned](route.Backend)
	if !ok {
		return s3err.New(s3err.InternalError)
	}
	page, err := v.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &route.Name, MaxKeys: aws.Int32(1)})
	switch {
	case err != nil:
		return behind(err)
	case len(page.Versions)+len(page.DeleteMarkers) > 0:
		return s3err.New(s3err.BucketNotEmpty).With("BucketName", route.Name)
	}
	return nil
}

// purge purges all places of a bucket.
func (t *table) purge(ctx context.Context, b *BucketRecord) error {
	for _, m := range b.places() {
		if err := t.purgePlace(ctx, b, m.whole()); err != nil {
			return err
		}
	}
	return nil
}

// purgePlace removes all objects and uploads in a place of a bucket that has no versions: bodies that nobody needs, and
// copies that are not up to date.
func (t *table) purgePlace(ctx context.Context, b *BucketRecord, m Mount) error {
	place := &BucketRecord{Name: b.Name, BucketID: b.BucketID, Mounts: []Mount{m}}
	route := &Route{Name: b.Name, Backend: t.Compose(place, &Route{}), Record: place}
	err := abortUploads(ctx, route)
	for err == nil {
		var page *s3.ListObjectsV2Output
		if page, err = route.Backend.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.Name}); err != nil {
			break
		}
		for i := range page.Contents {
			if _, err = route.Backend.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.Name, Key: page.Contents[i].Key}); err != nil {
				break
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			break
		}
	}
	if s3err.Is(err, s3err.NoSuchBucket) {
		return nil
	}
	return behind(err)
}
