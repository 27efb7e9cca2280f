package config

import (
	"slices"
	"strings"
)

// field is one member of an object.
type field struct {
	name  string
	of    shape
	doc   string   // one line, for the schema and as a hint
	need  need     // whether it must be there
	value *node    // not nil: what stands for an absent one
	only  onlyMode // whether both validators know it
}

// need says whether a member must be there.
type need uint8

// The needs.
const (
	optional  need = iota
	required       // missing is an error
	expected       // missing is an error for v3.1.0, and otherwise a warning
	unpressed      // missing is an error for v3.1.0, and otherwise nothing
)

// onlyMode says which validator knows a member.
type onlyMode uint8

// The modes.
const (
	always  onlyMode = iota
	lenient          // v3.1.0 drops it
)

// objectShape is an object with known members.
type objectShape struct {
	fields []field
	doc    string
	// closed refuses unknown members; otherwise they are dropped, and the
	// lenient validator says so.
	closed bool
	// open says that other programs keep their members here: unknown ones are
	// dropped in silence; see [validator.stray].
	open bool
	// refine is what holds between members.
	refine func(c *checker, p path, n *node)
}

// check implements shape.
func (s objectShape) check(c *checker, p path, n *node) (*node, status) {
	if n.kind != kindObject {
		return c.wrongType(p, n, "object")
	}
	st, out := ok, object(n.line)
	c.repeated(p, n)
	for _, f := range s.fields {
		good, fst := f.check(c, p, n)
		st = max(st, fst)
		if good != nil {
			out.set(f.name, good)
		}
	}
	if !c.strict {
		st = max(st, s.unknown(c, p, n))
	}
	if s.refine != nil && (st != aborted || !c.strict) {
		s.refine(c, p, n)
	}
	return out, st
}

// check judges the member of n that f describes.
func (f field) check(c *checker, p path, n *node) (*node, status) {
	m, q := n.get(f.name), p.key(f.name)
	if c.strict && f.only == lenient {
		return nil, ok
	}
	if m != nil && m.kind == kindNull && !c.strict {
		if _, takesAll := f.of.(anyShape); !takesAll {
			m = nil
		}
	}
	if m != nil {
		return f.of.check(c, q, m)
	}
	switch {
	case f.value != nil:
		return f.value, ok
	case f.need == required, f.need != optional && c.strict:
		c.problem(q, &node{kind: kindObject, line: n.line}, "Required", "add it. "+f.doc)
		return nil, aborted
	case f.need == expected:
		c.warn(q, &node{kind: kindObject, line: n.line}, "Required", "Xronox v3.1.0 refuses the file without it; the proxy goes on")
	}
	return nil, ok
}

// names are the members that s knows.
func (s objectShape) names() []string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.name
	}
	return names
}

// unknown reports members that s does not know.
func (s objectShape) unknown(c *checker, p path, n *node) status {
	known, st := s.names(), ok
	for _, name := range n.ordered() {
		if slices.Contains(known, name) {
			continue
		}
		q, m, hint := p.key(name), n.members[name], suggest(name, known)
		switch {
		case s.closed:
			c.add(q, m, Problem{
				Message: "Unknown member", Severity: SeverityError,
				Hint:  first(hint, "known are "+strings.Join(known, ", ")),
				Value: show(p.key(first(nearest(name, known), name)), m), // secret, or not, as what was meant
			})
			st = dirty
		case !s.open:
			c.warn(q, m, "Unknown member, ignored", first(hint, "remove it, or look at its name"))
		}
	}
	return st
}

// suggest returns a hint when name looks like a slip for one of known.
func suggest(name string, known []string) string {
	if best := nearest(name, known); best != "" {
		return `did you mean "` + best + `"?`
	}
	return ""
}

// nearest returns the one of known that name looks like a slip for; empty when
// it looks like none.
func nearest(name string, known []string) string {
	best, least := "", 1+len(name)/3
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d <= least && d < max(len(k), 2) {
			best, least = k, d-1
		}
	}
	return best
}

// distance is the number of letters to insert, remove, replace or swap with
// their neighbour to make a into b.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
