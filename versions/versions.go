// Package versions is the contract of the index, and what the versions of objects
// mean on top of it: what must be known of buckets and objects and is not in a
// bucket's objects.
//
// All of it rests on one primitive that every store has which can be an index:
// inserting under a unique key either succeeds or says that there is one. There
// are no transactions, no updates that must be atomic, and no clock decides
// anything. The suite is in versionstest.
//
// # The protocol
//
// Every key of a bucket has a log of rows, numbered from 1. A row is a change (a version put,
// removed or amended) and carries the [State] after it, so that the top row says all that a
// read or a decision needs. A writer
//
//  1. takes a slot: the number n of a body, which nobody else has or will have;
//  2. writes the body to its immutable place, which n names ([Layout.Body]);
//  3. reads the top row, decides, and inserts the row behind it. That insert is the
//     commit. When another row was there first, it reads and decides again ([Commit]).
//
// So a log has no gaps, rows happen one after another, and a decision is made on
// exactly the state that its row follows. The functions that make rows of states are pure: [Put],
// [Remove], [Amend].
//
// # Compaction
//
// Rows that say nothing any more may be deleted, so that long histories and their listings
// cost what is alive. Never the top row; and because a writer could insert once more at a
// number that was freed, only rows that had a successor for [KeepDead], while a
// writer inserts within [StaleAfter] of having read the top row, or reads it again.
package versions

import (
	"errors"
	"time"

	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/router"
)

// ErrInUse says that another process has an index open of which there can be one
// user at a time, or that it cannot be found out.
var ErrInUse = errors.New("in use by another process, or cannot be locked")

// ErrExists is what an insert under a key in use gives.
var ErrExists = router.ErrExists

// The two durations that keep compaction away from writers. They are far enough apart
// that clocks which run at different speeds do not matter, and the times of day that
// they show are not asked.
const (
	StaleAfter = 10 * time.Minute // how long what was read may be the ground of an insert
	KeepDead   = 24 * time.Hour   // how long what is dead is kept at the least, since somebody first saw it so
)

// Index is a store of what is kept outside of objects. Implementations are safe
// for concurrent use; their errors are for the operator. The records are the
// router's own type: see [router.BucketRecord] for why the arrow goes that way.
//
// Each call is durable when it returns nil, and every later one, by any process, sees it. What a
// call returned is durable too: it is never taken back. An insert that fails with
// anything but ErrExists may have happened, or may happen until its deadline.
type Index interface {
	router.Records
	overlay.Tombstones
	Log
	Slots
	Keys

	// Close frees what the index holds. Nothing may be called after it.
	Close() error
}
