// Package cache keeps resolved routes in memory, in front of any resolver. It is
// a resolver itself and keeps the same contract, but for two things: what another
// proxy changes shows after the time to live at the latest, and a bucket that was there
// still is for a while when the resolver fails. What this proxy changes, and says so
// with Forget, shows at once.
package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// Options bound what a cache holds and how long it believes it. A zero value
// takes the default.
type Options struct {
	Size        int              // routes, and as many names without one; 10,000
	TTL         time.Duration    // of a route; 30 s
	NegativeTTL time.Duration    // of "there is no such bucket"; 2 s
	Outage      time.Duration    // how much longer a route is used while lookups fail; not at all
	Patience    time.Duration    // with a lookup of what could be used meanwhile; 1 s
	Timeout     time.Duration    // of a lookup; 10 s
	Now         func() time.Time // the real time
}

// orDefaults fills in what is zero.
func (o Options) orDefaults() Options {
	if o.Size <= 0 {
		o.Size = 10_000
	}
	if o.TTL <= 0 {
		o.TTL = 30 * time.Second
	}
	if o.NegativeTTL <= 0 {
		o.NegativeTTL = 2 * time.Second
	}
	if o.Patience <= 0 {
		o.Patience = time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	return o
}

// Routes is the cache. It is safe for concurrent use.
type Routes struct {
	Options
	next       router.Resolver
	generation func() uint64
	began      time.Time

	found   *lru.Cache[name, entry]
	missing *lru.Cache[name, entry] // apart, so that guessing names evicts no route
	flights singleflight.Group

	mu     sync.Mutex // held from comparing epoch to storing
	epoch  uint64     // number of calls of Forget
	counts counts
}

// name is whose bucket is meant.
type name struct{ tenantID, bucket string }

// clone is the name in memory of its own, and in one piece: to compare it is to wait for one
// line of memory, not for two.
func (n name) clone() name {
	both := n.tenantID + n.bucket
	return name{both[:len(n.tenantID)], both[len(n.tenantID):]}
}

// entry is the outcome of a lookup: a route or the error.
type entry struct {
	route      *router.Route
	err        error
	generation uint64
	began      time.Duration // the lookup, as [Routes.age] counts: it knows nothing later
	expires    time.Duration // likewise
	failing    bool          // it is out of date, and the last lookup failed or takes long
}

// New returns an empty cache in front of next. When next has a Generation, as
// [router.Router] does, routes of an earlier one are not used.
func New(next router.Resolver, o Options) *Routes {
	c := &Routes{Options: o.orDefaults(), next: next, generation: func() uint64 { return 0 }}
	if g, ok := next.(interface{ Generation() uint64 }); ok {
		c.generation = g.Generation
	}
	c.found, c.missing = newLRU(c.Size), newLRU(c.Size)
	c.began = time.Now()
	if c.Now != nil {
		c.began = c.Now()
	}
	return c
}

// age is the time since the cache was made. Of the real time it reads only the monotonic
// clock, which costs half of what [time.Now] does; the clock is most of a hit.
func (c *Routes) age() time.Duration {
	if c.Now != nil {
		return c.Now().Sub(c.began)
	}
	return time.Since(c.began)
}

// newLRU returns an empty LRU.
func newLRU(size int) *lru.Cache[name, entry] {
	l, err := lru.New[name, entry](size)
	if err != nil {
		panic("BUG: cache: " + err.Error()) // only for sizes below 1
	}
	return l
}

// Resolve implements [router.Resolver].
func (c *Routes) Resolve(ctx context.Context, tenantID, bucket string) (*router.Route, error) {
	key, generation := name{tenantID, bucket}, c.generation()
	// Fast path.
	old, known := c.found.Get(key)
	if known && c.fresh(&old, generation) {
		c.counts.hits.Add(1)
		if old.failing {
			c.counts.stale.Add(1)
		}
		return old.route, nil
	}
	if e, ok := c.missing.Get(key); ok && c.fresh(&e, generation) {
		c.counts.negativeHits.Add(1)
		return nil, e.err
	}
	// Slow path.
	c.counts.misses.Add(1)
	key = key.clone() // It is made of pieces of a request, which a lookup may survive.
	flight := c.begin(ctx, key, generation)
	if known && c.usable(&old, generation) {
		return c.refresh(ctx, key, old, flight)
	}
	return wait(ctx, flight)
}

// fresh reports whether the entry may still be used.
func (c *Routes) fresh(e *entry, generation uint64) bool {
	return e.generation == generation && c.age() < e.expires
}

// usable reports whether the entry may be used when nothing newer can be had.
func (c *Routes) usable(e *entry, generation uint64) bool {
	return e.generation == generation && c.age() < c.end(e)
}

// end is when the entry can no longer be used.
func (c *Routes) end(e *entry) time.Duration { return e.began + c.TTL + c.Outage }

// Forget drops what is known of a bucket. A lookup that began before it is not
// stored, and no later Resolve is given its outcome.
func (c *Routes) Forget(tenantID, bucket string) {
	key := name{tenantID, bucket}
	c.mu.Lock()
	c.epoch++
	c.found.Remove(key)
	c.missing.Remove(key)
	c.mu.Unlock()
	c.flights.Forget(flightKey(key, c.generation()))
}

// store keeps the outcome of a lookup that began in the epoch.
func (c *Routes) store(key name, epoch uint64, e entry) {
	if failed(e.err) {
		c.fail(key, e.generation)
		return // the next one may have more luck
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case epoch != c.epoch: // Of this bucket or another: rare enough to ask again.
	case e.err != nil:
		e.expires = c.age() + c.NegativeTTL
		c.found.Remove(key)
		c.missing.Add(key, e)
	default:
		e.expires = e.began + c.TTL
		c.missing.Remove(key)
		if c.found.Add(key, e) {
			c.counts.evictions.Add(1)
		}
	}
}

// failed reports whether a lookup failed: that there is no bucket is an answer.
func failed(err error) bool { return err != nil && !s3err.Is(err, s3err.NoSuchBucket) }

// fail notes that a lookup of a bucket failed, or takes long. What is known of it is used for a while without
// asking, and then without waiting for an answer.
func (c *Routes) fail(key name, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.found.Peek(key)
	if !ok || c.fresh(&e, generation) || !c.usable(&e, generation) {
		return
	}
	e.failing, e.expires = true, min(c.age()+retryInterval, c.end(&e))
	c.found.Add(key, e)
}

// retryInterval is the time between lookups that fail.
const retryInterval = time.Second

// Stats is what a cache has done so far, and what it holds.
type Stats struct {
	Hits, NegativeHits, Misses, Evictions uint64
	Stale                                 uint64 // uses of routes that were out of date, because lookups failed
	Routes, Missing                       int
}

// counts are the running numbers of Stats.
type counts struct{ hits, negativeHits, misses, evictions, stale atomic.Uint64 }

// Stats returns the counters.
func (c *Routes) Stats() Stats {
	return Stats{
		Hits: c.counts.hits.Load(), NegativeHits: c.counts.negativeHits.Load(),
		Misses: c.counts.misses.Load(), Evictions: c.counts.evictions.Load(), Stale: c.counts.stale.Load(),
		Routes: c.found.Len(), Missing: c.missing.Len(),
	}
}

// State says, without making it count as used, what is known of a bucket: "cached",
// "cached as missing", "expired" or "not cached".
func (c *Routes) State(tenantID, bucket string) string {
	key, generation := name{tenantID, bucket}, c.generation()
	for state, l := range map[string]*lru.Cache[name, entry]{"cached": c.found, "cached as missing": c.missing} {
		if e, ok := l.Peek(key); ok {
			if !c.fresh(&e, generation) {
				return "expired"
			}
			return state
		}
	}
	return "not cached"
}
