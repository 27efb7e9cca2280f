package config

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// A shape is what a value must look like. It is declared once and says it
// three times: as the validator of v3.1.0 (strict, with the semantics and
// messages of Zod 3), as the lenient validator, and as JSON Schema.
type shape interface {
	// check judges n, which is neither absent nor, unless strict, null. It
	// returns n as far as it is usable, with defaults put in.
	check(c *checker, p path, n *node) (*node, status)
	// schema is the lenient form in JSON Schema.
	schema() map[string]any
}

// status is what became of a check, in Zod's terms: refinements run on what is
// dirty, and not on what is aborted.
type status uint8

// The statuses; the larger one wins.
const (
	ok      status = iota
	dirty          // the right type, and a wrong value
	aborted        // a wrong type, or something missing
)

// path is where a value is: names and indexes joined by dots.
type path string

// key is the path of a member, or of an item.
func (p path) key(name string) path {
	if p == "" {
		return path(name)
	}
	return p + "." + path(name)
}

// name is the last name of p that is not an index.
func (p path) name() string {
	parts := strings.Split(string(p), ".")
	for _, s := range slices.Backward(parts) {
		if index(s) > 1<<32 {
			return s
		}
	}
	return ""
}

// checker judges one file.
type checker struct {
	strict bool
	// advisory is above zero inside a section of no concern to the proxy,
	// where the lenient validator warns and drops.
	advisory int
	report   Report
}

// problem reports one, as an error unless advisory says otherwise.
func (c *checker) problem(p path, n *node, message, hint string) {
	s := SeverityError
	if c.advisory > 0 {
		s = SeverityWarning
	}
	c.add(p, n, Problem{Message: message, Hint: hint, Severity: s})
}

// warn reports a warning.
func (c *checker) warn(p path, n *node, message, hint string) {
	c.add(p, n, Problem{Message: message, Hint: hint, Severity: SeverityWarning})
}

// add completes a problem by its place.
func (c *checker) add(p path, n *node, pr Problem) {
	pr.Path, pr.Value = string(p), first(pr.Value, show(p, n))
	if n != nil {
		pr.Line = n.line
	}
	c.report = append(c.report, pr)
}

// wrongType reports a type, as Zod does.
func (c *checker) wrongType(p path, n *node, want string) (*node, status) {
	c.problem(p, n, "Expected "+want+", received "+n.typeName(), typeHint(n, want))
	return nil, aborted
}

// typeHint says what to do with a value that should be of type want.
func typeHint(n *node, want string) string {
	hint := "write " + map[string]string{
		"string": "a text", "number": "a number", "boolean": "true or false", "array": "a list", "object": "an object",
	}[want]
	switch {
	case strings.HasPrefix(want, "'"):
		hint = "write one of these"
	case want == "string" && (n.kind == kindNumber || n.kind == kindBool):
		hint = "put the value in quotes"
	case n.kind == kindText && (want == "number" || want == "boolean"):
		hint = "write it without quotes"
		if n.token != "" {
			hint = "an ENV token is always a text; write the value itself"
		}
	}
	return hint
}

// boolShape is true or false.
type boolShape struct{}

// check implements shape.
func (boolShape) check(c *checker, p path, n *node) (*node, status) {
	if n.kind != kindBool {
		return c.wrongType(p, n, "boolean")
	}
	return n, ok
}

// anyShape is whatever there is.
type anyShape struct{}

// check implements shape.
func (anyShape) check(_ *checker, _ path, n *node) (*node, status) { return n, ok }

// numberShape is a number. Where whole is set, 30.0 and 3e1 are whole.
type numberShape struct {
	whole   bool
	min     float64
	above   bool    // min itself is too small
	max     float64 // zero: none
	message string  // when too small; empty: Zod's own
}

// check implements shape.
func (s numberShape) check(c *checker, p path, n *node) (*node, status) {
	if n.kind != kindNumber {
		return c.wrongType(p, n, "number")
	}
	st := ok
	if s.whole && (math.Trunc(n.number) != n.number || math.IsInf(n.number, 0)) {
		c.problem(p, n, "Expected integer, received float", "write a whole number")
		if !c.strict {
			return nil, dirty // one problem is enough
		}
		st = dirty
	}
	if s.max > 0 && n.number > s.max {
		c.problem(p, n, "Number must be less than or equal to "+strconv.FormatFloat(s.max, 'f', -1, 64), "write a smaller number")
		st = dirty
	}
	if n.number < s.min || s.above && n.number == s.min {
		message := s.message
		if message == "" {
			message = "Number must be greater than "
			if !s.above {
				message += "or equal to "
			}
			message += strconv.FormatFloat(s.min, 'f', -1, 64)
		}
		c.problem(p, n, message, "write a larger number")
		st = dirty
	}
	if st != ok {
		return nil, st
	}
	return n, ok
}

// listShape is an array.
type listShape struct {
	of         shape
	minMessage string // not empty: an empty array is refused with it
}

// check implements shape.
func (s listShape) check(c *checker, p path, n *node) (*node, status) {
	if n.kind != kindList {
		return c.wrongType(p, n, "array")
	}
	st := ok
	if s.minMessage != "" && len(n.items) == 0 {
		c.problem(p, n, s.minMessage, "add an item")
		st = dirty
	}
	out := &node{kind: kindList, line: n.line}
	for i, item := range n.items {
		q := p.key(strconv.Itoa(i))
		if item.kind == kindNull && !c.strict {
			if _, takesAll := s.of.(anyShape); !takesAll {
				c.problem(q, item, "Required", "remove the empty item")
				out.items, st = append(out.items, item), aborted
				continue
			}
		}
		good, ist := s.of.check(c, q, item)
		st = max(st, ist)
		if good == nil {
			good = &node{} // the others keep their places
		}
		out.items = append(out.items, good)
	}
	return out, st
}

// mapShape is an object whose names are the configuration's own.
type mapShape struct {
	of  shape
	key *rule // of names; nil: any
}

// check implements shape.
func (s mapShape) check(c *checker, p path, n *node) (*node, status) {
	if n.kind != kindObject {
		return c.wrongType(p, n, "object")
	}
	st, out := ok, object(n.line)
	c.repeated(p, n)
	for _, name := range n.ordered() {
		q, item := p.key(name), n.members[name]
		if s.key != nil && !s.key.re().MatchString(name) {
			c.problem(q, &node{kind: kindText, text: name, line: item.line}, s.key.message, s.key.hint)
			st = max(st, dirty)
		}
		if item.kind == kindNull && !c.strict {
			if _, takesAll := s.of.(anyShape); !takesAll {
				c.warn(q, item, "This is empty, as if it were not there", "remove it, or fill it in")
				continue
			}
		}
		good, ist := s.of.check(c, q, item)
		st = max(st, ist)
		if good != nil {
			out.set(name, good)
		}
	}
	return out, st
}

// repeated warns of names that came twice.
func (c *checker) repeated(p path, n *node) {
	if c.strict {
		return
	}
	for _, name := range n.again {
		c.warn(p.key(name), n.members[name], "This comes more than once, and the last one counts", "remove the others")
	}
}
