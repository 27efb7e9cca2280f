package mapping

import (
	"cmp"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/router"
)

// Step is what a change of configuration means for some keys of a virtual bucket.
type Step struct {
	Tenant string `json:"tenant"`
	Bucket string `json:"bucket"`
	Keys   string `json:"keys"`           // which keys, in words
	From   string `json:"from,omitempty"` // CONNECTION: BUCKET/PREFIX; empty: not there before
	To     string `json:"to,omitempty"`   // likewise; empty: not there any more
	Change Change `json:"change"`
	// ReadThrough says that what is in the old place is found there still.
	ReadThrough bool `json:"readThrough,omitempty"`
}

// Change is what happens to keys.
type Change string

// The changes. Keys that move must be copied, unless they are read through.
const (
	Stays   Change = "stays"
	Moves   Change = "moves"
	Appears Change = "appears"
	Goes    Change = "goes"
)

// Plan compares two configurations: what becomes of every bucket, and of every
// class of its keys.
func Plan(from, to *Map) []Step {
	var steps []Step
	before, after := from.byName(), to.byName()
	names := map[named]bool{}
	for n := range before {
		names[n] = true
	}
	for n := range after {
		names[n] = true
	}
	for n := range names {
		steps = append(steps, compare(n, side{from, before[n]}, side{to, after[n]})...)
	}
	slices.SortStableFunc(steps, func(a, b Step) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Bucket, b.Bucket))
	})
	return steps
}

// byName are the buckets by tenant and name.
func (m *Map) byName() map[named]*router.BucketRecord {
	all := map[named]*router.BucketRecord{}
	for i := range m.Buckets {
		r := &m.Buckets[i]
		for _, tenant := range append([]string{r.TenantID}, r.Tenants...) {
			all[named{tenant, r.Name}] = r
		}
	}
	return all
}

// side is a bucket in one of two configurations; nil when it is not there.
type side struct {
	in     *Map
	record *router.BucketRecord
}

// compare says what becomes of one bucket.
func compare(n named, from, to side) []Step {
	var steps []Step
	for _, keys := range keySets(from.record, to.record) {
		s := Step{Tenant: n.tenant, Bucket: n.name, Keys: keys.words()}
		a, inA := from.mount(keys)
		b, inB := to.mount(keys)
		if inA {
			s.From = where(a, keys)
		}
		if inB {
			s.To = where(b, keys)
		}
		switch {
		case inA && inB && s.From == s.To && from.in.Stores[a.Backend] == to.in.Stores[b.Backend]:
			s.Change = Stays
		case inA && inB:
			s.Change, s.ReadThrough = Moves, to.readsThrough(from, a, keys)
		case inB:
			s.Change = Appears
		default:
			s.Change = Goes
		}
		steps = append(steps, s)
	}
	return steps
}

// keySet is some keys: those that begin with under, or those of a class, or every key.
type keySet struct {
	under string
	class router.Class
}

// words are for people.
func (k keySet) words() string {
	switch {
	case k.under != "":
		return k.under + "*"
	case k.class != "":
		return "class " + string(k.class)
	}
	return "every other key"
}

// keySets are the sets of keys that at least one of the records treats alike.
func keySets(records ...*router.BucketRecord) []keySet {
	var sets []keySet
	add := func(k keySet) {
		if !slices.Contains(sets, k) {
			sets = append(sets, k)
		}
	}
	rest := false
	for _, r := range records {
		if r == nil {
			continue
		}
		for _, m := range router.NewSelector(r).Mounts() {
			if m.Under != "" {
				add(keySet{under: m.Under})
			}
			for _, c := range m.Classes {
				add(keySet{class: c})
			}
			rest = rest || m.Under == "" && len(m.Classes) == 0
		}
	}
	if rest && !slices.ContainsFunc(sets, func(k keySet) bool { return k.class != "" }) {
		add(keySet{})
	}
	return sets
}

// mount is the mount that holds the keys; false when none does.
func (s side) mount(k keySet) (m router.Mount, ok bool) {
	if s.record == nil {
		return m, false
	}
	for _, m = range router.NewSelector(s.record).Mounts() {
		switch {
		case k.under != "" && m.Under == k.under, k.class != "" && slices.Contains(m.Classes, k.class):
			return m, true
		case m.Under == "" && len(m.Classes) == 0:
			return m, true // Under and Classes of other mounts come before the rest.
		}
	}
	return m, false
}

// where is the place of the keys in words.
func where(m router.Mount, k keySet) string {
	return connectionName(m.Backend) + ": " + m.Bucket + "/" + m.Physical(k.under)
}

// connectionName names a connection for people.
func connectionName(name string) string {
	if name == Local {
		return "local disk"
	}
	return name
}

// readsThrough reports whether s still reads what another side has in m.
func (s side) readsThrough(other side, m router.Mount, k keySet) bool {
	for _, old := range s.record.Mounts {
		if old.Old && s.in.Stores[old.Backend] == other.in.Stores[m.Backend] && old.Bucket == m.Bucket &&
			old.Physical(k.under) == m.Physical(k.under) {
			return true
		}
	}
	return false
}
