package versions

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// How long a [Guard] goes by a notice, and how long a change may take from then on; and so the time from when a notice
// was put until all goes by it, with something for clocks that run at different speeds.
const (
	noticeEvery  = time.Second
	writeLimit   = 10 * time.Second
	NoticedAfter = noticeEvery + writeLimit + time.Second
)

// Guard is an index that others use too, and may put notices into: what the last one does not allow is refused with
// SlowDown. It asks for the next notice before a call when it has not for a second.
//
// A change that began before a notice was put has taken effect [NoticedAfter] later, or never will: it is given up
// by then. Forget alone may go on, of a bucket that is no more.
type Guard struct {
	index Index
	seen  atomic.Pointer[sight]

	mu     sync.Mutex
	flight *flight // the question that is under way
}

// sight is the notice that was in force at some time, or later.
type sight struct {
	Notice
	at time.Time
}

// flight is a question for the next notice, whose answer several calls wait for.
type flight struct {
	done chan struct{}
	sight
	err error
}

// NewGuard returns a guard of an index, which it closes.
func NewGuard(x Index) *Guard { return &Guard{index: x} }

// Guard is an index.
var _ Index = (*Guard)(nil)

// look returns the notice to go by.
func (g *Guard) look(ctx context.Context) (sight, error) {
	if s := g.seen.Load(); s != nil && time.Since(s.at) < noticeEvery { // Fast path.
		return *s, nil
	}
	f := g.ask(ctx)
	select {
	case <-f.done:
		return f.sight, f.err
	case <-ctx.Done():
		return sight{}, fmt.Errorf("versions: %w", ctx.Err())
	}
}

// ask asks for the next notice, unless somebody does.
func (g *Guard) ask(ctx context.Context) *flight {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.flight != nil {
		return g.flight
	}
	f := &flight{done: make(chan struct{})}
	g.flight = f
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit) // Others wait, too.
		defer cancel()
		last := Notice{State: NoticeOpen}
		if s := g.seen.Load(); s != nil {
			last = s.Notice
		}
		f.at = time.Now()
		if f.Notice, f.err = nextNotices(ctx, g.index, last); f.err == nil {
			g.seen.Store(&f.sight)
		}
		g.mu.Lock()
		g.flight = nil
		g.mu.Unlock()
		close(f.done)
	}()
	return f
}

// mayRead is nil when the index may be read.
func (g *Guard) mayRead(ctx context.Context) error {
	s, err := g.look(ctx)
	if err == nil {
		err = refused(s.Reads())
	}
	return err
}

// refused is what is said of what a notice does not allow.
func refused(why error) error {
	if why == nil {
		return nil
	}
	return s3err.New(s3err.SlowDown).Because(why)
}

// read makes a call that changes nothing.
func read[T any](ctx context.Context, g *Guard, call func() (T, error)) (none T, err error) {
	if err := g.mayRead(ctx); err != nil {
		return none, err
	}
	return call()
}

// write makes a call that changes something.
func (g *Guard) write(ctx context.Context, call func(context.Context) error) error {
	s, err := g.look(ctx)
	if err == nil {
		err = refused(s.Writes())
	}
	if err != nil {
		return err
	}
	limited, cancel := context.WithDeadline(ctx, s.at.Add(noticeEvery+writeLimit))
	defer cancel()
	err = call(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = s3err.New(s3err.SlowDown).Because(err)
	}
	return err
}

// change is write of a call that returns something.
func change[T any](ctx context.Context, g *Guard, call func(context.Context) (T, error)) (v T, err error) {
	err = g.write(ctx, func(ctx context.Context) (err error) {
		v, err = call(ctx)
		return err
	})
	return v, err
}

// InsertBucket implements [router.BucketRecords].
func (g *Guard) InsertBucket(ctx context.Context, r router.BucketRecord) error {
	return g.write(ctx, func(ctx context.Context) error { return g.index.InsertBucket(ctx, r) })
}

// GetBucket implements [router.BucketRecords].
func (g *Guard) GetBucket(ctx context.Context, tenantID, name string) (r router.BucketRecord, found bool, err error) {
	if err := g.mayRead(ctx); err != nil {
		return r, false, err
	}
	return g.index.GetBucket(ctx, tenantID, name)
}

// DeleteBucket implements [router.BucketRecords].
func (g *Guard) DeleteBucket(ctx context.Context, r router.BucketRecord) error {
	return g.write(ctx, func(ctx context.Context) error { return g.index.DeleteBucket(ctx, r) })
}

// ListBuckets implements [router.BucketRecords].
func (g *Guard) ListBuckets(ctx context.Context, tenantID, prefix, after string, limit int) ([]router.BucketRecord, error) {
	return read(ctx, g, func() ([]router.BucketRecord, error) {
		return g.index.ListBuckets(ctx, tenantID, prefix, after, limit)
	})
}

// TopSettings implements [router.BucketSettings].
func (g *Guard) TopSettings(ctx context.Context, bucketID string) (router.Settings, error) {
	return read(ctx, g, func() (router.Settings, error) { return g.index.TopSettings(ctx, bucketID) })
}

// InsertSettings implements [router.BucketSettings].
func (g *Guard) InsertSettings(ctx context.Context, bucketID string, s router.Settings) error {
	return g.write(ctx, func(ctx context.Context) error { return g.index.InsertSettings(ctx, bucketID, s) })
}

// Value implements [router.Values].
func (g *Guard) Value(ctx context.Context, name string) ([]byte, error) {
	return read(ctx, g, func() ([]byte, error) { return g.index.Value(ctx, name) })
}

// InsertValue implements [router.Values]. What has a value is read only: so a proxy can start on an index that is
// not to be changed.
func (g *Guard) InsertValue(ctx context.Context, name string, value []byte) ([]byte, error) {
	stored, err := g.Value(ctx, name)
	if err != nil || stored != nil {
		return stored, err
	}
	return change(ctx, g, func(ctx context.Context) ([]byte, error) { return g.index.InsertValue(ctx, name, value) })
}

// Hide implements overlay.Tombstones.
func (g *Guard) Hide(ctx context.Context, bucketID, key string) (bool, error) {
	return change(ctx, g, func(ctx context.Context) (bool, error) { return g.index.Hide(ctx, bucketID, key) })
}

// Hidden implements overlay.Tombstones.
func (g *Guard) Hidden(ctx context.Context, bucketID, key string) (bool, error) {
	return read(ctx, g, func() (bool, error) { return g.index.Hidden(ctx, bucketID, key) })
}

// HiddenKeys implements overlay.Tombstones.
func (g *Guard) HiddenKeys(ctx context.Context, bucketID, prefix, from string, limit int) ([]string, error) {
	return read(ctx, g, func() ([]string, error) { return g.index.HiddenKeys(ctx, bucketID, prefix, from, limit) })
}

// Top implements [Log].
func (g *Guard) Top(ctx context.Context, o Object) (Row, error) {
	return read(ctx, g, func() (Row, error) { return g.index.Top(ctx, o) })
}

// InsertRow implements [Log].
func (g *Guard) InsertRow(ctx context.Context, o Object, r Row) error {
	return g.write(ctx, func(ctx context.Context) error { return g.index.InsertRow(ctx, o, r) })
}

// Find implements [Log].
func (g *Guard) Find(ctx context.Context, o Object, n int64) (Row, error) {
	return read(ctx, g, func() (Row, error) { return g.index.Find(ctx, o, n) })
}

// Rows implements [Log].
func (g *Guard) Rows(ctx context.Context, o Object, before int64, limit int) ([]Row, error) {
	return read(ctx, g, func() ([]Row, error) { return g.index.Rows(ctx, o, before, limit) })
}

// DeleteRow implements [Log].
func (g *Guard) DeleteRow(ctx context.Context, o Object, seq int64) error {
	return g.write(ctx, func(ctx context.Context) error { return g.index.DeleteRow(ctx, o, seq) })
}

// TakeSlot implements [Slots].
func (g *Guard) TakeSlot(ctx context.Context, s Slot) error {
	return g.write(ctx, func(ctx context.Context) error { return g.index.TakeSlot(ctx, s) })
}

// LastSlot implements [Slots].
func (g *Guard) LastSlot(ctx context.Context, o Object) (int64, error) {
	return read(ctx, g, func() (int64, error) { return g.index.LastSlot(ctx, o) })
}

// Slots implements [Slots].
func (g *Guard) Slots(ctx context.Context, from Slot, limit int) ([]Slot, error) {
	return read(ctx, g, func() ([]Slot, error) { return g.index.Slots(ctx, from, limit) })
}

// MarkSlot implements [Slots].
func (g *Guard) MarkSlot(ctx context.Context, s Slot, now time.Time) (time.Time, error) {
	return change(ctx, g, func(ctx context.Context) (time.Time, error) { return g.index.MarkSlot(ctx, s, now) })
}

// Marked implements [Slots].
func (g *Guard) Marked(ctx context.Context, s Slot) (time.Time, error) {
	return read(ctx, g, func() (time.Time, error) { return g.index.Marked(ctx, s) })
}

// DeleteSlot implements [Slots].
func (g *Guard) DeleteSlot(ctx context.Context, s Slot) error {
	return g.write(ctx, func(ctx context.Context) error { return g.index.DeleteSlot(ctx, s) })
}

// InsertKey implements [Keys].
func (g *Guard) InsertKey(ctx context.Context, o Object) error {
	return g.write(ctx, func(ctx context.Context) error { return g.index.InsertKey(ctx, o) })
}

// Heads implements [Keys].
func (g *Guard) Heads(ctx context.Context, r Range) ([]Head, error) {
	return read(ctx, g, func() ([]Head, error) { return g.index.Heads(ctx, r) })
}

// Versions implements [Keys].
func (g *Guard) Versions(ctx context.Context, r Range) ([]Entry, error) {
	return read(ctx, g, func() ([]Entry, error) { return g.index.Versions(ctx, r) })
}

// Forget implements [Keys]. It takes as long as there are rows.
func (g *Guard) Forget(ctx context.Context, bucketID string) error {
	s, err := g.look(ctx)
	if err == nil {
		err = refused(s.Writes())
	}
	if err != nil {
		return err
	}
	return g.index.Forget(ctx, bucketID)
}

// Close implements [Index].
func (g *Guard) Close() error { return g.index.Close() }
