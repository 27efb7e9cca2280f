package versionstest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/versions"
)

// naiveVersion is what AWS's documentation says of a version.
type naiveVersion struct {
	id     versions.VersionID
	marker bool
	tag    string
	gone   bool // removed, or a null version that was replaced
}

// naiveObject is the versions of an object as AWS's documentation has them, the newest first.
type naiveObject []*naiveVersion

// put adds a version. There is one null version at most.
func (n *naiveObject) put(id versions.VersionID, marker bool) {
	for _, v := range *n {
		if id.Null && v.id.Null {
			v.gone = true
		}
	}
	*n = slices.Insert(*n, 0, &naiveVersion{id: id, marker: marker})
}

// find returns the version of an ID; nil when there is none.
func (n naiveObject) find(id versions.VersionID) *naiveVersion {
	for _, v := range n {
		if !v.gone && (id.Null && v.id.Null || id == v.id) {
			return v
		}
	}
	return nil
}

// current returns the newest version; nil when there is none.
func (n naiveObject) current() *naiveVersion {
	for _, v := range n {
		if !v.gone {
			return v
		}
	}
	return nil
}

// place is where a version is, or was, of those that were called so the newest.
func (n naiveObject) place(id versions.VersionID) int {
	return slices.IndexFunc(n, func(v *naiveVersion) bool { return id.Null && v.id.Null || id == v.id })
}

// describe says in short what a state, or a naive object, has as its current version.
func describe(id versions.VersionID, marker bool, tag string) string {
	return fmt.Sprintf("%d %v marker=%v %q", id.N, id, marker, tag)
}

// describeVersion is describe for a version of the index.
func describeVersion(v *versions.Version) string {
	if v == nil {
		return "none"
	}
	tag := ""
	if len(v.Tags) > 0 {
		tag = v.Tags[0].Key
	}
	return describe(v.ID, v.Marker, tag)
}

// describe is describe for a version of the model.
func (v *naiveVersion) describe() string {
	if v == nil {
		return "none"
	}
	return describe(v.id, v.marker, v.tag)
}

// disagrees says how a state differs from the object; empty when it does not.
func (n naiveObject) disagrees(s versions.State) string {
	if got, want := describeVersion(s.Current), n.current().describe(); got != want {
		return fmt.Sprintf("current is %s, want %s", got, want)
	}
	null := n.find(versions.VersionID{Null: true})
	if s.HasNull() != (null != nil) || null != nil && s.Null.N != null.id.N {
		return fmt.Sprintf("null is %+v, want %s", s, null.describe())
	}
	return ""
}

// follow does what a row did, and says how the state after it is another; empty when it is not.
func (n *naiveObject) follow(r versions.Row) string {
	v := n.find(r.Version.ID)
	switch r.Kind {
	case versions.KindPut, versions.KindMarker:
		n.put(r.Version.ID, r.Version.Marker)
	case versions.KindRemove:
		if v == nil {
			return "it removes what is not there"
		}
		v.gone = true
	case versions.KindAmend:
		if v == nil {
			return "it amends what is not there"
		}
		v.tag = r.Version.Tags[0].Key
	}
	return n.disagrees(r.State)
}

// naiveBucket is objects by key.
type naiveBucket map[string]*naiveObject

// at returns the object of a key.
func (b naiveBucket) at(key string) *naiveObject {
	if b[key] == nil {
		b[key] = &naiveObject{}
	}
	return b[key]
}

// naiveQuery is a listing.
type naiveQuery struct {
	prefix, delimiter, after string
	marker                   string // of versions
}

// entry is what stands for a key.
func (q naiveQuery) entry(key string) (entry string, isPrefix bool) {
	rest := key[len(q.prefix):]
	if i := strings.Index(rest, q.delimiter); q.delimiter != "" && i >= 0 {
		return q.prefix + rest[:i] + q.delimiter, true
	}
	return key, false
}

// listObjects is all of a listing: keys, and prefixes in parentheses.
func (b naiveBucket) listObjects(q naiveQuery) (all []string) {
	return b.list(q, func(key string, o naiveObject) (shown []string) {
		if v := o.current(); v != nil && !v.marker && key > q.after {
			return []string{key}
		}
		return nil
	}, func(o naiveObject) bool { v := o.current(); return v != nil && !v.marker })
}

// listVersions is all of a listing of versions.
func (b naiveBucket) listVersions(q naiveQuery) (all []string) {
	return b.list(q, func(key string, o naiveObject) (shown []string) {
		if key < q.after || key == q.after && q.marker == "" {
			return nil
		}
		from := 0
		if key == q.after {
			id, err := versions.ParseVersionID(q.marker)
			if err == nil {
				from = o.place(id) + 1
			}
		}
		current := o.current()
		for _, v := range o[from:] {
			if !v.gone {
				shown = append(shown, fmt.Sprintf("%q %v marker=%v latest=%v", key, v.id, v.marker, v == current))
			}
		}
		return shown
	}, func(o naiveObject) bool { return o.current() != nil })
}

// list goes through the objects of a listing.
func (b naiveBucket) list(q naiveQuery, show func(string, naiveObject) []string, exists func(naiveObject) bool) (all []string) {
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if !strings.HasPrefix(key, q.prefix) {
			continue
		}
		entry, isPrefix := q.entry(key)
		switch {
		case !isPrefix:
			all = append(all, show(key, *b[key])...)
		case entry > q.after && exists(*b[key]) && !slices.Contains(all, "("+entry+")"):
			all = append(all, "("+entry+")")
		}
	}
	return all
}
