package upkeep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
)

// Contents says what an index has, as an index cannot list its buckets: they come from the configuration.
type Contents struct {
	Values     []string // names
	Tenants    []string // whose bucket records are there
	Settings   []string // BucketIDs
	Places     []string // ids under which the index knows objects
	Tombstones []string // ids under which it knows keys in old places
}

// entry is a line of a dump: one of these.
type entry struct {
	Format    int                  `json:"format,omitempty"` // of the dump; the first line
	Value     *value               `json:"value,omitempty"`
	Bucket    *router.BucketRecord `json:"bucket,omitempty"`
	Settings  *settings            `json:"settings,omitempty"`
	Tombstone *named               `json:"tombstone,omitempty"`
	Slot      *slot                `json:"slot,omitempty"`
	Row       *row                 `json:"row,omitempty"`
	End       *Copied              `json:"end,omitempty"` // the last line: a dump without it is not whole
}

// format is the format of dumps.
const format = 1

type (
	value struct {
		Name string `json:"name"`
		Data []byte `json:"data"`
	}
	settings struct {
		BucketID string `json:"bucketId"`
		router.Settings
	}
	named struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
	slot struct {
		named
		N     int64     `json:"n"`
		Taken time.Time `json:"taken"`
	}
	row struct {
		named
		versions.Row
	}
)

// Copied is how much there was.
type Copied struct {
	Values     int64 `json:"values"`
	Buckets    int64 `json:"buckets"`
	Settings   int64 `json:"settings"`
	Tombstones int64 `json:"tombstones"`
	Slots      int64 `json:"slots"`
	Rows       int64 `json:"rows"`
}

// dump calls do with all that an index has. What is written to it meanwhile may be missing. Of places and tombstones,
// what comes before what other has last is passed over; other may be nil.
func dump(ctx context.Context, x, other versions.Index, c Contents, do func(entry) error) error {
	for _, name := range c.Values {
		data, err := x.Value(ctx, name)
		if err != nil {
			return err
		}
		if data == nil {
			continue
		}
		if err := do(entry{Value: &value{name, data}}); err != nil {
			return err
		}
	}
	for _, tenant := range c.Tenants {
		for after := ""; ; {
			page, err := x.ListBuckets(ctx, tenant, "", after, pageSize)
			if err != nil {
				return err
			}
			for i := range page {
				if err := do(entry{Bucket: &page[i]}); err != nil {
					return err
				}
				after = page[i].Name
			}
			if len(page) < pageSize {
				break
			}
		}
	}
	for _, id := range c.Settings {
		s, err := x.TopSettings(ctx, id)
		if err != nil {
			return err
		}
		if s.Seq == 0 {
			continue
		}
		if err := do(entry{Settings: &settings{id, s}}); err != nil {
			return err
		}
	}
	for _, id := range c.Tombstones {
		if err := dumpTombstones(ctx, x, other, id, do); err != nil {
			return err
		}
	}
	for _, id := range c.Places {
		if err := dumpPlace(ctx, x, other, id, do); err != nil {
			return err
		}
	}
	return nil
}

// dumpTombstones is dump of the tombstones of a bucket.
func dumpTombstones(ctx context.Context, x, other versions.Index, id string, do func(entry) error) error {
	from, err := lastHidden(ctx, other, id)
	if err != nil {
		return err
	}
	for {
		keys, err := x.HiddenKeys(ctx, id, "", from, pageSize)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if err := do(entry{Tombstone: &named{id, key}}); err != nil {
				return err
			}
			from = key + "\x00"
		}
		if len(keys) < pageSize {
			return nil
		}
	}
}

// dumpPlace is dump of the objects of a place: slots first, so that no number that is loaded is taken again.
func dumpPlace(ctx context.Context, x, other versions.Index, id string, do func(entry) error) error {
	from, err := lastSlot(ctx, other, id)
	if err != nil {
		return err
	}
	for {
		page, err := x.Slots(ctx, from, pageSize)
		if err != nil {
			return err
		}
		for _, s := range page {
			if err := do(entry{Slot: &slot{named{id, s.Key}, s.N, s.Taken}}); err != nil {
				return err
			}
			from.Object, from.N = s.Object, s.N+1
		}
		if len(page) < pageSize {
			break
		}
	}
	r := versions.Range{BucketID: id, Limit: pageSize}
	if r.From.Key, err = lastHead(ctx, other, id); err != nil {
		return err
	}
	for {
		page, err := x.Heads(ctx, r)
		if err != nil {
			return err
		}
		for _, h := range page {
			if err := dumpRows(ctx, x, h.Object, do); err != nil {
				return err
			}
			r.From.Key = h.Key + "\x00"
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// dumpRows is dump of the rows of an object, the latest first: so a log that was loaded in part has its top.
func dumpRows(ctx context.Context, x versions.Index, o versions.Object, do func(entry) error) error {
	for before := int64(0); ; {
		page, err := x.Rows(ctx, o, before, pageSize)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := do(entry{Row: &row{named{o.BucketID, o.Key}, r}}); err != nil {
				return err
			}
			before = r.Seq
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// loader puts what was dumped into an index. What is there already is not changed.
type loader struct {
	x      versions.Index
	copied Copied
	known  versions.Object // that listings know
}

// errOther says that an index is not the one that was dumped.
var errOther = errors.New("the index has been used for other buckets; load into an empty one")

// load loads one entry.
func (l *loader) load(ctx context.Context, e entry) error {
	switch {
	case e.Value != nil:
		stored, err := l.x.InsertValue(ctx, e.Value.Name, e.Value.Data)
		if err == nil && string(stored) != string(e.Value.Data) {
			return fmt.Errorf("%s is different: %w", e.Value.Name, errOther)
		}
		l.copied.Values++
		return err
	case e.Bucket != nil:
		l.copied.Buckets++
		return l.loadBucket(ctx, *e.Bucket)
	case e.Settings != nil:
		l.copied.Settings++
		return there(l.x.InsertSettings(ctx, e.Settings.BucketID, e.Settings.Settings))
	case e.Tombstone != nil:
		l.copied.Tombstones++
		_, err := l.x.Hide(ctx, e.Tombstone.ID, e.Tombstone.Key)
		return err
	case e.Slot != nil:
		l.copied.Slots++
		return there(l.x.TakeSlot(ctx, versions.Slot{Object: e.Slot.object(), N: e.Slot.N, Taken: e.Slot.Taken}))
	case e.Row != nil:
		l.copied.Rows++
		o := e.Row.object()
		if o != l.known {
			if err := l.x.InsertKey(ctx, o); err != nil {
				return err
			}
			l.known = o
		}
		err := l.x.InsertRow(ctx, o, e.Row.Row)
		if errors.Is(err, versions.ErrExists) {
			return l.same(ctx, o, e.Row.Row)
		}
		return err
	}
	return nil
}

// same is nil when the row that is there is the one that was to be loaded.
func (l *loader) same(ctx context.Context, o versions.Object, r versions.Row) error {
	stored, err := l.x.Rows(ctx, o, r.Seq+1, 1)
	if err == nil && (len(stored) == 0 || !bytes.Equal(stored[0].Encode(), r.Encode())) {
		return fmt.Errorf("row %d of %q is another: %w", r.Seq, o.Key, errOther)
	}
	return err
}

// object names an object in the index.
func (o named) object() versions.Object { return versions.Object{BucketID: o.ID, Key: o.Key} }

// there is err, unless it says that what was to be inserted is there.
func there(err error) error {
	if errors.Is(err, versions.ErrExists) {
		return nil
	}
	return err
}

// loadBucket loads the record of a bucket.
func (l *loader) loadBucket(ctx context.Context, r router.BucketRecord) error {
	err := l.x.InsertBucket(ctx, r)
	if !errors.Is(err, versions.ErrExists) {
		return err
	}
	stored, ok, err := l.x.GetBucket(ctx, r.TenantID, r.Name)
	if err == nil && ok && stored.BucketID != r.BucketID {
		return fmt.Errorf("bucket %q of tenant %q is another: %w", r.Name, r.TenantID, errOther)
	}
	return err
}

// Dump writes all that an index has, a line of JSON each. Among it are the keys that seal tokens.
func Dump(ctx context.Context, x versions.Index, c Contents, w io.Writer, p func(Progress)) (Copied, error) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	count := &loader{}
	if err := enc.Encode(entry{Format: format}); err != nil {
		return count.copied, err
	}
	err := dump(ctx, x, nil, c, func(e entry) error {
		count.count(e)
		count.tell(p, "dump")
		return enc.Encode(e)
	})
	if err == nil {
		err = enc.Encode(entry{End: &count.copied})
	}
	return count.copied, err
}

// count counts an entry that is not loaded.
func (l *loader) count(e entry) {
	switch {
	case e.Value != nil:
		l.copied.Values++
	case e.Bucket != nil:
		l.copied.Buckets++
	case e.Settings != nil:
		l.copied.Settings++
	case e.Tombstone != nil:
		l.copied.Tombstones++
	case e.Slot != nil:
		l.copied.Slots++
	case e.Row != nil:
		l.copied.Rows++
	}
}

// tell tells how far it is, now and then.
func (l *loader) tell(p func(Progress), step string) {
	if c := l.copied; p != nil && (c.Rows+c.Slots+c.Tombstones)%progressEvery == 0 {
		p(Progress{Place: "index", Step: step, Done: c.Rows + c.Slots + c.Tombstones})
	}
}

// errBroken says that a dump is not whole.
var errBroken = errors.New("the dump is not whole: it has no end")

// Load puts what Dump wrote into an index, which may have some of it already: so it can be broken off and done again.
func Load(ctx context.Context, x versions.Index, r io.Reader, p func(Progress)) (Copied, error) {
	l := &loader{x: x}
	dec := json.NewDecoder(r)
	for first := true; ; first = false {
		var e entry
		err := dec.Decode(&e)
		switch {
		case errors.Is(err, io.EOF):
			return l.copied, errBroken
		case err != nil:
			return l.copied, fmt.Errorf("the dump cannot be read: %w", err)
		case first && e.Format != format:
			return l.copied, fmt.Errorf("this is no dump of an index, or of a later version: format %d", e.Format)
		case e.End != nil:
			if *e.End != l.copied {
				return l.copied, errBroken
			}
			return l.copied, nil
		}
		if err := l.load(ctx, e); err != nil {
			return l.copied, err
		}
		l.tell(p, "load")
	}
}
