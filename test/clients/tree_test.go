package clients

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// oddNames are file names that URL encoding, XML, shells, signatures and path
// cleaning have each stumbled over.
var oddNames = []string{
	"plain.txt",
	"empty",
	"with space.txt",
	"two  spaces.txt",
	" leading space",
	"plus+plus.txt",
	"a+b c%20d.txt",
	"percent%.txt",
	"percent%25.txt",
	"%2F%2E%2E.txt",
	"single'quote.txt",
	`double"quote.txt`,
	"back`tick.txt",
	"-leading-dash.txt",
	"--help",
	".hidden",
	"...",
	"..a",
	"trailing dot.",
	"hash#tag.txt",
	"question?mark=1&x=2.txt",
	"amp&amp;lt<gt>.txt",
	"semi;colon:at@.txt",
	"dollar$HOME!.txt",
	"star*.txt",
	"(paren)[bracket]{brace}.txt",
	"pipe|caret^tilde~.txt",
	"comma,equals=.txt",
	"ünïcödé ß.txt",
	"decomposed e\u0301.txt",
	"日本語/ファイル.txt",
	"עברית.txt",
	"emoji-😀.txt",
	"deep/" + strings.Repeat("d/", 40) + "leaf",
	"long-" + strings.Repeat("n", 220) + ".txt", // room for what downloads append until they are whole
	"same/prefix",
	"same.prefix",
	"same-prefix/x",
}

// makeTree writes a file of random content and length for each name.
func makeTree(t *testing.T, names []string, seed uint64) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "tree")
	random := rand.New(rand.NewPCG(seed, 0))
	for _, name := range names {
		size := random.Int64N(20_000)
		if name == "empty" {
			size = 0
		}
		makeFile(t, filepath.Join(dir, name), size, random.Uint64())
		// S3 tells times to the second: a file of this very second would look
		// newer than its object.
		if err := os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// makeFile writes size random bytes.
func makeFile(t *testing.T, file string, size int64, seed uint64) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	if _, err := io.CopyN(f, rand.NewChaCha8(key), size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// digests are the files below dir by name, each with length and SHA-256.
func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all[strings.TrimPrefix(path, dir+"/")] = fileDigest(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// fileDigest is the digest of a file's content.
func fileDigest(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return digest(t, f)
}

// digest reads r to its end.
func digest(t *testing.T, r io.Reader) string {
	t.Helper()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", n, hex.EncodeToString(h.Sum(nil)))
}
