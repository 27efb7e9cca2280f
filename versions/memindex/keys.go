package memindex

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/versions"
)

// InsertKey implements [versions.Keys].
func (x *Index) InsertKey(ctx context.Context, o versions.Object) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	x.keep(o)
	return nil
}

// Heads implements [versions.Keys].
func (x *Index) Heads(ctx context.Context, r versions.Range) ([]versions.Head, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []versions.Head
	for _, key := range x.within(r) {
		o := versions.Object{BucketID: r.BucketID, Key: key}
		if len(list) >= r.Limit {
			break
		}
		if h := x.objects[o]; len(h.rows) > 0 {
			list = append(list, versions.Head{Object: o, Top: h.top()})
		}
	}
	return list, ctx.Err()
}

// Versions implements [versions.Keys].
func (x *Index) Versions(ctx context.Context, r versions.Range) ([]versions.Entry, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []versions.Entry
	for _, key := range x.within(r) {
		o := versions.Object{BucketID: r.BucketID, Key: key}
		for _, row := range x.objects[o].latest() {
			if len(list) >= r.Limit {
				return list, ctx.Err()
			}
			if key > r.From.Key || r.From.Time.IsZero() || !row.Version.Time.After(r.From.Time) {
				list = append(list, versions.Entry{Object: o, Row: copyRow(row)})
			}
		}
	}
	return list, ctx.Err()
}

// within returns the keys of a range, whatever its limit.
func (x *Index) within(r versions.Range) []string {
	keys := x.keys[r.BucketID]
	first, _ := slices.BinarySearch(keys, max(r.Prefix, r.From.Key))
	last := first
	for last < len(keys) && strings.HasPrefix(keys[last], r.Prefix) {
		last++
	}
	return keys[first:last]
}

// latest returns the latest row about each version, those of the newest versions first.
func (h *history) latest() []versions.Row {
	about := map[int64]versions.Row{}
	for _, r := range h.rows {
		about[r.Version.Time.UnixMilli()] = r
	}
	times := slices.Sorted(maps.Keys(about))
	slices.Reverse(times)
	rows := make([]versions.Row, len(times))
	for i, t := range times {
		rows[i] = about[t]
	}
	return rows
}

// Forget implements [versions.Keys].
func (x *Index) Forget(ctx context.Context, bucketID string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, key := range x.keys[bucketID] {
		delete(x.objects, versions.Object{BucketID: bucketID, Key: key})
	}
	delete(x.keys, bucketID)
	delete(x.settings, bucketID)
	return nil
}
