package upkeep

import (
	"context"
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
}

// eachBody calls do with the bodies of the objects of a place whose keys begin with prefix. What
// else lies in the place of versions is somebody else's.
func (p *Place) eachBody(ctx context.Context, prefix string, do func(body) error) error {
	for _, dir := range p.prefixes(prefix) {
		c := backends.NewListCursor(ctx, p.Bodies, "", dir)
		for ok := c.SeekGE(dir, ""); ok; ok = c.Next() {
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

// eachUnknown calls do with the keys at the plain place, of those that begin with prefix, that the index knows nothing
// of. It reads both in the order of keys.
func (p *Place) eachUnknown(ctx context.Context, prefix string, w *progress, do func(key string) error) error {
	known := p.heads(ctx, prefix)
	c := backends.NewListCursor(ctx, p.Heads, "", prefix)
	for ok := c.SeekGE(prefix, ""); ok; ok = c.Next() {
		w.add()
		for {
			h, err := known.peek()
			if err != nil {
				return err
			}
			if h == nil || h.Key > c.Key() {
				if err := do(c.Key()); err != nil {
					return err
				}
				break
			}
			if h.Key == c.Key() {
				break
			}
			known.i++
		}
	}
	return c.Err()
}
