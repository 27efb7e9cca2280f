package localbackend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/xronox/xronox-proxy/s3err"
)

// faults are errors of a file system under test, by what a path contains.
type faults struct {
	path string
	err  error
	on   atomic.Bool
}

// String implements errorfs.Injector.
func (f *faults) String() string { return f.path }

// MaybeError implements errorfs.Injector.
func (f *faults) MaybeError(op errorfs.Op) error {
	if f.on.Load() && strings.Contains(op.Path, f.path) {
		switch op.Kind {
		case errorfs.OpCreate, errorfs.OpFileWrite, errorfs.OpLink:
			return &fs.PathError{Op: "write", Path: op.Path, Err: f.err}
		}
	}
	return nil
}

// put puts an object of n bytes.
func put(ctx context.Context, b *Backend, key string, n int) error {
	_, err := b.PutObject(ctx, &s3.PutObjectInput{
		Bucket:        aws.String("b"),
		Key:           &key,
		Body:          bytes.NewReader(make([]byte, n)),
		ContentLength: aws.Int64(int64(n)),
	})
	return err
}

// wantSize holds that an object has n bytes.
func wantSize(t *testing.T, b *Backend, key string, n int) {
	t.Helper()
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: &key})
	if err != nil {
		t.Errorf("%s: %v", key, err)
		return
	}
	body, err := io.ReadAll(out.Body)
	if err := errors.Join(err, out.Body.Close()); err != nil || len(body) != n {
		t.Errorf("%s: %d bytes, %v; want %d", key, len(body), err, n)
	}
}

// until spins until done.
func until(t *testing.T, done func() bool) {
	t.Helper()
	for !done() {
		if t.Context().Err() != nil {
			t.Fatal("test ended")
		}
		runtime.Gosched()
	}
}

// TestBodyFault holds that a body that cannot be written changes nothing, that
// the client learns the right thing, and that the next one can be.
func TestBodyFault(t *testing.T) {
	t.Parallel()
	f := func(cause error, want s3err.Code) {
		t.Helper()
		fault := &faults{path: "bodies", err: cause}
		b := open(t, Options{Dir: "/d", FS: errorfs.Wrap(vfs.NewMem(), fault)})
		makeBucket(t, b, "b")
		if err := put(t.Context(), b, "k", 100_000); err != nil {
			t.Fatal(err)
		}
		fault.on.Store(true)
		err := put(t.Context(), b, "k", 200_000)
		if got := s3err.From(err).Code; got != want || !errors.Is(err, cause) {
			t.Errorf("%v gives %v", cause, err)
		}
		if err := put(t.Context(), b, "small", 5); err != nil {
			t.Errorf("small: %v", err)
		}
		fault.on.Store(false)
		wantSize(t, b, "k", 100_000)
		if err := put(t.Context(), b, "k", 300_000); err != nil {
			t.Error(err)
		}
		wantSize(t, b, "k", 300_000)
		checkStore(t, b)
	}
	f(syscall.ENOSPC, s3err.ServiceUnavailable)
	f(syscall.EDQUOT, s3err.ServiceUnavailable)
	f(syscall.EROFS, s3err.InternalError)
	f(syscall.EACCES, s3err.InternalError)
	f(syscall.EIO, s3err.InternalError)
}

// TestMetadataFull holds that a full disk stops metadata and does not break it:
// calls under way wait, or end with their context; new ones are refused; and
// with space again all goes on.
func TestMetadataFull(t *testing.T) {
	t.Parallel()
	fault := &faults{path: "meta", err: syscall.ENOSPC}
	mem := vfs.NewMem()
	o := Options{Dir: "/d", FS: errorfs.Wrap(mem, fault)}
	b := open(t, o)
	makeBucket(t, b, "b")
	if err := put(t.Context(), b, "before", 1000); err != nil {
		t.Fatal(err)
	}
	fault.on.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	cancelled, waiting := make(chan error), make(chan error)
	go func() { cancelled <- put(ctx, b, "cancelled", 1000) }()
	go func() { waiting <- put(t.Context(), b, "waiting", 1000) }()
	until(t, func() bool { return b.space.waiting.Load() > 0 })
	cancel()
	// Whichever of the two came second may have been refused at once.
	if err := <-cancelled; !errors.Is(err, context.Canceled) && !s3err.Is(err, s3err.ServiceUnavailable) {
		t.Errorf("cancelled: %v", err)
	}
	if err := put(t.Context(), b, "refused", 1000); !s3err.Is(err, s3err.ServiceUnavailable) {
		t.Errorf("refused: %v", err)
	}
	wantSize(t, b, "before", 1000)
	fault.on.Store(false)
	if err := <-waiting; err != nil && !s3err.Is(err, s3err.ServiceUnavailable) {
		t.Errorf("waiting: %v", err)
	}
	until(t, func() bool { return b.space.waiting.Load() == 0 })
	if err := put(t.Context(), b, "after", 1000); err != nil {
		t.Errorf("after: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, o)
	wantSize(t, b, "before", 1000)
	wantSize(t, b, "after", 1000)
	checkStore(t, b)
}

// TestLowSpace holds that writes are refused and deletes are not while little
// space is left.
func TestLowSpace(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	now := time.Now()
	b := open(t, Options{Dir: "/d", FS: mem, MinFree: 1000, Now: func() time.Time { return now }})
	makeBucket(t, b, "b")
	if err := put(t.Context(), b, "k", 100); err != nil {
		t.Fatal(err)
	}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 999})
	now = now.Add(time.Second)
	if err := put(t.Context(), b, "k", 200); !s3err.Is(err, s3err.ServiceUnavailable) {
		t.Errorf("put: %v", err)
	}
	wantSize(t, b, "k", 100)
	if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("k")}); err != nil {
		t.Errorf("delete: %v", err)
	}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1000})
	now = now.Add(time.Second)
	if err := put(t.Context(), b, "k", 200); err != nil {
		t.Errorf("put with space: %v", err)
	}
}

// TestCloseWhileFull holds that a store can be closed while the disk is full,
// and is whole when it is opened again.
func TestCloseWhileFull(t *testing.T) {
	t.Parallel()
	fault := &faults{path: "meta", err: syscall.ENOSPC}
	mem := vfs.NewCrashableMem()
	b, err := Open(Options{Dir: "/d", FS: errorfs.Wrap(mem, fault)})
	if err != nil {
		t.Fatal(err)
	}
	makeBucket(t, b, "b")
	if err := put(t.Context(), b, "before", 1000); err != nil {
		t.Fatal(err)
	}
	fault.on.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- put(ctx, b, "lost", 1000) }()
	until(t, func() bool { return b.space.waiting.Load() > 0 })
	if err := b.Close(); err == nil {
		t.Error("Close hides that changes are lost")
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("a change that is lost was acknowledged")
	}
	if err := put(t.Context(), b, "closed", 1000); err == nil {
		t.Error("a closed store takes objects")
	}
	b = open(t, Options{Dir: "/d", FS: mem.CrashClone(vfs.CrashCloneCfg{})})
	wantSize(t, b, "before", 1000)
	checkStore(t, b)
}
