// Package versions is the contract of the index: what must be known of buckets
// and, later, of object versions, and is not in a bucket's objects. So far an
// index keeps the records that the router asks for, and the tombstones of overlays.
//
// All of it rests on one primitive that every store has which can be an index:
// inserting under a unique key. The suite is in versionstest.
package versions

import (
	"errors"

	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/router"
)

// ErrInUse says that another process has an index open of which there can be one
// user at a time, or that it cannot be found out.
var ErrInUse = errors.New("in use by another process, or cannot be locked")

// Index is a store of what is kept outside of objects. Implementations are safe
// for concurrent use; their errors are for the operator. The records are the
// router's own type: see [router.BucketRecord] for why the arrow goes that way.
type Index interface {
	router.Records
	overlay.Tombstones

	// Close frees what the index holds. Nothing may be called after it.
	Close() error
}
