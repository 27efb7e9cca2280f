package upkeep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// maxLost is how many bodies of a place can have lost their slots: more writes are not under way at once.
const maxLost = 10_000

// Recover gives slots to bodies that have lost them, and have no version, so that the sweeper sees them. It returns how many; how
// slots are lost, the index tells. Only bodies from then are looked up, but all are listed.
//
// Who restored an index from a backup may have missed to make the rest of it again. To it, versions that were
// written since look the same, but not all of them are from the right times: when one is not,
// nothing is done in any place, and the error is [ErrNoRows].
func Recover(ctx context.Context, places []*Place, losses []versions.Loss) (n int64, err error) {
	lost := make([][]body, len(places))
	for i, p := range places {
		if lost[i], err = p.lost(ctx, losses); err != nil {
			return 0, err
		}
	}
	for i, p := range places {
		for _, b := range lost[i] {
			// Who has the number by now has written over the body, or is about to. And who comes from here on takes
			// another one.
			err := p.Index.TakeSlot(ctx, versions.Slot{Object: p.Object(b.key), N: b.n, Taken: p.Now()})
			switch {
			case err == nil:
				n++
			case !errors.Is(err, versions.ErrExists):
				return n, err
			}
		}
	}
	return n, nil
}

// lost are the bodies of a place that have lost their slots.
func (p *Place) lost(ctx context.Context, losses []versions.Loss) (list []body, err error) {
	w := p.begin("bodies", 0)
	defer w.tell()
	err = p.eachBody(ctx, "", "", func(b body) error {
		defer w.add()
		if b.key == "" || b.n < 0 || !slices.ContainsFunc(losses, func(l versions.Loss) bool { return !b.modified.Before(l.From) }) {
			return ctx.Err()
		}
		known, err := p.hasRowOrSlot(ctx, b)
		if err != nil || known {
			return err
		}
		if !during(losses, b.modified) || len(list) >= maxLost {
			return fmt.Errorf("%s: %q of %v: %w", p.Name, b.at, b.modified.UTC(), ErrNoRows)
		}
		list = append(list, b)
		return nil
	})
	return list, err
}

// during reports whether something may have been lost that was written at a time.
func during(losses []versions.Loss, t time.Time) bool {
	return slices.ContainsFunc(losses, func(l versions.Loss) bool { return !t.Before(l.From) && !t.After(l.To) })
}

// hasRowOrSlot reports whether the index knows the number of a body, or the body is gone since it was listed.
func (p *Place) hasRowOrSlot(ctx context.Context, b body) (bool, error) {
	about, err := p.Index.Find(ctx, p.Object(b.key), b.n)
	if err != nil || about.Seq > 0 {
		return true, err
	}
	taken, err := p.hasSlot(ctx, b)
	if err != nil || taken {
		return true, err
	}
	_, err = backends.HeadKeyless(ctx, p.Bodies, &s3.HeadObjectInput{Key: &b.at})
	if s3err.Is(err, s3err.NoSuchKey) {
		return true, nil
	}
	return false, err
}
