package versioned

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// fits says why no object of a key can be at the plain place. It asks for long keys alone: their bodies can be where
// they cannot, whereas those of others are refused before anything is committed.
func (b *bucket) fits(ctx context.Context, key string) error {
	if !versions.Long(key) {
		return nil
	}
	_, err := backends.HeadKeyless(ctx, b.Heads, &s3.HeadObjectInput{Key: &key})
	if s3err.Is(err, s3err.NoSuchKey) {
		return nil
	}
	return err
}

// KeyOf returns the key of the object that a body of a long key is one of, and its number. The body's metadata says
// it; where that has no mark any more, the index may, and else the key is empty. ok is false for what cannot be a
// body of this place, or is not there.
func (p *Place) KeyOf(ctx context.Context, body string) (key string, n int64, ok bool, err error) {
	dataType, first, ok := p.Layout.ParseLong(body)
	if !ok || dataType != p.DataType {
		return "", 0, false, nil
	}
	out, err := backends.HeadKeyless(ctx, p.Bodies, &s3.HeadObjectInput{Key: &body})
	if s3err.Is(err, s3err.NoSuchKey) {
		return "", 0, false, nil
	}
	if err != nil {
		return "", 0, false, err
	}
	if m, ok := ReadMark(out.Metadata); ok {
		key = first + m.Rest
	}
	if n, ok = p.Layout.Number(dataType, key, body); ok {
		return key, n, true, nil
	}
	dir := directory(body)
	known, err := p.longKeys(ctx, first, map[string]bool{dir: true})
	if err != nil {
		return "", 0, false, err
	}
	if n, ok = p.Layout.Number(dataType, known[dir], body); ok {
		return known[dir], n, true, nil
	}
	return "", 0, true, nil
}

// directory is what the keys of all bodies of an object with a long key begin with.
func directory(body string) string { return body[:strings.LastIndexByte(body, '/')+1] }

// slotsPage is how many slots are read at once.
const slotsPage = 1000

// longKeys finds, of the long keys that begin with first, those whose bodies lie in the directories that are wanted. The
// index knows each that ever had a slot.
func (b *bucket) longKeys(ctx context.Context, first string, wanted map[string]bool) (map[string]string, error) {
	found := map[string]string{}
	from := versions.Slot{Object: b.object(&first)}
	for len(found) < len(wanted) {
		page, err := b.Index.Slots(ctx, from, slotsPage)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			if !strings.HasPrefix(s.Key, first) {
				return found, nil
			}
			if from.Key == s.Key {
				continue // another slot of the same object
			}
			from.Key = s.Key
			if dir := directory(b.Layout.Body(b.DataType, s.Key, 0)); versions.Long(s.Key) && wanted[dir] {
				found[dir] = s.Key
			}
		}
		if len(page) < slotsPage {
			return found, nil
		}
		from.Key += "\x00"
	}
	return found, nil
}

// collectLong appends, of uploads as the store lists them, those to bodies of long keys that begin with a prefix. The store knows
// neither the rest of their keys nor their metadata.
func (u *uploads) collectLong(ctx context.Context, long []types.MultipartUpload, keys string, all *[]rankedUpload) error {
	wanted := map[string]map[string]bool{} // directories, by what the keys begin with
	for _, m := range long {
		if dataType, first, ok := u.Layout.ParseLong(aws.ToString(m.Key)); ok && dataType == u.DataType {
			if wanted[first] == nil {
				wanted[first] = map[string]bool{}
			}
			wanted[first][directory(*m.Key)] = true
		}
	}
	known := map[string]string{}
	for first, dirs := range wanted {
		found, err := u.longKeys(ctx, first, dirs)
		if err != nil {
			return err
		}
		maps.Copy(known, found)
	}
	for _, m := range long {
		key, ok := known[directory(aws.ToString(m.Key))]
		if !ok || !strings.HasPrefix(key, keys) {
			continue
		}
		if n, ok := u.Layout.Number(u.DataType, key, *m.Key); ok {
			m.Key, m.UploadId = &key, uploadID(n, m.UploadId)
			*all = append(*all, rankedUpload{m, *m.UploadId})
		}
	}
	return nil
}
