// Package s3api is the server that speaks the S3 wire protocol. It parses a
// request, finds its operation in one table, verifies its signature, resolves
// its virtual bucket to a route, and runs the operation on the route's
// Backend. It knows nothing of mapping, versions or stores.
//
// The path of every request is [Server.handle]; the table is in ops.go; each
// operation is one op_*.go file.
package s3api

import (
	"context"
	"log/slog"
	"time"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/sigv4"
	"github.com/xronox/xronox-proxy/token"
)

// resolver finds the route of a virtual bucket as a tenant sees it.
type resolver interface {
	Resolve(ctx context.Context, tenantID, bucket string) (*router.Route, error)
}

// bucketStore makes, removes, sets and lists the virtual buckets of an identity.
type bucketStore interface {
	CreateBucket(ctx context.Context, id router.Identity, bucket string, set router.Configuration) (*router.Route, error)
	DeleteBucket(ctx context.Context, id router.Identity, bucket string) error
	SetVersioning(ctx context.Context, id router.Identity, bucket string, v router.Versioning) error
	Configure(ctx context.Context, id router.Identity, bucket string, change func(router.Settings) (router.Configuration, error)) error
	Settings(ctx context.Context, route *router.Route) (router.Settings, error)
	ListBuckets(ctx context.Context, id router.Identity, prefix, after string, limit int) (list []router.Bucket, more bool, err error)
}

// identities knows who an access key belongs to.
type identities interface {
	sigv4.Keys
	Identity(accessKey string) (*router.Identity, bool)
}

// hostSplitter finds bucket and key in a request's host and raw path, and
// knows which other hosts would give the same ones.
type hostSplitter interface {
	Split(host, rawPath string) (bucket, rawKey string, virtualHosted bool)
	Aliases(host string) []string
}

// Observer hears of every request when it has ended.
type Observer interface {
	// InFlight is told +1 when a request starts and -1 when it has ended.
	InFlight(delta int)
	// Observe is given what became of a request. It must not keep r.
	Observe(r *Record)
}

// Options is what a Server is made of. All but Domains, Limits, TempDir, CustomerKeys,
// Observer and Now are needed.
type Options struct {
	Resolver   resolver
	Buckets    bucketStore
	Identities identities
	Domains    hostSplitter
	Sealer     *token.Sealer // seals continuation tokens
	Region     string        // of every bucket; signatures must name it

	// AnonymousTenant is whose buckets requests mean that nobody has signed, such as the preflights of
	// browsers; empty: nobody's.
	AnonymousTenant string

	CustomerKeys CustomerKeys // over which connections they are taken

	Limits   Limits
	TempDir  string // for what is too large for memory; the system's when empty
	Log      *slog.Logger
	Observer Observer
	Now      func() time.Time
}

// Limits bound what a client can make the server hold or wait for. A zero
// value takes the default of [DefaultLimits].
type Limits struct {
	MaxHeaderBytes        int           // request line and headers together
	MaxConcurrentRequests int           // above it: 503 SlowDown
	MaxConnections        int           // above it: 503 and the end of the connection
	HeaderTimeout         time.Duration // for the request line and headers to arrive
	IdleTimeout           time.Duration // between requests of a connection
	BodyIdleTimeout       time.Duration // without a byte of a body, in either direction
}

// DefaultLimits is what a server does when it is not told otherwise. How many
// connections it takes depends on the system.
var DefaultLimits = Limits{
	MaxHeaderBytes:        16 << 10,
	MaxConcurrentRequests: 4096,
	HeaderTimeout:         20 * time.Second,
	IdleTimeout:           90 * time.Second,
	BodyIdleTimeout:       60 * time.Second,
}

// orDefaults fills in what is zero.
func (l Limits) orDefaults() Limits {
	d := DefaultLimits
	set := func(p *time.Duration, def time.Duration) {
		if *p <= 0 {
			*p = def
		}
	}
	if l.MaxHeaderBytes <= 0 {
		l.MaxHeaderBytes = d.MaxHeaderBytes
	}
	if l.MaxConcurrentRequests <= 0 {
		l.MaxConcurrentRequests = d.MaxConcurrentRequests
	}
	if l.MaxConnections <= 0 {
		l.MaxConnections = defaultConnections(descriptors())
	}
	set(&l.HeaderTimeout, d.HeaderTimeout)
	set(&l.IdleTimeout, d.IdleTimeout)
	set(&l.BodyIdleTimeout, d.BodyIdleTimeout)
	return l
}
