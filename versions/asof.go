package versions

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// At returns the version, or delete marker, that was current at a time, as far as those are there that were
// then: what was removed since, or was a null version that was replaced, is not. Nil when there is none.
func At(ctx context.Context, x Keys, h Head, at time.Time) (*Version, error) {
	return newest(ctx, x, h, at)
}

// newest returns the newest version alive that is not newer than a time; nil when there is none.
func newest(ctx context.Context, x Keys, h Head, at time.Time) (*Version, error) {
	p := entries(ctx, x, Range{BucketID: h.BucketID, Prefix: h.Key}, firstRead)
	for ok := p.seek(Position{h.Key, at.UTC().Truncate(time.Millisecond)}); ok; ok = p.next() {
		e := p.item()
		if e.Key != h.Key {
			break
		}
		if h.Top.State.Live(e.Row) {
			return &e.Version, nil
		}
	}
	return nil, p.err
}

// ListObjectsAsOf is [ListObjects] of what was current then, as [At] says. It reads the versions of
// the keys that it shows: the newer ones too, since one may have replaced an older one.
func ListObjectsAsOf(ctx context.Context, x Keys, past Past, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	r := Range{BucketID: past.BucketID, Prefix: aws.ToString(in.Prefix)}
	v := versionCursor{pages: entries(ctx, x, r, pageRead(in.Delimiter, in.MaxKeys)), asOf: past.At}
	return backends.ListObjects(&pastCursor{v}, in)
}

// pastCursor walks the objects that were there at a time. It implements [backends.Cursor].
type pastCursor struct{ versionCursor }

// SeekGE implements [backends.Cursor].
func (c *pastCursor) SeekGE(key, _ string) bool { return c.versionCursor.SeekGE(key, "") && c.settle() }

// Next implements [backends.Cursor].
func (c *pastCursor) Next() bool { return c.leave() && c.settle() }

// leave moves on to the versions of the next key.
func (c *pastCursor) leave() bool { return c.versionCursor.SeekGE(c.item().Key+"\x00", "") }

// settle moves on to a key whose newest version then was an object.
func (c *pastCursor) settle() bool {
	for c.item().Version.Marker {
		if !c.leave() {
			return false
		}
	}
	return true
}

// Value implements [backends.Cursor].
func (c *pastCursor) Value() (types.Object, error) {
	e := c.item()
	return backends.ListedObject(e.Key, e.Version.Meta()), nil
}
