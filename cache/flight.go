package cache

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/xronox/xronox-proxy/router"
)

// flightKey names a lookup. Lookups of different generations are different;
// neither a tenant nor a number has a slash.
func flightKey(key name, generation uint64) string {
	return strconv.FormatUint(generation, 10) + "/" + key.tenantID + "/" + key.bucket
}

// begin joins the lookup in flight, or begins one. The lookup belongs to nobody: a
// caller whose ctx ends leaves it, and the others still get its outcome.
func (c *Routes) begin(ctx context.Context, key name, generation uint64) <-chan singleflight.Result {
	return c.flights.DoChan(flightKey(key, generation), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Timeout)
		defer cancel()
		return c.lookUp(ctx, key, generation)
	})
}

// wait waits for the outcome of a lookup.
func wait(ctx context.Context, flight <-chan singleflight.Result) (*router.Route, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case out := <-flight:
		return outcome(out)
	}
}

// outcome is that of a lookup.
func outcome(out singleflight.Result) (*router.Route, error) {
	route, _ := out.Val.(*router.Route)
	return route, out.Err
}

// refresh waits for the outcome of a lookup, and not long, when there is an old route that could be used: not at
// all when it is known that lookups fail.
func (c *Routes) refresh(ctx context.Context, key name, old entry, flight <-chan singleflight.Result) (*router.Route, error) {
	patience := c.Patience
	if old.failing {
		patience = 0
	}
	timer := time.NewTimer(min(patience, c.end(&old)-c.age()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case out := <-flight:
		if route, err := outcome(out); !failed(err) || !c.usable(&old, c.generation()) {
			return route, err
		}
	case <-timer.C:
		if !c.usable(&old, c.generation()) {
			return wait(ctx, flight)
		}
	}
	c.fail(key, old.generation)
	c.counts.stale.Add(1)
	return old.route, nil
}

// lookUp asks the next resolver and keeps what it says. It runs on a goroutine
// of its own, where nobody else would recover a panic.
func (c *Routes) lookUp(ctx context.Context, key name, generation uint64) (route *router.Route, err error) {
	defer func() {
		if p := recover(); p != nil {
			route, err = nil, fmt.Errorf("BUG: cache: resolve %q: panic: %v", key.bucket, p)
		}
	}()
	c.mu.Lock()
	epoch, began := c.epoch, c.age()
	c.mu.Unlock()
	route, err = c.next.Resolve(ctx, key.tenantID, key.bucket)
	c.store(key, epoch, entry{route: route, err: err, generation: generation, began: began})
	return route, err
}
