package router

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// clearVersions makes an end of the versions of a bucket that has none any more: what writes have left behind that
// did not succeed goes too. So nobody must be writing: the bucket is Closing from
// here on, unless it is not empty after all.
func (r *Router) clearVersions(ctx context.Context, t *table, route *Route) error {
	if err := checkNoVersions(ctx, route); err != nil {
		return err
	}
	b := route.Record
	closing := route.Settings
	closing.Closing = true
	if err := r.insertSettings(ctx, b, route.Settings, closing); err != nil {
		return fmt.Errorf("router: delete %q: %w", b.Name, err)
	}
	if err := r.propagate(ctx); err != nil {
		return err
	}
	if err := checkNoVersions(ctx, route); err != nil {
		open := route.Settings
		if e := r.insertSettings(ctx, b, Settings{Seq: route.Settings.Seq + 1}, open); e != nil {
			return fmt.Errorf("router: delete %q: %w", b.Name, e)
		}
		return err
	}
	for _, m := range b.places() {
		if err := t.purge(ctx, b, *m); err != nil {
			return err
		}
	}
	return nil
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

// purge removes all objects and uploads in a place of a bucket that has no versions: bodies that nobody needs, and
// copies that are not up to date.
func (t *table) purge(ctx context.Context, b *BucketRecord, m Mount) error {
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
