package kvindex

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/versions"
)

// A slot that is taken early is lost when the process ends before it is on disk, and a body may be there that it was for. So that
// somebody looks for such bodies, and only for them, the index keeps signs: a sign is on disk before slots are
// taken early, and says when. A process that closes the index takes its own away.
const (
	signEvery = time.Minute // for so long slots are taken early on one sign
	signReach = time.Minute // what was taken early is on disk long before
)

// signs are the signs in the index. Their times are those of the wall clock, as those of bodies are.
type signs struct {
	mu   sync.Mutex
	left []time.Time // of processes that ended without closing the index
	own  time.Time   // the last of this process; zero when there is none
}

// signKey is the key of the row that has them all.
var signKey = []byte{kindSign}

// readSigns reads what earlier processes have left.
func (x *Index) readSigns() error {
	row, ok, err := x.read(signKey)
	if err != nil || !ok {
		return err
	}
	for len(row) > 0 {
		ms, n := binary.Varint(row)
		if n <= 0 {
			return errKey
		}
		x.signs.left, row = append(x.signs.left, time.UnixMilli(ms).UTC()), row[n:]
	}
	return nil
}

// writeSigns writes the row that has them all.
func (x *Index) writeSigns(ctx context.Context, all ...time.Time) error {
	return x.change(ctx, signKey, func(b *pebble.Batch) error {
		if len(all) == 0 {
			return b.Delete(signKey, nil)
		}
		var row []byte
		for _, t := range all {
			row = append(row, encodeTime(t)...)
		}
		return b.Set(signKey, row, nil)
	})
}

// sign returns when a sign is on disk on which slots can be taken early.
func (x *Index) sign(ctx context.Context) error {
	s := &x.signs
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Millisecond)
	if age := now.Sub(s.own); age >= 0 && age < signEvery {
		return nil // Fast path.
	}
	if err := x.writeSigns(ctx, append(slices.Clip(s.left), now)...); err != nil {
		return err
	}
	s.own = now
	return nil
}

// unsign takes the signs of this process away: all of its slots are on disk.
func (x *Index) unsign() error {
	x.signs.mu.Lock()
	defer x.signs.mu.Unlock()
	if x.signs.own.IsZero() {
		return nil
	}
	x.signs.own = time.Time{}
	return x.writeSigns(context.Background(), x.signs.left...)
}

// Losses are the times at which slots may have been lost, the earliest first; none when every process that had the
// index open has closed it, or somebody has called [Index.Recovered] since.
func (x *Index) Losses() []versions.Loss {
	x.signs.mu.Lock()
	defer x.signs.mu.Unlock()
	var list []versions.Loss
	for _, t := range x.signs.left {
		list = append(list, versions.Loss{From: t.Truncate(time.Second), To: t.Add(signEvery + signReach)})
	}
	return list
}

// Recovered says that the bodies that have lost their slots have been found.
func (x *Index) Recovered(ctx context.Context) error {
	s := &x.signs
	s.mu.Lock()
	defer s.mu.Unlock()
	var own []time.Time
	if !s.own.IsZero() {
		own = append(own, s.own)
	}
	if err := x.writeSigns(ctx, own...); err != nil {
		return fmt.Errorf("the slots that were lost: %w", err)
	}
	s.left = nil
	return nil
}
