package localbackend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// formatVersion is the version of the tables and rows, and encryptedVersion that of a store with objects that are encrypted,
// which a program that knows nothing of that would give out as they are. A store with a greater one was written by a newer
// program.
const (
	formatVersion    = 1
	encryptedVersion = 2
)

// meta is the Pebble store. Using it after close is an error, not a panic.
type meta struct {
	db    *pebble.DB
	lock  io.Closer
	space *space
	// encrypted says that the store had something that is encrypted when it was opened.
	encrypted bool

	life   sync.RWMutex // read-held while db is used
	closed bool
}

// errClosed says that the store was closed.
var errClosed = errors.New("localbackend: closed")

// openMeta locks the directory and opens the store in it.
func openMeta(o Options, s *space) (*meta, error) {
	dir := o.FS.PathJoin(o.Dir, "meta")
	if err := makeDir(o.FS, dir); err != nil {
		return nil, err
	}
	lock, err := pebble.LockDirectory(dir, o.FS)
	if err != nil {
		return nil, fmt.Errorf("the directory is in use by another process (%w)", err)
	}
	m := &meta{lock: lock, space: s}
	cache := pebble.NewCache(o.Cache)
	defer cache.Unref()
	m.db, err = pebble.Open(dir, pebbleOptions(o, patientFS{o.FS, s}, lock, cache))
	if err == nil {
		if err = m.checkFormat(); err == nil {
			s.flush = m.flush
			return m, nil
		}
		err = errors.Join(err, m.db.Close())
	}
	return nil, errors.Join(err, lock.Close())
}

// pebbleOptions suits rows that are small, but for bodies of up to 64 KiB.
func pebbleOptions(o Options, fs vfs.FS, lock *pebble.Lock, cache *pebble.Cache) *pebble.Options {
	p := &pebble.Options{
		FS:                 fs,
		Lock:               lock,
		Cache:              cache,
		Logger:             pebbleLog{o.Log},
		FormatMajorVersion: pebble.FormatTableFormatV6, // raise with formatVersion in mind
		MemTableSize:       16 << 20,
		BytesPerSync:       1 << 20,
		WALBytesPerSync:    1 << 20,
	}
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return p
}

// makeDir makes dir and what is missing above it, durably.
func makeDir(fs vfs.FS, dir string) error {
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for parent := fs.PathDir(dir); parent != dir; dir, parent = parent, fs.PathDir(parent) {
		// One that we may not open is not one that we made.
		_ = syncDir(fs, parent)
	}
	return nil
}

// checkFormat refuses a store that is newer than this program.
func (m *meta) checkFormat() error {
	version := byte(0)
	found, err := m.get(formatKey(), func(v []byte) error {
		if len(v) == 1 {
			version = v[0]
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case !found:
		return m.db.Set(formatKey(), []byte{formatVersion}, pebble.Sync)
	case version != formatVersion && version != encryptedVersion:
		return fmt.Errorf("the store has format %d; this program knows %d", version, encryptedVersion)
	}
	m.encrypted = version == encryptedVersion
	return nil
}

// use calls f unless the store is closed.
func (m *meta) use(f func() error) error {
	m.life.RLock()
	defer m.life.RUnlock()
	if m.closed {
		return errClosed
	}
	return f()
}

// get calls f with the value of a row, valid during the call, when it exists.
func (m *meta) get(key []byte, f func(value []byte) error) (found bool, err error) {
	err = m.use(func() error {
		v, closer, err := m.db.Get(key)
		if errors.Is(err, pebble.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("localbackend: metadata: %w", err)
		}
		found = true
		return errors.Join(f(v), closer.Close())
	})
	return found, err
}

// has reports whether a row exists.
func (m *meta) has(key []byte) (bool, error) {
	return m.get(key, func([]byte) error { return nil })
}

// scan calls f with an iterator over the rows from lower, inclusive, to upper,
// exclusive, as they are now.
func (m *meta) scan(lower, upper []byte, f func(*pebble.Iterator) error) error {
	return m.use(func() error {
		it, err := m.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
		if err != nil {
			return fmt.Errorf("localbackend: metadata: %w", err)
		}
		if err = f(it); err == nil {
			err = it.Error()
		}
		return errors.Join(err, it.Close())
	})
}

// flush begins to move what is in Pebble's memory to tables.
func (m *meta) flush() {
	_ = m.use(func() error {
		_, err := m.db.AsyncFlush()
		return err
	})
}

// close closes the store. While the disk is full Pebble cannot close; it is
// then left as a crash would leave it, which the next Open recovers from.
func (m *meta) close() error {
	m.life.Lock()
	defer m.life.Unlock()
	if m.closed {
		return errClosed
	}
	m.closed = true
	if m.space.waiting.Load() > 0 {
		close(m.space.closing)
		return errors.New("localbackend: closed while the disk is full; unsynced changes are lost")
	}
	return errors.Join(m.db.Close(), m.lock.Close())
}

// pebbleLog is where Pebble's messages go.
type pebbleLog struct{ log *slog.Logger }

// Infof implements pebble.Logger.
func (l pebbleLog) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("pebble", slog.String("message", fmt.Sprintf(format, args...)))
	}
}

// Errorf implements pebble.Logger.
func (l pebbleLog) Errorf(format string, args ...any) {
	l.log.Error("pebble", slog.String("message", fmt.Sprintf(format, args...)))
}

// Fatalf implements pebble.Logger. It is called when the log or the manifest
// could not be written or synced: what is durable is unknown then, and only
// the recovery of the next Open can tell. So the process ends, in a panic that
// no handler recovers.
func (l pebbleLog) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	go panic("localbackend: metadata cannot be written: " + fmt.Sprintf(format, args...))
	select {}
}
