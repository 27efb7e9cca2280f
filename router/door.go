package router

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// gate is what writes to a bucket pass through just before they take effect, as long as the bucket keeps its
// settings. When those change in a way that no two writers may disagree on, the gate is
// closed for good, and routes that are made later have another one.
type gate struct {
	mu     sync.RWMutex
	closed bool
}

// close lets nobody in any more, and waits for those who are.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
}

// gates are the open gates of this process by BucketID.
type gates struct {
	mu   sync.Mutex
	open map[string]*gate
}

// get returns the gate of a bucket. A route takes it before it reads the settings: if they
// change in between, the gate is closed, and not the next one open to who has the old settings.
func (g *gates) get(bucketID string) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = map[string]*gate{}
	}
	x := g.open[bucketID]
	if x == nil {
		x = &gate{}
		g.open[bucketID] = x
	}
	return x
}

// close closes the gate of a bucket.
func (g *gates) close(bucketID string) {
	g.mu.Lock()
	x := g.open[bucketID]
	delete(g.open, bucketID)
	g.mu.Unlock()
	if x != nil {
		x.close()
	}
}

// Door is where the writes through a route pass just before they take effect. Nobody gets through who does
// not know what was set on the bucket meanwhile. A nil Door is always open.
type Door struct {
	gate     *gate
	settings Settings
	current  func(context.Context) (Settings, error)
	read     time.Time
	freshFor time.Duration // how long nobody else changes them without us noticing; 0: for ever, there is only us
	outage   time.Duration // how much longer they hold while the index cannot be asked
	away     atomic.Int64  // when it last could not, as time since read
}

// Bounds on what an index that is away costs writes which do not need it.
const (
	patience = time.Second     // with its answer
	askAgain = 5 * time.Second // after one that did not come
)

// Enter lets a write through: SlowDown when the bucket's settings are changing or have changed. The
// write calls leave when it has taken effect, or has not.
func (d *Door) Enter(ctx context.Context) (leave func(), err error) {
	if d == nil {
		return func() {}, nil
	}
	if d.settings.Enabling || d.settings.Closing {
		return nil, changing()
	}
	if err := d.ask(ctx); err != nil {
		return nil, err
	}
	d.gate.mu.RLock()
	if d.gate.closed {
		d.gate.mu.RUnlock()
		return nil, changing()
	}
	return d.gate.mu.RUnlock, nil
}

// ask asks whether the settings are still those that the write knows of, unless they hold anyway.
func (d *Door) ask(ctx context.Context) error {
	age := time.Since(d.read)
	if d.freshFor <= 0 || age <= d.freshFor { // Fast path: the write began not long ago.
		return nil
	}
	hold := d.freshFor + d.outage
	if age <= hold {
		if away := time.Duration(d.away.Load()); away > 0 && age < away+askAgain {
			return nil
		}
	}
	if age+patience <= hold {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	now, err := d.current(ctx)
	switch {
	case err == nil && !now.agrees(d.settings):
		return changing()
	case err == nil:
		return nil
	case time.Since(d.read) > hold: // Also if it is only since the question.
		return s3err.New(s3err.SlowDown).Because(err)
	}
	d.away.Store(int64(time.Since(d.read)))
	return nil
}

// changing is the error of a write that comes while settings change. It may be repeated.
func changing() error {
	return s3err.Newf(s3err.SlowDown, "The settings of the bucket are being changed. Please try again.")
}
