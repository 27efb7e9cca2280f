package localbackend

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// crashBucket is where workers work.
const crashBucket = "crash"

// state is what is at a key: which bytes of what length. The zero state is
// that there is no object. Objects carry theirs as metadata.
type state struct {
	Seed uint64
	Size int
}

// body is the bytes of a state.
func (s state) body() []byte {
	b := make([]byte, s.Size)
	_, _ = rand.NewChaCha8([32]byte{byte(s.Seed), byte(s.Seed >> 8), byte(s.Seed >> 16), byte(s.Seed >> 24)}).Read(b)
	return b
}

// metadata names the state on the object.
func (s state) metadata() map[string]string {
	return map[string]string{"seed": strconv.FormatUint(s.Seed, 10), "size": strconv.Itoa(s.Size)}
}

// toState reads what metadata wrote.
func toState(m map[string]string) (s state, err error) {
	_, err = fmt.Sscan(m["seed"]+" "+m["size"], &s.Seed, &s.Size)
	return s, err
}

// journal is told what a worker is about to do, and what was acknowledged.
type journal interface {
	begin(key string, s state)
	move(from, to string, s state)
	ack(key string)
}

// sharedKey is written by all workers and never deleted.
const sharedKey = "shared"

// worker changes keys that no other worker changes, and the shared one.
type worker struct {
	b    *Backend
	r    *rand.Rand
	j    journal
	id   int
	have map[string]state
}

// ownedKeys are the keys of a worker. They are prefixes of each other.
func ownedKeys(worker int) []string {
	k := fmt.Sprintf("w%d", worker)
	return []string{k, k + "/", k + "/..", k + "/../x"}
}

// newWorker learns what is there.
func newWorker(b *Backend, id int, seed uint64, j journal) (*worker, error) {
	w := &worker{b: b, r: rand.New(rand.NewPCG(seed, uint64(id))), j: j, id: id, have: map[string]state{}}
	for _, k := range ownedKeys(id) {
		s, err := readState(context.Background(), b, k)
		if err != nil {
			return nil, err
		}
		w.have[k] = s
	}
	return w, nil
}

// state invents an object: small, large, or empty.
func (w *worker) state() state {
	s := state{Seed: uint64(w.r.Uint32()) + 1}
	switch w.r.IntN(8) {
	case 0:
	case 1, 2, 3:
		s.Size = inlineLimit - 1 + w.r.IntN(200_000)
	default:
		s.Size = w.r.IntN(4000)
	}
	return s
}

// step does one random operation. An error ends the worker.
func (w *worker) step(ctx context.Context) error {
	keys := ownedKeys(w.id)
	key, from := keys[w.r.IntN(len(keys))], keys[w.r.IntN(len(keys))]
	switch w.r.IntN(9) {
	case 8:
		return w.rename(ctx, from, key)
	case 0, 1, 2:
		s := w.state()
		return w.record(key, s, w.put(ctx, key, s))
	case 3:
		return w.record(key, state{}, func() error {
			_, err := w.b.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(crashBucket), Key: &key})
			return err
		})
	case 4:
		return w.record(key, state{}, func() error { return w.deleteTwo(ctx, key) })
	case 5:
		if w.have[from] == (state{}) {
			return nil
		}
		return w.record(key, w.have[from], w.copy(ctx, key, from))
	case 6:
		s := w.state()
		return w.record(key, s, func() error { return w.multipart(ctx, key, s) })
	default:
		return w.record(sharedKey, state{}, w.put(ctx, sharedKey, w.state()))
	}
}

// record does op, which makes s the state of key, and tells the journal.
func (w *worker) record(key string, s state, op func() error) error {
	w.j.begin(key, s)
	if err := op(); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	w.have[key] = s
	w.j.ack(key)
	return nil
}

// rename renames an object, if there is one.
func (w *worker) rename(ctx context.Context, from, to string) error {
	s := w.have[from]
	if s == (state{}) || from == to {
		return nil
	}
	w.j.move(from, to, s)
	if _, err := w.b.RenameObject(ctx, from, &s3.RenameObjectInput{Bucket: aws.String(crashBucket), Key: &to}); err != nil {
		return fmt.Errorf("%s to %s: %w", from, to, err)
	}
	w.have[from], w.have[to] = state{}, s
	w.j.ack(to)
	return nil
}

// put returns a PutObject.
func (w *worker) put(ctx context.Context, key string, s state) func() error {
	return func() error {
		_, err := w.b.PutObject(ctx, &s3.PutObjectInput{
			Bucket:            aws.String(crashBucket),
			Key:               &key,
			Body:              bytes.NewReader(s.body()),
			ContentLength:     aws.Int64(int64(s.Size)),
			Metadata:          s.metadata(),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		})
		return err
	}
}

// deleteTwo deletes key, and one that never was there.
func (w *worker) deleteTwo(ctx context.Context, key string) error {
	_, err := w.b.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: aws.String(crashBucket),
		Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: &key}, {Key: aws.String("never")}}},
	})
	return err
}

// copy returns a CopyObject. Onto itself it changes the storage class.
func (w *worker) copy(ctx context.Context, key, from string) func() error {
	return func() error {
		_, err := w.b.CopyObject(ctx, backends.CopySource{Bucket: crashBucket, Key: from}, &s3.CopyObjectInput{
			Bucket:       aws.String(crashBucket),
			Key:          &key,
			StorageClass: types.StorageClassStandardIa,
		})
		return err
	}
}

// multipart uploads s in parts, one of them twice and one that is not used,
// and leaves an upload behind at times.
func (w *worker) multipart(ctx context.Context, key string, s state) error {
	created, err := w.b.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: aws.String(crashBucket), Key: &key, Metadata: s.metadata(),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32, ChecksumType: types.ChecksumTypeFullObject,
	})
	if err != nil {
		return err
	}
	part := func(number int32, body []byte) (types.CompletedPart, error) {
		out, err := w.b.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: aws.String(crashBucket), Key: &key, UploadId: created.UploadId, PartNumber: &number,
			Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err != nil {
			return types.CompletedPart{}, err
		}
		return types.CompletedPart{PartNumber: &number, ETag: out.ETag}, nil
	}
	var list []types.CompletedPart
	for _, p := range []struct {
		number int32
		body   []byte
		used   bool
	}{{3, []byte("replaced"), false}, {3, s.body(), true}, {7, []byte("not used"), false}} {
		done, err := part(p.number, p.body)
		if err != nil {
			return err
		}
		if p.used {
			list = append(list, done)
		}
	}
	complete := &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(crashBucket), Key: &key, UploadId: created.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: list},
	}
	for range 1 + w.r.IntN(2) { // a repeated Complete is told the same
		if _, err := w.b.CompleteMultipartUpload(ctx, complete); err != nil {
			return err
		}
	}
	return nil
}

// readState reads the state of a key and holds that the object is whole.
func readState(ctx context.Context, b *Backend, key string) (s state, err error) {
	out, err := b.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(crashBucket), Key: &key})
	if s3err.Is(err, s3err.NoSuchKey) {
		return state{}, nil
	}
	if err != nil {
		return s, err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return s, err
	}
	if s, err = toState(out.Metadata); err != nil {
		return s, err
	}
	if !bytes.Equal(body, s.body()) {
		return s, fmt.Errorf("%s is torn: %d bytes, want %d", key, len(body), s.Size)
	}
	return s, nil
}

// checkStore holds that metadata and bodies name each other exactly.
func checkStore(t *testing.T, b *Backend) {
	t.Helper()
	if _, err := b.Collect(context.Background()); err != nil {
		t.Fatal(err)
	}
	rows := map[byte]map[name]bool{tableInline: {}, tableFiles: {}, tableManifests: {}}
	use := func(table byte, n name) {
		if !rows[table][n] {
			t.Errorf("%c%v is named twice, or missing", table, n)
		}
		delete(rows[table], n)
	}
	useBody := func(body []segment) {
		for _, seg := range body {
			if seg.inline {
				use(tableInline, seg.name)
			} else {
				use(tableFiles, seg.name)
			}
		}
	}
	each := func(table byte, f func(key, value []byte)) {
		t.Helper()
		err := b.meta.scan([]byte{table}, []byte{table + 1}, func(it *pebble.Iterator) error {
			for ok := it.First(); ok; ok = it.Next() {
				f(it.Key(), it.Value())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	files := map[name]bool{}
	for i := range 256 {
		list, err := b.files.fs.List(b.files.fan(byte(i)))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			n, _ := parseName(s)
			files[n] = true
		}
	}
	for table := range rows {
		each(table, func(key, _ []byte) { rows[table][name(key[1:])] = true })
	}
	for n := range rows[tableFiles] {
		if !files[n] {
			t.Errorf("body %v has no file", n)
		}
	}
	for n := range files {
		if !rows[tableFiles][n] {
			t.Errorf("file %v is an orphan", n)
		}
	}
	each(tableParts, func(_, v []byte) {
		var p part
		if err := p.decode(v); err != nil {
			t.Error(err)
		}
		useBody([]segment{p.body})
	})
	each(tableObjects, func(key, v []byte) {
		var o object
		if err := o.decode(v); err != nil {
			t.Error(err)
		}
		if o.manifest != (name{}) {
			if err := b.loadManifest(&o); err != nil {
				t.Errorf("manifest of %q: %v", key, err)
			}
			use(tableManifests, o.manifest)
		}
		useBody(o.body)
	})
	for table, left := range rows {
		for n := range left {
			t.Errorf("%c%v is named by nothing", table, n)
		}
	}
}
