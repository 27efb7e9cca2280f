package twoproxies

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/internal/proxyproc"
)

// run runs a command on the index of a configuration.
func (w *world) run(t *testing.T, config string, args ...string) (string, error) {
	t.Helper()
	return proxyproc.Run(t, proxyproc.Options{Config: config}, args...)
}

// acknowledged are writes that were: bodies by key and version.
type acknowledged struct {
	mu      sync.Mutex
	bodies  map[[2]string]string
	refused int
}

// write writes to an object, again and again, until end is closed.
func (a *acknowledged) write(t *testing.T, p *proxy, bucket, key string, end <-chan struct{}) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		body := fmt.Sprint(key, " ", i)
		id, err := p.put(t.Context(), bucket, key, body)
		a.mu.Lock()
		switch {
		case err == nil:
			a.bodies[[2]string{key, id}] = body
		case comeBack(err):
			a.refused++
		default:
			t.Errorf("%s: %v", body, err)
		}
		a.mu.Unlock()
		select {
		case <-end:
			return
		case <-tick.C:
		}
	}
}

// refuses waits until a proxy refuses writes of versions.
func (p *proxy) refuses(t *testing.T, bucket string) {
	t.Helper()
	eventually(t, "a refusal", func() error {
		if _, err := p.put(t.Context(), bucket, "refused", "x"); !comeBack(err) {
			return fmt.Errorf("%w, want 503 with Retry-After", err)
		}
		return nil
	})
}

// TestMigrateInUse migrates an index while two proxies write to it. One migration is broken off and given up; the next ends:
// the new index has all that was acknowledged, and the old proxies serve no versions any more.
func TestMigrateInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, times{freshFor: 300 * time.Millisecond, outage: 5 * time.Minute})
	const bucket = "versioned"
	for _, p := range w.both() {
		w.versioned(t, p, bucket, "before", "of before")
		p.mustPut(t, "plain", "k", "of before")
	}
	first := w.other(t, "dbName: index,", "dbName: first,")
	second := w.other(t, "dbName: index,", "dbName: second,")

	broken := proxyproc.Begin(t, proxyproc.Options{Config: w.config}, "index", "migrate", first)
	w.a.refuses(t, bucket)
	w.b.refuses(t, bucket)
	w.a.has(t, bucket, "before", "", "of before")
	broken.Signal(t, os.Interrupt)
	if out, err := broken.Wait(); err == nil {
		t.Errorf("a migration that was broken off: %s", out)
	}
	w.a.refuses(t, bucket) // It is to be gone on with, or given up.
	if _, err := w.run(t, first, "index", "verify"); err == nil || !strings.Contains(err.Error(), `has not got all of the database "index"`) {
		t.Errorf("the first new index is used: %v", err)
	}
	if out, err := w.run(t, w.config, "index", "reopen"); err != nil || !strings.Contains(out, `"index" of dbConnections.primary is open`) {
		t.Fatalf("%s, %v", out, err)
	}

	made := &acknowledged{bodies: map[[2]string]string{}}
	end := make(chan struct{})
	var writers sync.WaitGroup
	for name, p := range w.both() {
		eventually(t, "a put", func() error { _, err := p.put(t.Context(), bucket, "again", name); return err })
		writers.Go(func() { made.write(t, p, bucket, "of "+name, end) })
	}
	out, err := w.run(t, w.config, "index", "migrate", second)
	if err != nil || !strings.Contains(out, "migrated: ") {
		t.Fatalf("%s, %v", out, err)
	}
	for name, p := range w.both() {
		eventually(t, "a refusal to read", func() error {
			if _, err := p.get(t.Context(), bucket, "before", ""); !comeBack(err) {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
		if got, err := p.put(t.Context(), "plain", "k", "goes on"); err != nil {
			t.Errorf("%s: without versions: %s, %v", name, got, err)
		}
	}
	close(end)
	writers.Wait()
	if len(made.bodies) == 0 || made.refused == 0 {
		t.Errorf("%d writes, %d were refused", len(made.bodies), made.refused)
	}

	c := w.start(t, second)
	listed := map[[2]string]bool{}
	for _, v := range c.versions(t, bucket, 1000) {
		listed[[2]string{v.Key, v.ID}] = true
	}
	for at, body := range made.bodies {
		if !listed[at] {
			t.Errorf("%q is not listed", body)
		}
		c.has(t, bucket, at[0], at[1], body)
	}
	w.versioned(t, c, bucket, "after", "of after")
	if _, err := w.run(t, w.config, "index", "migrate", first); err == nil || !strings.Contains(err.Error(), "was migrated to the database") {
		t.Errorf("migrated once more: %v", err)
	}
}

// TestLoadInUse loads a dump into an index that two proxies use: they wait meanwhile, and lose nothing.
func TestLoadInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, soon)
	const bucket = "versioned"
	dump := filepath.Join(t.TempDir(), "dump")
	before := w.versioned(t, w.a, bucket, "k", "of before")
	if out, err := w.run(t, w.config, "index", "dump", dump); err != nil {
		t.Fatal(out, err)
	}
	after := w.versioned(t, w.b, bucket, "k", "of after")
	load := proxyproc.Begin(t, proxyproc.Options{Config: w.config}, "index", "load", dump)
	for _, p := range w.both() {
		p.refuses(t, bucket)
		if _, err := p.get(t.Context(), bucket, "k", ""); !comeBack(err) {
			t.Errorf("a read meanwhile: %v", err)
		}
	}
	if out, err := load.Wait(); err != nil || !strings.Contains(out, "loaded: ") {
		t.Fatal(out, err)
	}
	for _, p := range w.both() {
		w.versioned(t, p, bucket, "k", "later")
		p.has(t, bucket, "k", before, "of before")
		p.has(t, bucket, "k", after, "of after")
		p.has(t, bucket, "k", "", "later")
	}
}
