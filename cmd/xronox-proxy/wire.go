package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/xronox/xronox-proxy/admin"
	"github.com/xronox/xronox-proxy/backends/s3backend"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/cache"
	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3api"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/kvindex"
	"github.com/xronox/xronox-proxy/versions/mongoindex"
)

// app is everything that runs.
type app struct {
	log     *slog.Logger
	server  *s3api.Server
	admin   *admin.Handler
	root    rootCredential
	closers []io.Closer // in the order they were opened

	services []*s3backend.Backend // the connections to S3

	index    versions.Index
	sealer   *token.Sealer
	metrics  *admin.Metrics
	router   *router.Router
	routes   *cache.Routes
	composer *composer
}

// close ends what build opened, last first.
func (a *app) close() {
	for _, c := range slices.Backward(a.closers) {
		if err := c.Close(); err != nil {
			a.log.Error("closing", slog.Any("cause", err))
		}
	}
}

// open opens everything that the configuration speaks of, and serves nothing.
func open(ctx context.Context, cfg *config.Config, m *mapping.Map, log *slog.Logger) (_ *app, err error) {
	a := &app{log: log}
	x, err := a.openIndex(ctx, cfg)
	if err == nil {
		err = usable(ctx, x, cfg)
	}
	if err != nil {
		a.close()
		return nil, err
	}
	b, err := openOn(ctx, x, cfg, m, log)
	if err != nil {
		a.close()
		return nil, err
	}
	b.closers = append(a.closers, b.closers...)
	return b, nil
}

// usable is nil when what notices say lets an index be used. An embedded one that may only be read has been left so.
func usable(ctx context.Context, x versions.Index, cfg *config.Config) error {
	last, err := versions.LastNotice(ctx, x)
	switch {
	case err != nil:
		return err
	case isShared(cfg.Proxy.Index):
		return last.Reads()
	}
	return last.Writes()
}

// openOn is open on an index that is open, and is not closed.
func openOn(ctx context.Context, x versions.Index, cfg *config.Config, m *mapping.Map, log *slog.Logger) (_ *app, err error) {
	a := &app{log: log, metrics: admin.NewMetrics(), index: x}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if isShared(cfg.Proxy.Index) {
		a.index = versions.NewGuard(x)
	}
	if a.sealer, err = newSealer(ctx, a.index); err != nil {
		return nil, err
	}
	stores, err := a.openStores(cfg, m, a.metrics)
	if err != nil {
		return nil, err
	}
	if err := a.makeBuckets(ctx, stores, m, cfg.Proxy.CreateBuckets); err != nil {
		return nil, err
	}
	a.probeServices(ctx, cfg, m)
	a.composer = &composer{stores: stores, sealer: a.sealer, index: a.index, repairs: a.startRepairs(ctx), log: log}
	freshFor, outage := freshness(cfg.Proxy.Index)
	a.router, err = router.New(ctx, router.Options{
		Config: router.Config{
			Backends: stores, Stores: m.Stores, Template: m.Template, Buckets: m.Buckets, Tenants: m.Tenants,
			Region: cfg.Proxy.Region, Compose: a.composer.compose, FreshFor: freshFor, Outage: outage,
		},
		Records: a.index, Forget: a.index.Forget,
		Changed: func(tenantID, bucket string) { a.routes.Forget(tenantID, bucket) },
	})
	if err != nil {
		return nil, err
	}
	a.routes = cache.New(a.router, cacheOptions(cfg.Proxy.Index))
	return a, nil
}

// build makes everything the configuration asks for, or says all that keeps
// it from that. Only it, open, stores.go and check.go name concrete types.
func build(ctx context.Context, cfg *config.Config, m *mapping.Map, log *slog.Logger) (_ *app, err error) {
	a, err := open(ctx, cfg, m, log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	ids, err := a.identities(cfg.Proxy)
	if err != nil {
		return nil, err
	}
	watch(a.metrics, a.routes)
	a.admin = admin.New(a.metrics, a.checks(a.index))
	a.admin.Handle("GET /explain", &explainer{router: a.router, routes: a.routes, ids: ids})
	if err := a.serveUpkeep(ctx, cfg, m); err != nil {
		return nil, err
	}
	l := cfg.Proxy.Limits
	a.server = s3api.New(s3api.Options{
		Resolver: a.routes, Buckets: a.router, Identities: ids, Sealer: a.sealer, Region: cfg.Proxy.Region,
		CustomerKeys:    customerKeys(cfg),
		AnonymousTenant: cmp.Or(cfg.Proxy.AnonymousTenant, ids.OnlyTenant()),
		Domains:         router.Domains(cfg.Proxy.Domains), TempDir: cfg.Proxy.DataDir, Log: log, Observer: a.metrics,
		Limits: s3api.Limits{
			MaxHeaderBytes: l.MaxHeaderBytes, MaxConcurrentRequests: l.MaxConcurrentRequests, MaxConnections: l.MaxConnections,
			HeaderTimeout: l.HeaderTimeout.Duration, IdleTimeout: l.IdleTimeout.Duration, BodyIdleTimeout: l.BodyIdleTimeout.Duration,
		},
	})
	return a, nil
}

// startRepairs settles objects in the background as long as the app runs.
func (a *app) startRepairs(ctx context.Context) *versioned.Repairs {
	r := versioned.NewRepairs()
	a.background(ctx, r.Run)
	return r
}

// checks are what must be well for the server to be ready, by what /readyz calls them.
func (a *app) checks(index versions.Index) map[string]func(context.Context) error {
	all := map[string]func(context.Context) error{
		"index": func(ctx context.Context) error { _, err := index.Value(ctx, tokenKeys); return err },
	}
	for _, b := range a.services {
		all["connection "+b.Name()] = b.Ping
	}
	return all
}

// watch exports the counters of the route cache.
func watch(metrics *admin.Metrics, routes *cache.Routes) {
	stat := func(f func(cache.Stats) float64) func() float64 {
		return func() float64 { return f(routes.Stats()) }
	}
	metrics.WatchRoutes(admin.Cache{
		Hits:      stat(func(s cache.Stats) float64 { return float64(s.Hits + s.NegativeHits) }),
		Misses:    stat(func(s cache.Stats) float64 { return float64(s.Misses) }),
		Evictions: stat(func(s cache.Stats) float64 { return float64(s.Evictions) }),
		Stale:     stat(func(s cache.Stats) float64 { return float64(s.Stale) }),
		Entries:   stat(func(s cache.Stats) float64 { return float64(s.Routes + s.Missing) }),
	})
}

// openIndex opens the index, in the data directory or in MongoDB.
func (a *app) openIndex(ctx context.Context, cfg *config.Config) (index versions.Index, err error) {
	if err := makePrivate(cfg.Proxy.DataDir); err != nil {
		return nil, err
	}
	var closer io.Closer
	switch i := cfg.Proxy.Index; i.Driver {
	case config.DriverMongo:
		var x *mongoindex.Index
		x, err = mongoindex.Open(ctx, mongoOptions(i, cfg.Xronox.DBConnections[i.DBConnRef].MongoURI, a.log))
		index, closer = x, x
	default:
		var x *kvindex.Index
		x, err = kvindex.Open(kvindex.Options{Dir: indexDir(cfg), Log: a.log})
		index, closer = x, x
	}
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closer)
	return index, nil
}

// indexDir is where an embedded index is.
func indexDir(cfg *config.Config) string { return filepath.Join(cfg.Proxy.DataDir, "index") }

// isShared reports whether other servers may use the index, too.
func isShared(i config.Index) bool { return i.Driver == config.DriverMongo }

// mongoOptions are the settings of an index in MongoDB.
func mongoOptions(i config.Index, uri config.Secret, log *slog.Logger) mongoindex.Options {
	return mongoindex.Options{
		URI: uri.Reveal(), Database: i.DBName, MaxPoolSize: uint64(i.MaxPoolSize), MinPoolSize: uint64(i.MinPoolSize),
		ConnectTimeout: i.ConnectTimeout.Duration, SelectionTimeout: i.SelectionTimeout.Duration, CallTimeout: i.CallTimeout.Duration,
		ReadConcern: i.ReadConcern, WriteConcern: i.WriteConcern, Log: log,
	}
}

// freshness is how long routes are used without asking the index, and how much longer when it cannot be asked. An embedded
// one is nobody else's, and there whenever the server is.
func freshness(i config.Index) (freshFor, outage time.Duration) {
	if !isShared(i) {
		return 0, 0
	}
	return i.FreshFor.Duration, i.Outage.Duration
}

// cacheOptions are the settings of the route cache.
func cacheOptions(i config.Index) cache.Options {
	freshFor, outage := freshness(i)
	o := cache.Options{TTL: freshFor, Outage: outage}
	if freshFor > 0 {
		o.NegativeTTL = min(freshFor, 2*time.Second)
	}
	return o
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
	// Who fills an index says so first and looks for the keys then.
	last, err := versions.LastNotice(ctx, index)
	if err == nil {
		err = last.Reads()
	}
	if err != nil {
		return nil, err
	}
	return token.New(slices.Collect(slices.Chunk(stored, len(token.NewKey())))...)
}
