package admin

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/xronox/xronox-proxy/s3api"
	"github.com/xronox/xronox-proxy/s3err"
)

// Metrics counts what the server does. Labels have few values: operations,
// statuses, codes; never buckets, keys or clients.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	inFlight prometheus.Gauge
	backend  *prometheus.CounterVec
	backendT *prometheus.HistogramVec
}

// NewMetrics returns metrics in a registry of their own, with those of the
// process and the Go runtime.
func NewMetrics() *Metrics {
	buckets := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xronox_requests_total", Help: "S3 requests by operation, HTTP status and error code.",
		}, []string{"operation", "status", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "xronox_request_duration_seconds", Help: "From the end of the request's headers to the last byte of the response.", Buckets: buckets,
		}, []string{"operation"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xronox_body_bytes_total", Help: "Bytes of request (in) and response (out) bodies.",
		}, []string{"direction"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "xronox_requests_in_flight", Help: "S3 requests being served.",
		}),
		backend: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xronox_backend_calls_total", Help: "Calls to storage by backend, operation and result.",
		}, []string{"backend", "operation", "result"}),
		backendT: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "xronox_backend_call_duration_seconds", Help: "Until a storage call returned; reading a body comes after.", Buckets: buckets,
		}, []string{"backend", "operation"}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.bytes, m.inFlight, m.backend, m.backendT,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// InFlight implements s3api.Observer.
func (m *Metrics) InFlight(delta int) { m.inFlight.Add(float64(delta)) }

// Observe implements s3api.Observer.
func (m *Metrics) Observe(r *s3api.Record) {
	op := r.Operation
	if op == "" {
		op = "none"
	}
	m.requests.WithLabelValues(op, strconv.Itoa(r.Status), string(r.Code)).Inc()
	m.duration.WithLabelValues(op).Observe(r.Duration.Seconds())
	m.bytes.WithLabelValues("in").Add(float64(r.BytesIn))
	m.bytes.WithLabelValues("out").Add(float64(r.BytesOut))
}

// BackendCall counts one call to storage; err is what it returned.
func (m *Metrics) BackendCall(backend, operation string, took time.Duration, err error) {
	result := "ok"
	if err != nil {
		result = string(s3err.From(err).Code)
	}
	m.backend.WithLabelValues(backend, operation, result).Inc()
	m.backendT.WithLabelValues(backend, operation).Observe(took.Seconds())
}

// Cache is what a route cache has counted since the start.
type Cache struct{ Hits, Misses, Evictions, Stale, Entries func() float64 }

// WatchRoutes exports the counters of the route cache.
func (m *Metrics) WatchRoutes(c Cache) {
	m.registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "xronox_route_cache_hits_total", Help: "Routes found in the cache.",
		}, c.Hits),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "xronox_route_cache_misses_total", Help: "Routes that had to be resolved.",
		}, c.Misses),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "xronox_route_cache_evictions_total", Help: "Routes that had to make room for others: many of them say that the cache is too small.",
		}, c.Evictions),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "xronox_route_cache_stale_total", Help: "Uses of routes that were out of date, because the index could not be asked.",
		}, c.Stale),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "xronox_route_cache_entries", Help: "Routes in the cache, absent buckets included.",
		}, c.Entries))
}
