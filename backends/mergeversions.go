package backends

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// VersionSource is one of the listings that [MergeVersions] makes one of. Objects of a Lister that is not
// [Versioned] are shown as the null versions of their keys. All versions that are shown of a
// key must come from one source, the first that shows it: its Keep decides who gets a VersionIdMarker.
type VersionSource struct {
	Lister
	Bucket string
	Filter
}

// MergeVersions is [MergeObjects] for [Versioned.ListObjectVersions].
func MergeVersions(ctx context.Context, sources []VersionSource, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	streams := make([]*stream[listedVersion], len(sources))
	for i, s := range sources {
		at, err := s.start(ctx, in)
		if err != nil {
			return nil, err
		}
		streams[i] = &stream[listedVersion]{
			Filter: s.Filter, more: true, at: at,
			read: func(ctx context.Context, after position, limit int32) ([]entry[listedVersion], bool, error) {
				return s.read(ctx, in, after, limit)
			},
		}
	}
	page, err := merge(ctx, streams, pageLength(in.MaxKeys))
	if err != nil {
		return nil, err
	}
	return versionsPage(page), nil
}

// nullVersion is the VersionId of objects that have no versions.
const nullVersion = "null"

// listedVersion is one or the other.
type listedVersion struct {
	version *types.ObjectVersion
	marker  *types.DeleteMarkerEntry
}

// id is its VersionId.
func (l listedVersion) id() *string {
	if l.marker != nil {
		return l.marker.VersionId
	}
	return l.version.VersionId
}

// time is when it was made.
func (l listedVersion) time() time.Time {
	if l.marker != nil {
		return aws.ToTime(l.marker.LastModified)
	}
	return aws.ToTime(l.version.LastModified)
}

// key is its key.
func (l listedVersion) key() string {
	if l.marker != nil {
		return aws.ToString(l.marker.Key)
	}
	return aws.ToString(l.version.Key)
}

// versionsPage is a page of versions as the contract has it.
func versionsPage(page Page[listedVersion]) *s3.ListObjectVersionsOutput {
	out := &s3.ListObjectVersionsOutput{CommonPrefixes: page.CommonPrefixes, IsTruncated: &page.Truncated}
	var last *string
	for _, l := range page.Values {
		if l.marker != nil {
			out.DeleteMarkers = append(out.DeleteMarkers, *l.marker)
		} else {
			out.Versions = append(out.Versions, *l.version)
		}
		last = l.id()
	}
	if page.Truncated {
		out.NextKeyMarker = &page.Last
		if !page.LastIsPrefix {
			out.NextVersionIdMarker = last
		}
	}
	return out
}

// start is where the source goes on: within the versions of KeyMarker when they are its own, else
// behind them.
func (s VersionSource) start(ctx context.Context, in *s3.ListObjectVersionsInput) (position, error) {
	at := position{name: aws.ToString(in.KeyMarker)}
	if at.name == "" || aws.ToString(in.VersionIdMarker) == "" {
		return at, nil
	}
	own := true
	if s.Keep != nil {
		var err error
		if own, err = s.Keep(ctx, at.name); err != nil {
			return at, err
		}
	}
	if own {
		at.uploadID = *in.VersionIdMarker
	}
	return at, nil
}

// read reads the source's part of what in asks for, after that position.
func (s VersionSource) read(ctx context.Context, in *s3.ListObjectVersionsInput, after position, limit int32) ([]entry[listedVersion], bool, error) {
	v, ok := s.Lister.(Versioned)
	if !ok {
		return s.readPlain(ctx, in, after, limit)
	}
	c := *in
	c.Bucket, c.MaxKeys = &s.Bucket, &limit
	c.KeyMarker, c.VersionIdMarker = optional(after.name), optional(after.uploadID)
	out, err := v.ListObjectVersions(ctx, &c)
	if err != nil {
		return nil, false, err
	}
	list := make([]listedVersion, 0, len(out.Versions)+len(out.DeleteMarkers))
	for i := range out.Versions {
		list = append(list, listedVersion{version: &out.Versions[i]})
	}
	for i := range out.DeleteMarkers {
		list = append(list, listedVersion{marker: &out.DeleteMarkers[i]})
	}
	slices.SortStableFunc(list, func(a, b listedVersion) int {
		if c := strings.Compare(a.key(), b.key()); c != 0 {
			return c
		}
		return b.time().Compare(a.time())
	})
	entries := make([]entry[listedVersion], len(list))
	for i, l := range list {
		entries[i] = entry[listedVersion]{position: position{l.key(), aws.ToString(l.id())}, value: l}
	}
	return withPrefixes(entries, out.CommonPrefixes), aws.ToBool(out.IsTruncated), nil
}

// readPlain is read for a source without versions.
func (s VersionSource) readPlain(ctx context.Context, in *s3.ListObjectVersionsInput, after position, limit int32) ([]entry[listedVersion], bool, error) {
	objects, more, err := ListSource{Lister: s.Lister, Bucket: s.Bucket}.read(ctx, &s3.ListObjectsV2Input{
		Prefix: in.Prefix, Delimiter: in.Delimiter,
	}, position{name: after.name}, limit)
	entries := make([]entry[listedVersion], len(objects))
	for i, o := range objects {
		entries[i] = entry[listedVersion]{position: o.position, isPrefix: o.isPrefix}
		if o.isPrefix {
			continue
		}
		v := o.value
		entries[i].value.version = &types.ObjectVersion{
			Key: v.Key, VersionId: aws.String(nullVersion), IsLatest: aws.Bool(true), LastModified: v.LastModified,
			ETag: v.ETag, Size: v.Size, StorageClass: types.ObjectVersionStorageClass(v.StorageClass), Owner: v.Owner,
			ChecksumAlgorithm: v.ChecksumAlgorithm, ChecksumType: v.ChecksumType,
		}
		entries[i].uploadID = nullVersion
	}
	return entries, more, err
}
