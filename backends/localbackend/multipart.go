package localbackend

import (
	"github.com/cockroachdb/pebble/v2"
)

// removeParts removes the rows of all parts of an upload, and the bodies of
// those that keep does not have.
func (t *tx) removeParts(upload name, keep map[name]bool) error {
	prefix := named(tableParts, upload)
	return t.b.meta.scan(prefix, after(prefix), func(it *pebble.Iterator) error {
		for ok := it.First(); ok; ok = it.Next() {
			t.delete(it.Key())
		}
		return nil
	})
}

// removeUploads removes all uploads of a bucket.
func (t *tx) removeUploads(bkt *bucket) error {
	var uploads []name
	prefix := inBucket(tableUploads, bkt.id, 0)
	err := t.b.meta.scan(prefix, after(prefix), func(it *pebble.Iterator) error {
		for ok := it.First(); ok; ok = it.Next() {
			_, upload := parseUploadKey(it.Key())
			uploads = append(uploads, upload)
			t.delete(it.Key())
		}
		return nil
	})
	for _, upload := range uploads {
		if err == nil {
			err = t.removeParts(upload, nil)
		}
	}
	return err
}
