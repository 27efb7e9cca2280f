package upkeep

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// Swept is what was collected.
type Swept struct {
	Marked int64 `json:"marked"` // bodies without a version that wait for their day to pass, or for the next sweep
	Bodies int64 `json:"bodies"`
	Rows   int64 `json:"rows"`
	Slots  int64 `json:"slots"`
	Failed int64 `json:"failed"` // objects of which something could not be collected; the next sweep tries again
}

// sweeper sweeps a place.
type sweeper struct {
	*Place
	since time.Time
	mu    sync.Mutex
	out   Swept
	first error
}

// Sweep collects what nobody needs any more: bodies of writes that were never committed, rows of versions that were
// removed, and their slots. All of it must have been seen dead for [versions.KeepDead]: a body by a sweep that noted
// it, so that those of writes under way are out of its reach, which give up long before. For rows it goes by their
// times: the clocks of proxies must not be a day apart.
//
// since is when a sweep began that left nothing marked, or zero: of objects that were not changed since, rows are
// not read again. A failure does not keep others from being swept; the first is returned.
func (p *Place) Sweep(ctx context.Context, since time.Time) (Swept, error) {
	s := &sweeper{Place: p, since: since}
	w := p.begin("sweep", 0)
	defer w.tell()
	err := w.walk(ctx, span{}, true, func(ctx context.Context, o *object) error {
		if err := s.object(ctx, o); err != nil && ctx.Err() == nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.out.Failed++
			if s.first == nil {
				s.first = err
			}
		}
		return nil
	})
	if err == nil {
		err = s.first
	}
	return s.out, err
}

// count counts what was collected.
func (s *sweeper) count(what *int64) {
	s.mu.Lock()
	*what++
	s.mu.Unlock()
}

// object sweeps an object.
func (s *sweeper) object(ctx context.Context, o *object) error {
	has := map[int64]bool{}
	dead := false
	for i := range o.entries {
		e := &o.entries[i]
		has[e.Version.ID.N] = true
		dead = dead || e.Kind == versions.KindAmend || !o.Top.State.Live(e.Row)
	}
	for i := range o.slots {
		if slot := o.slots[i]; !has[slot.N] {
			if err := s.slot(ctx, slot); err != nil {
				return err
			}
		}
	}
	if !dead || !s.since.IsZero() && o.Top.Time.Before(s.since.Add(-2*versions.KeepDead)) {
		return nil
	}
	return s.compact(ctx, o.Object)
}

// slot sweeps a slot that had no row.
func (s *sweeper) slot(ctx context.Context, slot versions.Slot) error {
	body := s.Body(slot.Key, slot.N)
	out, err := backends.HeadKeyless(ctx, s.Bodies, &s3.HeadObjectInput{Key: &body})
	if err != nil {
		if s3err.Is(err, s3err.NoSuchKey) {
			return s.bodiless(ctx, slot)
		}
		return err
	}
	old, err := s.markedLong(ctx, slot)
	if err != nil || !old {
		return err
	}
	// It may have had a row for long: what was read of the index first is old by now.
	about, err := s.Index.Find(ctx, slot.Object, slot.N)
	if err != nil || about.Seq > 0 {
		return err
	}
	if s.Private {
		if ok, err := s.deleteOld(ctx, slot, out.LastModified); err != nil || !ok {
			return err
		}
	} else if err := s.DeleteBody(ctx, slot.Key, slot.N); err != nil {
		return err
	}
	s.count(&s.out.Bodies)
	return s.deleteSlot(ctx, slot)
}

// deleteOld deletes a body, which was last seen to be of that time, unless somebody has just written it. That can be where slots get
// lost: the body that was marked had lost its own, and a slow writer took the number after it.
func (s *sweeper) deleteOld(ctx context.Context, slot versions.Slot, modified *time.Time) (bool, error) {
	if s.Now().Sub(aws.ToTime(modified)) < maxUncommitted {
		return false, nil
	}
	return s.DeleteOldBody(ctx, slot.Key, slot.N, modified)
}

// bodiless sweeps a slot that had neither row nor body. As a rule nobody knows whether they are still to come: an upload takes
// as long as it likes. But one that was marked was aborted, or its body has been collected.
func (s *sweeper) bodiless(ctx context.Context, slot versions.Slot) error {
	at, err := s.Index.Marked(ctx, slot)
	if err != nil || at.IsZero() || s.Now().Sub(at) < versions.KeepDead {
		return err
	}
	about, err := s.Index.Find(ctx, slot.Object, slot.N)
	if err != nil || about.Seq > 0 {
		return err
	}
	return s.deleteSlot(ctx, slot)
}

// orphanSlot gives a body that has neither row nor slot a slot, and marks it.
func (p *Place) orphanSlot(ctx context.Context, slot versions.Slot) (time.Time, error) {
	if err := p.Index.TakeSlot(ctx, slot); err != nil && !errors.Is(err, versions.ErrExists) {
		return time.Time{}, err
	}
	return p.Index.MarkSlot(ctx, slot, p.Now())
}

// markedLong marks a slot as one without a version, and reports whether it has been for long enough.
func (s *sweeper) markedLong(ctx context.Context, slot versions.Slot) (bool, error) {
	now := s.Now()
	at, err := s.Index.MarkSlot(ctx, slot, now)
	if err != nil {
		return false, err
	}
	if now.Sub(at) < versions.KeepDead {
		s.count(&s.out.Marked)
		return false, nil
	}
	return true, nil
}

// deleteSlot deletes a slot that was marked for long enough, unless it is the last.
func (s *sweeper) deleteSlot(ctx context.Context, slot versions.Slot) error {
	last, err := s.Index.LastSlot(ctx, slot.Object)
	if err != nil || slot.N >= last {
		return err
	}
	if err := s.Index.DeleteSlot(ctx, slot); err != nil {
		return err
	}
	s.count(&s.out.Slots)
	return nil
}

// about are the rows about one version.
type about struct {
	rows   []versions.Row // the latest first
	killed time.Time      // when the version died; zero while it is alive
}

// compact deletes the rows of an object that say nothing any more.
func (s *sweeper) compact(ctx context.Context, o versions.Object) error {
	rows, err := s.rows(ctx, o)
	if err != nil || len(rows) == 0 {
		return err
	}
	top, limit := rows[0], s.Now().Add(-versions.KeepDead)
	byVersion := map[int64]*about{}
	var order []*about
	for i, r := range rows {
		a := byVersion[r.Version.Time.UnixMilli()]
		if a == nil {
			a = &about{}
			if !top.State.Live(r) && i > 0 {
				a.killed = died(rows[:i], r)
			}
			byVersion[r.Version.Time.UnixMilli()] = a
			order = append(order, a)
		}
		a.rows = append(a.rows, r)
	}
	for _, a := range slices.Backward(order) {
		if err := s.compactVersion(ctx, o, a, limit); err != nil {
			return err
		}
	}
	return nil
}

// died is when a version died whose latest row is r: when it has been removed and another row followed, so that no
// writer inserts at its number any more; or when another null version took its place. later are the
// rows behind r, the latest first.
func died(later []versions.Row, r versions.Row) time.Time {
	if r.Kind != versions.KindRemove {
		for _, l := range slices.Backward(later) {
			if l.Replaced.Time.Equal(r.Version.Time) {
				return l.Time
			}
		}
	}
	return later[len(later)-1].Time
}

// compactVersion deletes rows about a version, the earliest first.
func (s *sweeper) compactVersion(ctx context.Context, o versions.Object, a *about, limit time.Time) error {
	id := a.rows[0].Version.ID
	slot := versions.Slot{Object: o, N: id.N}
	dead := !a.killed.IsZero()
	if dead && id.N >= 0 { // A delete marker has no slot.
		old, err := s.markedLong(ctx, slot)
		if err != nil {
			return err
		}
		dead = old
	}
	for i := len(a.rows) - 1; i > 0; i-- {
		if a.rows[i-1].Time.After(limit) {
			return nil
		}
		if err := s.deleteRow(ctx, o, a.rows[i].Seq); err != nil {
			return err
		}
	}
	if !dead || a.killed.After(limit) {
		return nil
	}
	if err := s.DeleteBody(ctx, o.Key, id.N); err != nil {
		return err
	}
	if err := s.deleteRow(ctx, o, a.rows[0].Seq); err != nil || id.N < 0 {
		return err
	}
	return s.deleteSlot(ctx, slot)
}

// deleteRow deletes a row.
func (s *sweeper) deleteRow(ctx context.Context, o versions.Object, seq int64) error {
	err := s.Index.DeleteRow(ctx, o, seq)
	if err == nil {
		s.count(&s.out.Rows)
	}
	return err
}

// rows returns all rows of an object, the latest first.
func (p *Place) rows(ctx context.Context, o versions.Object) ([]versions.Row, error) {
	var all []versions.Row
	for before := int64(0); ; {
		page, err := p.Index.Rows(ctx, o, before, pageSize)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < pageSize {
			return all, nil
		}
		before = page[len(page)-1].Seq
	}
}
