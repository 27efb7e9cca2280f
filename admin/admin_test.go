package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/s3api"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestHandler: alive from the start, ready when told so and as long as what is
// needed works.
func TestHandler(t *testing.T) {
	var broken error
	m := NewMetrics()
	h := New(m, map[string]func(context.Context) error{"index": func(context.Context) error { return broken }})
	get := func(method, path string, status int, want string) {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != status || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s %s: %d %q", method, path, w.Code, w.Body)
		}
	}
	get(http.MethodGet, "/healthz", 200, "ok")
	get(http.MethodGet, "/readyz", 503, "not serving")
	h.SetReady(true)
	get(http.MethodGet, "/readyz", 200, "ready")
	broken = errors.New("disk gone")
	get(http.MethodGet, "/readyz", 503, "index: disk gone")
	get(http.MethodPost, "/healthz", 405, "")
	get(http.MethodGet, "/other", 404, "")

	m.Observe(&s3api.Record{Operation: "GetObject", Status: 404, Code: s3err.NoSuchKey, BytesOut: 7, Duration: time.Second})
	m.Observe(&s3api.Record{Status: 400})
	m.BackendCall("local", "GetObject", time.Millisecond, s3err.New(s3err.NoSuchKey))
	m.WatchRoutes(Cache{Hits: one, Misses: one, Evictions: one, Stale: one, Entries: one})
	for _, want := range []string{
		`xronox_requests_total{code="NoSuchKey",operation="GetObject",status="404"} 1`,
		`xronox_requests_total{code="",operation="none",status="400"} 1`,
		`xronox_body_bytes_total{direction="out"} 7`,
		`xronox_backend_calls_total{backend="local",operation="GetObject",result="NoSuchKey"} 1`,
		"xronox_route_cache_hits_total 1", "xronox_route_cache_misses_total 1", "xronox_route_cache_evictions_total 1", "xronox_route_cache_stale_total 1",
		"xronox_route_cache_entries 1", "go_goroutines",
	} {
		get(http.MethodGet, "/metrics", 200, want)
	}
}

func one() float64 { return 1 }
