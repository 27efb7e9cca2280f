package upkeep

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/xronox/xronox-proxy/versions"
)

// Target is an index that is filled, and what is known of who uses it.
type Target struct {
	Index versions.Index // past any [versions.Guard]
	Name  string         // as operators call it
	Sign  string         // name of a value that each index has from which anybody ever served

	// Wait is how long it takes until all who use the index go by a notice; 0: nobody else does.
	Wait time.Duration
}

// Migration copies all that an index has into an empty one, so that of both together there is one that can be used at any
// time: until all is copied From is read and not changed, and from then on To is used. It can be broken
// off after each step, and is gone on with by doing it again, or given up with [Reopen].
type Migration struct {
	From, To Target
	Contents func(context.Context) (Contents, error) // of From
	Progress func(Progress)                          // may be nil
}

// What keeps an index from being filled.
var (
	errInUse   = errors.New("it is in use, or was: give an empty one")
	errAnother = errors.New("something else has begun with it meanwhile")
)

// Run migrates.
func (m Migration) Run(ctx context.Context) (Copied, error) {
	from, to, err := m.begin(ctx)
	if err != nil {
		return Copied{}, err
	}
	l := &loader{x: m.To.Index}
	if from.State == versions.NoticeMoving {
		if err := m.copy(ctx, l); err != nil {
			return l.copied, err
		}
		moved := versions.Notice{State: versions.NoticeMoved, ID: from.ID, Other: m.To.Name}
		if _, err := versions.PutNotice(ctx, m.From.Index, from, moved); err != nil {
			return l.copied, fmt.Errorf("%s: %w: %w", m.From.Name, errAnother, err)
		}
	}
	_, err = versions.PutNotice(ctx, m.To.Index, to, versions.Notice{State: versions.NoticeOpen, ID: to.ID})
	return l.copied, err
}

// begin has From not be changed any more, and To not be used yet.
func (m Migration) begin(ctx context.Context) (from, to versions.Notice, err error) {
	if from, err = versions.LastNotice(ctx, m.From.Index); err != nil {
		return from, to, err
	}
	if to, err = versions.LastNotice(ctx, m.To.Index); err != nil {
		return from, to, err
	}
	same := to.State == versions.NoticeFilling && to.ID == from.ID && from.ID != ""
	switch {
	case same && (from.State == versions.NoticeMoving || from.State == versions.NoticeMoved): // It was broken off.
		return from, to, nil
	case from.State == versions.NoticeMoved || from.State == versions.NoticeFilling:
		return from, to, from.Reads()
	}
	if err := m.To.empty(ctx, to); err != nil {
		return from, to, err
	}
	before := from // If it was being copied to another one, that does not end any more.
	moving := versions.Notice{State: versions.NoticeMoving, ID: rand.Text(), Other: m.To.Name}
	if from, err = versions.PutNotice(ctx, m.From.Index, from, moving); err != nil {
		return from, to, fmt.Errorf("%s: %w: %w", m.From.Name, errAnother, err)
	}
	to, err = versions.PutNotice(ctx, m.To.Index, to, versions.Notice{State: versions.NoticeFilling, ID: from.ID, Other: m.From.Name})
	if err == nil {
		// Who starts to serve puts the value first and asks for notices then: one of the two sees the other.
		if err = m.To.unused(ctx); errors.Is(err, errInUse) {
			_, e := versions.PutNotice(ctx, m.To.Index, to, versions.Notice{State: versions.NoticeOpen, ID: to.ID})
			err = errors.Join(err, e)
		}
	}
	if err != nil && before.State == versions.NoticeOpen {
		_, e := versions.PutNotice(context.WithoutCancel(ctx), m.From.Index, from, versions.Notice{State: versions.NoticeOpen, ID: from.ID})
		err = errors.Join(fmt.Errorf("%s: %w", m.To.Name, err), e)
	}
	return from, to, err
}

// empty is nil when an index may be filled with another.
func (t Target) empty(ctx context.Context, last versions.Notice) error {
	if last.State != versions.NoticeOpen {
		return fmt.Errorf("%s: %w: %w", t.Name, errInUse, last.Writes())
	}
	if err := t.unused(ctx); err != nil {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	return nil
}

// unused is nil when nobody ever served from an index.
func (t Target) unused(ctx context.Context) error {
	sign, err := t.Index.Value(ctx, t.Sign)
	if err == nil && sign != nil {
		err = errInUse
	}
	return err
}

// settled waits until all who use the index go by the last notice.
func (t Target) settled(ctx context.Context, step string, p func(Progress)) error {
	if t.Wait <= 0 {
		return nil
	}
	if p != nil {
		p(Progress{Place: "index", Step: step + ": waiting until all servers know of it"})
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(t.Wait):
		return nil
	}
}

// copy copies all that is not in To yet.
func (m Migration) copy(ctx context.Context, l *loader) error {
	const step = "migrate"
	if err := m.From.settled(ctx, step, m.Progress); err != nil {
		return err
	}
	c, err := m.Contents(ctx)
	if err != nil {
		return err
	}
	return dump(ctx, m.From.Index, m.To.Index, c, func(e entry) error {
		if err := l.load(ctx, e); err != nil {
			return err
		}
		l.tell(m.Progress, step)
		return nil
	})
}

// Where a copy that was broken off came to, which puts one thing after the other: what is before the last of an index is
// there. Nothing is before the zero value, which an index that is nil has.

// lastHidden is the last key that is hidden.
func lastHidden(ctx context.Context, x versions.Index, id string) (last string, err error) {
	for more := x != nil; more; {
		page, err := x.HiddenKeys(ctx, id, "", last, pageSize)
		if err != nil {
			return "", err
		}
		if more = len(page) == pageSize; len(page) > 0 {
			last = page[len(page)-1]
		}
	}
	return last, nil
}

// lastSlot is the last slot of a place.
func lastSlot(ctx context.Context, x versions.Index, id string) (last versions.Slot, err error) {
	last.BucketID = id
	for more := x != nil; more; {
		page, err := x.Slots(ctx, last, pageSize)
		if err != nil {
			return last, err
		}
		if more = len(page) == pageSize; len(page) > 0 {
			last = page[len(page)-1]
		}
	}
	return last, nil
}

// lastHead is the last key of a place that has rows.
func lastHead(ctx context.Context, x versions.Index, id string) (last string, err error) {
	for more := x != nil; more; {
		page, err := x.Heads(ctx, versions.Range{BucketID: id, From: versions.Position{Key: last}, Limit: pageSize})
		if err != nil {
			return "", err
		}
		if more = len(page) == pageSize; len(page) > 0 {
			last = page[len(page)-1].Key
		}
	}
	return last, nil
}

// Reopen has an index be used again that was being migrated, or filled while it was in use; with moved, also one that was
// migrated. Who does that sees to it that the other one is not used.
func Reopen(ctx context.Context, x versions.Index, moved bool) error {
	last, err := versions.LastNotice(ctx, x)
	if err != nil {
		return err
	}
	switch {
	case last.State == versions.NoticeOpen:
		return nil
	case last.State == versions.NoticeMoved && !moved:
		return fmt.Errorf("%w; what was written there since is not here: --moved opens this one all the same", last.Reads())
	case last.State == versions.NoticeFilling && !last.Used:
		return fmt.Errorf("%w; it cannot be used as it is", last.Reads())
	}
	if _, err = versions.PutNotice(ctx, x, last, versions.Notice{State: versions.NoticeOpen, ID: last.ID}); err != nil {
		err = fmt.Errorf("%w: %w", errAnother, err)
	}
	return err
}

// loading is the ID of notices about loads: any goes on with any, as they only add.
const loading = "load"

// Fill loads a dump while nobody uses the index. One that was in use before is used again whatever comes of it, as it has
// no less than it had; another only when all is there: broken off, it is done again.
func (t Target) Fill(ctx context.Context, load func() (Copied, error), p func(Progress)) (out Copied, err error) {
	last, err := versions.LastNotice(ctx, t.Index)
	if err != nil {
		return out, err
	}
	if last.State != versions.NoticeOpen && (last.State != versions.NoticeFilling || last.ID != loading) {
		return out, last.Writes()
	}
	if last.State == versions.NoticeOpen {
		used := t.unused(ctx)
		if used != nil && !errors.Is(used, errInUse) {
			return out, used
		}
		filling := versions.Notice{State: versions.NoticeFilling, ID: loading, Other: "a dump", Used: used != nil}
		if last, err = versions.PutNotice(ctx, t.Index, last, filling); err != nil {
			return out, fmt.Errorf("%w: %w", errAnother, err)
		}
	}
	if last.Used {
		err = t.settled(ctx, "load", p)
	}
	if err == nil {
		out, err = load()
	}
	if err != nil && !last.Used {
		return out, err
	}
	_, e := versions.PutNotice(context.WithoutCancel(ctx), t.Index, last, versions.Notice{State: versions.NoticeOpen, ID: loading})
	return out, errors.Join(err, e)
}
