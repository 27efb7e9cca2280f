package localbackend

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/xronox/xronox-proxy/s3err"
)

// space knows whether the disk has room. Pebble takes an error of its log as
// fatal, so a full disk is kept away from it twice: writes are refused while
// less than minFree is left, which leaves room for deletes and compactions;
// and should the disk be full nonetheless, Pebble's writes wait ([patientFS]).
type space struct {
	fs      vfs.FS
	dir     string
	minFree int64
	now     func() time.Time

	waiting atomic.Int32 // operations of Pebble that found the disk full
	checked atomic.Int64 // when low was determined, in nanoseconds of now
	low     atomic.Bool
	flushed atomic.Int64 // when flush was called
	flush   func()       // lets Pebble notice what was deleted
	closing chan struct{}
}

// spaceCheckEvery is how long an answer of the file system is believed.
const spaceCheckEvery = 200 * time.Millisecond

// spaceFlushEvery is how often Pebble is asked to make room.
const spaceFlushEvery = 5 * time.Second

// spaceRetryEvery is how often a full disk is tried again.
const spaceRetryEvery = 50 * time.Millisecond

// newSpace watches the file system of o.Dir.
func newSpace(o Options) *space {
	return &space{fs: o.FS, dir: o.Dir, minFree: o.MinFree, now: o.Now, closing: make(chan struct{})}
}

// admit refuses a write when there is no room for it.
func (s *space) admit() error {
	if s.waiting.Load() > 0 {
		return errFull(errors.New("metadata waits for space"))
	}
	if s.minFree < 0 {
		return nil
	}
	now := s.now().UnixNano()
	if at := s.checked.Load(); at == 0 || now-at > int64(spaceCheckEvery) || now < at {
		s.checked.Store(now)
		usage, err := s.fs.GetDiskUsage(s.dir)
		s.low.Store(err == nil && usage.AvailBytes < uint64(s.minFree))
	}
	if !s.low.Load() {
		return nil
	}
	// Pebble frees the space of deleted rows by compactions, which it finds
	// worth the while only after the deletions have left its memory.
	if at := s.flushed.Load(); now-at > int64(spaceFlushEvery) && s.flushed.CompareAndSwap(at, now) {
		s.flush()
	}
	return errFull(fmt.Errorf("less than %d bytes are free", s.minFree))
}

// wait is called by an operation that found the disk full, and returns when it
// is to be tried again.
func (s *space) wait() {
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	select {
	case <-s.closing:
		select {} // Pebble is abandoned; see meta.close
	case <-time.After(spaceRetryEvery):
	}
}

// full reports whether err says that there is no space, or no quota, left.
func full(err error) bool {
	return vfs.IsNoSpaceError(err) || errors.Is(err, syscall.EDQUOT)
}

// errFull is what a client is told when there is no room. S3 has no code for
// it; clients treat 503 as what it is, a state that passes, and try again later,
// while 507 is unknown to the AWS SDKs.
func errFull(cause error) error {
	return s3err.Newf(s3err.ServiceUnavailable, "The server is out of storage space. Please try again later.").
		Because(fmt.Errorf("localbackend: %w", cause))
}

// ioError is err of the file system as callers see it.
func ioError(doing string, err error) error {
	if full(err) {
		return errFull(fmt.Errorf("%s: %w", doing, err))
	}
	return fmt.Errorf("localbackend: %s: %w", doing, err)
}
