package config

import (
	"fmt"
	"regexp"
	"strconv"
)

// envToken is a text that stands for an environment variable; the whole text,
// and capitals only.
var envToken = regexp.MustCompile(`^ENV\.([A-Z0-9_]+)$`)

// nearToken is what people write and v3.1.0 leaves alone: lower case, and the
// spellings of related programs.
var nearToken = regexp.MustCompile(`^ENV(\.|::)[A-Za-z0-9_]+(\|\|.*)?$`)

// resolveEnv replaces the tokens of the whole file, as Xronox does before it
// looks at anything. An unset variable is an error, and so is an empty one.
func (l *loader) resolveEnv(n *node, p path, jsonPath string) {
	switch n.kind {
	case kindList:
		for i, item := range n.items {
			l.resolveEnv(item, p.key(strconv.Itoa(i)), fmt.Sprintf("%s[%d]", jsonPath, i))
		}
	case kindObject:
		for _, name := range n.ordered() {
			l.resolveEnv(n.members[name], p.key(name), jsonPath+"."+name)
		}
	case kindText:
		l.resolveToken(n, p, jsonPath)
	}
}

// resolveToken replaces one text, if it is a token.
func (l *loader) resolveToken(n *node, p path, jsonPath string) {
	m := envToken.FindStringSubmatch(n.text)
	if m == nil {
		if !l.opts.Strict && nearToken.MatchString(n.text) {
			l.add(Problem{
				Path: string(p), Line: n.line, Value: show(p, n), Severity: SeverityWarning,
				Message: "This looks like an environment token and is taken literally",
				Hint:    "write ENV.NAME, the whole value, in capitals, digits and underscores; there are no defaults",
			})
		}
		return
	}
	value, set := l.opts.Env(m[1])
	if !set || value == "" {
		n.unset = true
		in := ""
		if l.name != "" {
			in = " in file '" + l.name + "'"
		}
		l.add(Problem{
			Path: string(p), Line: n.line, Value: n.text, Severity: SeverityError, Code: "XRONOX_ENV_VAR_MISSING",
			Message: fmt.Sprintf("Environment variable '%s' is required but not set%s. Referenced at JSON path: %s. Please set %s in your environment before starting the application.",
				m[1], in, jsonPath, m[1]),
			Hint: "an empty variable counts as not set",
		})
		return
	}
	n.token, n.text = n.text, value
}
