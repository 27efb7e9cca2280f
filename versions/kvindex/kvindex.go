// Package kvindex is the embedded index of one node, in Pebble. Every write is on
// disk when it returns, and so is what a read returns. Whether a unique key is free is looked up
// and decided by one call at a time, in memory; the disk is waited for by many together.
//
// Of an object's rows, each is kept under its Seq. Along with every insert, and at once
// with it, go copies in the order in which they are asked for: the top row under
// the key, and of each version the latest row under its time, without the state. So a lookup is a
// lookup, a page of a listing is a scan of what it shows.
package kvindex

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
)

// Options says where an index is.
type Options struct {
	Dir string       // made when it is missing
	FS  vfs.FS       // the real one when nil
	Log *slog.Logger // of what Pebble reports; silent when nil

	Cache int64 // bytes of rows kept in memory; 32 MiB when 0
}

// Index implements versions.Index. Make it with [Open].
type Index struct {
	db   *pebble.DB
	lock *pebble.Lock
	mu   sync.Mutex // held from looking for a unique key to inserting it

	syncs syncs
	signs signs
	early sync.WaitGroup // of inserts that nobody waits for
	reads atomic.Int64   // of rows; benchmarks and tests count them
}

// Open opens the index in o.Dir. A directory has one user at a time: an index
// that another process has open is an error that says so.
func Open(o Options) (*Index, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := makeDir(o.FS, o.Dir); err != nil {
		return nil, fmt.Errorf("kvindex: %w", err)
	}
	lock, err := pebble.LockDirectory(o.Dir, o.FS)
	if err != nil {
		return nil, fmt.Errorf("kvindex: %s is %w: %w", o.Dir, versions.ErrInUse, err)
	}
	if o.Cache == 0 {
		o.Cache = 32 << 20
	}
	cache := pebble.NewCache(o.Cache)
	defer cache.Unref()
	db, err := pebble.Open(o.Dir, &pebble.Options{
		FS: o.FS, Lock: lock, Logger: logger{o.Log}, Cache: cache,
		FormatMajorVersion: pebble.FormatTableFormatV6,
		MemTableSize:       8 << 20, // small rows, some of which are written over at once
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("kvindex: open %s: %w", o.Dir, err), lock.Close())
	}
	x := &Index{db: db, lock: lock, syncs: syncs{pending: map[string]*flight{}}}
	if err := x.readSigns(); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// Close implements versions.Index.
func (x *Index) Close() error {
	x.early.Wait()
	return errors.Join(x.unsign(), x.db.Close(), x.lock.Close())
}

// InsertBucket implements [router.BucketRecords].
func (x *Index) InsertBucket(ctx context.Context, r router.BucketRecord) error {
	row, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("kvindex: %w", err)
	}
	_, inserted, err := x.insert(ctx, bucketKey(r.TenantID, r.Name), row)
	if err == nil && !inserted {
		return router.ErrExists
	}
	return err
}

// GetBucket implements [router.BucketRecords].
func (x *Index) GetBucket(ctx context.Context, tenantID, name string) (router.BucketRecord, bool, error) {
	row, ok, err := x.get(ctx, bucketKey(tenantID, name))
	if err != nil || !ok {
		return router.BucketRecord{}, false, err
	}
	r, err := parseBucket(row)
	return r, err == nil, err
}

// DeleteBucket implements [router.BucketRecords].
func (x *Index) DeleteBucket(ctx context.Context, r router.BucketRecord) error {
	key := bucketKey(r.TenantID, r.Name)
	return x.change(ctx, key, func(b *pebble.Batch) error {
		row, ok, err := x.read(key)
		if err != nil || !ok {
			return err
		}
		if stored, err := parseBucket(row); err != nil || stored.BucketID != r.BucketID {
			return err
		}
		return b.Delete(key, nil)
	})
}

// ListBuckets implements [router.BucketRecords].
func (x *Index) ListBuckets(ctx context.Context, tenantID, prefix, after string, limit int) (list []router.BucketRecord, err error) {
	past := append(bucketKey(tenantID, after), 0) // the first key behind after
	err = x.scan(ctx, bucketKey(tenantID, prefix), past, func(_, value []byte) (bool, error) {
		if len(list) >= limit {
			return false, nil
		}
		r, err := parseBucket(value)
		list = append(list, r)
		return err == nil, err
	})
	return list, err
}

// Value implements [router.Values].
func (x *Index) Value(ctx context.Context, name string) ([]byte, error) {
	value, _, err := x.get(ctx, valueKey(name))
	return value, err
}

// InsertValue implements [router.Values].
func (x *Index) InsertValue(ctx context.Context, name string, value []byte) ([]byte, error) {
	stored, _, err := x.insert(ctx, valueKey(name), value)
	return stored, err
}

// parseBucket reads a row that InsertBucket wrote.
func parseBucket(row []byte) (r router.BucketRecord, err error) {
	if err := json.Unmarshal(row, &r); err != nil {
		return r, fmt.Errorf("kvindex: bucket record: %w", err)
	}
	return r, nil
}
