package versions

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/xronox/xronox-proxy/router"
)

// Notice says what an index may be used for from now on: an index that is copied into another must not change
// meanwhile, and must not be used when the other is. Notices are values of the index, numbered from 1. The last one is in
// force, and without any all is allowed. As values are set once, of several that would follow one notice exactly one does.
type Notice struct {
	State string    `json:"state"`
	ID    string    `json:"id,omitempty"`    // of what goes on; both indexes have the same
	Other string    `json:"other,omitempty"` // the other index, as operators call it
	Used  bool      `json:"used,omitempty"`  // of a filling one: it was in use before
	Time  time.Time `json:"time"`

	n int
}

// The states of an index.
const (
	NoticeOpen    = "open"    // everything
	NoticeFilling = "filling" // nothing: it has not got all yet
	NoticeMoving  = "moving"  // reading: it is being copied into another
	NoticeMoved   = "moved"   // nothing: the other one is in use
)

// LastNotice returns the notice in force.
func LastNotice(ctx context.Context, v router.Values) (Notice, error) {
	return nextNotices(ctx, v, Notice{State: NoticeOpen})
}

// nextNotices returns the last notice behind last, or last.
func nextNotices(ctx context.Context, v router.Values, last Notice) (Notice, error) {
	for {
		value, err := v.Value(ctx, noticeName(last.n+1))
		if err != nil {
			return Notice{}, err
		}
		if value == nil {
			return last, nil
		}
		if last, err = readNotice(value, last.n+1); err != nil {
			return Notice{}, err
		}
	}
}

// PutNotice puts a notice behind last: ErrExists when another one was there first. It returns it as the last.
func PutNotice(ctx context.Context, v router.Values, last, next Notice) (Notice, error) {
	next.Time = time.Now().UTC().Truncate(time.Second)
	value, err := json.Marshal(next)
	if err != nil {
		return Notice{}, err
	}
	name := noticeName(last.n + 1)
	stored, err := v.InsertValue(ctx, name, value)
	if err != nil {
		return Notice{}, fmt.Errorf("versions: %s: %w", name, err)
	}
	got, err := readNotice(stored, last.n+1)
	if err == nil && (got.State != next.State || got.ID != next.ID) {
		err = fmt.Errorf("versions: %s: %w", name, ErrExists)
	}
	return got, err
}

// noticeName is the name of the nth value.
func noticeName(n int) string { return "notice/" + strconv.Itoa(n) }

// readNotice reads the nth notice.
func readNotice(value []byte, n int) (x Notice, err error) {
	if err := json.Unmarshal(value, &x); err != nil {
		return x, fmt.Errorf("versions: %s: %w", noticeName(n), err)
	}
	x.n = n
	return x, nil
}

// Reads is nil when the index may be read.
func (n Notice) Reads() error {
	switch at := n.Time.Format(time.RFC3339); n.State {
	case NoticeFilling:
		return fmt.Errorf("the index has not got all of %s yet, with which it is being filled since %s; if that was broken off, do it again", n.Other, at)
	case NoticeMoved:
		return fmt.Errorf("the index was migrated to %s at %s: use that one; see also `xronox-proxy index reopen`", n.Other, at)
	}
	return nil
}

// Writes is nil when the index may be changed.
func (n Notice) Writes() error {
	if n.State == NoticeMoving {
		return fmt.Errorf("the index is being migrated to %s since %s, and is not changed meanwhile; if that was broken off, "+
			"do it again, or go on with this one: `xronox-proxy index reopen`", n.Other, n.Time.Format(time.RFC3339))
	}
	return n.Reads()
}
