package versioned

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/versions"
)

// asOf is the moment that a request looks at; zero is now.
func asOf(ctx context.Context) time.Time { return backends.RequestOf(ctx).AsOf }

// before are the objects of the plain place that were there at a time.
type before struct {
	backends.Lister
	at   time.Time // zero: now
	read func()    // is told that something was read
}

// ListObjectsV2 implements [backends.Lister]. It goes on until a page has something from then.
func (l before) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	defer l.read()
	c := *in
	for {
		below, err := l.Lister.ListObjectsV2(ctx, &c)
		if err != nil || l.at.IsZero() {
			return below, err
		}
		out := *below
		out.Contents = slices.DeleteFunc(slices.Clone(below.Contents), func(o types.Object) bool {
			return o.LastModified != nil && o.LastModified.After(l.at)
		})
		if len(out.Contents)+len(out.CommonPrefixes) > 0 || len(below.Contents) == 0 || !aws.ToBool(below.IsTruncated) {
			return &out, nil
		}
		c.StartAfter = below.Contents[len(below.Contents)-1].Key
	}
}

// knownKeys knows in one listing which keys the index has rows of. It is asked in their order.
//
// The index may have been listed before it knew a key, which then is not shown at all: it is asked about
// keys that the index has not shown, and sees that it would show them now.
type knownKeys struct {
	b      *bucket
	prefix string
	limit  int                       // of heads that are read next
	shows  func(versions.State) bool // whether the index shows a key
	after  string                    // keys up to here are not listed
	late   bool                      // the index was listed too early

	keys []versions.Head // read and not yet passed
	end  bool            // there are no others
}

// first is the first known key that is not less than from; nil when there is none.
func (k *knownKeys) first(ctx context.Context, from string) (*versions.Head, error) {
	passed, _ := slices.BinarySearchFunc(k.keys, from, func(h versions.Head, key string) int { return strings.Compare(h.Key, key) })
	if k.keys = k.keys[passed:]; len(k.keys) == 0 && !k.end {
		heads, err := k.b.Index.Heads(ctx, versions.Range{
			BucketID: k.b.BucketID, Prefix: k.prefix, From: versions.Position{Key: from}, Limit: k.limit,
		})
		if err != nil {
			return nil, err
		}
		k.keys, k.end = heads, len(heads) < k.limit
		k.limit = min(4*k.limit, backends.DefaultMaxKeys)
	}
	if len(k.keys) == 0 {
		return nil, nil
	}
	return &k.keys[0], nil
}

// keep shows keys that are not known.
func (k *knownKeys) keep(ctx context.Context, key string) (bool, error) {
	known, err := k.first(ctx, key)
	if err != nil || known == nil || known.Key != key {
		return err == nil, err
	}
	k.late = k.late || key > k.after && k.shows(known.Top.State)
	return false, nil
}

// keepPrefix shows common prefixes below which there is a key that is shown. Only where
// some are known it has to look for one.
func (k *knownKeys) keepPrefix(ctx context.Context, prefix string) (bool, error) {
	known, err := k.first(ctx, prefix)
	if err != nil || known == nil || !strings.HasPrefix(known.Key, prefix) {
		return err == nil, err
	}
	c := backends.NewListCursor(ctx, k.b.Heads, "", prefix)
	for ok := c.SeekGE(prefix, ""); ok; ok = c.Next() {
		if shown, err := k.keep(ctx, c.Key()); err != nil || shown {
			return shown, err
		}
	}
	return false, c.Err()
}
