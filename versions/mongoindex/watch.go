package mongoindex

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"go.mongodb.org/mongo-driver/v2/event"
)

// watcher tells the operator which servers are lost, and when they are found again.
type watcher struct {
	mu   sync.Mutex
	lost map[string]bool // by address
}

// newWatcher returns what the driver tells about servers.
func newWatcher(log *slog.Logger) *event.ServerMonitor {
	w := &watcher{lost: map[string]bool{}}
	return &event.ServerMonitor{
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
