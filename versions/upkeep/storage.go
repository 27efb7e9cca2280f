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
	key      string // of the object it is a body of; empty when that is long and nobody knows it
	n        int64
	modified time.Time
	mark     *mark // of the walk
}

// eachBody calls do with the bodies of the objects of a place whose keys begin with prefix, but for those that come not
// after another body. What else lies in the place of versions is somebody else's.
func (p *Place) eachBody(ctx context.Context, prefix, after string, do func(body) error) error {
	dirs := p.Layout.Prefixes(p.DataType, prefix)
	if after != "" {
		i := slices.IndexFunc(dirs, func(dir string) bool { return strings.HasPrefix(after, dir) })
		if i < 0 {
			return errOtherStep
		}
		dirs = dirs[i:]
	}
	last := ""
	for _, dir := range dirs {
		c := backends.NewListCursor(ctx, p.Bodies, "", dir)
		from := dir
		if strings.HasPrefix(after, dir) {
			from = after + "\x00"
		}
		for ok := c.SeekGE(from, ""); ok; ok = c.Next() {
			key, n, ok, err := p.whose(ctx, c.Key(), last)
			if err != nil {
				return err
			}
			if last = key; !ok || !strings.HasPrefix(key, prefix) {
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

// whose returns the key of the object that a body is one of, and its number. The body before it was one of the object
// of the key last: those of a long key come one after the other, so that one of them is asked whose it is.
func (p *Place) whose(ctx context.Context, at, last string) (key string, n int64, ok bool, err error) {
	if dataType, key, n, ok := p.Layout.Parse(at); ok {
		return key, n, dataType == p.DataType, nil
	}
	if n, ok := p.Layout.Number(p.DataType, last, at); ok {
		return last, n, true, nil
	}
	return p.KeyOf(ctx, at)
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
