package versioned_test

import (
	"context"
	"sync"
	"time"

	"github.com/xronox/xronox-proxy/versions"
)

// indexCall is one call of an index.
type indexCall struct {
	Op  string // "InsertRow"
	Key string
	N   int // from 1, over all calls
}

// indexFault is what happens to a call. The zero value is: nothing.
type indexFault struct {
	Err   error // what the caller gets
	After bool  // the call is made and done before it fails
}

// faultIndex is an index that fails as a plan wants; nil wants nothing. A plan may do something of its own
// before the call is made.
type faultIndex struct {
	versions.Index

	mu    sync.Mutex
	plan  func(indexCall) indexFault
	calls []indexCall
}

// setPlan changes the plan. Calls are counted from 1 again.
func (x *faultIndex) setPlan(plan func(indexCall) indexFault) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.plan, x.calls = plan, nil
}

// arrive counts a call and returns its fault.
func (x *faultIndex) arrive(op, key string) indexFault {
	x.mu.Lock()
	c, plan := indexCall{op, key, len(x.calls) + 1}, x.plan
	x.calls = append(x.calls, c)
	x.mu.Unlock()
	if plan == nil {
		return indexFault{}
	}
	return plan(c)
}

// through makes a call, or what f makes of it.
func through[Out any](f indexFault, call func() (Out, error)) (Out, error) {
	var none Out
	if f.Err != nil && !f.After {
		return none, f.Err
	}
	out, err := call()
	if err == nil && f.Err != nil {
		return none, f.Err
	}
	return out, err
}

// throughErr is through for calls that return nothing.
func throughErr(f indexFault, call func() error) error {
	_, err := through(f, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// Top implements [versions.Log].
func (x *faultIndex) Top(ctx context.Context, o versions.Object) (versions.Row, error) {
	return through(x.arrive("Top", o.Key), func() (versions.Row, error) { return x.Index.Top(ctx, o) })
}

// InsertRow implements [versions.Log].
func (x *faultIndex) InsertRow(ctx context.Context, o versions.Object, r versions.Row) error {
	return throughErr(x.arrive("InsertRow", o.Key), func() error { return x.Index.InsertRow(ctx, o, r) })
}

// Find implements [versions.Log].
func (x *faultIndex) Find(ctx context.Context, o versions.Object, n int64) (versions.Row, error) {
	return through(x.arrive("Find", o.Key), func() (versions.Row, error) { return x.Index.Find(ctx, o, n) })
}

// Rows implements [versions.Log].
func (x *faultIndex) Rows(ctx context.Context, o versions.Object, before int64, limit int) ([]versions.Row, error) {
	return through(x.arrive("Rows", o.Key), func() ([]versions.Row, error) { return x.Index.Rows(ctx, o, before, limit) })
}

// Slots implements [versions.Slots].
func (x *faultIndex) Slots(ctx context.Context, from versions.Slot, limit int) ([]versions.Slot, error) {
	return through(x.arrive("Slots", from.Key), func() ([]versions.Slot, error) { return x.Index.Slots(ctx, from, limit) })
}

// TakeSlot implements [versions.Slots].
func (x *faultIndex) TakeSlot(ctx context.Context, s versions.Slot) error {
	return throughErr(x.arrive("TakeSlot", s.Key), func() error { return x.Index.TakeSlot(ctx, s) })
}

// LastSlot implements [versions.Slots].
func (x *faultIndex) LastSlot(ctx context.Context, o versions.Object) (int64, error) {
	return through(x.arrive("LastSlot", o.Key), func() (int64, error) { return x.Index.LastSlot(ctx, o) })
}

// MarkSlot implements [versions.Slots].
func (x *faultIndex) MarkSlot(ctx context.Context, s versions.Slot, now time.Time) (time.Time, error) {
	return through(x.arrive("MarkSlot", s.Key), func() (time.Time, error) { return x.Index.MarkSlot(ctx, s, now) })
}

// InsertKey implements [versions.Keys].
func (x *faultIndex) InsertKey(ctx context.Context, o versions.Object) error {
	return throughErr(x.arrive("InsertKey", o.Key), func() error { return x.Index.InsertKey(ctx, o) })
}

// Heads implements [versions.Keys].
func (x *faultIndex) Heads(ctx context.Context, r versions.Range) ([]versions.Head, error) {
	return through(x.arrive("Heads", ""), func() ([]versions.Head, error) { return x.Index.Heads(ctx, r) })
}

// Versions implements [versions.Keys].
func (x *faultIndex) Versions(ctx context.Context, r versions.Range) ([]versions.Entry, error) {
	return through(x.arrive("Versions", ""), func() ([]versions.Entry, error) { return x.Index.Versions(ctx, r) })
}
