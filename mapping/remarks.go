package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/router"
)

// remarks warns of what is served and may surprise.
func (b *builder) remarks() {
	b.remarkOld()
	b.remarkAppendOnly()
	for name := range b.Stores {
		if !isLocal(name) && slices.ContainsFunc(b.Template.Reserved(), func(s router.Spot) bool { return isLocal(s.Backend) }) {
			b.warn("xronoxProxy.bucketTemplate", "Buckets that clients make are kept on local disk, in dataDir", "to keep them in an object store too, give bucketTemplate a connection, bucket and prefix")
			return
		}
	}
}

// remarkOld names the old buckets in which new objects are kept as well: what was there
// before under the new prefixes cannot be told from what is new.
func (b *builder) remarkOld() {
	prefixes := map[string][]string{}
	for i := range b.Buckets {
		for _, m := range b.Buckets[i].Mounts {
			for _, x := range m.Exclude {
				if m.Old && !slices.Contains(prefixes[m.Bucket], x) {
					prefixes[m.Bucket] = append(prefixes[m.Bucket], x)
				}
			}
		}
	}
	for _, bucket := range slices.Sorted(maps.Keys(prefixes)) {
		b.warn("spacesConnections", fmt.Sprintf("The old bucket %q is where new objects are kept too: keys that began with %s before the proxy came are taken for new ones",
			bucket, strings.Join(prefixes[bucket], ", ")), "see that there are none, or choose folderPrefixes or buckets that are new")
	}
}

// remarkAppendOnly names the types that only take new keys, at connections that are not trusted
// with what that needs.
func (b *builder) remarkAppendOnly() {
	seen := map[string]bool{}
	for i := range b.Buckets {
		for _, m := range b.Buckets[i].Mounts {
			trust := b.cfg.Proxy.Connections[m.Backend].Capabilities
			if m.Policy.Access != router.AppendOnly || isLocal(m.Backend) || seen[m.Backend+"/"+m.ID] ||
				trust == config.CapabilitiesAWS || trust == config.CapabilitiesProbe || trust == "" && b.Stores[m.Backend] == AWS {
				continue
			}
			seen[m.Backend+"/"+m.ID] = true
			b.warn("xronoxProxy.dataTypes."+m.ID+".access", fmt.Sprintf("appendOnly needs conditional writes, and the connection %q is not trusted to have them: writes of %s are refused", m.Backend, m.ID),
				"add "+fmt.Sprintf("xronoxProxy.connections.%s.capabilities: probe", m.Backend))
		}
	}
}
