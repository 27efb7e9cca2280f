package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/admin"
	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/localbackend"
	"github.com/xronox/xronox-proxy/backends/metered"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/cache"
	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3api"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/kvindex"
)

// local is the name of the backend on this machine's disk; a connection of the
// configuration that is left empty means it.
const local = ""

// app is everything that runs.
type app struct {
	log     *slog.Logger
	server  *s3api.Server
	admin   *admin.Handler
	root    rootCredential
	closers []io.Closer // in the order they were opened
}

// close ends what build opened, last first.
func (a *app) close() {
	for _, c := range slices.Backward(a.closers) {
		if err := c.Close(); err != nil {
			a.log.Error("closing", slog.Any("cause", err))
		}
	}
}

// build makes everything the configuration asks for, or says all that keeps
// it from that. It is the only place that names concrete types.
func build(ctx context.Context, cfg *config.Config, log *slog.Logger) (_ *app, err error) {
	if err := served(cfg); err != nil {
		return nil, err
	}
	a := &app{log: log}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	index, store, err := a.open(cfg.Proxy.DataDir)
	if err != nil {
		return nil, err
	}
	ids, err := a.identities(cfg.Proxy)
	if err != nil {
		return nil, err
	}
	sealer, err := newSealer(ctx, index)
	if err != nil {
		return nil, err
	}
	metrics := admin.NewMetrics()
	measured := metered.New(store, func(operation string, took time.Duration, err error) {
		metrics.BackendCall("local", operation, took, err)
	})
	r, routes, err := newRouter(ctx, cfg, index, measured, sealer)
	if err != nil {
		return nil, err
	}
	stat := func(f func(cache.Stats) float64) func() float64 {
		return func() float64 { return f(routes.Stats()) }
	}
	metrics.WatchRoutes(admin.Cache{
		Hits:    stat(func(s cache.Stats) float64 { return float64(s.Hits + s.NegativeHits) }),
		Misses:  stat(func(s cache.Stats) float64 { return float64(s.Misses) }),
		Entries: stat(func(s cache.Stats) float64 { return float64(s.Routes + s.Missing) }),
	})
	a.admin = admin.New(metrics, map[string]func(context.Context) error{
		"index": func(ctx context.Context) error { _, err := index.Value(ctx, tokenKeys); return err },
	})
	l := cfg.Proxy.Limits
	a.server = s3api.New(s3api.Options{
		Resolver: routes, Buckets: r, Identities: ids, Sealer: sealer, Region: cfg.Proxy.Region,
		Domains: router.Domains(cfg.Proxy.Domains), Hosts: cfg.Proxy.Domains, Log: log, Observer: metrics,
		Limits: s3api.Limits{
			MaxHeaderBytes: l.MaxHeaderBytes, MaxConcurrentRequests: l.MaxConcurrentRequests,
			HeaderTimeout: l.HeaderTimeout.Duration, IdleTimeout: l.IdleTimeout.Duration, BodyIdleTimeout: l.BodyIdleTimeout.Duration,
		},
	})
	return a, nil
}

// served refuses what can be configured and is not there yet: to start
// without it would put data in the wrong place.
func served(cfg *config.Config) error {
	var problems []error
	missing := func(path, what string) {
		problems = append(problems, fmt.Errorf("%s: %s is not served yet", path, what))
	}
	p := cfg.Proxy
	if p.Index.Driver != config.DriverEmbedded {
		missing("xronoxProxy.index.driver", string(p.Index.Driver))
	}
	if p.BucketTemplate.Connection != local {
		missing("xronoxProxy.bucketTemplate.connection", "a connection to S3")
	}
	for _, name := range slices.Sorted(maps.Keys(p.VirtualBuckets)) {
		b, path := p.VirtualBuckets[name], "xronoxProxy.virtualBuckets."+name
		switch {
		case b.Mode != config.ModeFlat || b.Database != "":
			missing(path, "a bucket over a database")
		case b.Connection != local:
			missing(path+".connection", "a connection to S3")
		case b.Versioning != "":
			missing(path+".versioning", "versioning")
		case b.TenantPrefix || len(b.Tenants) > 0:
			missing(path, "sharing between tenants")
		}
	}
	return errors.Join(problems...)
}

// open opens what lies in the data directory.
func (a *app) open(dir string) (versions.Index, *localbackend.Backend, error) {
	if err := makePrivate(dir); err != nil {
		return nil, nil, err
	}
	index, err := kvindex.Open(kvindex.Options{Dir: filepath.Join(dir, "index"), Log: a.log})
	if err != nil {
		return nil, nil, err
	}
	a.closers = append(a.closers, index)
	store, err := localbackend.Open(localbackend.Options{Dir: filepath.Join(dir, "objects"), Log: a.log})
	if err != nil {
		return nil, nil, err
	}
	a.closers = append(a.closers, store)
	return index, store, nil
}

// identities are the configured ones and the root of the environment; without
// either, the root of the data directory.
func (a *app) identities(p config.Proxy) (*router.Identities, error) {
	list := make([]router.Credential, 0, len(p.Credentials)+1)
	for _, c := range p.Credentials {
		list = append(list, credential(c))
	}
	root, ok, err := rootFromEnv()
	if err != nil {
		return nil, err
	}
	if !ok && len(list) == 0 {
		if root, err = rootFromDir(p.DataDir); err != nil {
			return nil, err
		}
		ok = true
	}
	if ok {
		a.root = root
		list = append(list, root.identity())
	}
	return router.NewIdentities(list)
}

// credential is a configured key pair as the router takes it.
func credential(c config.Credential) router.Credential {
	out := router.Credential{
		Identity:  router.Identity{AccessKey: c.AccessKey, UserID: c.UserID, DisplayName: c.DisplayName, TenantID: c.TenantID},
		SecretKey: c.SecretKey.Reveal(),
	}
	for _, g := range c.Grants {
		grant := router.Grant{Buckets: g.Buckets, Prefix: g.Prefix}
		for _, action := range g.Actions {
			grant.Actions = append(grant.Actions, router.Action(action))
		}
		out.Grants = append(out.Grants, grant)
	}
	return out
}

// tokenKeys is where the index keeps the keys that seal tokens: one after the
// other, the first seals and all open.
const tokenKeys = "tokenKeys"

// newSealer takes the keys of the index, so that every proxy on it opens what
// another sealed, and makes one at the first start.
func newSealer(ctx context.Context, index versions.Index) (*token.Sealer, error) {
	stored, err := index.InsertValue(ctx, tokenKeys, token.NewKey())
	if err != nil {
		return nil, fmt.Errorf("token keys: %w", err)
	}
	return token.New(slices.Collect(slices.Chunk(stored, len(token.NewKey())))...)
}

// newRouter makes the router and the cache in front of it.
func newRouter(ctx context.Context, cfg *config.Config, index versions.Index, store backends.Backend, sealer *token.Sealer) (*router.Router, *cache.Routes, error) {
	p := cfg.Proxy
	tenants := []string{router.DefaultTenant}
	for _, c := range p.Credentials {
		if c.TenantID != "" && !slices.Contains(tenants, c.TenantID) {
			tenants = append(tenants, c.TenantID)
		}
	}
	buckets, err := staticBuckets(ctx, p, store)
	if err != nil {
		return nil, nil, err
	}
	var routes *cache.Routes
	r, err := router.New(ctx, router.Options{
		Config: router.Config{
			Backends: map[string]backends.Backend{local: store},
			Template: router.Template{Backend: local, Bucket: p.BucketTemplate.Bucket, Prefix: p.BucketTemplate.Prefix},
			Buckets:  buckets, Tenants: tenants, Region: p.Region,
			Compose: func(b backends.Backend, bucketID string, m router.Mount) backends.Backend {
				return mount.New(mount.Options{Backend: b, Bucket: m.Bucket, Prefix: m.Prefix, BucketID: bucketID, MountID: m.ID, Sealer: sealer})
			},
		},
		Records: index,
		Changed: func(tenantID, bucket string) { routes.Forget(tenantID, bucket) },
	})
	if err != nil {
		return nil, nil, err
	}
	routes = cache.New(r, cache.Options{})
	return r, routes, nil
}

// staticBuckets are the virtual buckets of the configuration, whose physical
// buckets are made when they are missing.
func staticBuckets(ctx context.Context, p config.Proxy, store backends.Backend) ([]router.BucketRecord, error) {
	manager, _ := backends.As[backends.BucketManager](store)
	var list []router.BucketRecord
	for _, name := range slices.Sorted(maps.Keys(p.VirtualBuckets)) {
		b := p.VirtualBuckets[name]
		tenant := b.TenantID
		if tenant == "" {
			tenant = router.DefaultTenant
		}
		list = append(list, router.BucketRecord{
			TenantID: tenant, Name: name, Owner: "root", Region: p.Region,
			Mounts: []router.Mount{{Backend: local, Bucket: b.Bucket, Prefix: b.Prefix}},
		})
		_, err := manager.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b.Bucket})
		if err != nil && !s3err.Is(err, s3err.BucketAlreadyOwnedByYou) {
			return nil, fmt.Errorf("xronoxProxy.virtualBuckets.%s: %w", name, err)
		}
	}
	return list, nil
}
