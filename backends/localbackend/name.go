package localbackend

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// name names a body or an upload, once and for ever: eight bytes of time that
// never repeat in a process, then eight random ones. Because names grow, rows
// under them are appended to Pebble in order and its compactions move such
// tables instead of rewriting them.
type name [16]byte

// String is the name as files and UploadIds have it; it sorts as the name does.
func (n name) String() string { return hex.EncodeToString(n[:]) }

// parseName is the inverse of String.
func parseName(s string) (n name, ok bool) {
	if len(s) != 2*len(n) {
		return n, false
	}
	_, err := hex.Decode(n[:], []byte(s))
	return n, err == nil && n.String() == s
}

// namer makes names.
type namer struct {
	now  func() time.Time
	mu   sync.Mutex
	last uint64 // milliseconds << 16, or more when names were asked for faster or the clock went back
}

// next returns a new name, greater than those before.
func (g *namer) next() (n name) {
	t := uint64(g.now().UnixMilli()) << 16
	g.mu.Lock()
	g.last = max(g.last+1, t)
	t = g.last
	g.mu.Unlock()
	binary.BigEndian.PutUint64(n[:8], t)
	_, _ = rand.Read(n[8:]) // never fails: crypto/rand
	return n
}
