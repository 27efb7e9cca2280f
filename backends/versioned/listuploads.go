package versioned

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// ListMultipartUploads implements [backends.MultipartUploader]. The bodies of uploads are in another order than
// the keys, so that each page costs a listing of all unfinished uploads below the prefix. Of a key,
// uploads from before come first.
func (u *uploads) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	c := &uploadCursor{}
	if err := u.collectBefore(ctx, in.Prefix, &c.all); err != nil {
		return nil, err
	}
	q := *in
	if marker := aws.ToString(in.UploadIdMarker); marker != "" && !strings.HasPrefix(marker, uploadKind) {
		q.UploadIdMarker = aws.String(c.rankBefore(aws.ToString(in.KeyMarker), marker))
	}
	var long []types.MultipartUpload
	for _, prefix := range u.Layout.Prefixes(u.DataType, aws.ToString(in.Prefix)) {
		if err := u.collect(ctx, prefix, aws.ToString(in.Prefix), &c.all, &long); err != nil {
			return nil, err
		}
	}
	if err := u.collectLong(ctx, long, aws.ToString(in.Prefix), &c.all); err != nil {
		return nil, err
	}
	slices.SortFunc(c.all, func(a, b rankedUpload) int {
		return cmp.Or(strings.Compare(*a.Key, *b.Key), strings.Compare(a.rank, b.rank))
	})
	return backends.ListUploads(c, &q)
}

// rankedUpload is an upload and its place among those of its key: its id, or that of one from before when it began.
type rankedUpload struct {
	types.MultipartUpload
	rank string
}

// beforeKind is what ranks of uploads from before begin with. It is less than [uploadKind].
const beforeKind = "\x00"

// collectBefore appends the uploads from before. Not every store has those of a key in the order in which they began.
func (u *uploads) collectBefore(ctx context.Context, prefix *string, all *[]rankedUpload) error {
	if u.plain == nil {
		return nil
	}
	return eachUpload(ctx, u.plain, &s3.ListMultipartUploadsInput{Prefix: prefix}, func(m types.MultipartUpload) {
		rank := binary.BigEndian.AppendUint64([]byte(beforeKind), uint64(max(0, aws.ToTime(m.Initiated).UnixMilli())))
		*all = append(*all, rankedUpload{m, string(rank) + aws.ToString(m.UploadId)})
	})
}

// rankBefore is the rank of an upload from before that is a marker. If it has ended meanwhile nobody knows: all of its key are after it.
func (c *uploadCursor) rankBefore(key, uploadID string) string {
	for _, m := range c.all {
		if *m.Key == key && *m.UploadId == uploadID {
			return m.rank
		}
	}
	return beforeKind
}

// collect appends the uploads whose bodies are below a prefix, and whose keys begin with another; and to long, as the store
// lists them, those of long keys.
func (u *uploads) collect(ctx context.Context, bodies, keys string, all *[]rankedUpload, long *[]types.MultipartUpload) error {
	return eachUpload(ctx, u.below, &s3.ListMultipartUploadsInput{Prefix: &bodies}, func(m types.MultipartUpload) {
		dataType, key, n, ok := u.Layout.Parse(aws.ToString(m.Key))
		if !ok {
			*long = append(*long, m)
			return
		}
		if dataType != u.DataType || !strings.HasPrefix(key, keys) {
			return // another bucket's with the same place of versions
		}
		m.Key, m.UploadId = &key, uploadID(n, m.UploadId)
		*all = append(*all, rankedUpload{m, *m.UploadId})
	})
}

// eachUpload calls do with each upload of a listing, page after page.
func eachUpload(ctx context.Context, of backends.MultipartUploader, in *s3.ListMultipartUploadsInput, do func(types.MultipartUpload)) error {
	for {
		page, err := of.ListMultipartUploads(ctx, in)
		if err != nil {
			return err
		}
		for _, m := range page.Uploads {
			do(m)
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		in.KeyMarker, in.UploadIdMarker = page.NextKeyMarker, page.NextUploadIdMarker
	}
}

// uploadCursor walks uploads that have been read. It implements [backends.Cursor].
type uploadCursor struct {
	all []rankedUpload
	i   int
}

// SeekGE implements [backends.Cursor].
func (c *uploadCursor) SeekGE(key, rank string) bool {
	c.i = sort.Search(len(c.all), func(i int) bool {
		k := strings.Compare(*c.all[i].Key, key)
		return k > 0 || k == 0 && c.all[i].rank >= rank
	})
	return c.i < len(c.all)
}

// Next implements [backends.Cursor].
func (c *uploadCursor) Next() bool {
	c.i++
	return c.i < len(c.all)
}

// Key implements [backends.Cursor].
func (c *uploadCursor) Key() string { return *c.all[c.i].Key }

// Value implements [backends.Cursor].
func (c *uploadCursor) Value() (types.MultipartUpload, error) { return c.all[c.i].MultipartUpload, nil }

// Err implements [backends.Cursor].
func (c *uploadCursor) Err() error { return nil }
