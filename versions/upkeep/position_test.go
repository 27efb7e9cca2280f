package upkeep_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// failFrom has the store fail from its nth call on.
func (k *kept) failFrom(n int) {
	k.store.SetPlan(func(c faultbackend.Call) faultbackend.Fault {
		if c.N >= n {
			return faultbackend.Fault{Err: errStore}
		}
		return faultbackend.Fault{}
	})
}

// asked are the keys in the store that were asked for since the plan was set, below a prefix.
func (k *kept) asked(prefix string) (keys []string) {
	for _, c := range k.store.Calls() {
		if key, ok := strings.CutPrefix(c.Key, prefix); ok && c.Op == "HeadObject" {
			keys = append(keys, key)
		}
	}
	return keys
}

// verifyFrom is verify from a position. It returns how far it has come, too.
func (k *kept) verifyFrom(from upkeep.Position, problems map[string]bool) (upkeep.Position, upkeep.Verified, error) {
	k.Helper()
	reached := from
	k.Progress = func(p upkeep.Progress) { reached = p.Position }
	out, err := k.Verify(k.Context(), upkeep.Check{From: from, Report: func(p upkeep.Problem) {
		problems[p.Problem+" "+p.Key+" "+p.Body] = true
	}})
	return reached, out, err
}

// TestVerifyGoesOn breaks off verify after any number of calls of the store. A run that goes on from there reports what the
// first has not, and does not look again at what was done.
func TestVerifyGoesOn(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	const objects = 40
	for i := range objects {
		key := fmt.Sprintf("dir/%02d", i)
		k.put(key, "1")
		k.put(key, "2")
		switch i % 8 {
		case 1:
			k.rawDelete("versions/.content/" + key + "/v0")
		case 3:
			k.rawDelete("plain/" + key)
		case 5:
			k.raw("versions/.content/"+key+"/v7", "x")
		case 7:
			k.raw("plain/"+key+"-past", "x")
		}
	}
	whole := map[string]bool{}
	k.store.SetPlan(nil)
	if _, out, err := k.verifyFrom(upkeep.Position{}, whole); err != nil || len(whole) != objects/2 || out.Objects != objects {
		t.Fatalf("%d problems, %+v, %v", len(whole), out, err)
	}
	calls := len(k.store.Calls())
	steps := map[string]int{}
	for n := 1; n <= calls; n += 3 {
		problems := map[string]bool{}
		k.failFrom(n)
		reached, first, err := k.verifyFrom(upkeep.Position{}, problems)
		if !errors.Is(err, errStore) {
			t.Fatalf("call %d: %v", n, err)
		}
		parsed, err := upkeep.ParsePosition(reached.String())
		if err != nil || parsed != reached {
			t.Fatalf("%+v is read as %+v, %v", reached, parsed, err)
		}
		k.store.SetPlan(nil)
		_, second, err := k.verifyFrom(parsed, problems)
		if err != nil {
			t.Fatal(err)
		}
		if len(problems) != len(whole) {
			t.Errorf("call %d: %d problems from %+v, want %d", n, len(problems), reached, len(whole))
		}
		if first.Objects+second.Objects < objects || first.Bodies+second.Bodies < 2*objects {
			t.Errorf("call %d: from %+v something was left out: %+v and %+v", n, reached, first, second)
		}
		if reached.After == "" {
			continue
		}
		steps[reached.Step]++
		if reached.Step == "versions" {
			for _, key := range k.asked("plain/") {
				if key <= reached.After && !strings.HasSuffix(key, "-past") {
					t.Errorf("call %d: %q was done, and is looked at again from %+v", n, key, reached)
				}
			}
		} else if second.Objects > 0 {
			t.Errorf("call %d: from %+v %d objects were looked at again", n, reached, second.Objects)
		}
	}
	if len(steps) != 3 {
		t.Errorf("broken off in %v only", steps)
	}
	if _, _, err := k.verifyFrom(upkeep.Position{Place: "p", Step: "rebuild"}, whole); err == nil {
		t.Error("a position of another command is taken")
	}
	for _, s := range []string{"", "x", "e30", upkeep.Position{Place: "p"}.String()} {
		if p, err := upkeep.ParsePosition(s); err == nil {
			t.Errorf("%q is a position: %+v", s, p)
		}
	}
}

// TestRebuildGoesOn breaks off rebuild after any number of calls of the store. A run that goes on from there completes the
// index, and does not read the objects again that were done.
func TestRebuildGoesOn(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	for i := range 20 {
		for _, below := range []string{"", "/v1", "/v1/v0"} {
			key := fmt.Sprintf("%02d%s", i, below)
			k.put(key, "1")
			k.put(key, "2")
		}
		k.remove(fmt.Sprintf("%02d", i), "")
	}
	want := k.told()
	k.now = k.now.Add(3 * time.Hour) // A slot that was taken, and nothing more, is not taken for that of a write under way.
	k.store.SetPlan(nil)
	if _, err := k.without().Rebuild(t.Context(), upkeep.Position{}); err != nil {
		t.Fatal(err)
	}
	calls, came := len(k.store.Calls()), 0
	for n := 1; n <= calls; n += 3 {
		lost := k.without()
		var reached upkeep.Position
		lost.Progress = func(p upkeep.Progress) { reached = p.Position }
		lost.failFrom(n)
		if _, err := lost.Rebuild(t.Context(), upkeep.Position{}); !errors.Is(err, errStore) {
			t.Fatalf("call %d: %v", n, err)
		}
		lost.Progress = nil
		lost.store.SetPlan(nil)
		if _, err := lost.Rebuild(t.Context(), reached); err != nil {
			t.Fatal(err)
		}
		asked := lost.asked("versions/.content/")
		lost.want("versions", lost.told(), want)
		lost.store.SetPlan(nil)
		if reached.After == "" {
			continue
		}
		came++
		done := strings.TrimPrefix(reached.After, ".content/")[:2]
		if i := slices.IndexFunc(asked, func(key string) bool { return key[:2] < done }); i >= 0 {
			t.Errorf("call %d: %q was done, and is read again from %+v", n, asked[i], reached)
		}
	}
	if came == 0 {
		t.Error("it never came anywhere")
	}
	if _, err := k.Rebuild(t.Context(), upkeep.Position{Place: "p", Step: "versions"}); err == nil {
		t.Error("a position of another command is taken")
	}
}
