package versions

import (
	"context"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xronox/xronox-proxy/backends"
)

// The number of items that are read after a seek when it is not known how many are wanted, and
// its growth while reading goes on.
const (
	firstRead  = 8
	readGrowth = 4
)

// pages walks a range, some items at a time. It stands nowhere until the first seek.
type pages[T any] struct {
	read  func(from Position, limit int) ([]T, error)
	place func(*T) Position
	past  func(Position) Position // the first position behind one
	first int                     // how many are read after a seek

	buffer []T
	i      int  // where it stands
	size   int  // of the last read
	end    bool // nothing is behind the buffer
	err    error
}

// heads walks the heads of a range, whose From and Limit are not used.
func heads(ctx context.Context, x Keys, r Range, first int) *pages[Head] {
	return &pages[Head]{
		read: func(from Position, limit int) ([]Head, error) {
			r.From, r.Limit = from, limit
			return x.Heads(ctx, r)
		},
		place: func(h *Head) Position { return Position{Key: h.Key} },
		past:  func(p Position) Position { return Position{Key: p.Key + "\x00"} },
		first: first,
	}
}

// entries walks the versions of a range, whose From and Limit are not used.
func entries(ctx context.Context, x Keys, r Range, first int) *pages[Entry] {
	return &pages[Entry]{
		read: func(from Position, limit int) ([]Entry, error) {
			r.From, r.Limit = from, limit
			return x.Versions(ctx, r)
		},
		place: func(e *Entry) Position { return Position{e.Key, e.Version.Time} },
		past:  func(p Position) Position { return Position{p.Key, p.Time.Add(-time.Millisecond)} },
		first: first,
	}
}

// item is where it stands.
func (p *pages[T]) item() *T { return &p.buffer[p.i] }

// seek moves to the first item that is not before a position; false at the end, and on an error.
func (p *pages[T]) seek(to Position) bool {
	var ok bool
	if to.Key, ok = Ceiling(to.Key); !ok || p.err != nil {
		return false
	}
	if len(p.buffer) > 0 && !to.before(p.place(&p.buffer[0])) {
		p.i = sort.Search(len(p.buffer), func(i int) bool { return !p.place(&p.buffer[i]).before(to) })
		if p.i < len(p.buffer) || p.end {
			return p.i < len(p.buffer)
		}
	}
	p.size = p.first
	return p.load(to)
}

// next moves one on.
func (p *pages[T]) next() bool {
	if p.err != nil || p.i >= len(p.buffer) {
		return false
	}
	if p.i++; p.i < len(p.buffer) || p.end {
		return p.i < len(p.buffer)
	}
	p.size = min(p.size*readGrowth, backends.DefaultMaxKeys)
	return p.load(p.past(p.place(&p.buffer[p.i-1])))
}

// load reads what comes next.
func (p *pages[T]) load(from Position) bool {
	p.buffer, p.err = p.read(from, p.size)
	p.i, p.end = 0, len(p.buffer) < p.size
	return p.err == nil && len(p.buffer) > 0
}

// before is the order of positions.
func (p Position) before(q Position) bool {
	if c := strings.Compare(p.Key, q.Key); c != 0 {
		return c < 0
	}
	if p.Time.IsZero() || q.Time.IsZero() {
		return p.Time.IsZero() && !q.Time.IsZero()
	}
	return p.Time.After(q.Time)
}

// Ceiling is the least string of UTF-8 that is not less than key. What is sought is often a
// [backends.PrefixEnd], which need not be UTF-8, and not every index takes others. All keys are
// UTF-8, so none is missed. False when there is none.
func Ceiling(key string) (string, bool) {
	head, rest := cutInvalid(key)
	for rest != "" {
		if r, ok := leastRune(rest); ok {
			return head + string(r), true
		}
		if head == "" {
			return "", false
		}
		// Nothing that begins with head is great enough: its last rune must be a greater one.
		_, size := utf8.DecodeLastRuneInString(head)
		head, rest = head[:len(head)-size], head[len(head)-size:]+"\xff"
	}
	return head, true
}

// cutInvalid cuts s in front of the first byte that is not UTF-8.
func cutInvalid(s string) (valid, rest string) {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(r)) {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// leastRune is the least rune whose bytes are not less than s; false when there is none.
func leastRune(s string) (rune, bool) {
	const surrogates, count = 0xd800, 0x800 // the gap in the order of runes
	nth := func(i int) rune {
		if i >= surrogates {
			i += count
		}
		return rune(i)
	}
	const all = utf8.MaxRune + 1 - count
	i := sort.Search(all, func(i int) bool { return string(nth(i)) >= s })
	return nth(i), i < all
}
