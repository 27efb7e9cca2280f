// Package upkeep looks after buckets with versions: it compares the index with the storage
// and repairs what differs, collects what nobody needs any more, applies retention, brings buckets
// back to what they were, and makes an index of storage or of a dump.
//
// All of it may run while proxies serve the bucket, and be interrupted and begun again: what was done is not done
// twice, or it can be gone on with from a [Position]. An index that is loaded or migrated is kept from being used by
// notices, see [versions.Notice]. What is found out about an object is out of date at once, so whatever is to be changed is looked at
// again just before.
package upkeep

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/versions"
)

// Place is one place of objects with versions that is looked after, and how.
type Place struct {
	*versioned.Place
	Name string // for who reads reports: the bucket, and the data type when there are several

	Concurrency int            // how many objects are looked at at once; 16 when 0
	Progress    func(Progress) // told now and then, by one call at a time; may be nil
}

// Progress is how far something has come.
type Progress struct {
	Place string `json:"place"`
	Step  string `json:"step"`
	Done  int64  `json:"done"`
	Total int64  `json:"total,omitempty"` // 0: not known

	// Position is from where another run would go on. It is empty where one does not do anything twice anyway.
	Position Position `json:"position,omitzero"`
}

// maxConcurrent is how many objects are looked at at once when nobody says how many.
const maxConcurrent = 16

// pageSize is how much is read of the index at a time.
const pageSize = 1000

// object is all that the index has of an object but its rows. It is what was there some time ago.
type object struct {
	versions.Head
	entries []versions.Entry // the newest first
	slots   []versions.Slot  // in order
	mark    *mark            // of the walk
}

// cursor reads pages of the index one item after the other.
type cursor[T any] struct {
	load func(last *T) ([]T, error) // what is behind last, or from the beginning when it is nil

	page []T
	i    int
	end  bool
}

// peek returns what comes next without passing it; nil at the end.
func (c *cursor[T]) peek() (*T, error) {
	if c.i < len(c.page) {
		return &c.page[c.i], nil
	}
	if c.end {
		return nil, nil
	}
	var last *T
	if len(c.page) > 0 {
		last = &c.page[len(c.page)-1]
	}
	page, err := c.load(last)
	if err != nil {
		return nil, err
	}
	c.page, c.i, c.end = page, 0, len(page) < pageSize
	if len(page) == 0 {
		return nil, nil
	}
	return &page[0], nil
}

// take appends the items of a key that come next.
func (c *cursor[T]) take(into []T, has func(*T) bool) ([]T, error) {
	for {
		item, err := c.peek()
		if err != nil || item == nil || !has(item) {
			return into, err
		}
		into = append(into, *item)
		c.i++
	}
}

// heads are the objects of a span that have rows.
func (p *Place) heads(ctx context.Context, s span) *cursor[versions.Head] {
	return &cursor[versions.Head]{load: func(last *versions.Head) ([]versions.Head, error) {
		r := versions.Range{BucketID: p.BucketID, Prefix: s.prefix, From: versions.Position{Key: s.from()}, Limit: pageSize}
		if last != nil {
			r.From.Key = last.Key + "\x00"
		}
		return p.Index.Heads(ctx, r)
	}}
}

// entries are the versions of a span.
func (p *Place) entries(ctx context.Context, s span) *cursor[versions.Entry] {
	return &cursor[versions.Entry]{load: func(last *versions.Entry) ([]versions.Entry, error) {
		r := versions.Range{BucketID: p.BucketID, Prefix: s.prefix, From: versions.Position{Key: s.from()}, Limit: pageSize}
		if last != nil {
			r.From = versions.Position{Key: last.Key, Time: last.Version.Time.Add(-time.Millisecond)}
		}
		return p.Index.Versions(ctx, r)
	}}
}

// slots are the slots of a span.
func (p *Place) slots(ctx context.Context, s span) *cursor[versions.Slot] {
	c := &cursor[versions.Slot]{}
	c.load = func(last *versions.Slot) ([]versions.Slot, error) {
		from := versions.Slot{Object: p.Object(s.from())}
		if last != nil {
			from.Object, from.N = last.Object, last.N+1
		}
		page, err := p.Index.Slots(ctx, from, pageSize)
		for i := range page {
			if !strings.HasPrefix(page[i].Key, s.prefix) {
				c.end = true
				return page[:i], err
			}
		}
		return page, err
	}
	return c
}

// walk calls do with each object of a span of which the index knows anything, several at a time, until one
// call fails. withSlots says whether slots are wanted.
func (w *progress) walk(ctx context.Context, s span, withSlots bool, do func(context.Context, *object) error) error {
	p := w.p
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(p.Concurrency, maxConcurrent))
	heads, entries, slots := p.heads(ctx, s), p.entries(ctx, s), p.slots(ctx, s)
	if !withSlots {
		slots.end = true
	}
	for {
		o, err := next(p, heads, entries, slots)
		if err == nil {
			err = ctx.Err() // one that failed, or the caller's
		}
		if err != nil || o == nil {
			g.Go(func() error { return err })
			break
		}
		o.mark = w.trail.begin(o.Key)
		g.Go(func() error {
			defer w.add()
			err := do(ctx, o)
			if err == nil {
				o.mark.end()
			}
			return err
		})
	}
	return g.Wait()
}

// next is the next object of three cursors; nil at the end.
func next(p *Place, heads *cursor[versions.Head], entries *cursor[versions.Entry], slots *cursor[versions.Slot]) (*object, error) {
	h, err := heads.peek()
	if err != nil {
		return nil, err
	}
	e, err := entries.peek()
	if err != nil {
		return nil, err
	}
	s, err := slots.peek()
	if err != nil {
		return nil, err
	}
	var keys []string
	if h != nil {
		keys = append(keys, h.Key)
	}
	if e != nil {
		keys = append(keys, e.Key)
	}
	if s != nil {
		keys = append(keys, s.Key)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	key := slices.Min(keys)
	o := &object{Head: versions.Head{Object: p.Object(key)}}
	if h != nil && h.Key == key {
		o.Head = *h
		heads.i++
	}
	if o.entries, err = entries.take(nil, func(e *versions.Entry) bool { return e.Key == key }); err != nil {
		return nil, err
	}
	o.slots, err = slots.take(nil, func(s *versions.Slot) bool { return s.Key == key })
	return o, err
}

// progress tells how far a step has come, not too often.
type progress struct {
	p     *Place
	mu    sync.Mutex
	step  string
	all   int64
	done  atomic.Int64
	trail trail
	again bool // another run can go on where this one has come to
}

// progressEvery is after how many items it is told.
const progressEvery = 100

// begin begins a step; total 0 is not known.
func (p *Place) begin(step string, total int64) *progress {
	w := &progress{p: p, step: step, all: total}
	w.tell()
	return w
}

// beginAfter begins a step that another run can go on with: behind what an earlier one had come to.
func (p *Place) beginAfter(step, after string, total int64) *progress {
	w := &progress{p: p, step: step, all: total, trail: trail{after: after}, again: true}
	w.tell()
	return w
}

// tell tells how far it is.
func (w *progress) tell() {
	if w.p.Progress == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	told := Progress{Place: w.p.Name, Step: w.step, Done: w.done.Load(), Total: w.all}
	if w.again {
		told.Position = Position{Place: w.p.BucketID, Step: w.step, After: w.trail.position()}
	}
	w.p.Progress(told)
}

// add counts an item.
func (w *progress) add() {
	if w.done.Add(1)%progressEvery == 0 {
		w.tell()
	}
}

// count counts the objects of a span that have rows.
func (p *Place) count(ctx context.Context, s span) (n int64, err error) {
	c := p.heads(ctx, s)
	for {
		h, err := c.peek()
		if err != nil || h == nil {
			return n, err
		}
		n, c.i = n+int64(len(c.page)-c.i), len(c.page)
	}
}
