package router

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Template says where the buckets are that clients make. {tenantId} and
// {bucket} stand for what their names say.
type Template struct {
	Backend string // name of the connection
	Bucket  string // physical; one with {bucket} in its name is made and removed with the virtual one
	Prefix  string

	// VersionsPrefix is where versions are, in the physical bucket; empty: below Prefix.
	VersionsPrefix string

	// More are places besides, over which the keys of a bucket are spread; with any, no physical bucket is
	// made for a bucket alone.
	More []Spot

	// Versioning is what buckets are born with.
	Versioning Versioning
}

// Spot is a place that a template names.
type Spot struct {
	Backend, Bucket, Prefix string
}

// DefaultTemplate gives every bucket a physical bucket of its own, so that
// making and removing it is one atomic act of the store.
func DefaultTemplate(backend string) Template {
	return Template{Backend: backend, Bucket: tenantMark + "/" + bucketMark}
}

// What a template is filled in with.
const (
	tenantMark = "{tenantId}"
	bucketMark = "{bucket}"
)

// placeholder matches either, or what looks like one.
var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// spots are all places of the template.
func (t Template) spots() []Spot {
	return append([]Spot{{t.Backend, t.Bucket, t.Prefix}}, t.More...)
}

// own reports whether each bucket has a physical one to itself.
func (t Template) own() bool { return len(t.More) == 0 && strings.Contains(t.Bucket, bucketMark) }

// namesTenant reports whether the buckets of different tenants are apart.
func (t Template) namesTenant() bool {
	return !slices.ContainsFunc(t.spots(), func(s Spot) bool { return !strings.Contains(s.Bucket+s.Prefix, tenantMark) })
}

// mounts are where a bucket is to be.
func (t Template) mounts(tenantID, bucket string) []Mount {
	fill := strings.NewReplacer(tenantMark, tenantID, bucketMark, bucket)
	spots := t.spots()
	all := make([]Mount, len(spots))
	for i, s := range spots {
		all[i] = Mount{ID: mainMount, Backend: s.Backend, Bucket: fill.Replace(s.Bucket), Prefix: fill.Replace(s.Prefix), Own: t.own()}
		if len(spots) > 1 {
			all[i].ID, all[i].Share = fmt.Sprintf("share%d", i), Share{N: i, Of: len(spots)}
		}
	}
	return all
}

// versionsDir is where the versions of a bucket are, below its own prefix, when nobody says where else.
const versionsDir = ".versions/"

// versions is where the versions of a bucket are to be.
func (t Template) versions(m Mount, tenantID, bucket string) *Mount {
	v := Mount{ID: versionsMount, Backend: m.Backend, Bucket: m.Bucket, Prefix: m.Prefix + versionsDir}
	if t.VersionsPrefix != "" {
		v.Prefix = strings.NewReplacer(tenantMark, tenantID, bucketMark, bucket).Replace(t.VersionsPrefix)
	}
	return &v
}

// versionsMount is the id of the place of versions.
const versionsMount = "versions"

// VersionsBelow is the place of versions of a bucket of one mount that has no other: below its own prefix.
func VersionsBelow(m Mount) *Mount { return Template{}.versions(m, "", "") }

// placeVersions gives a bucket that was made before there were versions its place for them.
func (r *BucketRecord) placeVersions() {
	if r.Versions == nil && r.Group == "" && r.Rule == "" && len(r.Mounts) == 1 && !r.Mounts[0].Old {
		r.Versions = VersionsBelow(r.Mounts[0])
	}
}

// validate refuses templates under which two buckets could share an object.
func (t Template) validate(tenants int) error {
	for _, s := range t.spots() {
		if err := s.validate(tenants); err != nil {
			return err
		}
		if len(t.More) > 0 && strings.Contains(s.Bucket, bucketMark) {
			return fmt.Errorf("bucketTemplate: a physical bucket for each bucket, %q, goes with one place only: spread keys over prefixes with %s", s.Bucket, bucketMark)
		}
	}
	if t.VersionsPrefix == "" {
		return nil
	}
	v := Spot{t.Backend, t.Bucket, t.VersionsPrefix}
	if err := v.validate(tenants); err != nil {
		return fmt.Errorf("versionsPrefix: %w", err)
	}
	for _, s := range t.spots() {
		if s.Bucket == t.Bucket && s.meets(v) {
			return fmt.Errorf("bucketTemplate: versionsPrefix %q and prefix %q could give one place to two buckets: begin them differently, or leave versionsPrefix out", t.VersionsPrefix, s.Prefix)
		}
	}
	return nil
}

// apart refuses places of the template that could give one place to two keys.
func (t *table) apart() error {
	spots := t.Template.spots()
	for i, a := range spots {
		for _, b := range spots[:i] {
			if t.store(a.Backend) == t.store(b.Backend) && (a.Bucket == b.Bucket || strings.Contains(a.Bucket+b.Bucket, "{")) && a.meets(b) {
				return fmt.Errorf("bucketTemplate: the places %q and %q could be one: begin their prefixes differently", b.Bucket+"/"+b.Prefix, a.Bucket+"/"+a.Prefix)
			}
		}
	}
	return nil
}

// meets reports whether prefixes of the places could lie in each other.
func (s Spot) meets(o Spot) bool {
	return strings.HasPrefix(s.Prefix, o.head()) || strings.HasPrefix(o.Prefix, s.head())
}

// validate refuses a place in which two buckets could share an object.
// Neither tenants nor buckets have a slash in their names, so what is filled in
// can be read back, and no image lies in another, when a slash follows it (or
// when it ends the name of the physical bucket).
func (s Spot) validate(tenants int) error {
	if !strings.Contains(s.Bucket+s.Prefix, bucketMark) {
		return fmt.Errorf("bucketTemplate: neither bucket %q nor prefix %q has %s in it: all buckets would be one", s.Bucket, s.Prefix, bucketMark)
	}
	if tenants > 1 && !strings.Contains(s.Bucket+s.Prefix, tenantMark) {
		return fmt.Errorf("bucketTemplate: neither bucket %q nor prefix %q has %s in it: the tenants would share their buckets", s.Bucket, s.Prefix, tenantMark)
	}
	for _, s := range [...]string{s.Bucket + "/", s.Prefix} {
		for _, at := range placeholder.FindAllStringIndex(s, -1) {
			if mark := s[at[0]:at[1]]; mark != tenantMark && mark != bucketMark {
				return fmt.Errorf("bucketTemplate: unknown placeholder %s; there are %s and %s", mark, tenantMark, bucketMark)
			}
			if at[1] == len(s) || s[at[1]] != '/' {
				return fmt.Errorf("bucketTemplate: %q: put a slash behind %s, or names could run into each other", s, s[at[0]:at[1]])
			}
		}
	}
	return nil
}

// reaches reports whether a bucket made at the place, in m's store, could
// share an object with m. It errs on the side of yes.
func (s Spot) reaches(m *Mount) bool {
	if !s.pattern().MatchString(m.Bucket) {
		return false
	}
	head := s.head()
	return strings.HasPrefix(head, m.Prefix) && !m.excludes(head) || strings.HasPrefix(m.Prefix, head)
}

// head is what the prefixes of all new buckets begin with.
func (s Spot) head() string {
	head, _, _ := strings.Cut(s.Prefix, "{")
	return head
}

// pattern matches the names of physical buckets that are made at the place.
func (s Spot) pattern() *regexp.Regexp {
	quoted := regexp.QuoteMeta(s.Bucket)
	for _, mark := range [...]string{tenantMark, bucketMark} {
		quoted = strings.ReplaceAll(quoted, regexp.QuoteMeta(mark), "[^/]+")
	}
	return regexp.MustCompile("^" + quoted + "$")
}

// Reserved is what templates keep for the buckets that clients make: the connections, their physical buckets, and the
// prefix that all keys have there.
func (t Template) Reserved() []Spot {
	all := t.spots()
	for i := range all {
		all[i].Prefix = all[i].head()
	}
	return all
}

// Names reports whether the place is in the physical bucket of that name, or can be.
func (s Spot) Names(bucket string) bool { return s.pattern().MatchString(bucket) }

// Shared reports whether all buckets are in one physical bucket at the place.
func (s Spot) Shared() bool { return !strings.Contains(s.Bucket, "{") }
