package localbackend

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// encrypted is a store with keys and a bucket.
func encrypted(t testing.TB, dir string, k Keys) *Backend {
	t.Helper()
	b := open(t, Options{Dir: dir, MinFree: -1, Keys: k})
	_, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("b")})
	if err != nil && !s3err.Is(err, s3err.BucketAlreadyOwnedByYou) {
		t.Fatal(err)
	}
	return b
}

// customer is a customer's key.
func customer(seed byte) backends.CustomerKey {
	key := bytes.Repeat([]byte{seed}, KeySize)
	sum := md5.Sum(key)
	return backends.CustomerKey{
		Algorithm: new("AES256"), Key: new(base64.StdEncoding.EncodeToString(key)), MD5: new(base64.StdEncoding.EncodeToString(sum[:])),
	}
}

// putAs stores an object that is encrypted by an algorithm, or with a key.
func putAs(t testing.TB, b *Backend, key string, body []byte, a types.ServerSideEncryption, k backends.CustomerKey) {
	t.Helper()
	_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: new("b"), Key: &key, Body: bytes.NewReader(body), ContentLength: new(int64(len(body))), ServerSideEncryption: a,
		SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readAs reads an object, or a range of it, as far as it can be.
func readAs(t testing.TB, b *Backend, key, span string, k backends.CustomerKey) ([]byte, error) {
	t.Helper()
	in := &s3.GetObjectInput{
		Bucket: new("b"), Key: &key, SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	}
	if span != "" {
		in.Range = &span
	}
	out, err := b.GetObject(t.Context(), in)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(out.Body)
	if err := out.Body.Close(); err != nil {
		t.Error(err)
	}
	return body, err
}

// none is no customer's key.
var none backends.CustomerKey

// randomBytes are n bytes.
func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestEncryptedRanges holds that random ranges of objects of random sizes are those of what was written.
func TestEncryptedRanges(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	b := encrypted(t, t.TempDir(), TestKeys())
	sizes := []int{0, 1, inlineLimit - 1, inlineLimit, inlineLimit + 1, 2*payloadSize - 1, 2 * payloadSize, 2*payloadSize + 1}
	for range 12 {
		sizes = append(sizes, r.IntN(6*payloadSize))
	}
	ways := []struct {
		a types.ServerSideEncryption
		k backends.CustomerKey
	}{{types.ServerSideEncryptionAes256, none}, {types.ServerSideEncryptionAwsKms, none}, {"", customer(3)}, {"", none}}
	for i, size := range sizes {
		way := ways[i%len(ways)]
		body := randomBytes(r, size)
		putAs(t, b, "k", body, way.a, way.k)
		if got, err := readAs(t, b, "k", "", way.k); err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%d bytes, %q: got %d, %v", size, way.a, len(got), err)
		}
		for range 20 {
			if size == 0 {
				break
			}
			from := r.IntN(size)
			to := min(from+r.IntN(2*payloadSize), size-1)
			got, err := readAs(t, b, "k", fmt.Sprintf("bytes=%d-%d", from, to), way.k)
			if err != nil || !bytes.Equal(got, body[from:to+1]) {
				t.Fatalf("%d-%d of %d bytes, %q: got %d, %v", from, to, size, way.a, len(got), err)
			}
		}
	}
}

// bodyFiles are the files of bodies.
func bodyFiles(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "bodies", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// edit changes a file for the time of f.
func edit(t testing.TB, file string, change func([]byte) []byte, f func()) {
	t.Helper()
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(bytes.Clone(old)), 0o600); err != nil {
		t.Fatal(err)
	}
	f()
	if err := os.WriteFile(file, old, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedFile holds that no change of a file gives wrong bytes: what comes is the beginning of what was written, and then an error.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	b := encrypted(t, dir, TestKeys())
	body := randomBytes(r, 2*payloadSize+1000)
	putAs(t, b, "k", body, types.ServerSideEncryptionAes256, none)
	files := bodyFiles(t, dir)
	if len(files) != 1 {
		t.Fatalf("files: %q", files)
	}
	f := func(what string, change func([]byte) []byte) {
		t.Helper()
		edit(t, files[0], change, func() {
			got, err := readAs(t, b, "k", "", none)
			if err == nil || !bytes.HasPrefix(body, got) {
				t.Errorf("%s: got %d bytes, %v", what, len(got), err)
			}
		})
	}
	flip := func(i int) func([]byte) []byte {
		return func(b []byte) []byte { b[i] ^= 1 << (i % 8); return b }
	}
	stored := int(objectCipher{1}.storedSize(int64(len(body))))
	for first := 0; first < stored; first += packageSize {
		for i := range 16 { // headers and tags
			f(fmt.Sprintf("byte %d flipped", first+i), flip(first+i))
			end := min(first+packageSize, stored) - 1 - i
			f(fmt.Sprintf("byte %d flipped", end), flip(end))
		}
	}
	for range 200 {
		i := r.IntN(stored)
		f(fmt.Sprintf("byte %d flipped", i), flip(i))
	}
	for _, n := range []int{0, 1, 16, packageSize - 1, packageSize, packageSize + 1, 2 * packageSize, stored - 1} {
		f(fmt.Sprintf("cut to %d", n), func(b []byte) []byte { return b[:n] })
	}
	f("packages swapped", func(b []byte) []byte {
		first := bytes.Clone(b[:packageSize])
		copy(b, b[packageSize:2*packageSize])
		copy(b[packageSize:], first)
		return b
	})
	f("a package repeated", func(b []byte) []byte { copy(b[packageSize:], b[:packageSize]); return b })
	f("a package left out", func(b []byte) []byte { return b[packageSize:] })
	if got, err := readAs(t, b, "k", "", none); err != nil || !bytes.Equal(got, body) {
		t.Errorf("undamaged: %v", err)
	}
}

// TestSwappedBodies holds that neither a file nor a row can take the place of another.
func TestSwappedBodies(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	b := encrypted(t, dir, TestKeys())
	one, two := randomBytes(r, payloadSize+5), randomBytes(r, payloadSize+5)
	putAs(t, b, "one", one, types.ServerSideEncryptionAes256, none)
	putAs(t, b, "two", two, types.ServerSideEncryptionAes256, none)
	putAs(t, b, "small", one[:100], types.ServerSideEncryptionAes256, none)
	putAs(t, b, "little", two[:100], types.ServerSideEncryptionAes256, none)
	f := func(what, key string) {
		t.Helper()
		if got, err := readAs(t, b, key, "", none); err == nil || len(got) > 0 {
			t.Errorf("%s: %q gives %d bytes, %v", what, key, len(got), err)
		}
	}
	files := bodyFiles(t, dir)
	if len(files) != 2 {
		t.Fatalf("files: %q", files)
	}
	other, err := os.ReadFile(files[1])
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	edit(t, files[0], func([]byte) []byte { return other }, func() {
		edit(t, files[1], func([]byte) []byte { return first }, func() {
			f("files swapped", "one")
			f("files swapped", "two")
		})
	})
	rows := func(from, to string) {
		t.Helper()
		p, err := b.at(new("b"), &from)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.meta.get(objectKey(p.bkt.id, from), func(v []byte) error {
			return b.meta.db.Set(objectKey(p.bkt.id, to), bytes.Clone(v), pebble.Sync)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rows("one", "two")
	f("the row of another", "two")
	rows("small", "little")
	f("the row of another", "little")
}

// TestDamagedRow holds that no change of a small body gives wrong bytes.
func TestDamagedRow(t *testing.T) {
	t.Parallel()
	b := encrypted(t, t.TempDir(), TestKeys())
	body := []byte("a small body")
	putAs(t, b, "k", body, types.ServerSideEncryptionAes256, none)
	p, err := b.at(new("b"), new("k"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := b.object(p)
	if err != nil {
		t.Fatal(err)
	}
	var stored []byte
	key := inlineKey(o.body[0].name)
	if _, err := b.meta.get(key, func(v []byte) error { stored = bytes.Clone(v); return nil }); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(stored, body) {
		t.Error("the body is stored as it is")
	}
	for i := range stored {
		bad := bytes.Clone(stored)
		bad[i] ^= 0x10
		if err := b.meta.db.Set(key, bad, pebble.NoSync); err != nil {
			t.Fatal(err)
		}
		if got, err := readAs(t, b, "k", "", none); err == nil {
			t.Errorf("byte %d flipped: got %q", i, got)
		}
	}
}

// TestRotatedKeys holds that the first key encrypts and all decrypt, and that nothing does without.
func TestRotatedKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := func(seed byte) []byte { return bytes.Repeat([]byte{seed}, KeySize) }
	with := func(keys [][]byte, f func(*Backend)) {
		t.Helper()
		b := encrypted(t, dir, Keys{Managed: keys})
		f(b)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	reads := func(b *Backend, name string, can bool) {
		t.Helper()
		got, err := readAs(t, b, name, "", none)
		if can != (err == nil && string(got) == name) {
			t.Errorf("%q: got %q, %v", name, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), errNoKey.Error()) {
			t.Errorf("%q: %v", name, err)
		}
	}
	put := func(b *Backend, name string) { putAs(t, b, name, []byte(name), types.ServerSideEncryptionAes256, none) }
	with([][]byte{key(1)}, func(b *Backend) { put(b, "first") })
	with([][]byte{key(2), key(1)}, func(b *Backend) { put(b, "second"); reads(b, "first", true) })
	with([][]byte{key(2)}, func(b *Backend) { reads(b, "first", false); reads(b, "second", true) })
	with(nil, func(b *Backend) {
		reads(b, "second", false)
		_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: new("b"), Key: new("third"), ContentLength: new(int64(0)), ServerSideEncryption: types.ServerSideEncryptionAes256,
		})
		if !s3err.Is(err, s3err.NotImplemented) {
			t.Errorf("encrypting without a key: %v", err)
		}
	})
}

// TestKMSKeys holds that keys of KMS go by their names.
func TestKMSKeys(t *testing.T) {
	t.Parallel()
	b := encrypted(t, t.TempDir(), TestKeys())
	f := func(a types.ServerSideEncryption, id string, code s3err.Code) {
		t.Helper()
		out, err := b.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: new("b"), Key: new("k"), ContentLength: new(int64(0)), ServerSideEncryption: a, SSEKMSKeyId: optional(id),
		})
		switch {
		case code != "":
			if !s3err.Is(err, code) {
				t.Errorf("%q: %v", id, err)
			}
		case err != nil || aws.ToString(out.SSEKMSKeyId) != "test-key":
			t.Errorf("%q: %q, %v", id, aws.ToString(out.SSEKMSKeyId), err)
		}
	}
	f(types.ServerSideEncryptionAwsKms, "", "")
	f(types.ServerSideEncryptionAwsKms, "test-key", "")
	f(types.ServerSideEncryptionAwsKms, "another", s3err.KMSNotFound)
	f(types.ServerSideEncryptionAwsKmsDsse, "test-key", s3err.NotImplemented)
}

// optional is nil for an empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// TestOlderPrograms holds that a store is closed to programs that know nothing of encryption as soon as there is some, and
// not before.
func TestOlderPrograms(t *testing.T) {
	t.Parallel()
	b := encrypted(t, t.TempDir(), TestKeys())
	version := func() (v byte) {
		t.Helper()
		if _, err := b.meta.get(formatKey(), func(row []byte) error { v = row[0]; return nil }); err != nil {
			t.Fatal(err)
		}
		return v
	}
	putAs(t, b, "plain", []byte("x"), "", none)
	if v := version(); v != formatVersion {
		t.Errorf("format %d", v)
	}
	putAs(t, b, "secret", []byte("x"), "", customer(1))
	if v := version(); v != encryptedVersion {
		t.Errorf("format %d", v)
	}
}

// TestNothingPlain holds that nothing of what is encrypted, and no key, is on disk.
func TestNothingPlain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := encrypted(t, dir, TestKeys())
	k := customer(9)
	marker := []byte("nothing of this is to be on disk")
	for i, size := range []int{1, 10_000} {
		putAs(t, b, fmt.Sprint("managed", i), bytes.Repeat(marker, size), types.ServerSideEncryptionAes256, none)
		putAs(t, b, fmt.Sprint("customer", i), bytes.Repeat(marker, size), "", k)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	secrets := [][]byte{marker[:16], k.Bytes(), []byte(*k.Key), TestKeys().Managed[0], TestKeys().KMS[0].Key}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, s := range secrets {
			if bytes.Contains(data, s) {
				t.Errorf("%s has %q", path, s)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
