package cache

import (
	"context"
	"fmt"
	"strconv"

	"github.com/xronox/xronox-proxy/router"
)

// flightKey names a lookup. Lookups of different generations are different;
// neither a tenant nor a number has a slash.
func flightKey(key name, generation uint64) string {
	return strconv.FormatUint(generation, 10) + "/" + key.tenantID + "/" + key.bucket
}

// wait joins the lookup in flight, or begins one. The lookup belongs to nobody: a
// caller whose ctx ends leaves it, and the others still get its outcome.
func (c *Routes) wait(ctx context.Context, key name, generation uint64) (*router.Route, error) {
	flight := c.flights.DoChan(flightKey(key, generation), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Timeout)
		defer cancel()
		return c.lookUp(ctx, key, generation)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case out := <-flight:
		route, _ := out.Val.(*router.Route)
		return route, out.Err
	}
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
	epoch := c.epoch
	c.mu.Unlock()
	route, err = c.next.Resolve(ctx, key.tenantID, key.bucket)
	c.store(key, epoch, entry{route: route, err: err, generation: generation})
	return route, err
}
