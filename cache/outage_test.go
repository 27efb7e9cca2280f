package cache

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// errAway is that of a resolver that cannot ask.
var errAway = s3err.New(s3err.SlowDown)

// away has lookups fail after a time, as of a database that does not answer; they succeed when err is nil.
func (t *table) away(after time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before = func(context.Context) error { time.Sleep(after); return err }
}

// slow has lookups take some time.
func (t *table) slow(d time.Duration) { t.away(d, nil) }

// times is how often it was asked.
func (t *table) times() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}

// took resolves t/b as expect does, and holds how long it takes.
func took(t *testing.T, c *Routes, id string, want time.Duration) {
	t.Helper()
	began := time.Now()
	expect(t, c, "t", "b", id)
	if d := time.Since(began); d != want {
		t.Fatalf("it took %v, want %v", d, want)
	}
}

// TestOutage: while lookups fail, a route is used for the time of an outage beyond its time to live, and what
// was not known before is not made up.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		next := newTable()
		c := New(next, Options{TTL: 5 * time.Second, Outage: 20 * time.Second})
		fails := func(bucket string) {
			t.Helper()
			if _, err := c.Resolve(t.Context(), "t", bucket); !errors.Is(err, errAway) {
				t.Fatalf("%s: %v, want the error of the lookup", bucket, err)
			}
		}
		expect(t, c, "t", "b", "1")
		next.set("t", "another", "2")
		next.set("t", "b", "3")
		next.away(0, errAway)
		time.Sleep(5*time.Second - 1)
		expect(t, c, "t", "b", "1") // not out of date
		time.Sleep(time.Nanosecond)
		asked := next.times()
		for range 10 {
			expect(t, c, "t", "b", "1")
		}
		if n := next.times() - asked; n != 1 {
			t.Errorf("the resolver was asked %d times in a moment", n)
		}
		fails("another")
		time.Sleep(20*time.Second - 1)
		expect(t, c, "t", "b", "1")
		if s := c.Stats(); s.Stale != 11 {
			t.Errorf("%+v, want 11 uses of a route that is out of date", s)
		}
		synctest.Wait()
		time.Sleep(time.Nanosecond)
		fails("b")
		next.away(0, nil)
		expect(t, c, "t", "b", "3")
	})
}

// TestOutageEnds: when lookups succeed again, what they say is used: at once by those who wait for it, and by
// the others from the next second on.
func TestOutageEnds(t *testing.T) {
	t.Parallel()
	f := func(id string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			next := newTable()
			c := New(next, Options{TTL: time.Second, Outage: time.Minute})
			expect(t, c, "t", "b", "1")
			time.Sleep(time.Second)
			next.set("t", "b", "2")
			expect(t, c, "t", "b", "2") // nothing fails
			time.Sleep(time.Second)
			next.away(0, errAway)
			expect(t, c, "t", "b", "2")
			next.away(0, nil)
			next.set("t", "b", id)
			time.Sleep(retryInterval)
			_, _ = c.Resolve(t.Context(), "t", "b") // begins a lookup, and does not wait for it
			synctest.Wait()
			expect(t, c, "t", "b", id)
		})
	}
	f("3")
	f("") // removed meanwhile
}

// TestPatience: who could use an old route waits for a lookup no longer than Patience, and nobody does
// after that, until it succeeds.
func TestPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		next := newTable()
		c := New(next, Options{TTL: time.Second, Outage: 8 * time.Second, Patience: 300 * time.Millisecond})
		expect(t, c, "t", "b", "1")
		time.Sleep(time.Second)
		next.away(5*time.Second, errAway)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { took(t, c, "1", 300*time.Millisecond) })
		}
		wg.Wait()
		for range 20 {
			took(t, c, "1", 0)
			time.Sleep(300 * time.Millisecond)
		}
		if n := next.times(); n > 3 {
			t.Errorf("the resolver was asked %d times in 7 s, each of which took 5", n)
		}
		time.Sleep(10 * time.Second) // until the last lookup has landed
	})
	synctest.Test(t, func(t *testing.T) {
		next := newTable()
		c := New(next, Options{TTL: time.Second, Outage: 100 * time.Millisecond, Patience: 300 * time.Millisecond})
		expect(t, c, "t", "b", "1")
		time.Sleep(time.Second)
		next.set("t", "b", "2")
		next.slow(200 * time.Millisecond)
		took(t, c, "2", 200*time.Millisecond) // for meanwhile the old route is no good
		time.Sleep(850 * time.Millisecond)
		next.away(20*time.Millisecond, errors.New("another"))
		took(t, c, "2", 20*time.Millisecond) // it failed while somebody was waiting
	})
}

// TestForgetInOutage: what this proxy has changed is not used, whether or not it can be asked for.
func TestForgetInOutage(t *testing.T) {
	t.Parallel()
	f := func(change func(*table, *Routes)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			next := newTable()
			c := New(next, Options{TTL: time.Second, Outage: time.Minute})
			expect(t, c, "t", "b", "1")
			time.Sleep(time.Second)
			next.away(0, errAway)
			expect(t, c, "t", "b", "1")
			change(next, c)
			if _, err := c.Resolve(t.Context(), "t", "b"); !errors.Is(err, errAway) {
				t.Errorf("%v, want the error of the lookup", err)
			}
		})
	}
	f(func(_ *table, c *Routes) { c.Forget("t", "b") })
	f(func(next *table, _ *Routes) { next.generation.Add(1) })
}

// TestLongLookups: a route knows nothing that happened after its lookup began, however long that took.
func TestLongLookups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		next := newTable()
		next.slow(4 * time.Second)
		c := New(next, Options{TTL: 5 * time.Second})
		took(t, c, "1", 4*time.Second)
		next.slow(0)
		next.set("t", "b", "2")
		took(t, c, "1", 0)
		time.Sleep(time.Second)
		took(t, c, "2", 0)
	})
}
