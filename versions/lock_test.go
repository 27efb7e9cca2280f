package versions

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"
)

// drawRetention draws retentions that end about then.
func drawRetention(now time.Time) *rapid.Generator[Retention] {
	return rapid.Custom(func(t *rapid.T) Retention {
		mode := rapid.SampledFrom([]types.ObjectLockRetentionMode{"", types.ObjectLockRetentionModeGovernance, types.ObjectLockRetentionModeCompliance}).Draw(t, "mode")
		if mode == "" {
			return Retention{}
		}
		return Retention{Mode: mode, Until: now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "hours")) * time.Hour)}
	})
}

// protects is until when a retention keeps a version from who may bypass governance, or may not.
func (r Retention) protects(bypass bool) time.Time {
	if bypass && r.Mode != types.ObjectLockRetentionModeCompliance {
		return time.Time{}
	}
	return r.Until
}

// TestYields: no change of a retention takes protection away from those against whom it protects, and the strongest, that is
// who may bypass governance, can do all that others can.
func TestYields(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		from, to := drawRetention(now).Draw(t, "from"), drawRetention(now).Draw(t, "to")
		allowed := map[bool]bool{}
		for _, bypass := range []bool{false, true} {
			allowed[bypass] = from.Yields(to, now, bypass)
			kept := from.protects(bypass)
			if allowed[bypass] && kept.After(now) && to.protects(bypass).Before(kept) {
				t.Fatalf("bypass %v: protection until %s becomes %+v", bypass, kept, to)
			}
			if !from.holds(now) && !allowed[bypass] || from == to && !allowed[bypass] {
				t.Fatalf("bypass %v: %+v does not become %+v", bypass, from, to)
			}
		}
		if allowed[false] && !allowed[true] {
			t.Fatal("who may do more may not do this")
		}
		if from.holds(now) && from.Mode == types.ObjectLockRetentionModeCompliance && to.Mode != from.Mode && allowed[true] {
			t.Fatal("compliance has ended early")
		}
	})
}

// TestYieldsStays: what may become what, one by one.
func TestYieldsStays(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	at := func(mode types.ObjectLockRetentionMode, hours int) Retention {
		return Retention{mode, now.Add(time.Duration(hours) * time.Hour)}
	}
	const g, c = types.ObjectLockRetentionModeGovernance, types.ObjectLockRetentionModeCompliance
	f := func(from, to Retention, allowed, bypassed bool) {
		t.Helper()
		if got := from.Yields(to, now, false); got != allowed {
			t.Errorf("%+v to %+v: %v", from, to, got)
		}
		if got := from.Yields(to, now, true); got != bypassed {
			t.Errorf("%+v to %+v with bypass: %v", from, to, got)
		}
	}
	f(Retention{}, at(c, 1), true, true)
	f(at(c, 0), Retention{}, true, true) // It is over.
	f(at(g, 2), at(g, 2), true, true)
	f(at(g, 2), at(g, 3), true, true)
	f(at(g, 2), at(g, 1), false, true)
	f(at(g, 2), at(c, 3), false, true)
	f(at(g, 2), Retention{}, false, true)
	f(at(c, 2), at(c, 3), true, true)
	f(at(c, 2), at(c, 1), false, false)
	f(at(c, 2), at(g, 3), false, false)
	f(at(c, 2), Retention{}, false, false)
}

// TestHeld: what can be removed, and by whom.
func TestHeld(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	f := func(v *Version, held, bypassed bool) {
		t.Helper()
		if v.Held(now, false) != held || v.Held(now, true) != bypassed {
			t.Errorf("%+v is held: %v; with bypass: %v", v, v.Held(now, false), v.Held(now, true))
		}
	}
	until := func(mode types.ObjectLockRetentionMode, d time.Duration) *Version {
		return &Version{Retention: Retention{mode, now.Add(d)}}
	}
	f(nil, false, false)
	f(&Version{LegalHoldOff: true}, false, false)
	f(&Version{LegalHold: true}, true, true)
	f(until(types.ObjectLockRetentionModeGovernance, time.Millisecond), true, false)
	f(until(types.ObjectLockRetentionModeCompliance, time.Millisecond), true, true)
	f(until(types.ObjectLockRetentionModeCompliance, 0), false, false)
	f(&Version{LegalHold: true, Retention: Retention{types.ObjectLockRetentionModeGovernance, now.Add(time.Hour)}}, true, true)
}
