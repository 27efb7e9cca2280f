package versions

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// ListVersions answers in with the versions and delete markers of a bucket: by key, those of a
// key the newest first; Prefix, Delimiter and MaxKeys as ListObjectsV2 has them. It begins behind
// KeyMarker: with greater keys, and when VersionIdMarker is given, with the older versions
// of the same key. A marker that was removed since it was shown still marks its place; one that is not
// known any more is the beginning of its key: nothing is left out, something may be shown again.
//
// Times in the answer have milliseconds: they tell in which order the versions and markers of a key
// come. A page that begins inside of a key costs two reads for that, and all else as [ListObjects] does.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
func ListVersions(ctx context.Context, x Committer, bucketID string, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	return ListVersionsAsOf(ctx, x, Past{BucketID: bucketID}, in)
}

// Past is a bucket at a time; at the zero time as it is.
type Past struct {
	BucketID string
	At       time.Time
}

// ListVersionsAsOf is [ListVersions] of those of the versions that there are now which were there at a time.
func ListVersionsAsOf(ctx context.Context, x Committer, past Past, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	r := Range{BucketID: past.BucketID, Prefix: aws.ToString(in.Prefix)}
	c := &versionCursor{pages: entries(ctx, x, r, pageRead(in.Delimiter, in.MaxKeys)), asOf: past.At}
	q := backends.PageQuery{
		Prefix: r.Prefix, Delimiter: aws.ToString(in.Delimiter), After: aws.ToString(in.KeyMarker),
		Max: pageRead(nil, in.MaxKeys) - 1,
	}
	if in.VersionIdMarker != nil && q.Max > 0 {
		place, err := c.resume(ctx, x, Object{past.BucketID, q.After}, *in.VersionIdMarker)
		if err != nil {
			return nil, err
		}
		q.AfterUploadID = place
	}
	page, err := backends.ListPage(c, q)
	if err != nil {
		return nil, err
	}
	return versionsPage(page), nil
}

// listed is a version as a listing shows it: one or the other.
type listed struct {
	version *types.ObjectVersion
	marker  *types.DeleteMarkerEntry
}

// versionsPage is a page as S3 has it.
func versionsPage(page backends.Page[listed]) *s3.ListObjectVersionsOutput {
	out := &s3.ListObjectVersionsOutput{CommonPrefixes: page.CommonPrefixes, IsTruncated: &page.Truncated}
	var last *string // its VersionId
	for _, l := range page.Values {
		if l.marker != nil {
			out.DeleteMarkers = append(out.DeleteMarkers, *l.marker)
			last = l.marker.VersionId
		} else {
			out.Versions = append(out.Versions, *l.version)
			last = l.version.VersionId
		}
	}
	if page.Truncated {
		out.NextKeyMarker = &page.Last
		if !page.LastIsPrefix {
			out.NextVersionIdMarker = last
		}
	}
	return out
}

// versionCursor walks the versions that are alive. It implements [backends.Cursor], whose uploadID is a
// version's place: see [placeOf].
type versionCursor struct {
	*pages[Entry]
	asOf time.Time // versions after it are not shown; zero shows all
	top  State     // of the object that the listing begins inside of
	key  string    // whose versions it walks
	null bool      // a null version of it was met: older ones are not alive
	met  bool      // one that is alive was met: older ones are not the latest
}

// resume prepares for a listing that begins behind a version of an object. It returns its place.
func (c *versionCursor) resume(ctx context.Context, x Log, o Object, marker string) (string, error) {
	id, err := ParseVersionID(marker)
	if err == nil && o.Key == "" {
		err = s3err.InvalidArg("version-id-marker", marker, "A version-id marker cannot be specified without a key marker.")
	}
	if err != nil {
		return "", err
	}
	top, err := x.Top(ctx, o)
	if err != nil {
		return "", err
	}
	c.top = top.State
	if id.Null {
		return placeOf(c.top.Null.Time), nil
	}
	about, err := x.Find(ctx, o, id.N)
	if err != nil || about.Seq == 0 || !id.Names(&about.Version) {
		return placeOf(time.Time{}), err
	}
	return placeOf(about.Version.Time), nil
}

// placeLength is how long a place is.
const placeLength = 8

// placeOf is a version's place in the order of its object's: the newest is the least; a zero time
// is before all.
func placeOf(t time.Time) string {
	var newestFirst uint64
	if !t.IsZero() {
		newestFirst = ^(uint64(t.UnixMilli()) ^ 1<<63)
	}
	return string(binary.BigEndian.AppendUint64(nil, newestFirst))
}

// parsePlace is the inverse of placeOf, and knows what is just behind a place.
func parsePlace(s string) time.Time {
	if len(s) < placeLength {
		return time.Time{}
	}
	newestFirst := binary.BigEndian.Uint64([]byte(s))
	if newestFirst == 0 {
		return time.Time{}
	}
	t := time.UnixMilli(int64(^newestFirst ^ 1<<63)).UTC()
	if len(s) > placeLength {
		t = t.Add(-time.Millisecond)
	}
	return t
}

// SeekGE implements [backends.Cursor].
func (c *versionCursor) SeekGE(key, place string) bool {
	at := parsePlace(place)
	c.key, c.null, c.met = key, false, false
	if !at.IsZero() {
		c.null = c.top.Null.Time.After(at)
		c.met = c.top.Current != nil && c.top.Current.Time.After(at)
	}
	return c.seek(Position{key, at}) && c.skip()
}

// Next implements [backends.Cursor].
func (c *versionCursor) Next() bool {
	c.met = true
	return c.next() && c.skip()
}

// skip moves on to a version that is alive, past what is not.
func (c *versionCursor) skip() bool {
	for {
		e := c.item()
		if e.Key != c.key {
			c.key, c.null, c.met = e.Key, false, false
		}
		replaced := e.Version.ID.Null && c.null
		c.null = c.null || e.Version.ID.Null
		late := !c.asOf.IsZero() && e.Version.Time.After(c.asOf)
		if e.Kind != KindRemove && !replaced && !late {
			return true
		}
		if !c.next() {
			return false
		}
	}
}

// Key implements [backends.Cursor].
func (c *versionCursor) Key() string { return c.item().Key }

// Value implements [backends.Cursor].
func (c *versionCursor) Value() (listed, error) {
	e, latest := c.item(), !c.met
	v, owner, id := &e.Version, e.Version.By.Owner(), e.Version.ID.String()
	if v.Marker {
		return listed{marker: &types.DeleteMarkerEntry{
			Key: &e.Key, VersionId: &id, IsLatest: &latest, LastModified: &v.Time, Owner: &owner,
		}}, nil
	}
	o := backends.ListedObject(e.Key, v.Meta())
	return listed{version: &types.ObjectVersion{
		Key: o.Key, VersionId: &id, IsLatest: &latest, LastModified: &v.Time, Owner: &owner,
		Size: o.Size, ETag: o.ETag, StorageClass: types.ObjectVersionStorageClass(o.StorageClass),
		ChecksumAlgorithm: o.ChecksumAlgorithm, ChecksumType: o.ChecksumType,
	}}, nil
}

// Err implements [backends.Cursor].
func (c *versionCursor) Err() error { return c.err }
