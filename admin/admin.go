// Package admin is the operator's listener: whether the process is alive and
// ready, and its metrics for Prometheus. It has no authentication and listens
// on loopback unless told otherwise.
package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler answers /healthz, /readyz and /metrics.
type Handler struct {
	mux   *http.ServeMux
	ready atomic.Bool
}

// New returns a handler that is not yet ready. Each check must return nil
// within a second for /readyz to say so.
func New(m *Metrics, checks map[string]func(context.Context) error) *Handler {
	h := &Handler{mux: http.NewServeMux()}
	h.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	h.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { h.readyz(w, r, checks) })
	h.mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return h
}

// Handle adds a page of somebody else's to the listener. It must be called before serving.
func (h *Handler) Handle(pattern string, page http.Handler) { h.mux.Handle(pattern, page) }

// SetReady says whether requests are being served: false before the start and
// from the beginning of a shutdown, so that load balancers look elsewhere.
func (h *Handler) SetReady(ready bool) { h.ready.Store(ready) }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// readyz answers 200 when requests are served and everything they need works.
func (h *Handler) readyz(w http.ResponseWriter, r *http.Request, checks map[string]func(context.Context) error) {
	if !h.ready.Load() {
		http.Error(w, "not serving", http.StatusServiceUnavailable)
		return
	}
	if bad := failing(r.Context(), checks); len(bad) > 0 {
		http.Error(w, strings.Join(bad, "\n"), http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

// failing runs all checks at the same time, and returns a line for each that fails.
func failing(ctx context.Context, checks map[string]func(context.Context) error) []string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var (
		mu  sync.Mutex
		bad []string
		wg  sync.WaitGroup
	)
	for name, check := range checks {
		wg.Go(func() {
			if err := check(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				bad = append(bad, fmt.Sprintf("%s: %v", name, err))
			}
		})
	}
	wg.Wait()
	slices.Sort(bad)
	return bad
}
