package mount

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// ListObjectsV2 implements [backends.Lister]. One prefix in place of another in front
// of all keys keeps their order, so a page below is a page here.
func (m *mount) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	w := m.window(in.Prefix, in.Delimiter, in.StartAfter)
	switch {
	case w.empty:
		return page(in, nil, false), nil
	case w.common != "":
		return m.listCommon(ctx, w.common, in)
	case w.walk:
		return backends.ListObjects(backends.NewListCursor(ctx, showing{m, in.OptionalObjectAttributes}, aws.ToString(in.Bucket), aws.ToString(in.Prefix)), in)
	}
	c := *in
	c.Bucket, c.Prefix, c.StartAfter = &m.Bucket, w.prefix, w.after
	below, err := m.listBelow(ctx, &c)
	if err != nil {
		return nil, m.outward(err, names{bucket: in.Bucket})
	}
	out := *below
	out.Name, out.Prefix, out.StartAfter = in.Bucket, in.Prefix, in.StartAfter
	out.ContinuationToken, out.NextContinuationToken = nil, nil // not part of the contract
	out.Contents = make([]types.Object, len(below.Contents))
	for i, o := range below.Contents {
		if o.Key, err = m.leave(o.Key); err != nil {
			return nil, err
		}
		out.Contents[i] = o
	}
	out.CommonPrefixes, err = m.leavePrefixes(below.CommonPrefixes)
	return &out, err
}

// showing is a listing that shows more than the usual.
type showing struct {
	backends.Lister
	attributes []types.OptionalObjectAttributes
}

// ListObjectsV2 implements [backends.Lister].
func (s showing) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	c := *in
	c.OptionalObjectAttributes = s.attributes
	return s.Lister.ListObjectsV2(ctx, &c)
}

// page is the answer to in with these common prefixes and nothing else.
func page(in *s3.ListObjectsV2Input, prefixes []types.CommonPrefix, truncated bool) *s3.ListObjectsV2Output {
	return &s3.ListObjectsV2Output{
		Name: in.Bucket, Prefix: in.Prefix, Delimiter: in.Delimiter, StartAfter: in.StartAfter, MaxKeys: in.MaxKeys,
		CommonPrefixes: prefixes, KeyCount: aws.Int32(int32(len(prefixes))), IsTruncated: &truncated,
	}
}

// listCommon answers in when one common prefix stands for all keys there are.
func (m *mount) listCommon(ctx context.Context, common string, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	if in.MaxKeys != nil && *in.MaxKeys == 0 {
		return page(in, nil, false), nil
	}
	first, err := m.listBelow(ctx, &s3.ListObjectsV2Input{Bucket: &m.Bucket, Prefix: &m.Prefix, MaxKeys: aws.Int32(1)})
	switch {
	case err != nil:
		return nil, m.outward(err, names{bucket: in.Bucket})
	case len(first.Contents) == 0:
		return page(in, nil, false), nil
	}
	return page(in, []types.CommonPrefix{{Prefix: &common}}, false), nil
}

// listBelow lists the physical bucket, less what is excluded.
func (m *mount) listBelow(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	if len(m.Exclude) == 0 {
		return m.Backend.ListObjectsV2(ctx, in)
	}
	return backends.MergeObjects(ctx, []backends.ListSource{{Lister: m.Backend, Bucket: m.Bucket, Filter: m.filter(m.holdsObject)}}, in)
}

// filter leaves out what is excluded; holds reports whether anything else is
// below a prefix.
func (m *mount) filter(holds func(ctx context.Context, prefix string) (bool, error)) backends.Filter {
	return backends.Filter{
		Keep: func(_ context.Context, key string) (bool, error) { return !m.excluded(key), nil },
		KeepPrefix: func(ctx context.Context, prefix string) (bool, error) {
			switch {
			case m.excluded(prefix):
				return false, nil
			case !m.reachesExcluded(prefix):
				return true, nil
			}
			return holds(ctx, prefix)
		},
		Skip: func(entry string) (after string, ok bool) {
			for _, x := range m.Exclude {
				if strings.HasPrefix(entry, x) {
					return x + strings.Repeat("\U0010ffff", 4), true
				}
			}
			return "", false
		},
	}
}

// reachesExcluded reports whether something excluded is below the prefix.
func (m *mount) reachesExcluded(prefix string) bool {
	for _, x := range m.Exclude {
		if strings.HasPrefix(x, prefix) {
			return true
		}
	}
	return false
}

// holdsObject reports whether there is an object of the mount below a physical prefix.
func (m *mount) holdsObject(ctx context.Context, prefix string) (bool, error) {
	return m.holds(backends.NewListCursor(ctx, m.Backend, m.Bucket, prefix), prefix)
}

// holds reports whether c, a cursor over keys below a physical prefix, comes to one that is the mount's.
func (m *mount) holds(c backends.Cursor[types.Object], prefix string) (bool, error) {
	ok := c.SeekGE(prefix, "")
	for ok && m.excluded(c.Key()) {
		ok = m.seekPast(c)
	}
	return ok, c.Err()
}

// seekPast moves c out of the excluded part that it stands in.
func (m *mount) seekPast(c backends.Cursor[types.Object]) bool {
	for _, x := range m.Exclude {
		if strings.HasPrefix(c.Key(), x) {
			end, ok := backends.PrefixEnd(x)
			return ok && c.SeekGE(end, "")
		}
	}
	return c.Next()
}

// leavePrefixes returns common prefixes as virtual ones.
func (m *mount) leavePrefixes(below []types.CommonPrefix) ([]types.CommonPrefix, error) {
	out := make([]types.CommonPrefix, len(below))
	for i, p := range below {
		prefix, err := m.leave(p.Prefix)
		if err != nil {
			return nil, err
		}
		out[i].Prefix = prefix
	}
	return out, nil
}
