package config

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// kind is the type of a node, as JSON has them.
type kind uint8

// The kinds. A nil *node is undefined: the member is not there.
const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindText
	kindList
	kindObject
)

// node is one value of a file. Unlike Go's own form of JSON it keeps the order
// of members, since messages come in that order, and where a value came from.
type node struct {
	kind    kind
	truth   bool
	number  float64
	text    string
	items   []*node
	names   []string // of members, in order of first appearance
	members map[string]*node
	again   []string // members that came more than once
	line    int      // in the file; 0 when unknown
	token   string   // the ENV token that the text replaced
	unset   bool     // the text is an ENV token without a value; reported
}

// object returns an empty object.
func object(line int) *node {
	return &node{kind: kindObject, members: map[string]*node{}, line: line}
}

// textNode returns a text.
func textNode(s string) *node { return &node{kind: kindText, text: s} }

// get returns a member; nil when n has none of that name or is no object.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	return n.members[name]
}

// str returns the text of a member; empty when it is none.
func (n *node) str(name string) string {
	if m := n.get(name); m != nil && m.kind == kindText {
		return m.text
	}
	return ""
}

// set adds or replaces a member. As in JavaScript, the last value of a name
// counts and stands in the place of the first.
func (n *node) set(name string, value *node) {
	if _, ok := n.members[name]; ok {
		n.again = append(n.again, name)
	} else {
		n.names = append(n.names, name)
	}
	n.members[name] = value
}

// ordered returns the names of members in JavaScript's order: whole numbers
// ascending, then the others as they came.
func (n *node) ordered() []string {
	out := slices.Clone(n.names)
	slices.SortStableFunc(out, func(a, b string) int {
		return cmp.Compare(index(a), index(b))
	})
	return out
}

// index returns the number that a name is for JavaScript, else a number past
// every one of those.
func index(name string) uint64 {
	i, err := strconv.ParseUint(name, 10, 32)
	if err != nil || strconv.FormatUint(i, 10) != name || i == math.MaxUint32 {
		return math.MaxUint64
	}
	return i
}

// truthy is JavaScript's idea of true.
func (n *node) truthy() bool {
	switch {
	case n == nil || n.kind == kindNull:
		return false
	case n.kind == kindBool:
		return n.truth
	case n.kind == kindNumber:
		return n.number != 0
	case n.kind == kindText:
		return n.text != ""
	}
	return true
}

// typeName is what Zod calls the type of n.
func (n *node) typeName() string {
	if n == nil {
		return "undefined"
	}
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[n.kind]
}

// maxInt bounds numbers on their way into Go; past it a double has no whole
// numbers of its own.
const maxInt = 1 << 53

// plain returns n as encoding/json would have decoded it.
func (n *node) plain() any {
	switch {
	case n == nil || n.kind == kindNull:
		return nil
	case n.kind == kindBool:
		return n.truth
	case n.kind == kindNumber:
		return min(max(n.number, -maxInt), maxInt)
	case n.kind == kindText:
		return n.text
	case n.kind == kindList:
		out := make([]any, len(n.items))
		for i, m := range n.items {
			out[i] = m.plain()
		}
		return out
	}
	out := make(map[string]any, len(n.members))
	for name, m := range n.members {
		if m != nil {
			out[name] = m.plain()
		}
	}
	return out
}
