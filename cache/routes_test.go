package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// table is a resolver over a map that counts how often it is asked.
type table struct {
	mu         sync.Mutex
	routes     map[string]*router.Route // by tenant/bucket
	asked      int
	generation atomic.Uint64
	before     func(ctx context.Context) error // runs in each lookup, after it read the map
}

func (t *table) Generation() uint64 { return t.generation.Load() }

func (t *table) Resolve(ctx context.Context, tenantID, bucket string) (*router.Route, error) {
	t.mu.Lock()
	t.asked++
	r, ok := t.routes[tenantID+"/"+bucket]
	before := t.before
	t.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, s3err.New(s3err.NoSuchBucket)
	}
	return r, nil
}

// set makes a bucket, or removes it when id is empty.
func (t *table) set(tenantID, bucket, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.routes, tenantID+"/"+bucket)
	if id != "" {
		t.routes[tenantID+"/"+bucket] = &router.Route{Name: bucket, BucketID: id}
	}
}

// expect resolves and compares the id; "" is NoSuchBucket.
func expect(t *testing.T, c *Routes, tenantID, bucket, id string) {
	t.Helper()
	r, err := c.Resolve(t.Context(), tenantID, bucket)
	switch {
	case id == "" && !s3err.Is(err, s3err.NoSuchBucket):
		t.Fatalf("Resolve(%q, %q) = %v, %v; want NoSuchBucket", tenantID, bucket, r, err)
	case id != "" && (err != nil || r.BucketID != id):
		t.Fatalf("Resolve(%q, %q) = %v, %v; want %q", tenantID, bucket, r, err, id)
	}
}

// newTable returns a resolver with one bucket.
func newTable() *table {
	return &table{routes: map[string]*router.Route{"t/b": {Name: "b", BucketID: "1"}}}
}

func TestTimesToLive(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	next := newTable()
	c := New(next, Options{TTL: 10 * time.Second, NegativeTTL: time.Second, Now: func() time.Time { return now }})
	f := func(id string, asked int) {
		t.Helper()
		expect(t, c, "t", "b", id)
		if next.asked != asked {
			t.Fatalf("the resolver was asked %d times, want %d", next.asked, asked)
		}
	}
	f("1", 1)
	next.set("t", "b", "")
	now = now.Add(10*time.Second - 1)
	f("1", 1)
	now = now.Add(1)
	f("", 2)
	next.set("t", "b", "2")
	now = now.Add(time.Second - 1)
	f("", 2)
	now = now.Add(1)
	f("2", 3)
	next.set("t", "b", "3")
	next.generation.Add(1)
	f("3", 4)
	next.set("t", "b", "4")
	c.Forget("t", "b")
	f("4", 5)
	f("4", 5)
	if got, want := c.Stats(), (Stats{Hits: 2, NegativeHits: 1, Misses: 5, Routes: 1}); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
}

func TestTenantsApart(t *testing.T) {
	t.Parallel()
	next := newTable()
	next.set("u", "b", "2")
	c := New(next, Options{})
	for range 2 {
		expect(t, c, "t", "b", "1")
		expect(t, c, "u", "b", "2")
		expect(t, c, "v", "b", "")
	}
}

// TestBounds holds that names without a bucket take no place from routes.
func TestBounds(t *testing.T) {
	t.Parallel()
	next := newTable()
	c := New(next, Options{Size: 4})
	expect(t, c, "t", "b", "1")
	for i := range 100 {
		expect(t, c, "t", fmt.Sprint(i), "")
	}
	asked := next.asked
	expect(t, c, "t", "b", "1")
	if s := c.Stats(); next.asked != asked || s.Missing != 4 {
		t.Errorf("asked %d times more, %+v; want the route kept and 4 names without", next.asked-asked, s)
	}
	for i := range 9 {
		next.set("t", fmt.Sprint("new", i), "x")
		expect(t, c, "t", fmt.Sprint("new", i), "x")
	}
	if s := c.Stats(); s.Routes != 4 || s.Evictions != 6 {
		t.Errorf("%+v; want 4 routes and 6 evictions", s)
	}
}

// TestInUseStays holds that a route which is asked for is not put out by those that are not, as
// long as no more others come in between than there is room for.
func TestInUseStays(t *testing.T) {
	t.Parallel()
	f := func(size int) {
		t.Helper()
		next := newTable()
		c := New(next, Options{Size: size})
		expect(t, c, "t", "b", "1")
		for round := range 20 {
			for i := range size - 1 {
				bucket := fmt.Sprint("other-", round, "-", i)
				next.set("t", bucket, "x")
				expect(t, c, "t", bucket, "x")
			}
			asked := next.asked
			expect(t, c, "t", "b", "1")
			if next.asked != asked {
				t.Errorf("size %d: it was put out in round %d", size, round)
			}
		}
	}
	f(4)
	f(8)
	f(17)
	f(100)
}

func TestOneFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		next, land := newTable(), make(chan struct{})
		next.before = func(context.Context) error { <-land; return nil }
		c := New(next, Options{})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { expect(t, c, "t", "b", "1") })
		}
		synctest.Wait() // all of them are waiting
		close(land)
		wg.Wait()
		if next.asked != 1 {
			t.Errorf("the resolver was asked %d times, want 1", next.asked)
		}
	})
}

// TestWaiterLeaves holds that a caller who hangs up neither waits on nor takes
// the lookup away from the others.
func TestWaiterLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		next, land := newTable(), make(chan struct{})
		next.before = func(ctx context.Context) error {
			select {
			case <-land:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		c := New(next, Options{Timeout: time.Minute})
		ctx, hangUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Resolve(ctx, "t", "b"); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who hung up: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() { expect(t, c, "t", "b", "1") })
		synctest.Wait()
		hangUp()
		synctest.Wait()
		close(land)
		wg.Wait()
		if next.asked != 1 {
			t.Errorf("the resolver was asked %d times, want 1", next.asked)
		}

		// A lookup that hangs ends after its time, for everybody, and is not kept.
		c.Forget("t", "b")
		next.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		if _, err := c.Resolve(t.Context(), "t", "b"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("a lookup that hangs: %v after %v", err, time.Since(began))
		}
		next.before = nil
		expect(t, c, "t", "b", "1")
	})
}

// TestForgetDuringLookup is the race that would leave a removed bucket in the
// cache: the lookup reads, the bucket changes, Forget, the lookup ends.
func TestForgetDuringLookup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		next, land := newTable(), make(chan struct{})
		next.before = func(context.Context) error { <-land; return nil }
		c := New(next, Options{})
		var wg sync.WaitGroup
		wg.Go(func() { expect(t, c, "t", "b", "1") }) // began before: either answer is right
		synctest.Wait()
		next.before = nil
		next.set("t", "b", "2")
		c.Forget("t", "b")
		expect(t, c, "t", "b", "2") // does not wait for the old flight
		close(land)
		wg.Wait()
		expect(t, c, "t", "b", "2")
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	next := newTable()
	c := New(next, Options{})
	next.before = func(context.Context) error { return errors.New("index is down") }
	if _, err := c.Resolve(t.Context(), "t", "b"); err == nil {
		t.Error("no error")
	}
	next.before = func(context.Context) error { panic("a bug") }
	if _, err := c.Resolve(t.Context(), "t", "b"); err == nil {
		t.Error("no error of a panic")
	}
	next.before = nil
	expect(t, c, "t", "b", "1")
}

// TestNeverStale changes buckets while many resolve them: whoever asks after
// Forget has returned sees the change, or a later one.
func TestNeverStale(t *testing.T) {
	t.Parallel()
	next := newTable()
	next.before = func(context.Context) error { runtime.Gosched(); return nil }
	next.set("t", "b", "000000")
	c := New(next, Options{})
	var known atomic.Value
	known.Store("000000")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := known.Load().(string)
				r, err := c.Resolve(t.Context(), "t", "b")
				if err != nil || r.BucketID < least {
					t.Errorf("resolved %v, %v after %q was known", r, err, least)
					return
				}
			}
		})
	}
	for i := range 3000 {
		id := fmt.Sprintf("%06d", i)
		next.set("t", "b", id)
		c.Forget("t", "b")
		known.Store(id)
	}
	close(stop)
	wg.Wait()
}

// TestReloadIsNeverStale reloads while many resolve: whoever asks after the generation has
// changed is not given a route of an earlier one, though lookups of earlier ones still end and
// are stored.
func TestReloadIsNeverStale(t *testing.T) {
	t.Parallel()
	next := newTable()
	next.before = func(context.Context) error { runtime.Gosched(); return nil }
	next.set("t", "b", "000000")
	next.set("t", "c", "000000")
	c := New(next, Options{Size: 1}) // the two put each other out as well
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		bucket := []string{"b", "c"}[i%2]
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := fmt.Sprintf("%06d", next.Generation())
				r, err := c.Resolve(t.Context(), "t", bucket)
				if err != nil || r.BucketID < least {
					t.Errorf("resolved %v, %v in generation %s", r, err, least)
					return
				}
			}
		})
	}
	for i := 1; i < 3000; i++ {
		id := fmt.Sprintf("%06d", i)
		next.set("t", "b", id)
		next.set("t", "c", id)
		next.generation.Add(1)
	}
	close(stop)
	wg.Wait()
}

// TestExpiredWhileReloading holds that of an entry which is of an earlier generation and out of
// date nothing is left, whichever comes first.
func TestExpiredWhileReloading(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	next := newTable()
	c := New(next, Options{TTL: time.Second, Now: func() time.Time { return now }})
	expect(t, c, "t", "b", "1")
	next.set("t", "b", "2")
	next.generation.Add(1)
	now = now.Add(time.Second)
	expect(t, c, "t", "b", "2")
	next.set("t", "b", "3")
	now = now.Add(time.Second)
	next.generation.Add(1)
	expect(t, c, "t", "b", "3")
	next.set("t", "b", "")
	next.generation.Add(1)
	expect(t, c, "t", "b", "")
	next.set("t", "b", "4")
	next.generation.Add(1)
	expect(t, c, "t", "b", "4") // "there is none" is of a generation too
}

// TestFull holds a cache that is far too small to its contract: more tenants are at work than
// there are entries, others ask for names that nobody has, buckets come and go, and each is
// given its own route.
func TestFull(t *testing.T) {
	t.Parallel()
	const live, size = 200, 16
	next := newTable()
	for i := range live {
		next.set(fmt.Sprint("t", i), "b", fmt.Sprint("of t", i))
	}
	c := New(next, Options{Size: size})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 5000 {
				tenant := fmt.Sprint("t", (i*(worker+7))%live)
				r, err := c.Resolve(t.Context(), tenant, "b")
				if err != nil || r.BucketID != "of "+tenant {
					t.Errorf("%s: %v, %v", tenant, r, err)
					return
				}
				if _, err := c.Resolve(t.Context(), tenant, fmt.Sprint("none-", worker, i)); !s3err.Is(err, s3err.NoSuchBucket) {
					t.Errorf("a name that nobody has: %v", err)
					return
				}
				if i%100 == 0 {
					c.Forget(tenant, "b")
				}
				if s := c.Stats(); s.Routes > size || s.Missing > size {
					t.Errorf("holds %+v, with room for %d", s, size)
					return
				}
			}
		})
	}
	wg.Wait()
	if s := c.Stats(); s.Evictions < live || s.Hits+s.NegativeHits+s.Misses != 4*5000*2 || uint64(next.asked) > s.Misses {
		t.Errorf("%+v, asked %d times", s, next.asked)
	}
}
