package backends

import (
	"context"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// NewListCursor returns a cursor over the objects of a listing that begin with prefix,
// for where a delimiter cannot be the lister's work. It reads a few keys
// after a seek and up to 1,000 at once while it is moved on.
func NewListCursor(ctx context.Context, l Lister, bucket, prefix string) Cursor[types.Object] {
	return &listCursor{ctx: ctx, lister: l, bucket: bucket, prefix: prefix}
}

// listCursor implements [Cursor].
type listCursor struct {
	ctx            context.Context // of the one listing that the cursor is for
	lister         Lister
	bucket, prefix string

	page []types.Object
	i    int  // where it stands in page
	more bool // there are keys behind page
	size int  // of the next page
	err  error
}

// SeekGE implements [Cursor].
func (c *listCursor) SeekGE(key, _ string) bool {
	if c.err != nil {
		return false
	}
	if len(c.page) == 0 || key < aws.ToString(c.page[0].Key) {
		return c.load(before(key)) && c.past(key)
	}
	from := c.i
	if c.i = c.search(key); c.i < len(c.page) {
		return true
	}
	if !c.more {
		return false
	}
	c.i = from // How far the page was of use says how long the next should be.
	return c.load(before(key)) && c.past(key)
}

// search is the place in the page of the first key at or after that one.
func (c *listCursor) search(key string) int {
	return sort.Search(len(c.page), func(i int) bool { return *c.page[i].Key >= key })
}

// past moves on to key from what comes before it.
func (c *listCursor) past(key string) bool {
	for c.i = c.search(key); c.i == len(c.page); c.i = c.search(key) {
		if !c.more || !c.load(c.last()) {
			return false
		}
	}
	return true
}

// Next implements [Cursor].
func (c *listCursor) Next() bool {
	if c.err != nil || c.i >= len(c.page) {
		return false
	}
	if c.i++; c.i < len(c.page) {
		return true
	}
	return c.more && c.load(c.last())
}

// last is the last key that was read.
func (c *listCursor) last() string { return *c.page[len(c.page)-1].Key }

// load reads the page after that key. Pages grow as long as they are used, and
// are small again after one of which little was.
func (c *listCursor) load(after string) bool {
	if 2*c.i >= len(c.page) && c.size > 0 {
		c.size = min(c.size*readGrowth, DefaultMaxKeys)
	} else {
		c.size = firstRead
	}
	in := &s3.ListObjectsV2Input{Bucket: &c.bucket, Prefix: optional(c.prefix), MaxKeys: aws.Int32(int32(c.size))}
	if after > c.prefix {
		in.StartAfter = &after
	}
	out, err := c.lister.ListObjectsV2(c.ctx, in)
	if err != nil {
		c.page, c.i, c.more, c.err = nil, 0, false, err
		return false
	}
	c.page, c.i, c.more = out.Contents, 0, aws.ToBool(out.IsTruncated)
	if len(c.page) == 0 && c.more {
		c.err = stuck()
	}
	return len(c.page) > 0
}

// Key implements [Cursor].
func (c *listCursor) Key() string { return *c.page[c.i].Key }

// Value implements [Cursor].
func (c *listCursor) Value() (types.Object, error) { return c.page[c.i], nil }

// Err implements [Cursor].
func (c *listCursor) Err() error { return c.err }

// maxKeyBytes is the longest that a key can be, and a StartAfter should be.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const maxKeyBytes = 1024

// before returns a string less than key that is valid UTF-8, as a StartAfter must
// be, with as good as no keys between the two; empty when there is none. What
// a cursor seeks is often a [PrefixEnd], which need not be valid itself.
func before(key string) string {
	valid, rest := cutValid(key)
	if rest == "" {
		return ""
	}
	if rest == "\x00" {
		return valid // Nothing is between the two.
	}
	// Of all that begin with valid, the last before key begin with the last rune before
	// rest, and then have the last of runes, over and over.
	const last, times = string(utf8.MaxRune), 4
	s := valid + string(runeBefore(rest))
	return s + strings.Repeat(last, min(times, max(0, maxKeyBytes-len(s))/len(last)))
}

// cutValid cuts key behind the valid runes that it begins with, or, if all are, before
// the last.
func cutValid(key string) (valid, rest string) {
	end, last := 0, 0
	for end < len(key) {
		r, size := utf8.DecodeRuneInString(key[end:])
		if r == utf8.RuneError && size == 1 {
			return key[:end], key[end:]
		}
		last, end = end, end+size
	}
	return key[:last], key[last:]
}

// runeBefore is the greatest rune whose bytes are less than s, which is
// neither empty nor "\x00".
func runeBefore(s string) rune {
	const surrogates, count = 0xd800, 0x800 // the gap in the order of runes
	nth := func(i int) rune {
		if i >= surrogates {
			i += count
		}
		return rune(i)
	}
	return nth(sort.Search(utf8.MaxRune+1-count, func(i int) bool { return string(nth(i)) >= s }) - 1)
}
