package tenants

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// How much is tried: a test makes worlds of that many attempts.
const (
	worlds   = 30
	attempts = 100
)

// bytesPerAttempt is about what an attempt is decided from.
const bytesPerAttempt = 40

// play makes attempts until the choices are used up or something is broken.
func (w *world) play(c *choices) {
	for n := 0; !c.done() && len(w.broken) == 0 && n < attempts; n++ {
		w.try(w.generate(c))
	}
	if changes := compare(w.now, w.take()); len(changes) > 0 {
		w.t.Errorf("changed without a write: %+v", changes)
	}
}

// seedOf is the seed of a test, which XRONOX_SEED can set.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("XRONOX_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		must(t, err)
	}
	t.Logf("XRONOX_SEED=%d", seed)
	return seed
}

// random are choices enough for one world.
func random(seed uint64, world int) *choices {
	var key [32]byte
	copy(key[:], fmt.Sprint(seed, " ", world))
	c := &choices{make([]byte, attempts*bytesPerAttempt)}
	_, _ = rand.NewChaCha8(key).Read(c.data)
	return c
}

// TestTenants attacks: thousands of attempts, and nothing crosses.
func TestTenants(t *testing.T) {
	t.Parallel()
	ops, seed := readOperations(t), seedOf(t)
	ended := map[string]int{}
	for i := range 2 * worlds {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			w := newWorld(t, ops, i%2 == 1, nil)
			w.play(random(seed, i))
			for _, b := range w.broken {
				t.Error(b)
			}
			for code, n := range w.ended {
				ended[code] += n
			}
		})
	}
	t.Log(ended)
}

// FuzzTenants lets the fuzzer choose the attempts.
func FuzzTenants(f *testing.F) {
	ops := readOperations(f)
	for i := range 8 {
		f.Add(random(1, i).data[:20*bytesPerAttempt], i%2 == 1)
	}
	f.Fuzz(func(t *testing.T, data []byte, shared bool) {
		w := newWorld(t, ops, shared, nil)
		w.play(&choices{data})
		for _, b := range w.broken {
			t.Error(b)
		}
	})
}
