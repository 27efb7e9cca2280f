// Package s3test gives a test a running proxy in one call: a server on
// loopback, people to sign as, and a clock that stands still until it is moved.
package s3test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/cache"
	"github.com/xronox/xronox-proxy/internal/wiretest"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3api"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// What every proxy of a test has.
const (
	Region = "us-east-1"
	Domain = "s3.example.com" // for virtual-hosted addressing
	Bucket = "bucket"         // owned by Root
)

// Who may sign. Root and Colleague may do everything in the default tenant;
// Reader may read and list there, Writer only write; Stranger is of another tenant.
var (
	Root      = person("ROOT", "root", "")
	Colleague = person("COLLEAGUE", "", "")
	Reader    = person("READER", "", "", router.Read, router.List)
	Writer    = person("WRITER", "", "", router.Write)
	Stranger  = person("STRANGER", "", "elsewhere")
)

// person is a credential that may do what actions say, or everything.
func person(accessKey, user, tenant string, actions ...router.Action) router.Credential {
	c := router.Credential{
		Identity:  router.Identity{AccessKey: accessKey, UserID: user, TenantID: tenant},
		SecretKey: accessKey + "-secret",
	}
	if actions != nil {
		c.Grants = []router.Grant{{Buckets: []string{"*"}, Actions: actions}}
	}
	return c
}

// Options are what tests vary; the zero value is fine.
type Options struct {
	Limits       s3api.Limits
	CustomerKeys s3api.CustomerKeys
	Observer     s3api.Observer
	Backend      backends.Backend                        // a new membackend when nil
	Records      router.Records                          // a new memindex when nil; also knows versions when it is a [versions.Index]
	Wrap         func(backends.Backend) backends.Backend // around each bucket
	Now          func() time.Time                        // nil: Instant, till somebody moves it
	Listen       func(net.Listener) net.Listener         // around the server's

	People   []router.Credential // who may sign beside those above, of whatever tenants
	Template router.Template     // of the buckets to be made; one physical bucket for each when zero

	// For tests that must see a broken proxy be caught: what every mount is made
	// of, and who resolves buckets for the server.
	Mount    func(*mount.Options)
	Resolver func(router.Resolver) router.Resolver
}

// orDefaults fills in what is zero.
func (o Options) orDefaults() Options {
	if o.Backend == nil {
		m := membackend.New()
		m.Now = o.Now
		o.Backend = m
	}
	if o.Records == nil {
		o.Records = memindex.New()
	}
	if o.Template.Bucket == "" {
		o.Template = router.DefaultTemplate(store)
	}
	if o.Wrap == nil {
		o.Wrap = func(b backends.Backend) backends.Backend { return b }
	}
	if o.Mount == nil {
		o.Mount = func(*mount.Options) {}
	}
	if o.Resolver == nil {
		o.Resolver = func(r router.Resolver) router.Resolver { return r }
	}
	return o
}

// store is the name of the only connection.
const store = "store"

// Instant is when a test's clock stands still.
func Instant() time.Time { return time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC) }

// clock is a clock that stands still.
type clock struct{ since atomic.Int64 }

// now is its time.
func (c *clock) now() time.Time { return Instant().Add(time.Duration(c.since.Load())) }

// later moves it.
func (c *clock) later(d time.Duration) { c.since.Add(int64(d)) }

// Proxy is a running server.
type Proxy struct {
	Addr  string
	Store backends.Backend // below the mounts
	Now   func() time.Time

	clock clock // unless there was another
}

// Start starts a proxy with one bucket; it ends with the test, which fails
// when the proxy does not end cleanly.
func Start(t testing.TB, o Options) *Proxy {
	t.Helper()
	p := &Proxy{}
	if o.Now == nil {
		o.Now = p.clock.now
	}
	o = o.orDefaults()
	server := newServer(t, o)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := ln.Addr().String()
	if o.Listen != nil {
		ln = o.Listen(ln)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	p.Addr, p.Store, p.Now = addr, o.Backend, o.Now
	return p
}

// newServer puts a server together as the command does.
func newServer(t testing.TB, o Options) *s3api.Server {
	ids, err := router.NewIdentities(append([]router.Credential{Root, Colleague, Reader, Writer, Stranger}, o.People...))
	must(t, err)
	sealer, err := token.New(make([]byte, 64))
	must(t, err)
	index, ok := o.Records.(versions.Index)
	if !ok {
		index = memindex.New()
	}
	var routes *cache.Routes
	r, err := router.New(context.Background(), router.Options{
		Config: router.Config{
			Backends: map[string]backends.Backend{store: o.Backend},
			Template: o.Template,
			Tenants:  tenants(o.People),
			Region:   Region,
			Compose: func(r *router.BucketRecord, route *router.Route) backends.Backend {
				return o.Wrap(o.compose(r, route, index, sealer))
			},
		},
		Records: o.Records, Forget: index.Forget,
		Changed: func(tenantID, bucket string) { routes.Forget(tenantID, bucket) },
		Now:     o.Now,
	})
	must(t, err)
	routes = cache.New(r, cache.Options{})
	root, _ := ids.Identity(Root.AccessKey)
	_, err = r.CreateBucket(context.Background(), *root, Bucket, router.Configuration{})
	must(t, err)
	return s3api.New(s3api.Options{
		Resolver: o.Resolver(routes), Buckets: r, Identities: ids, Domains: router.Domains{Domain}, Sealer: sealer,
		Region: Region, AnonymousTenant: router.DefaultTenant, Limits: o.Limits, CustomerKeys: o.CustomerKeys, Observer: o.Observer, Now: o.Now,
		Log: slog.New(slog.DiscardHandler),
	})
}

// compose composes a bucket as the command does: one mount, with versions if there are any.
func (o *Options) compose(r *router.BucketRecord, route *router.Route, index versions.Index, sealer *token.Sealer) backends.Backend {
	m, v := &r.Mounts[0], r.Versions
	mo := mount.Options{Backend: o.Backend, Bucket: m.Bucket, Prefix: m.Prefix, BucketID: r.BucketID, MountID: m.ID, Sealer: sealer}
	if route.Settings.Versioning == router.Unversioned || route.Settings.Enabling {
		o.Mount(&mo)
		b := mount.New(mo)
		if route.Door != nil {
			b = versioned.NewPlain(b, route.Door)
		}
		return b
	}
	top := mount.Options{BucketID: r.BucketID, MountID: m.ID, Sealer: sealer, Within: m.Prefix}
	mo.Sealer, mo.Exclude = nil, []string{v.Prefix}
	o.Mount(&mo)
	top.Backend = versioned.New(versioned.Options{
		Heads:  mount.New(mo),
		Bodies: mount.New(mount.Options{Backend: o.Backend, Bucket: v.Bucket, Prefix: v.Prefix}),
		Index:  index, BucketID: r.IndexID(m), DataType: m.ID, Versioning: route.Settings.Versioning,
		Complete: route.Settings.Complete, Door: route.Door, Now: o.Now,
	})
	return mount.New(top)
}

// tenants are those of everybody who may sign.
func tenants(people []router.Credential) []string {
	list := []string{router.DefaultTenant, Stranger.TenantID}
	for i := range people {
		if tenant := people[i].TenantID; tenant != "" && !slices.Contains(list, tenant) {
			list = append(list, tenant)
		}
	}
	return list
}

// must ends the test when err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Target is the proxy as transcripts see it.
func (p *Proxy) Target(hosted bool) wiretest.Target {
	ids := map[string]aws.Credentials{
		"nobody": {AccessKeyID: "NOBODY", SecretAccessKey: "s"},
		"wrong":  {AccessKeyID: Root.AccessKey, SecretAccessKey: "s"},
	}
	for name, c := range map[string]router.Credential{"": Root, "colleague": Colleague, "reader": Reader, "writer": Writer, "stranger": Stranger} {
		ids[name] = Credentials(c)
	}
	return wiretest.Target{Addr: p.Addr, Region: Region, Now: p.Now, Later: p.clock.later, Host: Domain, Hosted: hosted, Identities: ids}
}

// Credentials are c as the SDK has them.
func Credentials(c router.Credential) aws.Credentials {
	return aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.SecretKey}
}

// Client is an SDK client that signs as who. The proxy's clock must be the
// real one for it (Options.Now: time.Now).
func (p *Proxy) Client(who router.Credential) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + p.Addr), Region: Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(who.AccessKey, who.SecretKey, ""),
	})
}

// Object reads an object of Bucket from the store, past the proxy.
func (p *Proxy) Object(t testing.TB, key string) (body string, found bool) {
	t.Helper()
	physical := router.DefaultTenant + "/" + Bucket
	out, err := p.Store.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &physical, Key: &key})
	if err != nil {
		return "", false
	}
	defer func() { _ = out.Body.Close() }()
	b, err := io.ReadAll(out.Body)
	must(t, err)
	return string(b), true
}
