package backends

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// DefaultMaxKeys is the length of a page for which none was given, and the
// greatest: of keys, uploads and parts alike.
const DefaultMaxKeys = 1000

// Cursor walks what a listing shows, objects or uploads, in byte order of
// their keys; the uploads of one key in order of their UploadIds. It stands
// nowhere until the first SeekGE.
type Cursor[T any] interface {
	// SeekGE moves to the first position at or after (key, uploadID) and
	// reports whether there is one; objects have no uploadID.
	SeekGE(key, uploadID string) bool
	// Next moves one on.
	Next() bool
	// Key is where it stands.
	Key() string
	// Value is what stands there, as a listing shows it. It is asked for what is shown only.
	Value() (T, error)
	// Err is why SeekGE or Next returned false; nil at the end.
	Err() error
}

// PageQuery is what a page of a listing is to show.
type PageQuery struct {
	Prefix, Delimiter string
	After             string // entries greater than this
	AfterUploadID     string // and, when not empty, uploads of the key After that are greater than this
	Max               int
}

// Page is a page of a listing.
type Page[T any] struct {
	Values         []T
	CommonPrefixes []types.CommonPrefix
	Last           string // the last entry, a key or common prefix; where the next page goes on
	LastIsPrefix   bool
	Truncated      bool // a further entry exists
}

// ListPage reads a page as [Lister] defines it. It moves c at most once per
// entry and twice besides: below a common prefix nothing is read but its first key.
func ListPage[T any](c Cursor[T], q PageQuery) (Page[T], error) {
	var page Page[T]
	if q.Max <= 0 {
		return page, nil
	}
	ok := c.SeekGE(q.start())
	for ok && strings.HasPrefix(c.Key(), q.Prefix) {
		entry, isPrefix := q.entry(c.Key())
		if !isPrefix || entry > q.After {
			if page.size() == q.Max {
				page.Truncated = true
				return page, nil
			}
			if isPrefix {
				page.addPrefix(entry)
			} else if err := page.addAt(c); err != nil {
				return Page[T]{}, err
			}
		}
		if !isPrefix {
			ok = c.Next()
			continue
		}
		past, exists := PrefixEnd(entry)
		ok = exists && c.SeekGE(past, "")
	}
	return page, c.Err()
}

// start is the first position that may be shown.
func (q PageQuery) start() (key, uploadID string) {
	switch {
	case q.After < q.Prefix:
		return q.Prefix, ""
	case q.AfterUploadID != "":
		return q.After, q.AfterUploadID + "\x00"
	case q.After != "":
		return q.After + "\x00", ""
	}
	return "", ""
}

// entry is what stands for a key: itself, or the common prefix that ends with
// the first delimiter after Prefix.
func (q PageQuery) entry(key string) (entry string, isPrefix bool) {
	if q.Delimiter == "" {
		return key, false
	}
	i := strings.Index(key[len(q.Prefix):], q.Delimiter)
	if i < 0 {
		return key, false
	}
	return key[:len(q.Prefix)+i+len(q.Delimiter)], true
}

// size is how many entries a page has.
func (p *Page[T]) size() int { return len(p.Values) + len(p.CommonPrefixes) }

// addPrefix appends a common prefix.
func (p *Page[T]) addPrefix(prefix string) {
	prefix = strings.Clone(prefix) // a page keeps pointers to strings of its own
	p.CommonPrefixes = append(p.CommonPrefixes, types.CommonPrefix{Prefix: &prefix})
	p.Last, p.LastIsPrefix = prefix, true
}

// addAt appends that at which c stands.
func (p *Page[T]) addAt(c Cursor[T]) error {
	v, err := c.Value()
	if err != nil {
		return err
	}
	p.addValue(c.Key(), v)
	return nil
}

// addValue appends what is listed under key.
func (p *Page[T]) addValue(key string, v T) {
	p.Values = append(p.Values, v)
	p.Last, p.LastIsPrefix = strings.Clone(key), false
}

// PrefixEnd is the least string greater than every string that begins with
// prefix; false when there is none.
func PrefixEnd(prefix string) (string, bool) {
	for i := len(prefix) - 1; i >= 0; i-- {
		if b := prefix[i]; b != 0xff {
			return prefix[:i] + string([]byte{b + 1}), true
		}
	}
	return "", false
}

// ListObjects answers in from a store's objects.
func ListObjects(c Cursor[types.Object], in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	page, err := ListPage(c, PageQuery{
		Prefix:    value(in.Prefix),
		Delimiter: value(in.Delimiter),
		After:     value(in.StartAfter),
		Max:       pageLength(in.MaxKeys),
	})
	if err != nil {
		return nil, err
	}
	return objectsPage(page), nil
}

// objectsPage is a page of objects as the contract has it.
func objectsPage(page Page[types.Object]) *s3.ListObjectsV2Output {
	count := int32(page.size())
	return &s3.ListObjectsV2Output{
		Contents:       page.Values,
		CommonPrefixes: page.CommonPrefixes,
		IsTruncated:    &page.Truncated,
		KeyCount:       &count,
	}
}

// ListUploads answers in from a store's unfinished uploads. The markers of the
// next page are set when there is one; after a common prefix it is the key alone.
func ListUploads(c Cursor[types.MultipartUpload], in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	page, err := ListPage(c, PageQuery{
		Prefix:        value(in.Prefix),
		Delimiter:     value(in.Delimiter),
		After:         value(in.KeyMarker),
		AfterUploadID: value(in.UploadIdMarker),
		Max:           pageLength(in.MaxUploads),
	})
	if err != nil {
		return nil, err
	}
	return uploadsPage(page), nil
}

// uploadsPage is a page of uploads as the contract has it.
func uploadsPage(page Page[types.MultipartUpload]) *s3.ListMultipartUploadsOutput {
	out := &s3.ListMultipartUploadsOutput{
		Uploads:        page.Values,
		CommonPrefixes: page.CommonPrefixes,
		IsTruncated:    &page.Truncated,
	}
	if page.Truncated {
		out.NextKeyMarker = &page.Last
		if !page.LastIsPrefix {
			out.NextUploadIdMarker = page.Values[len(page.Values)-1].UploadId
		}
	}
	return out
}

// pageLength is the length of a page for which n was asked.
func pageLength(n *int32) int {
	if n == nil || *n > DefaultMaxKeys {
		return DefaultMaxKeys
	}
	return int(*n)
}
