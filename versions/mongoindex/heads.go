package mongoindex

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/xronox/xronox-proxy/versions"
)

// How many rows are read at once.
const (
	fewRows   = 16
	manyRows  = 2000
	rowsAHead = 64 // from so many rows read for each head on, few are read, so that the rest of a history is not
)

// byKey has the top row of each object before its others.
var byKey = bson.D{field("k", up), field("s", down)}

// InsertKey implements [versions.Keys]. A row lists its object.
func (x *Index) InsertKey(ctx context.Context, _ versions.Object) error { return ctx.Err() }

// Heads implements [versions.Keys].
func (x *Index) Heads(ctx context.Context, r versions.Range) ([]versions.Head, error) {
	ctx, end, err := x.begin(ctx)
	defer end()
	if err != nil || r.Limit <= 0 {
		return nil, err
	}
	h := &headReader{x: x, Range: r, from: max(r.Prefix, r.From.Key)}
	// Fast path: where histories are short, nothing is gained by hints.
	for err == nil && !h.done() && h.each <= farRows {
		err = h.read(ctx, nil)
	}
	if err == nil && !h.done() {
		err = h.readHinted(ctx, max(r.Prefix, r.From.Key)) // Slow path.
		h.note(ctx)
	}
	if err != nil {
		return nil, err
	}
	return h.list, nil
}

// headReader reads heads, from one key on.
type headReader struct {
	x *Index
	versions.Range
	from string
	list []versions.Head

	each  int  // rows that were read at last for each head
	long  bool // they were many
	end   bool // nothing is behind what was read
	notes []hint
}

// done reports whether there is nothing more to read.
func (h *headReader) done() bool { return h.end || len(h.list) >= h.Limit }

// size is how many rows are read next.
func (h *headReader) size() int {
	if h.long {
		return fewRows
	}
	return min(max((h.Limit-len(h.list))*(max(h.each, 1)+1), fewRows), manyRows)
}

// readHinted reads on with hints. The hints are read from start, where the listing began, so that those which are
// there are not left again.
func (h *headReader) readHinted(ctx context.Context, start string) error {
	for ; !h.done(); start = h.from {
		count := min(h.Limit, manyRows)
		hints, err := find[hint](ctx, h.x.hints, query{
			filter: bson.D{field("b", h.BucketID), field("k", startingAt(h.Prefix, start))},
			sort:   bson.D{field("k", up)}, limit: count,
		})
		if err != nil {
			return err
		}
		last := len(hints) < count // of all hints there are
		h.forgetNotes(hints)
		for hints = hintsFrom(hints, h.from); len(hints) > 0 && !h.done(); hints = hintsFrom(hints, h.from) {
			if err := h.readGroup(ctx, hints[:min(len(hints), hintGroup)]); err != nil {
				return err
			}
			h.noteMany(ctx)
		}
		for last && !h.done() {
			if err := h.read(ctx, nil); err != nil {
				return err
			}
			h.noteMany(ctx)
		}
	}
	return nil
}

// readGroup reads on up to and with the object of the last of some hints.
func (h *headReader) readGroup(ctx context.Context, hints []hint) error {
	if err := h.read(ctx, hints); err != nil {
		return err
	}
	if last := hints[len(hints)-1].Key; h.end {
		h.from, h.end = max(h.from, last+"\x00"), false
	}
	return nil
}

// read reads rows once: up to and with the last of the hinted objects, or without hints to the end of the range.
func (h *headReader) read(ctx context.Context, hints []hint) error {
	size := h.size()
	found, err := find[row](ctx, h.x.rows, query{filter: h.filter(hints), sort: byKey, limit: size})
	if err != nil {
		return err
	}
	h.end = len(found) < size
	if stale, ok := h.stale(found, hints); ok {
		return h.readWithout(ctx, found, stale)
	}
	return h.add(found)
}

// filter finds the rows of objects from h.from on: of those that have hints, from these on.
func (h *headReader) filter(hints []hint) bson.D {
	if len(hints) == 0 {
		return bson.D{field("b", h.BucketID), field("k", startingAt(h.Prefix, h.from))}
	}
	var filters []bson.D
	from := h.from
	for _, hint := range hints {
		if from < hint.Key {
			filters = append(filters, bson.D{field("b", h.BucketID), field("k", bson.D{field("$gte", from), field("$lt", hint.Key)})})
		}
		o := versions.Object{BucketID: h.BucketID, Key: hint.Key}
		filters = append(filters, of(o, field("s", bson.D{field("$gte", hint.Seq)})))
		from = hint.Key + "\x00"
	}
	return anyOf(filters...)
}

// stale returns the first hinted object that was passed and has no row from its hint on. A bucket's
// hint can be left when the bucket is forgotten, and hide what begins anew.
func (h *headReader) stale(found []row, hints []hint) (string, bool) {
	for _, hint := range hints {
		for len(found) > 0 && found[0].Key < hint.Key {
			found = found[1:]
		}
		switch {
		case len(found) > 0 && found[0].Key > hint.Key, len(found) == 0 && h.end:
			return hint.Key, true
		case len(found) == 0:
			return "", false
		}
	}
	return "", false
}

// readWithout takes what was found before an object, and reads that one without its hint.
func (h *headReader) readWithout(ctx context.Context, found []row, key string) error {
	before := 0
	for before < len(found) && found[before].Key < key {
		before++
	}
	if err := h.add(found[:before]); err != nil || h.done() && !h.end {
		return err
	}
	o := versions.Object{BucketID: h.BucketID, Key: key}
	top, err := find[row](ctx, h.x.rows, query{filter: of(o), sort: bySeq, limit: 1})
	if err != nil {
		return err
	}
	h.end = false
	if err := h.add(top); err != nil {
		return err
	}
	h.from = key + "\x00"
	for _, r := range top {
		h.notes = append(h.notes, hint{Key: key, Seq: r.Seq})
	}
	return nil
}

// add takes the heads of what was found, and notes hints for those that had many rows.
func (h *headReader) add(found []row) error {
	heads, rows := len(h.list), len(found)
	for len(found) > 0 {
		top, count := found[0], 1
		for count < len(found) && found[count].Key == top.Key {
			count++
		}
		found = found[count:]
		if count > farRows {
			h.notes = append(h.notes, hint{Key: top.Key, Seq: top.Seq})
		}
		h.from = strings.Clone(top.Key) + "\x00"
		if len(h.list) == h.Limit {
			break
		}
		decoded, err := top.decode()
		if err != nil {
			return err
		}
		o := versions.Object{BucketID: h.BucketID, Key: top.Key}
		h.list = append(h.list, versions.Head{Object: o, Top: decoded})
	}
	heads = max(len(h.list)-heads, 1)
	h.each = (rows + heads - 1) / heads
	h.long = h.each > rowsAHead || h.long && rows >= fewRows && heads < fewRows/2
	return nil
}
