package s3backend

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// entry is what a listing shows: an object or a common prefix.
type entry struct {
	name   string
	object *types.Object // nil for a common prefix
}

// ListObjectsV2 implements [backends.Lister]. S3 shows the common prefix in which
// StartAfter lies, the contract does not: it comes first, and is left out.
func (b *Backend) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	want := backends.DefaultMaxKeys
	if in.MaxKeys != nil {
		want = min(want, max(0, int(*in.MaxKeys)))
	}
	can := b.can.Load()
	l := &listing{b: b, in: *in, after: value(in.StartAfter), prefix: value(in.Prefix), exact: can.ExactListings}
	l.in.ContinuationToken, l.in.FetchOwner = nil, nil
	if !can.AnyKey && !l.askForPaths() {
		return &s3.ListObjectsV2Output{IsTruncated: new(false), KeyCount: new(int32(0))}, nil
	}
	if value(l.in.StartAfter) == "" {
		l.in.StartAfter = nil
	}
	entries, truncated, err := l.page(ctx, want)
	if err != nil {
		return nil, err
	}
	out := &s3.ListObjectsV2Output{IsTruncated: &truncated, KeyCount: new(int32(len(entries)))}
	for i := range entries {
		if entries[i].object == nil {
			out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: &entries[i].name})
		} else {
			out.Contents = append(out.Contents, *entries[i].object)
		}
	}
	return out, nil
}

// listing is a page of ours, made of pages of the service's.
type listing struct {
	b      *Backend
	in     s3.ListObjectsV2Input
	after  string // entries greater than this
	prefix string // that begin with this
	exact  bool   // the service says rightly whether there are more
}

// askForPaths keeps from a service whose keys are paths what it would refuse in a prefix or
// marker: it is asked for more, which is left out here. It returns false when no key can be meant.
func (l *listing) askForPaths() bool {
	dir, leaf := l.prefix[:strings.LastIndexByte(l.prefix, '/')+1], l.prefix[strings.LastIndexByte(l.prefix, '/')+1:]
	if dir != "" && !isPath(dir) {
		return false
	}
	if leaf == "." || leaf == ".." {
		l.in.Prefix = &dir
	}
	if start := pathStart(l.after); start != l.after {
		l.in.StartAfter = &start
	}
	return true
}

// pathStart is s before the first segment that is no name of a file; all of it when there is
// none.
func pathStart(s string) string {
	start := 0
	for start <= len(s) {
		end := strings.IndexByte(s[start:], '/')
		if end < 0 {
			end = len(s) - start
			if end == 0 {
				return s
			}
		}
		if !isPath(s[start : start+end]) {
			return s[:start]
		}
		start += end + 1
	}
	return s
}

// page returns want entries, and whether there are more.
func (l *listing) page(ctx context.Context, want int) ([]entry, bool, error) {
	var all []entry
	for {
		out, err := l.fetch(ctx, want-len(all))
		if err != nil || want == 0 {
			return nil, false, err
		}
		found := l.entries(out)
		all = append(all, found...)
		if len(all) > want {
			return all[:want], true, nil
		}
		if l.exact {
			more := out.IsTruncated != nil && *out.IsTruncated
			if !more || len(all) == want {
				return all, more, nil
			}
			if l.in.ContinuationToken, l.in.StartAfter = out.NextContinuationToken, nil; out.NextContinuationToken == nil {
				return nil, false, l.b.fail(ctx, "ListObjectsV2", errNoResult)
			}
			continue
		}
		// The end is where nothing follows, whatever the service says. A page of nothing but the common
		// prefix in which StartAfter lies may have been filled by the keys below it: what
		// follows is behind them.
		last, asked := lastName(out), value(l.in.StartAfter)
		if last != "" && last <= asked {
			last += strings.Repeat("\U0010ffff", 4)
		}
		if last <= asked {
			return all, false, nil
		}
		l.after = max(l.after, last)
		l.in.StartAfter = &last
	}
}

// Entries that are asked for besides those wanted: the common prefix that is
// left out, and, where truncation is told wrongly, enough to see what follows.
const (
	extraEntries        = 1
	extraEntriesInexact = 3
)

// ask is how many entries to ask for when want are missing: never 0, which means
// different things to services.
func (l *listing) ask(want int) int32 {
	switch {
	case !l.exact:
		want += extraEntriesInexact
	case l.in.StartAfter != nil && value(l.in.Delimiter) != "":
		want += extraEntries
	}
	return int32(min(backends.DefaultMaxKeys, max(1, want)))
}

// fetch asks for a page of some more than want entries. Names are asked for in escaped form, since XML cannot
// carry every character of a key.
func (l *listing) fetch(ctx context.Context, want int) (*s3.ListObjectsV2Output, error) {
	l.in.MaxKeys = new(l.ask(want))
	l.in.EncodingType = types.EncodingTypeUrl
	out, err := l.b.client.ListObjectsV2(ctx, &l.in, l.b.again)
	if err != nil {
		return nil, l.b.fail(ctx, "ListObjectsV2", err)
	}
	for i := range out.Contents {
		if out.Contents[i].Key, err = unescaped(out.EncodingType, out.Contents[i].Key); err != nil {
			return nil, l.b.fail(ctx, "ListObjectsV2", err)
		}
	}
	for i := range out.CommonPrefixes {
		if out.CommonPrefixes[i].Prefix, err = unescaped(out.EncodingType, out.CommonPrefixes[i].Prefix); err != nil {
			return nil, l.b.fail(ctx, "ListObjectsV2", err)
		}
	}
	return out, nil
}

// entries are the entries of a page of the service's that are shown, in order.
func (l *listing) entries(out *s3.ListObjectsV2Output) []entry {
	var all []entry
	for i := range out.Contents {
		o := out.Contents[i]
		o.Owner = nil
		o.StorageClass = cmp.Or(o.StorageClass, types.ObjectStorageClassStandard)
		if o.LastModified != nil {
			o.LastModified = new(o.LastModified.UTC().Truncate(oneSecond))
		}
		all = append(all, entry{value(o.Key), &o})
	}
	for _, p := range out.CommonPrefixes {
		all = append(all, entry{name: value(p.Prefix)})
	}
	all = slices.DeleteFunc(all, func(e entry) bool {
		return e.name <= l.after && l.after != "" || !strings.HasPrefix(e.name, l.prefix)
	})
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return all
}

// lastName is the last entry of a page of the service's; empty when it has none.
func lastName(out *s3.ListObjectsV2Output) (last string) {
	for i := range out.Contents {
		last = max(last, value(out.Contents[i].Key))
	}
	for i := range out.CommonPrefixes {
		last = max(last, value(out.CommonPrefixes[i].Prefix))
	}
	return last
}

// unescaped is a name that a service escaped, if it says it did.
func unescaped(encoding types.EncodingType, name *string) (*string, error) {
	if encoding != types.EncodingTypeUrl || name == nil {
		return name, nil
	}
	s, err := url.QueryUnescape(*name)
	return &s, err
}

// ListMultipartUploads implements [backends.MultipartUploader].
func (b *Backend) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	if !b.can.Load().ListUploads {
		return nil, cannot("The storage of this bucket does not list all uploads.", "")
	}
	c := *in
	c.EncodingType = types.EncodingTypeUrl
	none := in.MaxUploads != nil && *in.MaxUploads == 0
	if none {
		c.MaxUploads = new(int32(1))
	}
	out, err := b.client.ListMultipartUploads(ctx, &c, b.again)
	if err != nil {
		return nil, b.fail(ctx, "ListMultipartUploads", err)
	}
	if none {
		return &s3.ListMultipartUploadsOutput{IsTruncated: new(false)}, nil
	}
	for i := range out.Uploads {
		u := &out.Uploads[i]
		u.Owner, u.Initiator = nil, nil
		if u.Key, err = unescaped(out.EncodingType, u.Key); err != nil {
			return nil, b.fail(ctx, "ListMultipartUploads", err)
		}
		u.ChecksumAlgorithm, u.ChecksumType = b.shownChecksum(named(in.Bucket, u.Key, u.UploadId), u.ChecksumAlgorithm, u.ChecksumType)
	}
	for i := range out.CommonPrefixes {
		if out.CommonPrefixes[i].Prefix, err = unescaped(out.EncodingType, out.CommonPrefixes[i].Prefix); err != nil {
			return nil, b.fail(ctx, "ListMultipartUploads", err)
		}
	}
	// The one in which KeyMarker lies is not shown; see ListObjectsV2.
	out.CommonPrefixes = slices.DeleteFunc(out.CommonPrefixes, func(p types.CommonPrefix) bool {
		return value(in.KeyMarker) != "" && value(p.Prefix) <= *in.KeyMarker
	})
	if out.NextKeyMarker, err = unescaped(out.EncodingType, out.NextKeyMarker); err != nil {
		return nil, b.fail(ctx, "ListMultipartUploads", err)
	}
	return out, nil
}

// oneSecond is what times are shown to.
const oneSecond = time.Second
