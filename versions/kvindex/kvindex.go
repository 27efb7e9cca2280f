// Package kvindex is the embedded index of one node, in Pebble. Every write is on
// disk when it returns; inserts under a unique key are made one at a time.
package kvindex

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

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
}

// Index implements versions.Index. Make it with [Open].
type Index struct {
	db   *pebble.DB
	lock *pebble.Lock
	mu   sync.Mutex // held from looking for a unique key to inserting it
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
	db, err := pebble.Open(o.Dir, &pebble.Options{
		FS: o.FS, Lock: lock, Logger: logger{o.Log},
		FormatMajorVersion: pebble.FormatTableFormatV6,
		MemTableSize:       4 << 20, // few and small rows
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("kvindex: open %s: %w", o.Dir, err), lock.Close())
	}
	return &Index{db: db, lock: lock}, nil
}

// Close implements versions.Index.
func (x *Index) Close() error { return errors.Join(x.db.Close(), x.lock.Close()) }

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
	x.mu.Lock()
	defer x.mu.Unlock()
	stored, ok, err := x.GetBucket(ctx, r.TenantID, r.Name)
	if err != nil || !ok || stored.BucketID != r.BucketID {
		return err
	}
	if err := x.db.Delete(bucketKey(r.TenantID, r.Name), pebble.Sync); err != nil {
		return fmt.Errorf("kvindex: %w", err)
	}
	return nil
}

// ListBuckets implements [router.BucketRecords].
func (x *Index) ListBuckets(ctx context.Context, tenantID, prefix, after string, limit int) (list []router.BucketRecord, err error) {
	all := bucketKey(tenantID, prefix)
	it, err := x.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: all, UpperBound: successor(all)})
	if err != nil {
		return nil, fmt.Errorf("kvindex: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	past := append(bucketKey(tenantID, after), 0) // the first key behind after
	for ok := it.SeekGE(past); ok && len(list) < limit; ok = it.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := parseBucket(it.Value())
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
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

// insert is the primitive: it stores value unless the key has one, and
// returns what is stored.
func (x *Index) insert(ctx context.Context, key, value []byte) (stored []byte, inserted bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	stored, ok, err := x.get(ctx, key)
	if err != nil || ok {
		return stored, false, err
	}
	if err := x.db.Set(key, value, pebble.Sync); err != nil {
		return nil, false, fmt.Errorf("kvindex: %w", err)
	}
	return slices.Clone(value), true, nil
}

// get returns a copy of the row under key.
func (x *Index) get(ctx context.Context, key []byte) (row []byte, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	value, closer, err := x.db.Get(key)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("kvindex: %w", err)
	}
	row = bytes.Clone(value)
	return row, true, closer.Close()
}

// parseBucket reads a row that InsertBucket wrote.
func parseBucket(row []byte) (r router.BucketRecord, err error) {
	if err := json.Unmarshal(row, &r); err != nil {
		return r, fmt.Errorf("kvindex: bucket record: %w", err)
	}
	return r, nil
}
