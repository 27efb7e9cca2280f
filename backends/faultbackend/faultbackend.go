// Package faultbackend makes a store fail on schedule, for tests: calls that
// are refused before or after they were made, that hang, and bodies that break
// off, in either direction.
package faultbackend

import (
	"context"
	"io"
	"slices"
	"sync"

	"github.com/xronox/xronox-proxy/backends"
)

// Store is what a Backend wraps, and is: all abilities there are.
type Store interface {
	backends.Backend
	backends.MultipartUploader
	backends.BucketManager
	backends.Tagger
}

// Call is one call of the store.
type Call struct {
	Op  string // "PutObject"
	Key string // empty where there is none
	N   int    // from 1, over all calls
}

// Fault is what happens to a call. The zero value is: nothing.
type Fault struct {
	Err   error // what the caller gets; without it, the context's error after Hang
	After bool  // the call is made and done before it fails: its caller cannot know
	Hang  bool  // nothing happens until the context ends

	// Body says that the call itself goes through and that its body, a PutObject's
	// or UploadPart's request or a GetObject's answer, fails with Err after BodyAt bytes.
	Body   bool
	BodyAt int64
}

// Plan decides over each call; it must be safe for concurrent use.
type Plan func(Call) Fault

// Nth is a plan that strikes the n-th call.
func Nth(n int, f Fault) Plan {
	return func(c Call) Fault {
		if c.N == n {
			return f
		}
		return Fault{}
	}
}

// On is a plan that strikes every call of op.
func On(op string, f Fault) Plan {
	return func(c Call) Fault {
		if c.Op == op {
			return f
		}
		return Fault{}
	}
}

// Backend is a store with faults. Use [New].
type Backend struct {
	store Store

	mu    sync.Mutex
	plan  Plan
	calls []Call
}

// The abilities, at compile time.
var _ Store = (*Backend)(nil)

// New returns a store that is s but for what plan does; nil does nothing.
func New(s Store, plan Plan) *Backend { return &Backend{store: s, plan: plan} }

// SetPlan changes the plan. Calls are counted from 1 again.
func (b *Backend) SetPlan(plan Plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan, b.calls = plan, nil
}

// Calls returns the calls since the plan was set, in order of arrival.
func (b *Backend) Calls() []Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

// arrive counts a call and returns its fault.
func (b *Backend) arrive(op string, key *string) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := Call{Op: op, N: len(b.calls) + 1}
	if key != nil {
		c.Key = *key
	}
	b.calls = append(b.calls, c)
	if b.plan == nil {
		return Fault{}
	}
	return b.plan(c)
}

// call makes a call, or what f makes of it.
func call[In, Out any](ctx context.Context, f Fault, method func(context.Context, *In) (*Out, error), in *In) (*Out, error) {
	strikes := !f.Body && (f.Hang || f.Err != nil)
	if !strikes || f.After {
		if out, err := method(ctx, in); err != nil || !strikes {
			return out, err
		}
	}
	if f.Hang {
		<-ctx.Done()
	}
	if f.Err == nil {
		return nil, ctx.Err()
	}
	return nil, f.Err
}

// breakOff returns r, or a reader that fails as f wants.
func breakOff(f Fault, r io.Reader) io.Reader {
	if !f.Body {
		return r
	}
	if r == nil {
		return failing{f.Err}
	}
	return io.MultiReader(io.LimitReader(r, f.BodyAt), failing{f.Err})
}

// failing fails every Read.
type failing struct{ err error }

// Read implements io.Reader.
func (r failing) Read([]byte) (int, error) { return 0, r.err }

// body is a response body that breaks off.
type body struct {
	io.Reader
	io.Closer
}
