package router

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// Mount says where some keys of a bucket are: physical key = Prefix + what follows Under
// in the key. Which keys those are is said by Under, by Classes or by Share; a mount
// with none of them holds every key that no other mount of the bucket does. The physical
// keys a mount can reach are its image: what begins with Prefix in that physical
// bucket, less what begins with one of Exclude.
type Mount struct {
	ID      string `json:"id"`      // stable; tokens and index rows name it
	Backend string `json:"backend"` // name of the connection
	Bucket  string `json:"bucket"`  // physical
	Prefix  string `json:"prefix,omitempty"`

	Under   string  `json:"under,omitempty"`   // holds the keys that begin with this
	Classes []Class `json:"classes,omitempty"` // holds the keys of these classes
	Share   Share   `json:"share,omitzero"`    // holds the keys of this share
	Policy  Policy  `json:"policy,omitzero"`

	// Old says that keys are only read here, when they are not found in the
	// mounts that hold them: a place that objects are moved away from.
	Old     bool     `json:"old,omitempty"`
	Exclude []string `json:"exclude,omitempty"` // with Old: physical prefixes that are other mounts'

	// Own says that the physical bucket was made for this bucket alone, and is
	// removed with it.
	Own bool `json:"own,omitempty"`
}

// Share is one of Of equal shares of all keys: those whose hash, with the name of the bucket, is N modulo Of. The mounts
// of a bucket have all of them, in their order.
type Share struct {
	N  int `json:"n"`
	Of int `json:"of"`
}

// shareOf is the share of a key. It must never be another: it is where the object is.
func shareOf(bucket, key string, of int) int {
	sum := sha256.Sum256([]byte(bucket + "/" + key))
	return int(binary.BigEndian.Uint64(sum[:]) % uint64(of))
}

// Policy is what holds for the objects of a mount.
type Policy struct {
	StorageClass string `json:"storageClass,omitempty"` // of objects whose writer names none
	KMSKeyID     string `json:"kmsKeyId,omitempty"`     // encrypts objects whose writer asks for nothing else
	Access       Access `json:"access,omitempty"`
}

// Access is what clients may do with the objects of a mount; empty is everything.
type Access string

// The kinds of access besides everything. AppendOnly neither replaces nor deletes.
const (
	ReadOnly   Access = "readOnly"
	AppendOnly Access = "appendOnly"
)

// mainMount is the id of the one mount of a bucket that does not fan out.
const mainMount = "main"

// Physical is the physical key of a key that m holds.
func (m *Mount) Physical(key string) string { return m.Prefix + strings.TrimPrefix(key, m.Under) }

// overlaps reports whether the images of two mounts of one store have an object in common.
func (m *Mount) overlaps(o *Mount) bool {
	if m.Bucket != o.Bucket {
		return false
	}
	if len(m.Prefix) > len(o.Prefix) {
		m, o = o, m
	}
	return strings.HasPrefix(o.Prefix, m.Prefix) && !m.excludes(o.Prefix)
}

// excludes reports whether all keys below the prefix are other mounts'.
func (m *Mount) excludes(prefix string) bool {
	return slices.ContainsFunc(m.Exclude, func(x string) bool { return strings.HasPrefix(prefix, x) })
}

// samePlace reports whether two mounts map every key alike, so that they share
// no object although their images are one.
func (m *Mount) samePlace(o *Mount) bool {
	return m.Prefix == o.Prefix && m.Under == "" && o.Under == "" && !m.Old && !o.Old
}

// String is the mount in messages for the operator.
func (m Mount) String() string { return fmt.Sprintf("%s: %s/%s", m.Backend, m.Bucket, m.Prefix) }

// rule says in words which keys m holds.
func (m *Mount) rule() string {
	switch {
	case m.Old:
		return "keys not found elsewhere are read from the old place"
	case m.Under != "":
		return fmt.Sprintf("keys that begin with %q", m.Under)
	case len(m.Classes) > 0:
		return "keys of class " + joinClasses(m.Classes)
	case m.Share.Of > 0:
		return fmt.Sprintf("keys whose hash is %d modulo %d", m.Share.N, m.Share.Of)
	}
	return "every other key"
}

// whole is the place of m as one that holds every key.
func (m Mount) whole() Mount {
	m.Under, m.Classes, m.Share = "", nil, Share{}
	return m
}

// Selector tells which mount of a bucket holds a key. It is immutable.
type Selector struct {
	bucket string        // its name
	mounts []Mount       // the bucket's, less the old one
	under  []int         // mounts with Under, the longest first
	class  map[Class]int // mounts with Classes
	shares []int         // mounts with Share, by its number
	rest   int           // the mount of every other key, or -1
	anyKey bool          // there is only one mount, and it takes every key
}

// NewSelector returns the Selector of r.
func NewSelector(r *BucketRecord) *Selector {
	s := &Selector{bucket: r.Name, class: map[Class]int{}, rest: -1}
	for _, m := range r.Mounts {
		if m.Old {
			continue
		}
		i := len(s.mounts)
		s.mounts = append(s.mounts, m)
		for _, c := range m.Classes {
			s.class[c] = i
		}
		switch {
		case m.Under != "":
			s.under = append(s.under, i)
		case m.Share.Of > 0:
			s.shares = append(s.shares, i)
		case len(m.Classes) == 0:
			s.rest = i
		}
	}
	slices.SortFunc(s.under, func(a, b int) int { return len(s.mounts[b].Under) - len(s.mounts[a].Under) })
	s.anyKey = len(s.mounts) == 1 && (s.rest == 0 || len(s.class) == len(Classes()))
	return s
}

// Mounts returns the mounts that keys are selected from, in the order of the
// numbers that Select gives.
func (s *Selector) Mounts() []Mount { return s.mounts }

// TakesAny reports whether there is nothing to select.
func (s *Selector) TakesAny() bool { return s.anyKey }

// Mixed reports whether keys below prefix can lie in the image of mount i and be
// another mount's, for instance because they came by an alias of the bucket.
func (s *Selector) Mixed(i int, prefix string) bool {
	m := &s.mounts[i]
	if len(m.Classes) > 0 {
		return len(s.class) > 0 && len(m.Classes) < len(Classes())
	}
	return slices.ContainsFunc(s.under, func(j int) bool {
		u := s.mounts[j].Under
		return j != i && (strings.HasPrefix(u, prefix) || strings.HasPrefix(prefix, u)) && strings.HasPrefix(u, m.Under)
	})
}

// Select returns the number of the mount that holds key: InvalidArgument, naming what
// a key may begin with, when none does.
func (s *Selector) Select(key string) (int, error) {
	if len(s.shares) > 0 {
		return s.shares[shareOf(s.bucket, key, len(s.shares))], nil
	}
	for _, i := range s.under {
		if strings.HasPrefix(key, s.mounts[i].Under) {
			return i, nil
		}
	}
	if len(s.class) > 0 {
		if i, ok := s.class[Classify(key)]; ok {
			return i, nil
		}
	}
	if s.rest >= 0 {
		return s.rest, nil
	}
	return 0, s3err.InvalidArg("key", key, "A key in this bucket begins with "+s.beginnings()+".")
}

// beginnings lists what a key may begin with.
func (s *Selector) beginnings() string {
	var all []string
	for i := range s.mounts {
		if u := s.mounts[i].Under; u != "" {
			all = append(all, u)
		}
	}
	if len(all) > 1 {
		all[len(all)-1] = "or " + all[len(all)-1]
	}
	if len(all) == 2 {
		return all[0] + " " + all[1]
	}
	return strings.Join(all, ", ")
}
