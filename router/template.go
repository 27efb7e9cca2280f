package router

import (
	"fmt"
	"regexp"
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

// own reports whether each bucket has a physical one to itself.
func (t Template) own() bool { return strings.Contains(t.Bucket, bucketMark) }

// namesTenant reports whether the buckets of different tenants are apart.
func (t Template) namesTenant() bool { return strings.Contains(t.Bucket+t.Prefix, tenantMark) }

// mount is where a bucket is to be.
func (t Template) mount(tenantID, bucket string) Mount {
	fill := strings.NewReplacer(tenantMark, tenantID, bucketMark, bucket)
	return Mount{ID: mainMount, Backend: t.Backend, Bucket: fill.Replace(t.Bucket), Prefix: fill.Replace(t.Prefix), Own: t.own()}
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
// Neither tenants nor buckets have a slash in their names, so what is filled in
// can be read back, and no image lies in another, when a slash follows it (or
// when it ends the name of the physical bucket).
func (t Template) validate(tenants int) error {
	if !strings.Contains(t.Bucket+t.Prefix, bucketMark) {
		return fmt.Errorf("bucketTemplate: neither bucket %q nor prefix %q has %s in it: all buckets would be one", t.Bucket, t.Prefix, bucketMark)
	}
	if tenants > 1 && !t.namesTenant() {
		return fmt.Errorf("bucketTemplate: neither bucket %q nor prefix %q has %s in it: the tenants would share their buckets", t.Bucket, t.Prefix, tenantMark)
	}
	if t.VersionsPrefix != "" {
		v := t
		v.Prefix, v.VersionsPrefix = t.VersionsPrefix, ""
		if err := v.validate(tenants); err != nil {
			return fmt.Errorf("versionsPrefix: %w", err)
		}
		if strings.HasPrefix(t.Prefix, v.head()) || strings.HasPrefix(t.VersionsPrefix, t.head()) {
			return fmt.Errorf("bucketTemplate: versionsPrefix %q and prefix %q could give one place to two buckets: begin them differently, or leave versionsPrefix out", t.VersionsPrefix, t.Prefix)
		}
	}
	for _, s := range [...]string{t.Bucket + "/", t.Prefix} {
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

// reaches reports whether a bucket made from the template, in m's store, could
// share an object with m. It errs on the side of yes.
func (t Template) reaches(m *Mount) bool {
	if !t.pattern().MatchString(m.Bucket) {
		return false
	}
	head := t.head()
	return strings.HasPrefix(head, m.Prefix) && !m.excludes(head) || strings.HasPrefix(m.Prefix, head)
}

// head is what the prefixes of all new buckets begin with.
func (t Template) head() string {
	head, _, _ := strings.Cut(t.Prefix, "{")
	return head
}

// pattern matches the names of physical buckets that the template makes.
func (t Template) pattern() *regexp.Regexp {
	quoted := regexp.QuoteMeta(t.Bucket)
	for _, mark := range [...]string{tenantMark, bucketMark} {
		quoted = strings.ReplaceAll(quoted, regexp.QuoteMeta(mark), "[^/]+")
	}
	return regexp.MustCompile("^" + quoted + "$")
}

// Reserves reports whether new buckets can be made in the physical bucket, and
// under which prefix all of them are.
func (t Template) Reserves(bucket string) (prefix string, ok bool) {
	return t.head(), t.pattern().MatchString(bucket)
}
