// Package localbackend stores objects on local disk: the embedded default.
// Metadata and small bodies live in Pebble, larger bodies in files. Keys are
// bytes and never paths, so "foo" and "foo/bar", ".." and keys of 1,024 bytes
// are keys like any other.
//
// Under Options.Dir there are
//
//	meta/            the Pebble store; keys.go has its tables
//	bodies/xx/NAME   one immutable body each; xx are the last digits of NAME
//
// A body is written and synced before the metadata that names it is committed,
// and removed after the metadata that no longer names it was synced; so a crash
// leaves at most bodies that nobody names, and those are collected after the
// next Open. A file belongs to the store exactly as long as its row in the
// table of files does, so collecting costs one lookup for each file and never
// a walk over the objects.
//
// A change of one key decides and applies under a lock of that key, which is
// not held while a body streams nor while the disk syncs; Pebble syncs what
// is committed at the same time together.
package localbackend

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/xronox/xronox-proxy/backends"
)

// Options configure a Backend. Only Dir is required.
type Options struct {
	Dir     string           // made when it does not exist
	FS      vfs.FS           // vfs.Default
	Now     func() time.Time // time.Now
	Log     *slog.Logger     // discards
	MinFree int64            // writes are refused when less is free; 64 MiB, negative for no limit
	Cache   int64            // bytes of metadata and small bodies kept in memory; 64 MiB
	Keys    Keys             // encrypt; none
}

// defaults fills in what was left out.
func (o *Options) defaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MinFree == 0 {
		o.MinFree = 64 << 20
	}
	if o.Cache == 0 {
		o.Cache = 64 << 20
	}
}

// Backend is a store in one directory. It is safe for concurrent use.
type Backend struct {
	log   *slog.Logger
	now   func() time.Time
	names namer
	space *space
	files *files
	meta  *meta
	keys  *keyring

	locks   locks
	buckets bucketTable

	rowReads atomic.Int64 // of listings; a test holds them to what is shown

	stop       context.CancelFunc // ends the collector
	collecting sync.WaitGroup
}

var (
	_ backends.Backend           = (*Backend)(nil)
	_ backends.Tagger            = (*Backend)(nil)
	_ backends.Renamer           = (*Backend)(nil)
	_ backends.MultipartUploader = (*Backend)(nil)
	_ backends.BucketManager     = (*Backend)(nil)
)

// Open opens the store in o.Dir, or makes it. One process at a time can have
// it open. Close ends it.
func Open(o Options) (_ *Backend, err error) {
	o.defaults()
	b := &Backend{log: o.Log, now: o.Now, names: namer{now: o.Now}, locks: locks{seed: maphash.MakeSeed()}}
	b.space = newSpace(o)
	if b.meta, err = openMeta(o, b.space); err != nil {
		return nil, fmt.Errorf("localbackend: %s: %w", o.Dir, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("localbackend: %s: %w", o.Dir, err), b.meta.close())
		}
	}()
	if err = o.Keys.make(b.meta.encrypted); err != nil {
		return nil, err
	}
	if b.keys, err = newKeyring(o.Keys); err != nil {
		return nil, err
	}
	if b.files, err = openFiles(o.FS, o.FS.PathJoin(o.Dir, "bodies")); err != nil {
		return nil, err
	}
	if err = b.loadBuckets(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.collecting.Go(func() {
		if _, err := b.Collect(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn("localbackend: orphaned bodies are not collected", slog.Any("error", err))
		}
	})
	return b, nil
}

// Close ends the store. Calls that are still under way fail, and bodies that
// are being read from files go on.
func (b *Backend) Close() error {
	b.stop()
	b.collecting.Wait()
	return b.meta.close()
}

// Collect removes the body files that no metadata names: what a crash, or a
// removal that failed, left behind. Open runs it in the background.
func (b *Backend) Collect(ctx context.Context) (removed int, err error) {
	return b.files.collect(ctx, func(n name) (bool, error) {
		return b.meta.has(fileKey(n))
	})
}

// admit lets a call that writes begin.
func (b *Backend) admit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.space.admit()
}

// missing reports whether err says that a file is not there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
