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

// VersionSource is one of the listings that [MergeVersions] makes one of: of versions or, when Versioned is nil,
// of the objects of Lister, which are shown as the null versions of their keys. No two listings of versions may
// show the same key: Keep decides whose a VersionIdMarker is. An object is shown when no earlier source shows its key.
type VersionSource struct {
	Versioned
	Lister Lister
	Bucket string
	Filter
}

// VersionsOf is a backend as a source: its versions, if it has any, else its objects.
func VersionsOf(b Backend, bucket string, f Filter) VersionSource {
	v, ok := As[Versioned](b)
	if !ok {
		v = nil
	}
	return VersionSource{Versioned: v, Lister: b, Bucket: bucket, Filter: f}
}

// MergeVersions is [MergeObjects] for [Versioned.ListObjectVersions].
func MergeVersions(ctx context.Context, sources []VersionSource, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	streams := make([]*stream[listedVersion], len(sources))
	for i, s := range sources {
		at, err := s.start(ctx, in.KeyMarker, in.VersionIdMarker)
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

// NullVersion is the VersionId of objects that are not versions, and of null versions.
const NullVersion = "null"

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

// read reads the source's part of what in asks for, after that position.
func (s VersionSource) read(ctx context.Context, in *s3.ListObjectVersionsInput, after position, limit int32) ([]entry[listedVersion], bool, error) {
	if s.Versioned == nil {
		return s.readPlain(ctx, in, after, limit)
	}
	c := *in
	c.Bucket, c.MaxKeys = &s.Bucket, &limit
	c.KeyMarker, c.VersionIdMarker = optional(after.name), optional(after.uploadID)
	out, err := s.ListObjectVersions(ctx, &c)
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
		Prefix: in.Prefix, Delimiter: in.Delimiter, OptionalObjectAttributes: in.OptionalObjectAttributes,
	}, position{name: after.name}, limit)
	entries := make([]entry[listedVersion], len(objects))
	for i, o := range objects {
		entries[i] = entry[listedVersion]{position: o.position, isPrefix: o.isPrefix}
		if o.isPrefix {
			continue
		}
		v := o.value
		entries[i].value.version = &types.ObjectVersion{
			Key: v.Key, VersionId: aws.String(NullVersion), IsLatest: aws.Bool(true), LastModified: v.LastModified,
			ETag: v.ETag, Size: v.Size, StorageClass: types.ObjectVersionStorageClass(v.StorageClass), Owner: v.Owner,
			ChecksumAlgorithm: v.ChecksumAlgorithm, ChecksumType: v.ChecksumType, RestoreStatus: v.RestoreStatus,
		}
		entries[i].uploadID = NullVersion
	}
	return entries, more, err
}

// NewKeyCursor is [NewListCursor] over the keys of which b has anything: a version or a delete marker when it
// is [Versioned], else an object. Its values have their keys and nothing else.
func NewKeyCursor(ctx context.Context, b Backend, bucket, prefix string) Cursor[types.Object] {
	if v, ok := As[Versioned](b); ok {
		return NewListCursor(ctx, versionedKeys{v}, bucket, prefix)
	}
	return NewListCursor(ctx, b, bucket, prefix)
}

// versionedKeys lists keys that have versions. Its pages may be shorter than they are wanted.
type versionedKeys struct{ Versioned }

// ListObjectsV2 implements [Lister] for a cursor, which asks for no delimiter.
func (k versionedKeys) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	page, err := k.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{
		Bucket: in.Bucket, Prefix: in.Prefix, KeyMarker: in.StartAfter, MaxKeys: in.MaxKeys,
	})
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, v := range page.Versions {
		keys = append(keys, aws.ToString(v.Key))
	}
	for _, m := range page.DeleteMarkers {
		keys = append(keys, aws.ToString(m.Key))
	}
	slices.Sort(keys)
	out := &s3.ListObjectsV2Output{IsTruncated: page.IsTruncated}
	for _, key := range slices.Compact(keys) {
		out.Contents = append(out.Contents, types.Object{Key: &key})
	}
	return out, nil
}

// SplitVersions answers in from a listing that is not asked to split at the delimiter. What is below a
// common prefix is read as far as the page it was found in.
func SplitVersions(ctx context.Context, v Versioned, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	flat := *in
	flat.Delimiter = nil
	source := VersionSource{Versioned: v, Bucket: value(in.Bucket)}
	s := &stream[listedVersion]{more: true, at: position{value(in.KeyMarker), value(in.VersionIdMarker)}}
	s.read = func(ctx context.Context, after position, limit int32) ([]entry[listedVersion], bool, error) {
		return source.read(ctx, &flat, after, limit)
	}
	q := PageQuery{Prefix: value(in.Prefix), Delimiter: value(in.Delimiter), After: value(in.KeyMarker), Max: pageLength(in.MaxKeys)}
	page, err := ListPage(&splitCursor{ctx: ctx, stream: s, want: q.Max + 1}, q)
	if err != nil {
		return nil, err
	}
	return versionsPage(page), nil
}

// splitCursor walks a stream forward, which is all that a page needs. It implements [Cursor].
type splitCursor struct {
	ctx    context.Context // of the one listing that the cursor is for
	stream *stream[listedVersion]
	want   int // entries, at the most
	moved  bool
	err    error
}

// SeekGE implements [Cursor]. The first one is to where the stream begins.
func (c *splitCursor) SeekGE(key, _ string) bool {
	first := !c.moved
	c.moved = true
	for c.there() {
		if first || c.Key() >= key {
			return true
		}
		c.stream.buffer = c.stream.buffer[1:]
		if to := before(key); len(c.stream.buffer) == 0 && to > c.stream.at.name {
			c.stream.at = position{name: to}
		}
	}
	return false
}

// there reads on when it has to.
func (c *splitCursor) there() bool {
	if c.err = c.stream.fill(c.ctx, c.want); c.err != nil {
		return false
	}
	return len(c.stream.buffer) > 0
}

// Next implements [Cursor].
func (c *splitCursor) Next() bool {
	c.stream.buffer = c.stream.buffer[1:]
	return c.there()
}

// Key implements [Cursor].
func (c *splitCursor) Key() string { return c.stream.buffer[0].name }

// Value implements [Cursor].
func (c *splitCursor) Value() (listedVersion, error) { return c.stream.buffer[0].value, nil }

// Err implements [Cursor].
func (c *splitCursor) Err() error { return c.err }
