package localbackend

import (
	"io"
	"path"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logGate is a file system on which no sync of Pebble's log ends while mu is
// held: what is applied then is visible, and not durable.
type logGate struct {
	vfs.FS
	mu      sync.RWMutex
	waiting atomic.Int32 // syncs; what they are to sync is written
}

// Create implements vfs.FS.
func (g *logGate) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := g.FS.Create(name, c)
	if err == nil && path.Ext(name) == ".log" {
		f = gatedLog{f, g}
	}
	return f, err
}

// Lock implements vfs.FS. A store that waits at a gate is one of a process that
// was killed: the next may open the directory.
func (g *logGate) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// gatedLog is a log on a logGate.
type gatedLog struct {
	vfs.File
	gate *logGate
}

// Sync implements vfs.File.
func (l gatedLog) Sync() error {
	l.gate.waiting.Add(1)
	defer l.gate.waiting.Add(-1)
	l.gate.mu.RLock()
	defer l.gate.mu.RUnlock()
	return l.File.Sync()
}

// SyncData implements vfs.File.
func (l gatedLog) SyncData() error { return l.Sync() }
