package localbackend

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/xronox/xronox-proxy/backends"
)

// uploads are those of openGated.
type uploads struct {
	k, alone *s3.CompleteMultipartUploadInput
}

// openGated opens a store behind a gate. In bucket b it has the objects k and
// other, with bodies in files, and an upload to k of the parts 1 and 3; in
// bucket c an upload to alone of one part.
func openGated(t *testing.T, gate *logGate) (*Backend, uploads) {
	t.Helper()
	b := open(t, Options{Dir: "/d", FS: gate})
	for _, name := range []string{"b", "c"} {
		makeBucket(t, b, name)
	}
	for _, key := range []string{"k", "other"} {
		if err := put(t.Context(), b, key, 2*inlineLimit); err != nil {
			t.Fatal(err)
		}
	}
	return b, uploads{
		k:     putUpload(t, b, "b", "k", []byte("one"), []byte("three")),
		alone: putUpload(t, b, "c", "alone", []byte("part")),
	}
}

// fileRows returns the files that belong to the store.
func fileRows(t *testing.T, b *Backend) (names []name) {
	t.Helper()
	err := b.meta.scan([]byte{tableFiles}, []byte{tableFiles + 1}, func(it *pebble.Iterator) error {
		for ok := it.First(); ok; ok = it.Next() {
			names = append(names, name(it.Key()[1:]))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// without returns those of names that do not belong to the store.
func without(t *testing.T, b *Backend, names []name) (gone []name) {
	t.Helper()
	for _, n := range names {
		ok, err := b.meta.has(fileKey(n))
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			gone = append(gone, n)
		}
	}
	return gone
}

// wantNoFile holds that files were removed.
func wantNoFile(t *testing.T, b *Backend, names []name) {
	t.Helper()
	for _, n := range names {
		if _, err := b.files.fs.Stat(b.files.path(n)); !missing(err) {
			t.Errorf("file %v was not removed: %v", n, err)
		}
	}
}

// TestCollectBeforeSync cuts the power when a change that frees a body is
// visible but not durable, and the collector came by: the body is still there.
func TestCollectBeforeSync(t *testing.T) {
	t.Parallel()
	f := func(change func(context.Context, *Backend, uploads) error) {
		t.Helper()
		fs := vfs.NewCrashableMem()
		gate := &logGate{FS: fs}
		b, u := openGated(t, gate)
		before := fileRows(t, b)

		gate.mu.Lock()
		unlock := sync.OnceFunc(gate.mu.Unlock)
		t.Cleanup(unlock)
		done := make(chan error, 1)
		go func() { done <- change(context.Background(), b, u) }()
		until(t, func() bool { return len(done) > 0 || len(without(t, b, before)) > 0 })
		if len(done) > 0 {
			t.Fatalf("it did not wait for the disk: %v", <-done)
		}
		freed := without(t, b, before)
		if n, err := b.Collect(t.Context()); n != 0 || err != nil {
			t.Errorf("collected %d, %v", n, err)
		}
		if err := syncFans(b.files); err != nil {
			t.Fatal(err)
		}
		after := fs.CrashClone(vfs.CrashCloneCfg{})

		unlock()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		wantNoFile(t, b, freed)
		checkStore(t, b)
		if len(b.files.held) != 0 {
			t.Errorf("%d holds are left", len(b.files.held))
		}
		b = open(t, Options{Dir: "/d", FS: after})
		if gone := without(t, b, before); len(gone) != 0 {
			t.Errorf("what was not durable happened: %v", gone)
		}
		checkStore(t, b)
	}

	f(func(ctx context.Context, b *Backend, _ uploads) error { return put(ctx, b, "k", 2*inlineLimit) })
	f(func(ctx context.Context, b *Backend, _ uploads) error { return put(ctx, b, "k", 1) })
	f(func(ctx context.Context, b *Backend, _ uploads) error {
		_, err := b.CopyObject(ctx, backends.CopySource{Bucket: "b", Key: "other"},
			&s3.CopyObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
		return err
	})
	f(func(ctx context.Context, b *Backend, _ uploads) error {
		_, err := b.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
		return err
	})
	f(func(ctx context.Context, b *Backend, _ uploads) error {
		_, err := b.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String("b"), Delete: &types.Delete{
			Objects: []types.ObjectIdentifier{{Key: aws.String("k")}, {Key: aws.String("other")}},
		}})
		return err
	})
	f(func(ctx context.Context, b *Backend, u uploads) error {
		_, err := b.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: u.k.Bucket, Key: u.k.Key, UploadId: u.k.UploadId, PartNumber: aws.Int32(3),
			Body: strings.NewReader("again"), ContentLength: aws.Int64(5),
		})
		return err
	})
	f(func(ctx context.Context, b *Backend, u uploads) error {
		u.k.MultipartUpload.Parts = u.k.MultipartUpload.Parts[:1]
		_, err := b.CompleteMultipartUpload(ctx, u.k)
		return err
	})
	f(func(ctx context.Context, b *Backend, u uploads) error {
		_, err := b.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
			Bucket: u.k.Bucket, Key: u.k.Key, UploadId: u.k.UploadId,
		})
		return err
	})
	f(func(ctx context.Context, b *Backend, u uploads) error {
		_, err := b.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: u.alone.Bucket})
		return err
	})
}

// TestPowerCutAfterKill kills a process when a change that frees a body is
// visible but not durable. The next one finds the change in the log, which
// only the kernel's memory has, and collects the body: the change is durable
// then, and a power cut does not take it back.
func TestPowerCutAfterKill(t *testing.T) {
	t.Parallel()
	fs := vfs.NewCrashableMem()
	gate := &logGate{FS: fs}
	killed, _ := openGated(t, gate)
	before := fileRows(t, killed)
	gate.mu.Lock()
	t.Cleanup(gate.mu.Unlock)
	done := make(chan error, 1)
	go func() {
		_, err := killed.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
		done <- err
	}()
	until(t, func() bool { return gate.waiting.Load() > 0 || len(done) > 0 })
	if len(done) > 0 {
		t.Fatalf("it did not wait for the disk: %v", <-done)
	}

	b := open(t, Options{Dir: "/d", FS: &logGate{FS: fs}})
	freed := without(t, b, before)
	if len(freed) != 1 {
		t.Fatalf("%d bodies are free; want that of k", len(freed))
	}
	checkStore(t, b)
	wantNoFile(t, b, freed)
	if err := syncFans(b.files); err != nil {
		t.Fatal(err)
	}
	after := open(t, Options{Dir: "/d", FS: fs.CrashClone(vfs.CrashCloneCfg{})})
	checkStore(t, after)
}
