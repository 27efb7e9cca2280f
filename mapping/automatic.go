package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/router"
)

// automatic makes, for each scope, a legacy bucket of the name that Xronox v3.1.0
// recorded in its pointers, and a typed bucket named after the scope. Names that the
// configuration gives to other buckets are left to those.
func (b *builder) automatic() {
	recorded := map[named]*scope{}
	for _, s := range b.scopeSet {
		b.automaticLegacy(s, recorded)
	}
	for _, s := range b.scopeSet {
		b.automaticTyped(s)
	}
}

// automaticLegacy makes the bucket of the recorded name. Objects that are there already
// are read through: pointers to them must hold.
func (b *builder) automaticLegacy(s *scope, recorded map[named]*scope) {
	name := s.oldName()
	at, path := named{s.tenant, name}, s.path()
	if other, twice := recorded[at]; twice {
		b.fail(path, fmt.Sprintf("The bucket name %q is recorded by %s too: it is not clear which of the two a bucket of that name shows", name, other.name()),
			"name one of them in xronoxProxy.virtualBuckets, or give one another bucket")
		return
	}
	if name == "" || b.taken(s.tenant, name) {
		return
	}
	if router.ValidateBucketName(name) != nil {
		b.warn(path, fmt.Sprintf("The bucket name %q, which Xronox recorded, is no name that S3 allows; there is no automatic bucket for it", name),
			"show it under another name in xronoxProxy.virtualBuckets")
		return
	}
	recorded[at] = s
	mounts := b.legacy(s, b.defaultType(s))
	if old, ok := b.oldPlace(s, name); ok && len(mounts) > 0 {
		mounts = append(mounts, old)
	}
	b.addAutomatic(s, name, "legacy", mounts)
}

// automaticTyped makes the bucket named after the scope.
func (b *builder) automaticTyped(s *scope) {
	name := dnsName(s.name())
	switch {
	case s.layout == config.LayoutNative:
	case b.taken(s.tenant, name):
		if from := b.named[named{s.tenant, name}]; !isBucket(from) {
			b.warn(s.path(), fmt.Sprintf("The name %q belongs to the bucket of %s; there is no automatic typed bucket", name, from),
				"give it a name in xronoxProxy.virtualBuckets")
		}
	default:
		b.addAutomatic(s, name, "typed", b.typed(s))
	}
}

// addAutomatic takes an automatic bucket in.
func (b *builder) addAutomatic(s *scope, name, mode string, mounts []router.Mount) {
	if len(mounts) == 0 {
		return
	}
	b.add(router.BucketRecord{
		Versions: b.versions(s),
		TenantID: s.tenant, Name: name, Owner: owner, Region: b.cfg.Proxy.Region, Group: s.group(),
		Mounts: mounts, Rule: mode + " over " + s.name() + ", automatic",
	}, s.path())
}

// dnsName makes of s a name that a bucket can have: what is not allowed becomes a
// hyphen, and when anything was lost a short hash keeps different names apart.
func dnsName(s string) string {
	var out strings.Builder
	for _, r := range s {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			out.WriteRune(r)
		} else if r >= 'A' && r <= 'Z' {
			out.WriteRune(r - 'A' + 'a')
		} else {
			out.WriteByte('-')
		}
	}
	name := out.String()
	if name == s && router.ValidateBucketName(name) == nil {
		return name
	}
	sum := sha256.Sum256([]byte(s))
	const hash = 8
	if name = strings.Trim(name, "-"); len(name) > 63-hash-1 {
		name = strings.TrimRight(name[:63-hash-1], "-")
	}
	return name + "-" + hex.EncodeToString(sum[:hash/2])
}
