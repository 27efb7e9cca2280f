package router

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// entering is a door and an index behind it that takes a while to answer.
type entering struct {
	*Door
	t      *testing.T
	answer Settings
	err    error
	slow   time.Duration
	asked  int
}

// newEntering returns one whose settings were read just now.
func newEntering(t *testing.T) *entering {
	e := &entering{t: t, Door: &Door{gate: &gate{}, read: time.Now(), freshFor: 5 * time.Second, outage: 20 * time.Second}}
	e.current = func(ctx context.Context) (Settings, error) {
		e.asked++
		select {
		case <-ctx.Done():
			return Settings{}, ctx.Err()
		case <-time.After(e.slow):
			return e.answer, e.err
		}
	}
	return e
}

// enter tries to enter, and holds what comes of it, how long it takes and how often the index is asked.
func (e *entering) enter(code s3err.Code, took time.Duration, asked int) {
	e.t.Helper()
	began, before := time.Now(), e.asked
	leave, err := e.Enter(e.t.Context())
	if leave != nil {
		leave()
	}
	if code == "" && err != nil || code != "" && !s3err.Is(err, code) || (leave == nil) != (err != nil) {
		e.t.Errorf("after %v: %v, want %q", time.Since(e.read), err, code)
	}
	if d := time.Since(began); d != took || e.asked-before != asked {
		e.t.Errorf("after %v: it took %v and the index was asked %d times, want %v and %d", time.Since(e.read), d, e.asked-before, took, asked)
	}
}

// TestDoor: writes ask when they have known the settings for long, go on without an answer as long as the settings
// hold, and no longer.
func TestDoor(t *testing.T) {
	t.Parallel()
	f := func(test func(*entering)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) { test(newEntering(t)) })
	}
	until := func(e *entering, age time.Duration) { time.Sleep(age - time.Since(e.read)) }
	f(func(e *entering) { // the index answers
		e.slow = 10 * time.Millisecond
		until(e, 5*time.Second)
		e.enter("", 0, 0)
		until(e, 6*time.Second)
		e.enter("", e.slow, 1)
		until(e, time.Hour)
		e.enter("", e.slow, 1)
		e.answer.Seq++
		e.enter("", e.slow, 1) // something else was set
		e.answer.Enabling, e.answer.Versioning = true, Enabled
		e.enter(s3err.SlowDown, e.slow, 1)
	})
	f(func(e *entering) { // it says at once that it cannot
		e.err = errors.New("away")
		until(e, 6*time.Second)
		e.enter("", 0, 1)
		e.enter("", 0, 0) // it was asked a moment ago
		until(e, 10*time.Second)
		e.enter("", 0, 0)
		until(e, 11*time.Second)
		e.enter("", 0, 1)
		until(e, 25*time.Second)
		e.enter("", 0, 1)
		until(e, 25*time.Second+time.Nanosecond)
		e.enter(s3err.SlowDown, 0, 1)
		e.err = nil
		e.enter("", 0, 1)
	})
	f(func(e *entering) { // it says nothing
		e.slow, e.err = 10*time.Second, errors.New("away")
		until(e, 6*time.Second)
		e.enter("", patience, 1)
		e.enter("", 0, 0)
		// The settings hold when the question is put, and not any more when no answer comes.
		until(e, 24*time.Second+time.Millisecond)
		e.enter(s3err.SlowDown, e.slow, 1)
		e.err = nil // Late is better than never, for a write that took hours.
		e.enter("", e.slow, 1)
	})
	f(func(e *entering) {
		e.gate.close()
		e.enter(s3err.SlowDown, 0, 0)
	})
	f(func(e *entering) {
		e.settings.Enabling = true
		e.enter(s3err.SlowDown, 0, 0)
	})
	f(func(e *entering) { // there is only this proxy
		e.freshFor, e.outage = 0, 0
		until(e, time.Hour)
		e.enter("", 0, 0)
		e.Door = nil
		e.t.Helper()
		if leave, err := e.Enter(e.t.Context()); err != nil {
			e.t.Error(err)
		} else {
			leave()
		}
	})
}
