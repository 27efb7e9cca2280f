package config

import "slices"

// stray looks for what was meant for us and stands where nobody reads it: a
// misspelt section, or settings without their section. Xronox drops members that
// it does not know, so that other programs may keep theirs in the same file:
// what looks like none of ours is passed over, unless there is nothing else.
func (v *validator) stray(root *node) {
	ours, known := proxyShape().names(), []string{"xronoxProxy"}
	if !v.opts.Strict {
		known = append(known, xronoxShape().names()...)
		known = append(known, "xronox")
	}
	used, foreign := false, false
	for _, name := range root.ordered() {
		at := spot{path(name), root.members[name]}
		switch hint := suggest(name, known); {
		case slices.Contains(known, name), slices.Contains(xronoxShape().names(), name):
			used = true
		case name == "$schema": // for editors
		case slices.Contains(ours, name):
			foreign = true
			v.note(at, "This belongs into xronoxProxy, and has no effect here", `move it into the object "xronoxProxy"`)
		default:
			foreign = true
			if hint != "" {
				v.note(at, "Unknown member, ignored", hint)
			}
		}
	}
	if foreign && !used && !v.opts.Strict {
		v.fail(spot{}, "Nothing in this file is known to Xronox or to xronox-proxy", `put the settings of the proxy into the object "xronoxProxy"`)
	}
}
