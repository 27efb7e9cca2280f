package upkeep

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/xronox/xronox-proxy/backends"
)

// body is an object in the place of versions.
type body struct {
	at       string // its key there
	key      string // of the object it is a body of
	n        int64
	modified time.Time
	mark     *mark // of the walk
}

// eachBody calls do with the bodies of the objects of a place whose keys begin with prefix, but for those that come not
// after another body. What else lies in the place of versions is somebody else's.
func (p *Place) eachBody(ctx context.Context, prefix, after string, do func(body) error) error {
	dirs := p.prefixes(prefix)
	if after != "" {
		i := slices.IndexFunc(dirs, func(dir string) bool { return strings.HasPrefix(after, dir) })
		if i < 0 {
			return errOtherStep
		}
		dirs = dirs[i:]
	}
	for _, dir := range dirs {
		c := backends.NewListCursor(ctx, p.Bodies, "", dir)
		from := dir
		if strings.HasPrefix(after, dir) {
			from = after + "\x00"
		}
		for ok := c.SeekGE(from, ""); ok; ok = c.Next() {
			dataType, key, n, ok := p.Layout.Parse(c.Key())
			if !ok || dataType != p.DataType || !strings.HasPrefix(key, prefix) {
				continue
			}
			o, err := c.Value()
			if err != nil {
				return err
			}
			if err := do(body{at: c.Key(), key: key, n: n, modified: aws.ToTime(o.LastModified)}); err != nil {
				return err
			}
		}
		if err := c.Err(); err != nil {
			return err
		}
	}
	return nil
}

// prefixes are what the keys of bodies begin with, none of which lies in another.
func (p *Place) prefixes(prefix string) []string {
	all := p.Layout.Prefixes(p.DataType, prefix)
	var out []string
	for i, a := range all {
		inside := false
		for j, b := range all {
			inside = inside || i != j && strings.HasPrefix(a, b)
		}
		if !inside {
			out = append(out, a)
		}
	}
	return out
}

// eachUnknown calls do with the keys of a span at the plain place that the index knows nothing of. It reads both in
// the order of keys.
func (p *Place) eachUnknown(ctx context.Context, s span, w *progress, do func(key string, m *mark) error) error {
	known := p.heads(ctx, s)
	c := backends.NewListCursor(ctx, p.Heads, "", s.prefix)
	for ok := c.SeekGE(s.from(), ""); ok; ok = c.Next() {
		m := w.trail.begin(c.Key())
		for {
			h, err := known.peek()
			if err != nil {
				return err
			}
			if h == nil || h.Key > c.Key() {
				if err := do(c.Key(), m); err != nil {
					return err
				}
				break
			}
			if h.Key == c.Key() {
				break
			}
			known.i++
		}
		m.end()
		w.add()
	}
	return c.Err()
}
