package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/router"
)

// versions is where the versions of all types of s are: the place of the type of that name. Nil when it has
// none, or shares its place with another type: then bodies would lie among objects.
func (b *builder) versions(s *scope) *router.Mount {
	m, ok := b.mount(s, config.Versions)
	if !ok || s.layout == config.LayoutNative || !slices.Contains(b.offered(s), config.Versions) {
		return nil
	}
	for _, t := range b.offered(s) {
		o, _ := b.mount(s, t)
		shared := o.Backend == m.Backend && o.Bucket == m.Bucket && (strings.HasPrefix(o.Prefix, m.Prefix) || strings.HasPrefix(m.Prefix, o.Prefix))
		if t != config.Versions && shared {
			return nil
		}
	}
	return &m
}

// versioning is a state of versioning in the router's words.
func versioning(v config.Versioning) router.Versioning {
	switch v {
	case config.VersioningEnabled:
		return router.Enabled
	case config.VersioningSuspended:
		return router.Suspended
	}
	return router.Unversioned
}

// wantVersions refuses a bucket that is to have versions and has no place for them.
func (b *builder) wantVersions(path string, r *router.BucketRecord) {
	if r.Versioning != router.Unversioned && r.Versions == nil {
		b.fail(path+".versioning", "There is no place for versions: the database has no bucket or prefix of its own for the data type versions",
			`give it a versionsBucket, or folderPrefixes.versions; the layout "native" has none`)
	}
}

// checkVersioning refuses views of the same objects that are to be versioned in different ways.
func (b *builder) checkVersioning() {
	wanted := map[string]*router.BucketRecord{}
	for i := range b.Buckets {
		r := &b.Buckets[i]
		if r.Versioning == router.Unversioned || r.Group == "" {
			continue
		}
		group := r.TenantID + "/" + r.Group
		if o := wanted[group]; o != nil && o.Versioning != r.Versioning {
			b.fail(pathOf(r.Name)+".versioning", fmt.Sprintf("Bucket %q shows the same objects, and is to be %s", o.Name, strings.ToLower(string(o.Versioning))),
				"give both the same versioning, or one of them none")
			continue
		}
		wanted[group] = r
	}
}
