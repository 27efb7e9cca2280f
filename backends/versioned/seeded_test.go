package versioned_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/internal/history"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// seededBug is what is wrong on purpose with a run. What is nil is right.
type seededBug struct {
	store   func(*world, faultbackend.Store) faultbackend.Store
	index   func(w *world, x versions.Index, proxy int) versions.Index
	options func(*world, *versioned.Options)
	bucket  func(backends.Backend) backends.Backend
}

// seedIndex is an index of which some calls are done otherwise.
type seedIndex struct {
	versions.Index

	insertRow func(context.Context, versions.Object, versions.Row) error
	top       func(context.Context, versions.Object) (versions.Row, error)
	find      func(context.Context, versions.Object, int64) (versions.Row, error)
	takeSlot  func(context.Context, versions.Slot) error
}

// InsertRow implements [versions.Log].
func (x seedIndex) InsertRow(ctx context.Context, o versions.Object, r versions.Row) error {
	if x.insertRow != nil {
		return x.insertRow(ctx, o, r)
	}
	return x.Index.InsertRow(ctx, o, r)
}

// Top implements [versions.Log].
func (x seedIndex) Top(ctx context.Context, o versions.Object) (versions.Row, error) {
	if x.top != nil {
		return x.top(ctx, o)
	}
	return x.Index.Top(ctx, o)
}

// Find implements [versions.Log].
func (x seedIndex) Find(ctx context.Context, o versions.Object, n int64) (versions.Row, error) {
	if x.find != nil {
		return x.find(ctx, o, n)
	}
	return x.Index.Find(ctx, o, n)
}

// TakeSlot implements [versions.Slots].
func (x seedIndex) TakeSlot(ctx context.Context, s versions.Slot) error {
	if x.takeSlot != nil {
		return x.takeSlot(ctx, s)
	}
	return x.Index.TakeSlot(ctx, s)
}

// deleteBody deletes a body, whoever needs it.
func (w *world) deleteBody(o versions.Object, n int64) {
	key := bodyPrefix + w.o.Layout.Body(w.o.DataType, o.Key, n)
	if _, err := w.below.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: new("physical"), Key: &key}); err != nil {
		w.Error(err)
	}
}

// notReadAgain inserts the row that was decided on where there is room.
func notReadAgain(_ *world, x versions.Index, _ int) versions.Index {
	return seedIndex{Index: x, insertRow: func(ctx context.Context, o versions.Object, r versions.Row) error {
		for {
			if err := x.InsertRow(ctx, o, r); !errors.Is(err, versions.ErrExists) {
				return err
			}
			r.Seq++
		}
	}}
}

// numberTwice lets anybody have any number.
func numberTwice(_ *world, x versions.Index, _ int) versions.Index {
	return seedIndex{Index: x, takeSlot: func(ctx context.Context, s versions.Slot) error {
		if err := x.TakeSlot(ctx, s); !errors.Is(err, versions.ErrExists) {
			return err
		}
		return nil
	}}
}

// headNotLookedAtAgain has who wrote a head believe that his row is the top one.
func headNotLookedAtAgain(_ *world, x versions.Index, _ int) versions.Index {
	var own sync.Map
	who := func(ctx context.Context) string {
		return backends.RequestOf(ctx).AccessKey + "/" + backends.RequestOf(ctx).UserID
	}
	return seedIndex{
		Index: x,
		insertRow: func(ctx context.Context, o versions.Object, r versions.Row) error {
			err := x.InsertRow(ctx, o, r)
			if err == nil {
				own.Store(who(ctx), r)
			}
			return err
		},
		top: func(ctx context.Context, o versions.Object) (versions.Row, error) {
			if r, ok := own.Load(who(ctx)); ok {
				return r.(versions.Row), nil //nolint:forcetypeassert // ours
			}
			return x.Top(ctx, o)
		},
	}
}

// previousNotSoughtAgain removes a version when another row was first, and has become current again what was to be.
func previousNotSoughtAgain(_ *world, x versions.Index, _ int) versions.Index {
	return seedIndex{Index: x, insertRow: func(ctx context.Context, o versions.Object, r versions.Row) error {
		for {
			err := x.InsertRow(ctx, o, r)
			if r.Kind != versions.KindRemove || !errors.Is(err, versions.ErrExists) {
				return err
			}
			top, err := x.Top(ctx, o)
			if err != nil {
				return err
			}
			current := r.State.Current
			r.Seq, r.Time, r.State = top.Seq+1, top.Time.Add(time.Millisecond), top.State
			r.State.Current = current
		}
	}}
}

// nullRemovedEarly removes the body of a null version before another has its place.
func nullRemovedEarly(w *world, x versions.Index, _ int) versions.Index {
	return seedIndex{Index: x, insertRow: func(ctx context.Context, o versions.Object, r versions.Row) error {
		if !r.Replaced.Time.IsZero() {
			w.deleteBody(o, r.Replaced.N)
		}
		return x.InsertRow(ctx, o, r)
	}}
}

// unknownIsRefused removes the body of a write of which it is not known whether it happened.
func unknownIsRefused(w *world, x versions.Index, _ int) versions.Index {
	return seedIndex{Index: x, insertRow: func(ctx context.Context, o versions.Object, r versions.Row) error {
		err := x.InsertRow(ctx, o, r)
		if err != nil && !errors.Is(err, versions.ErrExists) && r.Kind == versions.KindPut {
			w.deleteBody(o, r.Version.ID.N)
		}
		return err
	}}
}

// topRemembered has a proxy remember top rows for a while.
func topRemembered(_ *world, x versions.Index, _ int) versions.Index {
	var rows sync.Map
	return seedIndex{Index: x, top: func(ctx context.Context, o versions.Object) (versions.Row, error) {
		if r, ok := rows.Load(o); ok && rand.IntN(3) == 0 {
			return r.(versions.Row), nil //nolint:forcetypeassert // ours
		}
		r, err := x.Top(ctx, o)
		if err == nil {
			rows.Store(o, r)
		}
		return r, err
	}}
}

// timeOfTheClock has versions be as old as the clock of their proxy says; the second's is an hour behind.
func timeOfTheClock(_ *world, x versions.Index, proxy int) versions.Index {
	return seedIndex{Index: x, insertRow: func(ctx context.Context, o versions.Object, r versions.Row) error {
		if v := r.State.Current; v != nil && r.Version.Is(v) && r.Kind != versions.KindAmend {
			changed := *v
			changed.Time = v.Time.Add(time.Duration(proxy) * -time.Hour)
			r.Version, r.State.Current = changed, &changed
		}
		return x.InsertRow(ctx, o, r)
	}}
}

// completedTwice does not look whether an upload has become a version.
func completedTwice(_ *world, x versions.Index, _ int) versions.Index {
	return seedIndex{Index: x, find: func(ctx context.Context, o versions.Object, n int64) (versions.Row, error) {
		if backends.RequestOf(ctx).Operation == history.Put {
			return versions.Row{}, nil
		}
		return x.Find(ctx, o, n)
	}}
}

// seedStore is a store of which some calls are done otherwise.
type seedStore struct {
	faultbackend.Store

	put    func(context.Context, *s3.PutObjectInput) (*s3.PutObjectOutput, error)
	delete func(context.Context, *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error)
}

// PutObject implements [backends.ObjectWriter].
func (s *seedStore) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	if s.put != nil {
		return s.put(ctx, in)
	}
	return s.Store.PutObject(ctx, in)
}

// DeleteObject implements [backends.ObjectWriter].
func (s *seedStore) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if s.delete != nil {
		return s.delete(ctx, in)
	}
	return s.Store.DeleteObject(ctx, in)
}

// earlyJanitor sweeps bodies without a row as soon as it sees them: those of writes in flight, too.
func earlyJanitor(w *world, s faultbackend.Store) faultbackend.Store {
	return &seedStore{Store: s, put: func(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
		out, err := s.PutObject(ctx, in)
		body, ok := strings.CutPrefix(aws.ToString(in.Key), bodyPrefix)
		if !ok || rand.IntN(4) > 0 {
			return out, err
		}
		_, key, n, _ := w.o.Layout.Parse(body)
		o := versions.Object{BucketID: bucketID, Key: key}
		if about, e := w.o.Index.Find(ctx, o, n); e == nil && about.Seq == 0 {
			w.deleteBody(o, n)
		}
		return out, err
	}}
}

// bodiesStay forgets to delete bodies.
func bodiesStay(_ *world, s faultbackend.Store) faultbackend.Store {
	return &seedStore{Store: s, delete: func(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
		if strings.HasPrefix(aws.ToString(in.Key), bodyPrefix) {
			return &s3.DeleteObjectOutput{}, nil
		}
		return s.DeleteObject(ctx, in)
	}}
}

// trusted is a plain place whose heads are said to show what is current.
type trusted struct {
	backends.Backend
	w *world
}

// trustHeads has a reader take any head.
func trustHeads(w *world, o *versioned.Options) { o.Heads = trusted{o.Heads, w} }

// GetObject implements [backends.ObjectReader].
func (t trusted) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	out, err := t.Backend.GetObject(ctx, in)
	if err != nil {
		return nil, err
	}
	top, err := t.w.o.Index.Top(ctx, versions.Object{BucketID: bucketID, Key: *in.Key})
	if err == nil && top.State.Current != nil {
		out.Metadata = maps.Clone(out.Metadata)
		out.Metadata[backends.ReservedMetadata+"version"] = top.State.Current.ID.Name()
	}
	return out, err
}

// judgedOnce judges conditions before a body is written, and not again.
type judgedOnce struct{ backends.Backend }

// Unwrap leads to what the bucket does otherwise.
func (b judgedOnce) Unwrap() backends.Backend { return b.Backend }

// PutObject implements [backends.ObjectWriter].
func (b judgedOnce) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	head, err := b.HeadObject(ctx, &s3.HeadObjectInput{Key: in.Key})
	var existing *backends.ObjectMeta
	switch {
	case err == nil:
		existing = &backends.ObjectMeta{ETag: aws.ToString(head.ETag)}
	case !s3err.Is(err, s3err.NoSuchKey):
		return nil, err
	}
	if err := backends.CheckWrite(existing, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	c := *in
	c.IfMatch, c.IfNoneMatch = nil, nil
	return b.Backend.PutObject(ctx, &c)
}

// TestSeededBugs holds that the checker sees what it is for: each of these makes it fail.
func TestSeededBugs(t *testing.T) {
	t.Parallel()
	const (
		illegal  = "the history is not linearizable"
		noBody   = "has no body"
		head     = "the head of"
		left     = "is left behind"
		twoRows  = "has two rows"
		attempts = 300
	)
	f := func(name, want string, v router.Versioning, rate float64, bug seededBug) {
		t.Helper()
		run := linearRun{keys: 2, clients: 8, ops: 200, settings: []router.Versioning{v, v}, rate: rate, seed: bug}
		verdict := ""
		for range attempts {
			if verdict = newWorld(t, run).verdict(); strings.Contains(verdict, want) {
				return
			}
		}
		t.Errorf("%s: never %q in %d runs; in the last, %.300s", name, want, attempts, verdict)
	}
	const rate = 0.01
	enabled, suspended := router.Enabled, router.Suspended
	f("a commit does not read the top row again", illegal, enabled, 0, seededBug{index: notReadAgain})
	f("a number is used twice", illegal, enabled, 0, seededBug{index: numberTwice})
	f("a head is not looked at again", head, enabled, 0, seededBug{index: headNotLookedAtAgain})
	f("a janitor is too early", noBody, enabled, 0, seededBug{store: earlyJanitor})
	f("a head is trusted", illegal, enabled, 0, seededBug{options: trustHeads})
	f("a condition is judged before the body is written only", illegal, enabled, 0, seededBug{bucket: func(b backends.Backend) backends.Backend { return judgedOnce{b} }})
	f("the previous version is not sought again", illegal, enabled, 0, seededBug{index: previousNotSoughtAgain})
	f("bodies of null versions stay", left, suspended, 0, seededBug{store: bodiesStay})
	f("the body of a null version goes too early", noBody, suspended, 10*rate, seededBug{index: nullRemovedEarly})
	f("the body of a write goes that may have happened", noBody, enabled, rate, seededBug{index: unknownIsRefused})
	f("top rows are remembered", illegal, enabled, 0, seededBug{index: topRemembered})
	f("times are those of clocks", illegal, enabled, 0, seededBug{index: timeOfTheClock})
	f("an upload becomes two versions", twoRows, enabled, 0, seededBug{index: completedTwice})
}
