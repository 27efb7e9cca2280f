package backends

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/xronox/xronox-proxy/s3err"
)

// maxConcurrent is how many sources are asked at once.
const maxConcurrent = 8

// stuck is the error of a store that would be asked forever.
func stuck() error {
	return s3err.New(s3err.InternalError).Because(errors.New("BUG: a page of a listing does not go on after the one before"))
}

// position is where a listing goes on: after that entry.
type position struct {
	name     string // key or common prefix
	uploadID string // of an upload; of a version its VersionId
}

// entry is what a page of a listing consists of.
type entry[T any] struct {
	position
	isPrefix bool
	value    T // unless it is a prefix
}

// withPrefixes puts common prefixes in between the other entries.
func withPrefixes[T any](values []entry[T], prefixes []types.CommonPrefix) []entry[T] {
	if len(prefixes) == 0 {
		return values
	}
	for _, p := range prefixes {
		values = append(values, entry[T]{position: position{name: aws.ToString(p.Prefix)}, isPrefix: true})
	}
	slices.SortStableFunc(values, func(a, b entry[T]) int { return strings.Compare(a.name, b.name) })
	return values
}

// stream reads the entries of one source, some at a time.
type stream[T any] struct {
	Filter
	read   func(ctx context.Context, after position, limit int32) ([]entry[T], bool, error)
	at     position   // all entries up to here were read
	more   bool       // there are others
	buffer []entry[T] // read and not yet merged
	least  int        // what the next read asks for at the least
}

// The number of entries that are asked for when few are wanted, because some of
// them may not be shown, and its growth while that goes on.
const (
	firstRead  = 8
	readGrowth = 4
)

// fill sees to it that the buffer has an entry, if there is one. It asks for
// what the page wants.
func (s *stream[T]) fill(ctx context.Context, want int) error {
	for len(s.buffer) == 0 && s.more {
		limit := min(max(want, s.least), DefaultMaxKeys)
		buffer, more, err := s.read(ctx, s.at, int32(limit))
		if err != nil {
			return err
		}
		last := s.at
		if len(buffer) > 0 {
			last = buffer[len(buffer)-1].position
		}
		if more && (last == s.at || last.name < s.at.name) {
			return stuck()
		}
		s.buffer, s.more, s.at = buffer, more, last
		s.least = max(firstRead, s.least*readGrowth)
	}
	return nil
}

// shows asks the filter about an entry.
func (s *stream[T]) shows(ctx context.Context, e entry[T]) (bool, error) {
	keep := s.Keep
	if e.isPrefix {
		keep = s.KeepPrefix
	}
	if keep == nil {
		return true, nil
	}
	return keep(ctx, e.name)
}

// skip goes on behind an entry that is not shown.
func (s *stream[T]) skip(e entry[T]) {
	if s.Skip == nil {
		return
	}
	after, ok := s.Skip(e.name)
	if !ok {
		return
	}
	for len(s.buffer) > 0 && s.buffer[0].name <= after {
		s.buffer = s.buffer[1:]
	}
	if after > s.at.name {
		s.at = position{name: after}
	}
}

// merge makes a page of the entries that streams show.
func merge[T any](ctx context.Context, streams []*stream[T], limit int) (Page[T], error) {
	var page Page[T]
	if limit <= 0 {
		return page, ctx.Err()
	}
	if err := fillAll(ctx, streams, limit); err != nil {
		return page, err
	}
	for {
		// One more than fits is wanted: whether there is a next page.
		e, ok, err := next(ctx, streams, limit+1-page.size())
		if err != nil || !ok {
			return page, err
		}
		switch {
		case page.size() == limit:
			page.Truncated = true
			return page, nil
		case e.isPrefix:
			page.addPrefix(e.name)
		default:
			page.addValue(e.name, e.value)
		}
	}
}

// fillAll asks all sources at once for a first share of the page. It is a fair one and
// some more: few are asked twice when they take turns, and none for much when one has all.
func fillAll[T any](ctx context.Context, streams []*stream[T], limit int) error {
	fair := limit / max(len(streams), 1)
	share := min(limit+1, fair+fair/4+firstRead)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxConcurrent)
	for _, s := range streams {
		g.Go(func() error { return s.fill(ctx, share) })
	}
	return g.Wait()
}

// next takes the first entry that is shown from the streams; false when there
// is none. Of one name it is the first stream's that shows it.
func next[T any](ctx context.Context, streams []*stream[T], want int) (entry[T], bool, error) {
	for {
		first, err := firstName(ctx, streams, want)
		if err != nil || first == nil {
			return entry[T]{}, false, err
		}
		var found *entry[T]
		for _, s := range streams {
			if len(s.buffer) == 0 || s.buffer[0].name != first.name {
				continue
			}
			e := s.buffer[0]
			s.buffer = s.buffer[1:]
			if found != nil {
				continue
			}
			shown, err := s.shows(ctx, e)
			switch {
			case err != nil:
				return entry[T]{}, false, err
			case shown:
				found = &e
			default:
				s.skip(e)
			}
		}
		if found != nil {
			return *found, true, nil
		}
	}
}

// firstName is the entry that comes first by name; nil at the end of all streams.
func firstName[T any](ctx context.Context, streams []*stream[T], want int) (*entry[T], error) {
	var first *entry[T]
	for _, s := range streams {
		if err := s.fill(ctx, want); err != nil {
			return nil, err
		}
		if len(s.buffer) > 0 && (first == nil || s.buffer[0].name < first.name) {
			first = &s.buffer[0]
		}
	}
	return first, nil
}
