package mongoindex

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
)

// watcher tells the operator which servers are lost, and when they are found again. It knows for how long there
// has been none that takes writes.
type watcher struct {
	log *slog.Logger

	mu   sync.Mutex
	lost map[string]bool // by address

	began    time.Time
	headless atomic.Int64 // since when there is none, as time since began; 0: there is one
}

// newWatcher returns a watcher that has not seen a server yet.
func newWatcher(log *slog.Logger) *watcher {
	w := &watcher{log: log, lost: map[string]bool{}, began: time.Now()}
	w.headless.Store(1)
	return w
}

// headlessFor is for how long there has been no server that takes writes.
func (w *watcher) headlessFor() time.Duration {
	since := time.Duration(w.headless.Load())
	if since == 0 {
		return 0
	}
	return time.Since(w.began) - since
}

// see notes what the driver knows of servers now.
func (w *watcher) see(servers []event.ServerDescription) {
	for i := range servers {
		switch servers[i].Kind {
		case "RSPrimary", "Standalone", "Mongos", "LoadBalancer":
			w.headless.Store(0)
			return
		}
	}
	w.headless.CompareAndSwap(0, int64(time.Since(w.began)))
}

// monitor is what the driver tells about servers.
func (w *watcher) monitor() *event.ServerMonitor {
	log := w.log
	return &event.ServerMonitor{
		TopologyDescriptionChanged: func(e *event.TopologyDescriptionChangedEvent) { w.see(e.NewDescription.Servers) },
		ServerHeartbeatFailed: func(e *event.ServerHeartbeatFailedEvent) {
			if w.changes(address(e.ConnectionID), true) {
				log.LogAttrs(context.Background(), slog.LevelWarn, "index: server lost",
					slog.String("server", address(e.ConnectionID)), slog.Any("error", e.Failure))
			}
		},
		ServerHeartbeatSucceeded: func(e *event.ServerHeartbeatSucceededEvent) {
			if w.changes(address(e.ConnectionID), false) {
				log.LogAttrs(context.Background(), slog.LevelInfo, "index: server found again",
					slog.String("server", address(e.ConnectionID)))
			}
		},
	}
}

// changes notes whether a server is lost, and reports whether that is news.
func (w *watcher) changes(server string, lost bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost[server] == lost {
		return false
	}
	w.lost[server] = lost
	return true
}

// address is that of a connection, whose ID has a number behind it.
func address(connectionID string) string {
	if i := strings.LastIndex(connectionID, "[-"); i >= 0 {
		return connectionID[:i]
	}
	return connectionID
}
