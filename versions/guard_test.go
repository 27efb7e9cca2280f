package versions_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
	"github.com/xronox/xronox-proxy/versions/versionstest"
)

// TestGuardSuite: a guard of an index is an index.
func TestGuardSuite(t *testing.T) {
	t.Parallel()
	versionstest.Run(t, versionstest.Options{
		Open: func(testing.TB) versions.Index { return versions.NewGuard(memindex.New()) },
	})
}

// put puts a notice into an index.
func put(t *testing.T, x versions.Index, state string) {
	t.Helper()
	last, err := versions.LastNotice(t.Context(), x)
	if err == nil {
		_, err = versions.PutNotice(t.Context(), x, last, versions.Notice{State: state, ID: "id", Other: "the other"})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestGuard: what a notice does not allow is refused once a guard has noticed it, and allowed again later.
func TestGuard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := memindex.New()
		g := versions.NewGuard(x)
		ctx := t.Context()
		o := versions.Object{BucketID: "b", Key: "k"}
		seq := int64(0)
		can := func(when string, wantRead, wantWrite bool) {
			t.Helper()
			_, readErr := g.Top(ctx, o)
			seq++
			writeErr := g.InsertRow(ctx, o, versions.Row{Seq: seq})
			for _, err := range []error{readErr, writeErr, g.Forget(ctx, "another")} {
				if err != nil && !s3err.Is(err, s3err.SlowDown) {
					t.Errorf("%s: %v", when, err)
				}
			}
			if (readErr == nil) != wantRead || (writeErr == nil) != wantWrite {
				t.Errorf("%s: read: %v, write: %v", when, readErr, writeErr)
			}
		}
		if v, err := g.InsertValue(ctx, "is", []byte("there")); err != nil || string(v) != "there" {
			t.Errorf("%q, %v", v, err)
		}
		can("at first", true, true)
		for _, s := range []struct {
			state       string
			read, write bool
		}{
			{versions.NoticeMoving, true, false},
			{versions.NoticeOpen, true, true},
			{versions.NoticeFilling, false, false},
			{versions.NoticeOpen, true, true},
			{versions.NoticeMoving, true, false},
			{versions.NoticeMoved, false, false},
		} {
			put(t, x, s.state)
			time.Sleep(time.Second) // of the test's time
			can(s.state, s.read, s.write)
			_, err := g.InsertValue(ctx, "is", []byte("another"))
			if (err == nil) != s.read {
				t.Errorf("%s: a value that is there: %v", s.state, err)
			}
			if _, err := g.InsertValue(ctx, s.state, nil); (err == nil) != s.write {
				t.Errorf("%s: a new value: %v", s.state, err)
			}
		}
	})
}

// slow is an index in which a row takes its time, and in which notices cannot be read while it is away.
type slow struct {
	versions.Index
	takes time.Duration
	away  error
}

// InsertRow implements versions.Index.
func (x *slow) InsertRow(ctx context.Context, o versions.Object, r versions.Row) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(x.takes):
		return x.Index.InsertRow(ctx, o, r)
	}
}

// Value implements versions.Index.
func (x *slow) Value(ctx context.Context, name string) ([]byte, error) {
	if x.away != nil {
		return nil, x.away
	}
	return x.Index.Value(ctx, name)
}

// TestGuardInTime: however long a change takes that began before a notice was put, it takes effect before NoticedAfter, or
// never, and its caller is told to come back.
func TestGuardInTime(t *testing.T) {
	t.Parallel()
	f := func(takes, before time.Duration, want bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			x := &slow{Index: memindex.New(), takes: takes}
			g := versions.NewGuard(x)
			o := versions.Object{BucketID: "b", Key: "k"}
			if _, err := g.Top(t.Context(), o); err != nil { // It knows that all is allowed.
				t.Fatal(err)
			}
			put(t, x, versions.NoticeMoving)
			time.Sleep(before)
			done := make(chan error, 1)
			go func() { done <- g.InsertRow(t.Context(), o, versions.Row{Seq: 1}) }()
			time.Sleep(versions.NoticedAfter - before)
			top, err := x.Top(t.Context(), o)
			if err != nil || (top.Seq == 1) != want {
				t.Errorf("after NoticedAfter: %+v, %v", top, err)
			}
			if err := <-done; (err == nil) != want || err != nil && !s3err.Is(err, s3err.SlowDown) {
				t.Errorf("its caller is told %v", err)
			}
			if later, err := x.Top(t.Context(), o); err != nil || later.Seq != top.Seq {
				t.Errorf("later: %+v, %v", later, err)
			}
		})
	}
	f(0, 999*time.Millisecond, true)
	f(10*time.Second, 999*time.Millisecond, true)
	f(12*time.Second, 999*time.Millisecond, false)
	f(time.Hour, 0, false)
	f(0, time.Second, false)
}

// TestGuardAway: without an answer about notices nothing is done, and it is asked again by the next call.
func TestGuardAway(t *testing.T) {
	t.Parallel()
	x := &slow{Index: memindex.New(), away: errors.New("away")}
	g := versions.NewGuard(x)
	o := versions.Object{BucketID: "b", Key: "k"}
	if _, err := g.Top(t.Context(), o); !errors.Is(err, x.away) {
		t.Errorf("read: %v", err)
	}
	if err := g.InsertRow(t.Context(), o, versions.Row{Seq: 1}); !errors.Is(err, x.away) {
		t.Errorf("write: %v", err)
	}
	x.away = nil
	if err := g.InsertRow(t.Context(), o, versions.Row{Seq: 1}); err != nil {
		t.Error(err)
	}
}

// TestNotices: of several that would follow one notice, one does; put again, it is there.
func TestNotices(t *testing.T) {
	t.Parallel()
	x := memindex.New()
	ctx := t.Context()
	first, err := versions.LastNotice(ctx, x)
	if err != nil || first.Writes() != nil {
		t.Fatal(first, err)
	}
	a := versions.Notice{State: versions.NoticeMoving, ID: "a"}
	for range 2 {
		if _, err := versions.PutNotice(ctx, x, first, a); err != nil {
			t.Error(err)
		}
	}
	for _, other := range []versions.Notice{{State: versions.NoticeMoving, ID: "b"}, {State: versions.NoticeOpen, ID: "a"}} {
		if _, err := versions.PutNotice(ctx, x, first, other); !errors.Is(err, versions.ErrExists) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	if last, err := versions.LastNotice(ctx, x); err != nil || last.State != versions.NoticeMoving || last.ID != "a" {
		t.Errorf("%+v, %v", last, err)
	}
}
