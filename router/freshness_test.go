package router_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/xronox/xronox-proxy/router"
)

// TestBlindness: who gives a bucket its first versions waits until all proxies must have noticed, however they are
// configured, also those that came before or after it; a proxy alone waits for nobody.
func TestBlindness(t *testing.T) {
	t.Parallel()
	f := func(want time.Duration, each ...time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(c *router.Config) { c.FreshFor, c.Outage = each[0]/3, each[0]-each[0]/3 })
			for _, blind := range each[1:] {
				w.config.FreshFor, w.config.Outage = blind/3, blind-blind/3
				if _, err := w.open(); err != nil {
					t.Fatal(err)
				}
			}
			w.create(as("t/o"), "bucket", "")
			began := time.Now()
			if err := w.SetVersioning(t.Context(), as("t/o"), "bucket", router.Enabled); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("%v: it took %v, want %v", each, took, want)
			}
		})
	}
	const s = time.Second
	f(0, 0)
	f(6*s+2*s, 6*s)
	f(9*s+2*s, 6*s, 9*s, 3*s)
	f(9*s+2*s, 9*s, 6*s)
}

// TestBlindnessRace: of proxies that start at once none is forgotten.
func TestBlindnessRace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *router.Config) { c.FreshFor = time.Second })
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				c := w.config
				c.FreshFor = time.Duration(i+2) * time.Second
				if _, err := router.New(t.Context(), router.Options{Config: c, Records: w.index}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		w.create(as("t/o"), "bucket", "")
		began := time.Now()
		if err := w.SetVersioning(t.Context(), as("t/o"), "bucket", router.Enabled); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 11*time.Second {
			t.Errorf("it took %v, want 11s", took)
		}
	})
}
