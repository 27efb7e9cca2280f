package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/token"
)

// simulated is how many tenants there are, each with a bucket.
const simulated = 1_000_000

// zipf is the exponent of the load: the n-th tenant asks in proportion to n^-zipf.
const zipf = 1.1

// crowd resolves a bucket of any tenant, to a route made as the router makes them; or to
// one for all, which takes no memory.
type crowd struct {
	store  *membackend.Backend
	sealer *token.Sealer
	same   *router.Route
}

// Resolve implements [router.Resolver].
func (r *crowd) Resolve(_ context.Context, tenantID, bucket string) (*router.Route, error) {
	if r.same != nil {
		return r.same, nil
	}
	tenantID, bucket = strings.Clone(tenantID), strings.Clone(bucket) // as if read from the index
	id := strings.Clone("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	return &router.Route{
		Name: bucket, BucketID: id, TenantID: tenantID, Owner: strings.Clone("owner"), Region: "us-east-1",
		Backend: mount.New(mount.Options{Backend: r.store, Bucket: tenantID + "/" + bucket, BucketID: id, MountID: "main", Sealer: r.sealer}),
	}, nil
}

// load is who asks, one after the other.
func load(names []string) []string {
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), zipf, 1, simulated-1)
	draws := make([]string, 1<<21)
	for i := range draws {
		draws[i] = strings.Clone(names[z.Uint64()]) // near at hand, as what a request has just been read from
	}
	return draws
}

// heap is how much memory is in use.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// filled is a cache that has seen the whole load, and what an entry of it takes.
func filled(b *testing.B, next router.Resolver, size int, draws []string) (c *Routes, bytesPerEntry float64) {
	before := heap()
	c = New(next, Options{Size: size, TTL: time.Hour})
	for _, tenant := range draws {
		if _, err := c.Resolve(b.Context(), tenant, "uploads"); err != nil {
			b.Fatal(err)
		}
	}
	return c, (heap() - before) / float64(c.Stats().Routes)
}

// BenchmarkTenants is a million tenants under a Zipf load. ns/op is of the load as it is, hits and
// misses, with a resolver that only composes the route; ns/hit of the part of it that hits.
func BenchmarkTenants(b *testing.B) {
	names := make([]string, simulated)
	for i := range names {
		names[i] = fmt.Sprintf("tenant-%07d", i)
	}
	draws := load(names)
	sealer, err := token.New(token.NewKey())
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{10_000, 100_000, simulated} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			_, own := filled(b, &crowd{same: &router.Route{}}, size, draws)
			c, all := filled(b, &crowd{store: membackend.New(), sealer: sealer}, size, draws)
			ctx, before, i := b.Context(), c.Stats(), 0
			for b.Loop() {
				if _, err := c.Resolve(ctx, draws[i&(len(draws)-1)], "uploads"); err != nil {
					b.Fatal(err)
				}
				i++
			}
			after := c.Stats()
			hits, misses := after.Hits-before.Hits, after.Misses-before.Misses
			took, allocs := onHits(b, c, draws)
			b.ReportMetric(100*float64(hits)/float64(hits+misses), "%hits")
			b.ReportMetric(own, "B/entry")
			b.ReportMetric(all, "B/entry+route")
			b.ReportMetric(took, "ns/hit")
			b.ReportMetric(allocs, "allocs/hit")
		})
	}
}

// onHits is what a lookup costs, in nanoseconds and allocations, of the part of the load that is
// in the cache. Of the time it takes the median over short stretches, so that what else the
// machine does counts for little.
func onHits(b *testing.B, c *Routes, draws []string) (took, allocs float64) {
	var hits []string
	for _, tenant := range draws {
		if c.found.Contains(name{tenant, "uploads"}) {
			hits = append(hits, tenant)
		}
	}
	ctx, before := b.Context(), c.Stats()
	var times []time.Duration
	for stretch := range slices.Chunk(hits, 1000) {
		began := time.Now()
		for _, tenant := range stretch {
			_, _ = c.Resolve(ctx, tenant, "uploads")
		}
		times = append(times, time.Since(began)/time.Duration(len(stretch)))
	}
	if after := c.Stats(); after.Misses != before.Misses {
		b.Fatalf("%d of them were no hits", after.Misses-before.Misses)
	}
	slices.Sort(times)
	i := 0
	allocs = testing.AllocsPerRun(1000, func() {
		_, _ = c.Resolve(ctx, hits[i], "uploads")
		i++
	})
	return float64(times[len(times)/2]), allocs
}

// BenchmarkHit is a hit on one route that everybody asks for.
func BenchmarkHit(b *testing.B) {
	c := New(newTable(), Options{})
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Resolve(ctx, "t", "b"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHitParallel is the same on all processors.
func BenchmarkHitParallel(b *testing.B) {
	c := New(newTable(), Options{})
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Resolve(ctx, "t", "b"); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
