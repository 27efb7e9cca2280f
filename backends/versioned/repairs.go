package versioned

import (
	"context"
	"sync"
	"time"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/versions"
)

// Repairs are objects whose heads do not show what is current, because a store failed or
// somebody crashed. They are settled again until that succeeds. What is forgotten here, when the process
// ends, is seen again by whoever reads the object, and by `index verify`. It is safe for concurrent use.
type Repairs struct {
	mu      sync.Mutex
	waiting map[versions.Object]*bucket
	wake    chan struct{} // has an element when something is waiting
}

// NewRepairs returns an empty list.
func NewRepairs() *Repairs {
	return &Repairs{waiting: map[versions.Object]*bucket{}, wake: make(chan struct{}, 1)}
}

// The most objects that are remembered, and how long it is waited when one could not be settled.
const (
	maxRepairs     = 10_000
	repairInterval = 5 * time.Second
)

// Note notes an object of a bucket that [New] returned: one that somebody has found not to show what is current.
func (r *Repairs) Note(b backends.Backend, key string) {
	if v, ok := backends.As[interface{ self() *bucket }](b); ok {
		r.add(v.self(), v.self().object(&key))
	}
}

// self is the bucket, with or without uploads around it.
func (b *bucket) self() *bucket { return b }

// add notes an object of a bucket. On a nil Repairs it does nothing.
func (r *Repairs) add(b *bucket, o versions.Object) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) < maxRepairs {
		r.waiting[o] = b
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run settles objects until ctx ends.
func (r *Repairs) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		for r.Settle(ctx) > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(repairInterval):
			}
		}
	}
}

// Settle tries once to settle every object that is waiting. It returns how many still are.
func (r *Repairs) Settle(ctx context.Context) int {
	r.mu.Lock()
	todo := r.waiting
	r.waiting = map[versions.Object]*bucket{}
	r.mu.Unlock()
	for o, b := range todo {
		if err := b.resettle(ctx, o); err != nil {
			r.add(b, o)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}

// resettle settles an object without having written it.
func (b *bucket) resettle(ctx context.Context, o versions.Object) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	top, err := b.Index.Top(ctx, o)
	if err != nil || top.Seq == 0 {
		return err
	}
	return b.trySettle(ctx, o, top)
}
