package router

import (
	"hash/maphash"
	"sync"
)

// keyLocks lets one goroutine at a time make or remove a bucket. Names share a
// fixed number of locks. Between processes it is not these locks that keep order but
// the index, where a name is inserted once.
type keyLocks [64]sync.Mutex

// lockSeed spreads names over the locks.
var lockSeed = maphash.MakeSeed()

// lock locks the name and returns what unlocks it.
func (l *keyLocks) lock(n bucketName) (unlock func()) {
	m := &l[maphash.Comparable(lockSeed, n)%uint64(len(l))]
	m.Lock()
	return m.Unlock
}
