package localbackend

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// files are the bodies in files. A body never changes. One that is held, by a
// writer that has not committed it, a reader that has not opened it or a change
// that freed it and is not durable, is not removed before the last hold ends.
type files struct {
	fs  vfs.FS
	dir string

	mu   sync.Mutex
	held map[name]*hold
}

// hold counts who needs a body.
type hold struct {
	n      int
	doomed bool // remove when n is 0
}

// openFiles makes the directories that are missing.
func openFiles(fs vfs.FS, dir string) (*files, error) {
	f := &files{fs: fs, dir: dir, held: make(map[name]*hold)}
	if err := makeDir(fs, dir); err != nil {
		return nil, err
	}
	for i := range 256 {
		if err := fs.MkdirAll(f.fan(byte(i)), 0o700); err != nil {
			return nil, err
		}
	}
	return f, syncDir(fs, dir)
}

// fan is one of the 256 directories of bodies.
func (f *files) fan(i byte) string { return f.fs.PathJoin(f.dir, fmt.Sprintf("%02x", i)) }

// path is the file of a body.
func (f *files) path(n name) string { return f.fs.PathJoin(f.fan(n[len(n)-1]), n.String()) }

// syncDir makes the entries of a directory durable.
func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// create makes the file of n, which is to be held.
func (f *files) create(n name) (vfs.File, error) {
	file, err := f.fs.Create(f.path(n), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	// The kernel is to begin writing early: the sync at the end is then short.
	return vfs.NewSyncingFile(file, vfs.SyncingFileOptions{NoSyncOnClose: true, BytesPerSync: 4 << 20}), nil
}

// open opens the file of n for reading.
func (f *files) open(n name) (vfs.File, error) { return f.fs.Open(f.path(n)) }

// syncEntries makes the directory entries of the bodies durable.
func (f *files) syncEntries(names ...name) error {
	var done [256]bool
	for _, n := range names {
		i := n[len(n)-1]
		if done[i] {
			continue
		}
		done[i] = true
		if err := syncDir(f.fs, f.fan(i)); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps bodies from being removed until release.
func (f *files) hold(names ...name) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range names {
		h := f.held[n]
		if h == nil {
			h = new(hold)
			f.held[n] = h
		}
		h.n++
	}
}

// release ends a hold.
func (f *files) release(names ...name) {
	var doomed []name
	f.mu.Lock()
	for _, n := range names {
		h := f.held[n]
		if h.n--; h.n > 0 {
			continue
		}
		delete(f.held, n)
		if h.doomed {
			doomed = append(doomed, n)
		}
	}
	f.mu.Unlock()
	f.remove(doomed)
}

// drop removes bodies that no metadata names any more: now, or when the last
// hold ends.
func (f *files) drop(names ...name) {
	free := make([]name, 0, len(names))
	f.mu.Lock()
	for _, n := range names {
		if h := f.held[n]; h != nil {
			h.doomed = true
		} else {
			free = append(free, n)
		}
	}
	f.mu.Unlock()
	f.remove(free)
}

// remove removes files. One that cannot be removed is left to the collector.
func (f *files) remove(names []name) {
	for _, n := range names {
		_ = f.fs.Remove(f.path(n))
	}
}

// collect removes the files that are neither held nor live.
func (f *files) collect(ctx context.Context, live func(name) (bool, error)) (removed int, err error) {
	for i := range 256 {
		list, err := f.fs.List(f.fan(byte(i)))
		if err != nil {
			return removed, err
		}
		for _, s := range list {
			n, ok := parseName(s)
			if !ok {
				continue
			}
			if err := ctx.Err(); err != nil {
				return removed, err
			}
			if ok, err := f.inUse(n, live); err != nil {
				return removed, err
			} else if ok {
				continue
			}
			if err := f.fs.Remove(f.path(n)); err == nil {
				removed++
			} else if !missing(err) {
				return removed, err
			}
		}
	}
	return removed, nil
}

// inUse reports whether n is held or live. What is not in use never will be.
func (f *files) inUse(n name, live func(name) (bool, error)) (bool, error) {
	// First held, then live: a writer commits before it lets go.
	if f.isHeld(n) {
		return true, nil
	}
	if ok, err := live(n); ok || err != nil {
		return ok, err
	}
	// And held once more: a change that frees n holds it before that shows, and
	// until it is durable. The power may be cut before, and n be live again.
	return f.isHeld(n), nil
}

// isHeld reports whether somebody holds n.
func (f *files) isHeld(n name) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held[n] != nil
}
