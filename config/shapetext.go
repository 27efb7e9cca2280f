package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// textShape is a string.
type textShape struct {
	minMessage string            // not empty: an empty text is refused with it
	enum       []string          // not nil: one of these
	rule       *rule             // lenient: what else it must match
	strict     func(string) bool // strict: instead of rule
	strictSays string            // the message of strict
}

// rule is a pattern, in the syntax that RE2 and ECMAScript share.
type rule struct {
	pattern string
	message string
	hint    string
	once    sync.Once
	program *regexp.Regexp
}

// re compiles the pattern once.
func (r *rule) re() *regexp.Regexp {
	r.once.Do(func() { r.program = regexp.MustCompile(r.pattern) })
	return r.program
}

// atLeastOne is Zod's message for an empty text.
const atLeastOne = "String must contain at least 1 character(s)"

// Frequent shapes of text.
var (
	anyText  = textShape{}
	nonEmpty = textShape{minMessage: atLeastOne}
)

// said is a text that is refused with message when it is empty.
func said(message string) textShape { return textShape{minMessage: message} }

// oneOf is one of a few texts.
func oneOf(values ...string) textShape { return textShape{enum: values} }

// check implements shape.
func (s textShape) check(c *checker, p path, n *node) (*node, status) {
	if n.unset { // one problem is enough
		if s.enum != nil || s.rule != nil {
			return nil, ok
		}
		return n, ok
	}
	if s.enum != nil {
		return s.checkEnum(c, p, n)
	}
	if n.kind != kindText {
		c.problem(p, n, "Expected string, received "+n.typeName(), s.typeHint(n))
		return nil, aborted
	}
	switch {
	case s.minMessage != "" && n.text == "":
		c.problem(p, n, s.minMessage, "write a value, or remove the member if it is optional")
		return n, dirty
	case c.strict && s.strict != nil && !s.strict(n.text):
		c.problem(p, n, s.strictSays, s.rule.hint)
		return n, dirty
	case c.strict && s.strict != nil:
		return n, ok
	case s.rule != nil && !s.rule.re().MatchString(n.text):
		c.problem(p, n, s.rule.message, s.rule.hint)
		return nil, dirty
	}
	return n, ok
}

// typeHint is the hint for a value that is no text. What would not do in quotes
// either is told so at once.
func (s textShape) typeHint(n *node) string {
	hint := typeHint(n, "string")
	if n.kind == kindNumber && s.rule != nil && !s.rule.re().MatchString(strconv.FormatFloat(n.number, 'f', -1, 64)) {
		hint += ", and " + s.rule.hint
	}
	return hint
}

// checkEnum is check for enumerations, which abort as Zod's do.
func (s textShape) checkEnum(c *checker, p path, n *node) (*node, status) {
	list := "'" + strings.Join(s.enum, "' | '") + "'"
	if n.kind != kindText {
		return c.wrongType(p, n, list)
	}
	if !slices.Contains(s.enum, n.text) {
		received := n.text
		if n.token != "" && !c.strict {
			received = n.token // what it stands for may be a secret
		}
		if maybeKey(p) {
			received = masked
		}
		c.problem(p, n, "Invalid enum value. Expected "+list+", received '"+received+"'", first(suggest(n.text, s.enum), "write one of these"))
		return nil, aborted
	}
	return n, ok
}
