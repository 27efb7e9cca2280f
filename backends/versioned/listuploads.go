package versioned

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// ListMultipartUploads implements [backends.MultipartUploader]. The bodies of uploads are in another order than
// the keys, so that each page costs a listing of all unfinished uploads below the prefix.
func (u *uploads) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	c := &uploadCursor{}
	for _, prefix := range u.Layout.Prefixes(u.DataType, aws.ToString(in.Prefix)) {
		if err := u.collect(ctx, prefix, aws.ToString(in.Prefix), &c.all); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(c.all, func(a, b types.MultipartUpload) int {
		return cmp.Or(strings.Compare(*a.Key, *b.Key), strings.Compare(*a.UploadId, *b.UploadId))
	})
	return backends.ListUploads(c, in)
}

// collect appends the uploads whose bodies are below a prefix, and whose keys begin with another.
func (u *uploads) collect(ctx context.Context, bodies, keys string, all *[]types.MultipartUpload) error {
	in := &s3.ListMultipartUploadsInput{Prefix: &bodies}
	for {
		page, err := u.below.ListMultipartUploads(ctx, in)
		if err != nil {
			return err
		}
		for _, m := range page.Uploads {
			dataType, key, n, ok := u.Layout.Parse(aws.ToString(m.Key))
			if !ok || dataType != u.DataType || !strings.HasPrefix(key, keys) {
				continue // another bucket's with the same place of versions
			}
			m.Key, m.UploadId = &key, uploadID(n, m.UploadId)
			*all = append(*all, m)
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		in.KeyMarker, in.UploadIdMarker = page.NextKeyMarker, page.NextUploadIdMarker
	}
}

// uploadCursor walks uploads that have been read. It implements [backends.Cursor].
type uploadCursor struct {
	all []types.MultipartUpload
	i   int
}

// SeekGE implements [backends.Cursor].
func (c *uploadCursor) SeekGE(key, uploadID string) bool {
	c.i = sort.Search(len(c.all), func(i int) bool {
		k := strings.Compare(*c.all[i].Key, key)
		return k > 0 || k == 0 && *c.all[i].UploadId >= uploadID
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
func (c *uploadCursor) Value() (types.MultipartUpload, error) { return c.all[c.i], nil }

// Err implements [backends.Cursor].
func (c *uploadCursor) Err() error { return nil }
