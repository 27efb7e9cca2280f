package kvindex

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// flight is a change that is visible, and on its way to the disk.
type flight struct {
	done chan struct{} // closed when it has arrived
	err  error         // set before
}

// syncs are the changes that are not on disk yet. Pebble shows them at once; they are kept
// from readers here, so that nobody acts on what a power cut may take back.
type syncs struct {
	mu      sync.RWMutex
	pending map[string]*flight // the last of each key
	last    *flight            // of all; what was changed before it arrives no later
}

// begin registers a change of what is under key, before anybody can see it.
func (s *syncs) begin(key []byte) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &flight{done: make(chan struct{})}
	s.pending[string(key)], s.last = f, f
	return f
}

// end is the inverse of begin.
func (s *syncs) end(key []byte, f *flight, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[string(key)] == f {
		delete(s.pending, string(key))
	}
	if s.last == f {
		s.last = nil
	}
	f.err = err
	close(f.done)
}

// settle returns when what a reader saw under key is on disk.
func (s *syncs) settle(key []byte) error {
	s.mu.RLock()
	f := s.pending[string(key)]
	s.mu.RUnlock()
	return f.wait()
}

// settleAll returns when all that a reader saw is on disk.
func (s *syncs) settleAll() error {
	s.mu.RLock()
	f := s.last
	s.mu.RUnlock()
	return f.wait()
}

// wait returns when the change is on disk.
func (f *flight) wait() error {
	if f == nil {
		return nil
	}
	<-f.done
	return f.err
}

// change lets decide put into a batch what is to change, while nobody else changes anything. It
// returns when that is on disk, which changes that wait at the same time share. key is what readers of
// it settle. An empty batch changes nothing; what decide saw is on disk then.
func (x *Index) change(ctx context.Context, key []byte, decide func(*pebble.Batch) error) error {
	b := x.db.NewBatch()
	defer b.Close() //nolint:errcheck // it is only given back
	f, err := x.apply(ctx, key, b, decide)
	if f == nil {
		return errors.Join(err, x.syncs.settle(key))
	}
	if err == nil {
		err = b.SyncWait()
	}
	x.syncs.end(key, f, err)
	if err != nil {
		return fmt.Errorf("kvindex: %w", err)
	}
	return nil
}

// insertEarly is insert, and returns before what is inserted is on disk. Everything that is inserted later is
// there no earlier.
func (x *Index) insertEarly(ctx context.Context, key, value []byte) (stored []byte, inserted bool, err error) {
	b := x.db.NewBatch()
	f, err := x.apply(ctx, key, b, func(b *pebble.Batch) (err error) {
		var ok bool
		if stored, ok, err = x.read(key); err != nil || ok {
			return err
		}
		stored, inserted = slices.Clone(value), true
		return b.Set(key, value, nil)
	})
	if f == nil || err != nil {
		if f != nil {
			x.syncs.end(key, f, err)
		}
		return stored, inserted, errors.Join(err, b.Close())
	}
	x.early.Add(1)
	go func() {
		defer x.early.Done()
		x.syncs.end(key, f, b.SyncWait())
		_ = b.Close() // it is only given back
	}()
	return stored, inserted, nil
}

// apply makes a change visible; nil when there is none.
func (x *Index) apply(ctx context.Context, key []byte, b *pebble.Batch, decide func(*pebble.Batch) error) (*flight, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := decide(b); err != nil || b.Empty() {
		return nil, err
	}
	f := x.syncs.begin(key)
	return f, x.db.ApplyNoSyncWait(b, pebble.Sync)
}

// insert is the primitive: it stores value unless the key has one, and
// returns what is stored.
func (x *Index) insert(ctx context.Context, key, value []byte) (stored []byte, inserted bool, err error) {
	err = x.change(ctx, key, func(b *pebble.Batch) (err error) {
		var ok bool
		if stored, ok, err = x.read(key); err != nil || ok {
			return err
		}
		stored, inserted = slices.Clone(value), true
		return b.Set(key, value, nil)
	})
	if err != nil {
		return nil, false, err
	}
	return stored, inserted, nil
}

// get returns a copy of the row under key.
func (x *Index) get(ctx context.Context, key []byte) (row []byte, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if row, ok, err = x.read(key); err != nil {
		return nil, false, err
	}
	return row, ok, x.syncs.settle(key)
}

// read is get without the wait for the disk, which is up to the caller.
func (x *Index) read(key []byte) (row []byte, ok bool, err error) {
	x.reads.Add(1)
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

// scan calls show with each row that begins with prefix and is not before from, in order, until it wants no
// more. What it is given is valid during the call.
func (x *Index) scan(ctx context.Context, prefix, from []byte, show func(key, value []byte) (more bool, err error)) (err error) {
	it, err := x.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: prefix, UpperBound: successor(prefix)})
	if err != nil {
		return fmt.Errorf("kvindex: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.SeekGE(from); ok; ok = it.Next() {
		x.reads.Add(1)
		if err := ctx.Err(); err != nil {
			return err
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("kvindex: %w", err)
		}
		if more, err := show(it.Key(), value); err != nil || !more {
			return errors.Join(err, x.syncs.settleAll())
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.Join(it.Error(), x.syncs.settleAll())
}
