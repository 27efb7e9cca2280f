package mapping

import (
	"slices"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/router"
)

// typed are the mounts of a bucket in which the first segment of a key is its
// data type.
func (b *builder) typed(s *scope) []router.Mount {
	var mounts []router.Mount
	for _, t := range b.offered(s) {
		m, _ := b.mount(s, t)
		m.Under = string(t) + "/"
		mounts = append(mounts, m)
	}
	return mounts
}

// flat is the one mount of a bucket that is one data type.
func (b *builder) flat(s *scope, t config.DataType) []router.Mount {
	m, ok := b.mount(s, t)
	if !ok {
		return nil
	}
	return []router.Mount{m}
}

// legacy are the mounts of a bucket in which the shape of a key tells its data type.
// Classes of a type that is not offered are kept with the keys of no class, in
// the default type. Types that share a place and a policy share a mount.
func (b *builder) legacy(s *scope, defaultType config.DataType) []router.Mount {
	if s.layout == config.LayoutNative {
		return b.flat(s, config.Records)
	}
	types := b.offered(s)
	if !slices.Contains(types, defaultType) {
		return nil
	}
	var mounts []router.Mount
	at := map[config.DataType]int{}
	for _, t := range types {
		m, _ := b.mount(s, t)
		i := slices.IndexFunc(mounts, func(o router.Mount) bool {
			return o.Backend == m.Backend && o.Bucket == m.Bucket && o.Prefix == m.Prefix && o.Policy == m.Policy
		})
		if i < 0 {
			i, mounts = len(mounts), append(mounts, m)
		}
		at[t] = i
	}
	for _, c := range router.Classes() {
		i, ok := at[config.DataType(c)]
		if !ok {
			i = at[defaultType]
		}
		mounts[i].Classes = append(mounts[i].Classes, c)
	}
	return mounts
}

// oldPlace is a bucket that Xronox v3.1.0 wrote everything of s to, to be read through;
// false when what is in it need not be s's alone, or is in no other place.
func (b *builder) oldPlace(s *scope, bucket string) (router.Mount, bool) {
	if s.layout == config.LayoutNative || s.tenantPrefix {
		return router.Mount{}, false
	}
	connection := s.entry.SpaceConnRef
	if b.local() {
		connection = LocalStorage
	}
	return router.Mount{ID: "old", Backend: connection, Bucket: bucket, Old: true}, true
}

// oldName is the bucket name that Xronox v3.1.0 recorded for s.
func (s *scope) oldName() string {
	if s.entry.RecordsBucket != "" {
		return s.entry.RecordsBucket
	}
	return s.entry.Bucket
}

// defaultType is where keys of no class go when nobody says: content, when s offers it.
func (b *builder) defaultType(s *scope) config.DataType {
	if _, ok := b.place(s, config.Content, s.layout); ok {
		return config.Content
	}
	return config.Records
}
