package config

import (
	"fmt"
	"slices"
	"strconv"
)

// validator checks what no single value can show: references, and what must
// hold between sections. It looks at the decoded configuration, and at the
// file for places.
type validator struct {
	*checker
	cfg  *Config
	opts Options
	dir  string // of the file
}

// spot is a value and where it is.
type spot struct {
	path path
	node *node
}

// key is the spot of a member.
func (s spot) key(name string) spot { return spot{s.path.key(name), s.node.get(name)} }

// item is the spot of an item.
func (s spot) item(i int) spot {
	q := spot{path: s.path.key(strconv.Itoa(i))}
	if s.node != nil && i < len(s.node.items) {
		q.node = s.node.items[i]
	}
	return q
}

// ref is a reference as it may be shown: a token instead of its value.
func (s spot) ref(ref string) string {
	if s.node != nil && s.node.token != "" {
		return s.node.token
	}
	return ref
}

// elsewhere is the hint for a dangling reference.
func elsewhere(ref string, known []string) string {
	return first(suggest(ref, known), "add the connection, or correct the reference")
}

// fail reports an error at s.
func (v *validator) fail(s spot, message, hint string) { v.problem(s.path, s.node, message, hint) }

// note reports a warning at s.
func (v *validator) note(s spot, message, hint string) { v.warn(s.path, s.node, message, hint) }

// check checks the values and decodes them. It reports whether it makes sense
// to look further.
func (v *validator) check(root *node) bool {
	older := false
	if v.opts.Strict || hasXronox(root) {
		v.strict = v.opts.Strict
		x, _ := xronoxShape().check(v.checker, "", root)
		v.strict = false
		if len(v.report) == 0 || !v.opts.Strict {
			v.cfg.Xronox = &Xronox{}
			decode(x, v.cfg.Xronox)
		}
	} else {
		older = v.generation(root)
	}
	p := root.get("xronoxProxy")
	if p != nil && p.kind != kindNull {
		if good, _ := proxyShape().check(v.checker, "xronoxProxy", p); good != nil {
			decode(good, &v.cfg.Proxy)
		}
	}
	if !older {
		v.stray(root)
	}
	return v.cfg.Xronox != nil || !v.opts.Strict
}

// hasXronox reports whether root has a part of Xronox at all.
func hasXronox(root *node) bool {
	for _, f := range xronoxShape().fields {
		if root.get(f.name) != nil {
			return true
		}
	}
	return false
}

// validate does the checks.
func (v *validator) validate(root *node) {
	switch {
	case v.cfg.Xronox == nil:
	case v.opts.Strict:
		v.construct()
	default:
		v.generation(root)
		v.databases(root)
	}
	v.proxy(spot{"xronoxProxy", root.get("xronoxProxy")})
}

// construct is what v3.1.0 refuses after validation, in its constructors.
// Its other checks there cannot fail any more.
func (v *validator) construct() {
	x := v.cfg.Xronox
	switch {
	case len(x.SpacesConnections) == 0 && (x.LocalStorage == nil || !x.LocalStorage.Enabled):
		v.problem("", nil, "Must provide either spacesConnections (S3) or localStorage configuration", "add a connection, or localStorage with enabled true")
	case x.CollectionMaps == nil:
		v.problem("", nil, "Cannot convert undefined or null to object", "v3.1.0 cannot start without collectionMaps; add an empty one")
	}
}

// databases checks the part of Xronox, leniently.
func (v *validator) databases(root *node) {
	x := v.cfg.Xronox
	conns := spot{"spacesConnections", root.get("spacesConnections")}
	for _, name := range sorted(x.SpacesConnections) {
		v.connection(conns.key(name), x.SpacesConnections[name])
	}
	seen := map[Scope]bool{}
	for _, at := range entryNodes(root.get("databases")) {
		s := spot{at.path, at.node}
		if seen[at.scope] {
			v.note(s, "Another entry has the same scope, and the first one counts", "remove one of them")
			continue
		}
		seen[at.scope] = true
		v.entry(s, at)
	}
	v.dynamic(spot{"databases", root.get("databases")})
}

// entry checks the references of an entry, and that it has buckets.
func (v *validator) entry(s spot, at entryNode) {
	x := v.cfg.Xronox
	e, ok := x.Entry(at.scope)
	if !ok {
		return // broken, and reported
	}
	v.dbRef(s.key("dbConnRef"), e.DBConnRef)
	if !v.spacesRef(s.key("spaceConnRef"), e.SpaceConnRef) {
		return
	}
	offered := at.scope.Offered()
	var missing []DataType
	for _, t := range offered {
		if _, err := ResolveBucket(x, at.scope, t, LayoutCR001); err != nil {
			missing = append(missing, t)
		}
	}
	switch {
	case len(missing) == len(offered):
		v.fail(s, "No bucket is configured for this database, neither here nor at its connection", `add "recordsBucket" and the like, or "buckets" at the connection`)
	case len(missing) > 0:
		v.note(s, "No bucket is configured for "+joined(missing)+"; the proxy does not offer that here", `add "`+string(missing[0])+`Bucket", or "buckets" at the connection`)
	}
}

// dbRef checks a reference to a MongoDB. Only the index needs one.
func (v *validator) dbRef(s spot, ref string) {
	if _, ok := v.cfg.Xronox.DBConnections[ref]; ref != "" && !ok {
		v.note(s, fmt.Sprintf(danglingDB, s.ref(ref)), "Xronox v3.1.0 refuses the file; the proxy goes on")
	}
}

// spacesRef checks a reference to an object store, and reports whether objects
// can be kept there.
func (v *validator) spacesRef(s spot, ref string) bool {
	x := v.cfg.Xronox
	local := x.LocalStorage != nil && x.LocalStorage.Enabled
	_, ok := x.SpacesConnections[ref]
	switch {
	case ok || ref == "":
	case local:
		v.note(s, fmt.Sprintf(danglingSpaces, s.ref(ref)), "local disk is used; Xronox v3.1.0 refuses the file")
	default:
		v.fail(s, fmt.Sprintf(danglingSpaces, s.ref(ref)), elsewhere(ref, sorted(x.SpacesConnections)))
	}
	return ok || local
}

// dynamic checks the references of dynamicTenants.
func (v *validator) dynamic(s spot) {
	for _, name := range []string{"metadata", "knowledge", "runtime"} {
		d, q := v.cfg.Xronox.Dynamic(name), s.key(name).key("dynamicTenants")
		if d == nil || !d.Enabled {
			continue
		}
		v.spacesRef(q.key("spaceConnRef"), d.SpaceConnRef)
		v.dbRef(q.key("dbConnRef"), d.DBConnRef)
		for _, tier := range sorted(d.Tiers) {
			r := q.key("tiers").key(tier)
			v.spacesRef(r.key("spaceConnRef"), d.Tiers[tier].SpaceConnRef)
			v.dbRef(r.key("dbConnRef"), d.Tiers[tier].DBConnRef)
		}
	}
}

// sorted returns the names of a map in order.
func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// joined is a list of data types in words.
func joined(types []DataType) string {
	s := ""
	for i, t := range types {
		switch {
		case i == 0:
		case i == len(types)-1:
			s += " and "
		default:
			s += ", "
		}
		s += string(t)
	}
	return s
}
