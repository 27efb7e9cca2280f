package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/admin"
	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/fanout"
	"github.com/xronox/xronox-proxy/backends/localbackend"
	"github.com/xronox/xronox-proxy/backends/metered"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/backends/policy"
	"github.com/xronox/xronox-proxy/backends/s3backend"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions"
)

// stores are the connections that are in use, by name.
type stores map[string]backends.Backend

// openStores opens every connection that m uses. Calls are counted under its name.
func (a *app) openStores(cfg *config.Config, m *mapping.Map, metrics *admin.Metrics) (stores, error) {
	all := stores{}
	for name := range m.Stores {
		b, label, err := a.openStore(cfg, m, name)
		if err != nil {
			return nil, err
		}
		all[name] = metered.New(b, func(operation string, took time.Duration, err error) {
			metrics.BackendCall(label, operation, took, err)
		})
	}
	return all, nil
}

// openStore opens one connection, and returns how metrics call it.
func (a *app) openStore(cfg *config.Config, m *mapping.Map, name string) (backends.Backend, string, error) {
	switch name {
	case mapping.Local:
		b, err := a.openLocal(cfg, filepath.Join(cfg.Proxy.DataDir, "objects"))
		return b, "local", err
	case mapping.LocalStorage:
		b, err := a.openLocal(cfg, filepath.Join(cfg.Xronox.LocalStorage.BasePath, "xronox-proxy"))
		return b, name, err
	}
	b, err := a.openS3(cfg, m, name)
	return b, name, err
}

// openS3 returns the store behind a connection to S3. It does not speak to the service.
func (a *app) openS3(cfg *config.Config, m *mapping.Map, name string) (*s3backend.Backend, error) {
	c := cfg.Xronox.SpacesConnections[name]
	o := s3backend.Options{
		Name: name, Endpoint: c.Endpoint, Region: c.Region, AccessKey: c.AccessKey, SecretKey: c.SecretKey.Reveal(),
		PathStyle: c.ForcePathStyle != nil && *c.ForcePathStyle, Proxy: http.ProxyFromEnvironment,
	}
	switch cfg.Proxy.Connections[name].Capabilities {
	case config.CapabilitiesAWS:
		can := s3backend.All()
		// That keys are strings is not taken on trust: where they are paths after all, "../" would lead out
		// of a tenant's prefix.
		can.AnyKey = m.Stores[name] == mapping.AWS
		o.Capabilities = &can
	case config.CapabilitiesCautious:
		o.Capabilities = new(s3backend.Cautious())
	}
	b, err := s3backend.New(o)
	if err != nil {
		return nil, fmt.Errorf("spacesConnections.%s: %w", name, err)
	}
	a.closers = append(a.closers, b)
	a.services = append(a.services, b)
	return b, nil
}

// probeServices finds out what those services can do of which the configuration says to probe
// them. One that cannot be asked is taken to be cautious, and asked again until it answers.
func (a *app) probeServices(ctx context.Context, cfg *config.Config, m *mapping.Map) {
	for _, b := range a.services {
		if cfg.Proxy.Connections[b.Name()].Capabilities != config.CapabilitiesProbe {
			continue
		}
		a.persist(ctx, "it is taken to do little", b.Name(), func(ctx context.Context) error {
			_, err := probe(ctx, b, m)
			return err
		})
	}
}

// persistInterval is how long a service that failed is left alone.
const persistInterval = 5 * time.Second

// persist does something with a service, and if that fails again and again, until it succeeds
// or the app is closed. Only the first failure is logged.
func (a *app) persist(ctx context.Context, what, connection string, do func(context.Context) error) {
	err := do(ctx)
	if err == nil {
		return
	}
	a.log.Warn("a connection does not answer, and will be asked again", slog.String("connection", connection),
		slog.String("effect", what), slog.Any("cause", err))
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(persistInterval):
			}
			if do(ctx) == nil {
				a.log.Info("the connection answers", slog.String("connection", connection))
				return
			}
		}
	}()
	a.closers = append(a.closers, closerFunc(func() error {
		cancel()
		<-done
		return nil
	}))
}

// isLocal reports whether a connection is a store on this machine's disk, which nobody else has open.
func isLocal(connection string) bool {
	return connection == mapping.Local || connection == mapping.LocalStorage
}

// closerFunc is a function as an io.Closer.
type closerFunc func() error

// Close implements io.Closer.
func (f closerFunc) Close() error { return f() }

// probe finds out what a service can do, in the place of the first bucket that is kept there,
// and adopts it.
func probe(ctx context.Context, b *s3backend.Backend, m *mapping.Map) (s3backend.Capabilities, error) {
	at, ok := m.PlaceAt(b.Name())
	if !ok {
		return s3backend.Capabilities{}, errors.New("no bucket is kept there")
	}
	c, err := b.Probe(ctx, at.Bucket, at.Prefix+".xronox-proxy-probe/")
	if err == nil {
		b.Adopt(c)
	}
	return c, err
}

// openLocal opens a store on this machine's disk.
func (a *app) openLocal(cfg *config.Config, dir string) (backends.Backend, error) {
	if err := makePrivate(dir); err != nil {
		return nil, err
	}
	keys, err := localKeys(cfg)
	if err != nil {
		return nil, err
	}
	store, err := localbackend.Open(localbackend.Options{Dir: dir, Log: a.log, Keys: keys})
	if err != nil {
		return nil, keyLost(cfg, err)
	}
	a.closers = append(a.closers, store)
	return store, nil
}

// makeBuckets makes the physical buckets of m that are missing: on local disk always,
// elsewhere when the configuration says so.
func (a *app) makeBuckets(ctx context.Context, s stores, m *mapping.Map, everywhere bool) error {
	for _, connection := range slices.Sorted(maps.Keys(s)) {
		local := isLocal(connection)
		manager, ok := backends.As[backends.BucketManager](s[connection])
		if !ok || !local && !everywhere {
			continue
		}
		missing := m.PhysicalBuckets(connection)
		all := func(ctx context.Context) error {
			for len(missing) > 0 {
				_, err := manager.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &missing[0]})
				if err != nil && !s3err.Is(err, s3err.BucketAlreadyOwnedByYou) && !s3err.Is(err, s3err.BucketAlreadyExists) {
					return fmt.Errorf("make the physical bucket %q: %w", missing[0], err)
				}
				missing = missing[1:]
			}
			return nil
		}
		if !local { // They may be there; a service that is down must not keep others from being served.
			a.persist(ctx, "physical buckets may be missing", connection, all)
			continue
		}
		if err := all(ctx); err != nil {
			return err
		}
	}
	return nil
}

// composer composes the Backend of a virtual bucket from its mounts.
type composer struct {
	stores  stores
	sealer  *token.Sealer
	index   versions.Index
	repairs *versioned.Repairs
	log     *slog.Logger
}

// compose implements the Compose of [router.Config]: mounts, with their versions if there are any, as
// one bucket when there are several, over the old place when there is one.
func (c *composer) compose(r *router.BucketRecord, route *router.Route) backends.Backend {
	selector := router.NewSelector(r)
	b := c.mount(r, &selector.Mounts()[0], route)
	if !selector.TakesAny() {
		b = fanout.New(c.parts(r, selector, route))
	}
	for i := range r.Mounts {
		if m := &r.Mounts[i]; m.Old {
			b = overlay.New(overlay.Options{New: b, Old: c.mount(r, m, route), BucketID: oldID(r, m), Tombstones: c.index})
		}
	}
	if route.Door != nil && !isVersioned(route) {
		b = versioned.NewPlain(b, route.Door)
	}
	return governed(b, selector, versionsOf(r, route))
}

// oldID is what the index knows the objects of an old place by that are hidden.
func oldID(r *router.BucketRecord, m *router.Mount) string { return r.BucketID + "/" + m.Bucket }

// isVersioned reports whether a bucket has versions. While it is being given some nobody writes to it.
func isVersioned(route *router.Route) bool {
	return route.Settings.Versioning != router.Unversioned && !route.Settings.Enabling
}

// versionsOf is the place of versions of a bucket that has some; nil for others.
func versionsOf(r *router.BucketRecord, route *router.Route) *router.Mount {
	if !isVersioned(route) {
		return nil
	}
	return r.Versions
}

// governed applies the policies of the mounts to a bucket, on top of everything else. The place that the proxy keeps
// versions in is the proxy's.
func governed(b backends.Backend, selector *router.Selector, versions *router.Mount) backends.Backend {
	none, some := &policy.Policy{}, false
	policies := make([]policy.Policy, len(selector.Mounts()))
	for i, m := range selector.Mounts() {
		policies[i] = policyOf(m.Policy)
		if isPlace(&m, versions) {
			policies[i].Access = policy.ReadOnly
		}
		some = some || policies[i] != *none
	}
	if !some {
		return b
	}
	return policy.New(policy.Options{Backend: b, For: func(key string) *policy.Policy {
		i, err := selector.Select(key)
		if err != nil {
			return none // which the bucket refuses
		}
		return &policies[i]
	}})
}

// policyOf is a policy of the router as it is applied.
func policyOf(p router.Policy) policy.Policy {
	access := map[router.Access]policy.Access{router.AppendOnly: policy.AppendOnly, router.ReadOnly: policy.ReadOnly}
	return policy.Policy{StorageClass: types.StorageClass(p.StorageClass), KMSKeyID: p.KMSKeyID, Access: access[p.Access]}
}

// parts are the mounts of r that keys are selected from.
func (c *composer) parts(r *router.BucketRecord, selector *router.Selector, route *router.Route) fanout.Options {
	o := fanout.Options{Select: selector.Select}
	for i := range selector.Mounts() {
		o.Mounts = append(o.Mounts, fanout.Mount{
			Backend: c.mount(r, &selector.Mounts()[i], route),
			Mixed:   func(prefix string) bool { return selector.Mixed(i, prefix) },
		})
	}
	return o
}

// isPlace reports whether a mount is nothing but the place of versions.
func isPlace(m, versions *router.Mount) bool {
	return versions != nil && m.Backend == versions.Backend && m.Bucket == versions.Bucket && m.Prefix == versions.Prefix
}

// place is one mount of r with its versions. It knows nothing of Under and UploadIds.
func (c *composer) place(r *router.BucketRecord, m *router.Mount, route *router.Route) versioned.Options {
	v := r.Versions
	heads := mount.Options{Backend: c.stores[m.Backend], Bucket: m.Bucket, Prefix: m.Prefix, Exclude: m.Exclude}
	if m.Backend == v.Backend && m.Bucket == v.Bucket && strings.HasPrefix(v.Prefix, m.Prefix) {
		heads.Exclude = append(slices.Clip(heads.Exclude), v.Prefix)
	}
	return versioned.Options{
		Heads:  mount.New(heads),
		Bodies: mount.New(mount.Options{Backend: c.stores[v.Backend], Bucket: v.Bucket, Prefix: v.Prefix}),
		Index:  c.index, BucketID: r.IndexID(m), DataType: m.ID,
		Versioning: route.Settings.Versioning, Complete: route.Settings.Complete, Door: route.Door,
		HeadKMSKeyID: m.Policy.KMSKeyID, BodyClass: types.StorageClass(v.Policy.StorageClass), BodyKMSKeyID: v.Policy.KMSKeyID,
		Immutable: v.Policy.Access != "", Private: isLocal(m.Backend) && isLocal(v.Backend), Repairs: c.repairs, Log: c.log,
	}
}

// versioned shows one mount of r with its versions. The mount on top has Under and the UploadIds, which are good
// whether they are from before the bucket had versions or not.
func (c *composer) versioned(r *router.BucketRecord, m *router.Mount, route *router.Route) backends.Backend {
	b := versioned.New(c.place(r, m, route))
	return mount.New(mount.Options{
		Backend: b, Under: m.Under, BucketID: r.BucketID, MountID: m.ID, Sealer: c.sealer, Within: m.Prefix,
	})
}

// mount shows one mount of r.
func (c *composer) mount(r *router.BucketRecord, m *router.Mount, route *router.Route) backends.Backend {
	if v := versionsOf(r, route); v != nil && !m.Old && !isPlace(m, v) {
		return c.versioned(r, m, route)
	}
	return mount.New(mount.Options{
		Backend: c.stores[m.Backend], Bucket: m.Bucket, Prefix: m.Prefix, Under: m.Under, Exclude: m.Exclude,
		BucketID: r.BucketID, MountID: m.ID, Sealer: c.sealer,
	})
}
