package localbackend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// get reads an object, or a range of it.
func get(ctx context.Context, b *Backend, key, byteRange string) ([]byte, error) {
	in := &s3.GetObjectInput{Bucket: aws.String("b"), Key: &key}
	if byteRange != "" {
		in.Range = &byteRange
	}
	out, err := b.GetObject(ctx, in)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(out.Body)
	return body, errors.Join(err, out.Body.Close())
}

// putUpload begins an upload, sends parts, and returns what would complete it.
func putUpload(t testing.TB, b *Backend, bucketName, key string, parts ...[]byte) *s3.CompleteMultipartUploadInput {
	t.Helper()
	up, err := b.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucketName, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	var done types.CompletedMultipartUpload
	for i, body := range parts {
		number := int32(2*i + 1)
		out, err := b.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: &bucketName, Key: &key, UploadId: up.UploadId, PartNumber: &number,
			Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
		})
		if err != nil {
			t.Fatal(err)
		}
		done.Parts = append(done.Parts, types.CompletedPart{PartNumber: &number, ETag: out.ETag})
	}
	return &s3.CompleteMultipartUploadInput{
		Bucket: &bucketName, Key: &key, UploadId: up.UploadId, MultipartUpload: &done,
	}
}

// putParts puts an object of parts.
func putParts(t testing.TB, b *Backend, key string, parts ...[]byte) {
	t.Helper()
	if _, err := b.CompleteMultipartUpload(t.Context(), putUpload(t, b, "b", key, parts...)); err != nil {
		t.Fatal(err)
	}
}

// threeParts are parts of a multipart object, and it.
func threeParts() (parts [][]byte, whole []byte) {
	parts = [][]byte{
		state{Seed: 1, Size: backends.MinPartSize}.body(),
		state{Seed: 2, Size: backends.MinPartSize + 1}.body(),
		state{Seed: 3, Size: 100}.body(),
	}
	return parts, bytes.Join(parts, nil)
}

// TestRangesAcrossFiles holds that every range of an object in several files is
// what it should be.
func TestRangesAcrossFiles(t *testing.T) {
	t.Parallel()
	b := open(t, Options{Dir: "/d", FS: vfs.NewMem()})
	makeBucket(t, b, "b")
	parts, whole := threeParts()
	putParts(t, b, "k", parts...)
	f := func(start, end int) {
		t.Helper()
		got, err := get(t.Context(), b, "k", fmt.Sprintf("bytes=%d-%d", start, end))
		if err != nil || !bytes.Equal(got, whole[start:end+1]) {
			t.Errorf("%d-%d: %d bytes, %v", start, end, len(got), err)
		}
	}
	one, two := len(parts[0]), len(parts[0])+len(parts[1])
	f(0, len(whole)-1)
	f(0, one-1)
	f(one, two-1)
	f(two, len(whole)-1)
	for _, edge := range []int{one, two} {
		f(edge-1, edge-1)
		f(edge, edge)
		f(edge-1, edge)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		start := r.IntN(len(whole))
		f(start, start+r.IntN(len(whole)-start))
	}
	if _, err := b.CopyObject(t.Context(), backends.CopySource{Bucket: "b", Key: "k"}, &s3.CopyObjectInput{
		Bucket: aws.String("b"), Key: aws.String("copy"),
	}); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), b, "copy", ""); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("copy: %d bytes, %v", len(got), err)
	}
	checkStore(t, b)
}

// TestReadersOutliveObjects holds that an object that was removed is read to
// its end by who began before, and that its files go then.
func TestReadersOutliveObjects(t *testing.T) {
	t.Parallel()
	b := open(t, Options{Dir: t.TempDir()})
	makeBucket(t, b, "b")
	parts, whole := threeParts()
	putParts(t, b, "k", parts...)
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), b, "k", 3); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(out.Body)
	if err != nil || !bytes.Equal(got, whole) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := out.Body.Close(); err != nil {
		t.Error(err)
	}
	if n, err := b.Collect(t.Context()); n != 0 || err != nil {
		t.Errorf("the reader left %d files, %v", n, err)
	}
	checkStore(t, b)
}

// TestDamagedBodies holds that a file that is short or missing is an error,
// and not a short object.
func TestDamagedBodies(t *testing.T) {
	t.Parallel()
	b := open(t, Options{Dir: t.TempDir()})
	makeBucket(t, b, "b")
	if err := put(t.Context(), b, "k", 200_000); err != nil {
		t.Fatal(err)
	}
	p, err := b.at(aws.String("b"), aws.String("k"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := b.object(p)
	if err != nil {
		t.Fatal(err)
	}
	file, err := b.files.create(o.body[0].name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), b, "k", ""); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short: %d bytes, %v", len(got), err)
	}
	if got, err := get(t.Context(), b, "k", "bytes=0-99999"); err != nil || len(got) != 100_000 {
		t.Errorf("its beginning: %d bytes, %v", len(got), err)
	}
	b.files.drop(o.body[0].name)
	if _, err := get(t.Context(), b, "k", ""); s3err.From(err).Code != s3err.InternalError {
		t.Errorf("missing: %v", err)
	}
	if err := put(t.Context(), b, "k", 200_000); err != nil {
		t.Errorf("it cannot be replaced: %v", err)
	}
}

// midway is a body that calls f in its middle.
type midway struct {
	r    io.Reader
	left int
	f    func()
}

// Read implements io.Reader.
func (m *midway) Read(p []byte) (int, error) {
	n, err := m.r.Read(p[:min(len(p), 1000)])
	if m.left -= n; m.left < 0 && m.f != nil {
		m.f()
		m.f = nil
	}
	return n, err
}

// TestWhileWriting holds that a body being written is not collected, and that
// its bucket can go.
func TestWhileWriting(t *testing.T) {
	t.Parallel()
	b := open(t, Options{Dir: "/d", FS: vfs.NewMem()})
	f := func(size int, inTheMiddle func()) error {
		s := state{Seed: 9, Size: size}
		_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket:        aws.String("b"),
			Key:           aws.String("k"),
			Body:          &midway{bytes.NewReader(s.body()), size / 2, inTheMiddle},
			ContentLength: aws.Int64(int64(size)),
		})
		return err
	}
	for _, size := range []int{10_000, 600_000} {
		makeBucket(t, b, "b")
		if err := f(size, func() { _, _ = b.Collect(t.Context()) }); err != nil {
			t.Error(err)
		}
		if got, err := get(t.Context(), b, "k", ""); err != nil || !bytes.Equal(got, state{9, size}.body()) {
			t.Errorf("%d: %d bytes, %v", size, len(got), err)
		}
		if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("k")}); err != nil {
			t.Error(err)
		}
		err := f(size, func() {
			if _, err := b.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("b")}); err != nil {
				t.Error(err)
			}
		})
		if !s3err.Is(err, s3err.NoSuchBucket) {
			t.Errorf("the bucket is gone: %v", err)
		}
		if n, err := b.Collect(t.Context()); n != 0 || err != nil {
			t.Errorf("%d files are left, %v", n, err)
		}
	}
	checkStore(t, b)
}

// zeros is a body without bytes of its own.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestMemory holds that large bodies on their way cost a buffer each.
func TestMemory(t *testing.T) { // not parallel: it looks at the heap
	b := open(t, Options{Dir: t.TempDir()})
	makeBucket(t, b, "b")
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const writers, size = 64, 4 << 20
	before := heap()
	var puts, midways sync.WaitGroup
	goOn := make(chan struct{})
	midways.Add(writers)
	for i := range writers {
		puts.Go(func() {
			_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("b"),
				Key:    aws.String(fmt.Sprint(i)),
				Body: &midway{io.LimitReader(zeros{}, size), size / 2, func() {
					midways.Done()
					<-goOn
				}},
				ContentLength: aws.Int64(size),
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	midways.Wait()
	if grown := heap() - before; grown > writers*(bufferSize+64<<10) {
		t.Errorf("%d writers hold %d KiB", writers, grown>>10)
	}
	close(goOn)
	puts.Wait()
}

// TestHammer lets writers replace and remove one object while readers read it:
// each reader finds an object whole, or none.
func TestHammer(t *testing.T) {
	t.Parallel()
	b := open(t, Options{Dir: t.TempDir()})
	makeBucket(t, b, crashBucket)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for id := range 4 {
		// All are worker 0: they fight for its keys.
		w, err := newWorker(b, 0, seed+uint64(id), noJournal{})
		if err != nil {
			t.Fatal(err)
		}
		writers.Go(func() {
			for range 100 {
				err := w.step(t.Context())
				// Others remove what is copied, and replace what Complete is repeated for.
				if err != nil && !s3err.Is(err, s3err.NoSuchKey) && !s3err.Is(err, s3err.NoSuchUpload) {
					t.Error(err)
					return
				}
			}
		})
	}
	for _, key := range append(ownedKeys(0), sharedKey) {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := readState(t.Context(), b, key); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	checkStore(t, b)
}

// noJournal forgets.
type noJournal struct{}

// begin implements journal.
func (noJournal) begin(string, state) {}

// move implements journal.
func (noJournal) move(string, string, state) {}

// ack implements journal.
func (noJournal) ack(string) {}
