package localbackend

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/s3err"
)

// tx is a change of metadata that is applied at once, or not.
type tx struct {
	b     *Backend
	batch *pebble.Batch
	taken []*staged // bodies that are part of the store after it
	freed []name    // files that nobody names after it; held from apply to sync
	err   error     // the first of its operations
}

// begin begins a change. It is ended with close, or after apply with wait or
// sync.
func (b *Backend) begin() *tx { return &tx{b: b, batch: b.meta.db.NewBatch()} }

// close gives up a change that was not applied.
func (t *tx) close() { _ = t.batch.Close() }

// note keeps the first error.
func (t *tx) note(err error) {
	if t.err == nil {
		t.err = err
	}
}

// set writes a row.
func (t *tx) set(key, value []byte) { t.note(t.batch.Set(key, value, nil)) }

// delete removes a row.
func (t *tx) delete(key []byte) { t.note(t.batch.Delete(key, nil)) }

// affirm makes the change one of nothing, whose end is that everything applied
// before is durable: an answer that says "it is so already" is to stay true.
func (t *tx) affirm() { t.note(t.batch.LogData(nil, nil)) }

// addBody takes what was staged into the store.
func (t *tx) addBody(s *staged) {
	t.taken = append(t.taken, s)
	for _, seg := range s.body {
		if seg.inline {
			t.set(inlineKey(seg.name), s.data())
		} else {
			t.set(fileKey(seg.name), nil)
		}
	}
}

// encrypted notes that the store has something that is encrypted.
func (t *tx) encrypted(o *object) {
	if o.sealed != nil {
		t.set(formatKey(), []byte{encryptedVersion})
	}
}

// freeBody removes a body from the store.
func (t *tx) freeBody(body []segment) {
	for _, seg := range body {
		if seg.inline {
			t.delete(inlineKey(seg.name))
		} else {
			t.delete(fileKey(seg.name))
			t.freed = append(t.freed, seg.name)
		}
	}
}

// apply makes the change visible, and durable soon. The order of changes on
// disk is the order of apply.
func (t *tx) apply() error {
	if t.err != nil {
		return fmt.Errorf("localbackend: metadata: %w", t.err)
	}
	return t.b.meta.use(func() error {
		// What is visible may not be durable yet: the collector is not to remove
		// what a crash gives back.
		t.b.files.hold(t.freed...)
		if err := t.b.meta.db.ApplyNoSyncWait(t.batch, pebble.Sync); err != nil {
			t.b.files.release(t.freed...)
			return ioError("metadata", err)
		}
		for _, s := range t.taken {
			s.taken = true
		}
		return nil
	})
}

// sync returns when an applied change is durable. It ends t, and drops what the
// change freed: not before, because after a crash the old state may be back.
// After an error that is not known, and what was freed stays held.
func (t *tx) sync() error {
	err := t.batch.SyncWait()
	freed := t.freed
	_ = t.batch.Close()
	if err != nil {
		return ioError("metadata", err)
	}
	t.b.files.drop(freed...)
	t.b.files.release(freed...)
	return nil
}

// wait is sync, or returns when ctx ends; then it is not known whether the
// change is durable.
func (t *tx) wait(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- t.sync() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// place is where an object is, or may be.
type place struct {
	bkt *bucket
	key string
}

// at finds the place of a key in a bucket that exists.
func (b *Backend) at(bucketName, key *string) (place, error) {
	bkt, err := b.bucket(bucketName)
	if err != nil {
		return place{}, err
	}
	if key == nil {
		return place{}, s3err.InvalidArg("Key", "", "A key must be specified")
	}
	return place{bkt, *key}, nil
}

// locks are taken for a change of a key, or of an upload to it.
type locks struct {
	seed    maphash.Seed
	stripes [1024]sync.Mutex
}

// of returns the lock of a place.
func (l *locks) of(p place) *sync.Mutex { return &l.stripes[l.stripe(p)] }

// stripe is the number of the lock of a place.
func (l *locks) stripe(p place) int {
	h := maphash.String(l.seed, p.key) + uint64(p.bkt.id)*0x9e3779b97f4a7c15
	return int(h % uint64(len(l.stripes)))
}

// lock takes the locks of places, in their order, so that nobody waits for another who waits for him.
func (l *locks) lock(places ...place) (unlock func()) {
	stripes := make([]int, len(places))
	for i, p := range places {
		stripes[i] = l.stripe(p)
	}
	slices.Sort(stripes)
	stripes = slices.Compact(stripes)
	for _, s := range stripes {
		l.stripes[s].Lock()
	}
	return func() {
		for _, s := range stripes {
			l.stripes[s].Unlock()
		}
	}
}

// change lets decide build a change of what is at p, and applies it, while
// nobody else changes p. It returns when the change is durable.
func (b *Backend) change(ctx context.Context, p place, decide func(*tx) error) error {
	t, err := b.applyChange(ctx, p, decide)
	if err != nil {
		return err
	}
	return t.wait(ctx)
}

// changeTwo is change of what is at two places of a bucket.
func (b *Backend) changeTwo(ctx context.Context, p, q place, decide func(*tx) error) error {
	t, err := b.applyLocked(ctx, p.bkt, decide, func() func() { return b.locks.lock(p, q) })
	if err != nil {
		return err
	}
	return t.wait(ctx)
}

// applyChange is change without the wait for the disk, which the caller does.
func (b *Backend) applyChange(ctx context.Context, p place, decide func(*tx) error) (*tx, error) {
	return b.applyLocked(ctx, p.bkt, decide, func() func() {
		lock := b.locks.of(p)
		lock.Lock()
		return lock.Unlock
	})
}

// applyLocked applies a change to a bucket under locks.
func (b *Backend) applyLocked(ctx context.Context, bkt *bucket, decide func(*tx) error, lock func() (unlock func())) (*tx, error) {
	bkt.mu.RLock()
	defer bkt.mu.RUnlock()
	if bkt.gone {
		return nil, s3err.New(s3err.NoSuchBucket)
	}
	defer lock()()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := b.begin()
	if err := decide(t); err != nil {
		t.close()
		return nil, err
	}
	if err := t.apply(); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}
