package s3api

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// listObjectVersions implements ListObjectVersions.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
func (s *Server) listObjectVersions(c *call) error {
	l, err := c.listing("max-keys")
	if err != nil {
		return err
	}
	keyMarker, _ := c.query.lookup("key-marker")
	versionMarker, err := c.versionIDMarker(keyMarker)
	if err != nil {
		return err
	}
	out, err := c.versionsPage(l, keyMarker, versionMarker)
	if err != nil {
		return err
	}
	d := newResult("ListVersionsResult")
	d.text("Name", c.bucket)
	l.field(d, "Prefix", l.prefix)
	l.field(d, "KeyMarker", keyMarker)
	d.text("VersionIdMarker", aws.ToString(versionMarker))
	if isTruncated(out.IsTruncated) {
		l.field(d, "NextKeyMarker", aws.ToString(out.NextKeyMarker))
		d.ptr("NextVersionIdMarker", out.NextVersionIdMarker)
	}
	d.int("MaxKeys", int64(l.max))
	l.optionalField(d, "Delimiter", l.delimiter)
	l.writeEncoding(d)
	d.bool("IsTruncated", isTruncated(out.IsTruncated))
	l.writeVersions(d, out, c.route.Owner)
	l.writePrefixes(d, out.CommonPrefixes)
	d.close("ListVersionsResult")
	c.writeDoc(d)
	return nil
}

// versionIDMarker reads the version behind which the page begins; nil when there is none.
func (c *call) versionIDMarker(keyMarker string) (*string, error) {
	const name = "version-id-marker"
	v, ok := c.query.lookup(name)
	switch {
	case !ok:
		return nil, nil // absent is no error
	case keyMarker == "":
		return nil, s3err.InvalidArg(name, v, "A version-id marker cannot be specified without a key marker.")
	case v == "":
		return nil, s3err.InvalidArg(name, v, "A version-id marker cannot be empty.")
	case v != nullVersion && !versioned(c.route):
		return nil, s3err.InvalidArg(name, v, invalidVersion)
	}
	return &v, nil
}

// versionsPage asks the backend for the versions behind the markers. Without versions each object is its own "null"
// version and the latest.
func (c *call) versionsPage(l listing, keyMarker string, versionMarker *string) (*s3.ListObjectVersionsOutput, error) {
	v, ok := backends.As[backends.Versioned](c.route.Backend)
	if !ok {
		page, err := c.page(l, keyMarker)
		if err != nil {
			return nil, err
		}
		return nullVersions(page), nil
	}
	out, err := v.ListObjectVersions(c.ctx, &s3.ListObjectVersionsInput{
		Bucket: &c.bucket, Prefix: optional(l.prefix), Delimiter: optional(l.delimiter), MaxKeys: &l.max,
		KeyMarker: optional(keyMarker), VersionIdMarker: versionMarker, OptionalObjectAttributes: l.optional,
	})
	if versionMarker != nil && s3err.Is(err, s3err.InvalidArgument) { // The backend cannot know how the client said it.
		return nil, s3err.InvalidArg("version-id-marker", *versionMarker, invalidVersion)
	}
	return out, err
}

// nullVersions is a page of objects as one of their null versions.
func nullVersions(page *s3.ListObjectsV2Output) *s3.ListObjectVersionsOutput {
	out := &s3.ListObjectVersionsOutput{CommonPrefixes: page.CommonPrefixes, IsTruncated: page.IsTruncated}
	for i := range page.Contents {
		o := &page.Contents[i]
		out.Versions = append(out.Versions, types.ObjectVersion{
			Key: o.Key, VersionId: aws.String(nullVersion), IsLatest: aws.Bool(true), LastModified: o.LastModified,
			ETag: o.ETag, Size: o.Size, StorageClass: types.ObjectVersionStorageClass(o.StorageClass),
			ChecksumAlgorithm: o.ChecksumAlgorithm, ChecksumType: o.ChecksumType, RestoreStatus: o.RestoreStatus,
		})
	}
	if isTruncated(page.IsTruncated) {
		next := last(page)
		out.NextKeyMarker = &next
		if n := len(page.Contents); n > 0 && *page.Contents[n-1].Key == next {
			out.NextVersionIdMarker = aws.String(nullVersion)
		}
	}
	return out
}

// writeVersions writes versions and delete markers in the order of a listing: by key, those of a key the newest first.
func (l listing) writeVersions(d *doc, out *s3.ListObjectVersionsOutput, owner string) {
	versions, markers := out.Versions, out.DeleteMarkers
	for len(versions)+len(markers) > 0 {
		if len(markers) == 0 || len(versions) > 0 && !comesBefore(&markers[0], &versions[0]) {
			l.writeVersion(d, &versions[0], owner)
			versions = versions[1:]
		} else {
			l.writeMarker(d, &markers[0], owner)
			markers = markers[1:]
		}
	}
}

// comesBefore reports whether m is listed before v.
func comesBefore(m *types.DeleteMarkerEntry, v *types.ObjectVersion) bool {
	if *m.Key != *v.Key {
		return *m.Key < *v.Key
	}
	return m.LastModified.After(*v.LastModified)
}

// writeVersion writes a version; owner is who owns what has no owner of its own.
func (l listing) writeVersion(d *doc, v *types.ObjectVersion, owner string) {
	d.open("Version")
	d.ptr("VersionId", v.VersionId)
	d.bool("IsLatest", aws.ToBool(v.IsLatest))
	l.writeObject(d, &types.Object{
		Key: v.Key, LastModified: wholeSeconds(v.LastModified), ETag: v.ETag, Size: v.Size,
		StorageClass:      types.ObjectStorageClass(v.StorageClass),
		ChecksumAlgorithm: v.ChecksumAlgorithm, ChecksumType: v.ChecksumType, RestoreStatus: v.RestoreStatus,
	}, "")
	d.ownerOr(v.Owner, owner)
	d.close("Version")
}

// writeMarker writes a delete marker.
func (l listing) writeMarker(d *doc, m *types.DeleteMarkerEntry, owner string) {
	d.open("DeleteMarker")
	l.field(d, "Key", *m.Key)
	d.ptr("VersionId", m.VersionId)
	d.bool("IsLatest", aws.ToBool(m.IsLatest))
	d.time("LastModified", wholeSeconds(m.LastModified))
	d.ownerOr(m.Owner, owner)
	d.close("DeleteMarker")
}

// ownerOr writes the owner of a version; one without belongs to whom the bucket does.
func (d *doc) ownerOr(o *types.Owner, owner string) {
	if o == nil || aws.ToString(o.ID) == "" {
		d.owner("Owner", owner)
		return
	}
	d.open("Owner")
	d.text("ID", *o.ID)
	d.ptr("DisplayName", o.DisplayName)
	d.close("Owner")
}

// wholeSeconds is a time as S3 shows those of objects.
func wholeSeconds(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return aws.Time(t.Truncate(time.Second))
}
