package router

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Proxies need not be configured alike, nor all restarted at once. So each says in the index, before it resolves
// anything, how long it may not notice what others change, and who changes something that
// matters waits for the longest that was ever said. These values are numbered from 1, and each is greater than
// those before.
//
// A proxy that says so after others have looked reads its first settings later still, and so it knows of the change.

// blindness is how long routes of t may be used after what they know has changed.
func (t *table) blindness() time.Duration {
	if t.FreshFor <= 0 {
		return 0
	}
	return t.FreshFor + t.Outage
}

// announce says so.
func (r *Router) announce(ctx context.Context, t *table) error {
	own := t.blindness()
	if own == 0 {
		return nil
	}
	for {
		longest, n, err := r.longest(ctx)
		if err != nil || own <= longest {
			return err
		}
		name := blindnessName(n + 1)
		if _, err := r.records.InsertValue(ctx, name, []byte(own.String())); err != nil { // Ours or another's: see which.
			return fmt.Errorf("router: %s: %w", name, err)
		}
	}
}

// longest is the longest time that was said, the last of n.
func (r *Router) longest(ctx context.Context) (d time.Duration, n int, err error) {
	for {
		name := blindnessName(n + 1)
		value, err := r.records.Value(ctx, name)
		if err != nil {
			return 0, 0, fmt.Errorf("router: %s: %w", name, err)
		}
		if value == nil {
			return d, n, nil
		}
		said, err := time.ParseDuration(string(value))
		if err != nil {
			return 0, 0, fmt.Errorf("router: %s: %w", name, err)
		}
		d, n = max(d, said), n+1
	}
}

// blindnessName is the name of the nth value.
func blindnessName(n int) string { return "blindness/" + strconv.Itoa(n) }

// Announced are the names of the values in which proxies have said it.
func Announced(ctx context.Context, v Values) (names []string, err error) {
	for {
		name := blindnessName(len(names) + 1)
		value, err := v.Value(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("router: %s: %w", name, err)
		}
		if value == nil {
			return names, nil
		}
		names = append(names, name)
	}
}
