package upkeep

import (
	"context"
	"sync"
	"time"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/versions"
)

// Rules say which versions are not kept. The current version, be it a delete marker, always is, and so is
// what a retention or a legal hold of its own protects.
type Rules struct {
	Days       int // a version goes when another took its place so many days ago; 0: never
	MaxPerItem int // an object has no more versions than that, with the current one; 0: any number
}

// Expiry is how rules are applied.
type Expiry struct {
	Rules
	Enforce bool          // false: they are only counted
	Report  func(Expired) // called by one at a time; may be nil
}

// Expired is a version beyond the rules.
type Expired struct {
	Key       string    `json:"key"`
	VersionID string    `json:"versionId"`
	Time      time.Time `json:"time"`
	Size      int64     `json:"size"`
	Removed   bool      `json:"removed"`
}

// Retained is what became of the rules.
type Retained struct {
	Beyond  int64 `json:"beyond"` // versions that the rules do not keep
	Bytes   int64 `json:"bytes"`  // of these
	Removed int64 `json:"removed"`
	Failed  int64 `json:"failed"`
}

// retentionOperation is what the history shows of versions that were removed.
const retentionOperation = "Retention"

// Retain finds the versions of a place that rules do not keep, and removes them if these are enforced. A failure
// does not keep others from that; the first is returned.
func (p *Place) Retain(ctx context.Context, x Expiry) (out Retained, err error) {
	if x.Rules == (Rules{}) {
		return out, nil
	}
	var mu sync.Mutex
	var first error
	w := p.begin("retention", 0)
	defer w.tell()
	ctx = backends.WithRequest(ctx, &backends.Request{Operation: retentionOperation})
	err = w.walk(ctx, span{}, false, func(ctx context.Context, o *object) error {
		for _, v := range x.beyond(o, p.Now()) {
			removed, err := false, error(nil)
			if x.Enforce {
				removed, err = p.Expire(ctx, o.Key, v.ID)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			mu.Lock()
			out.Beyond++
			out.Bytes += v.Size
			if removed {
				out.Removed++
			}
			if err != nil {
				out.Failed++
				if first == nil {
					first = err
				}
			}
			if x.Report != nil {
				x.Report(Expired{o.Key, v.ID.String(), v.Time, v.Size, removed})
			}
			mu.Unlock()
		}
		return nil
	})
	if err == nil {
		err = first
	}
	return out, err
}

// beyond are the versions of an object that the rules do not keep.
func (r Rules) beyond(o *object, now time.Time) []*versions.Version {
	var list []*versions.Version
	var next *versions.Version // the one that took the place of what is looked at
	kept := 0
	for i := range o.entries {
		e := &o.entries[i]
		if !o.Top.State.Live(e.Row) {
			continue
		}
		v := &e.Version
		old := r.Days > 0 && next != nil && now.Sub(next.Time) > time.Duration(r.Days)*24*time.Hour
		many := r.MaxPerItem > 0 && kept >= r.MaxPerItem
		if current := next == nil || v.Is(o.Top.State.Current); !current && (old || many) && !v.Held(now, false) {
			list = append(list, v)
		} else {
			kept++
		}
		next = v
	}
	return list
}
