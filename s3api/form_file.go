package s3api

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/xronox/xronox-proxy/s3err"
)

// aheadBytes is how much of a file is read before the backend is asked to take it. A form that ends
// within them has told its length.
const aheadBytes = 64 << 10

// formFile is the file of a form as the backend reads it.
//
// Backends need to know how long a body is, and a form tells that only by its end: fields may follow the
// file, and mean nothing. So a long file is promised to be as long as it is if nothing follows it, which is
// nearly always so, and is streamed. What was read is kept on disk besides. When the
// end does not come where it should, reading fails, so that the backend keeps
// nothing; the rest is read then, and the whole is given again, from disk.
type formFile struct {
	form   *form
	src    io.Reader // what is to come
	length int64     // what is promised
	read   int64
	ended  bool // src has come to the file's end
	wrong  bool // the file is not as long as was promised

	kept    *spool // all that was read; nil when the length was certain from the beginning
	settled bool   // src is what was kept
}

// errWrongLength ends a body that is not as long as was promised. Nobody but the operation sees it.
var errWrongLength = s3err.New(s3err.IncompleteBody).Because(errors.New("the form does not end where it usually would"))

// open begins to read the file. rest is how many bytes of body there are from
// its first on; dir is where it may be kept.
func (f *form) open(rest int64, dir string) (*formFile, error) {
	ahead := make([]byte, min(aheadBytes, rest+1))
	n, err := fill(f.file, ahead)
	file := &formFile{form: f, src: bytes.NewReader(ahead[:n]), length: int64(n)}
	switch {
	case err == io.EOF: //nolint:errorlint // a wrapped EOF is not the end
		return file, f.size.check(file.length)
	case err != nil:
		return nil, f.in.because(err)
	}
	file.src = io.MultiReader(file.src, f.file)
	file.length = rest - f.tail
	file.kept = &spool{dir: dir}
	return file, file.plausible()
}

// plausible judges the promise. Without its last line break a form can be a little longer
// than that; and much shorter only when much follows the file, which is not waited for.
func (f *formFile) plausible() error {
	low, high := f.length-maxIgnoredBytes, f.length+int64(len("\r\n"))
	size := f.form.size
	switch {
	case low > size.max, high < size.min:
		return size.check(f.length)
	}
	f.wrong = f.length < aheadBytes || size.check(f.length) != nil
	return nil
}

// fill reads until p is full or r ends, with r's own error.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var k int
		k, err = r.Read(p[n:])
		n += k
	}
	return n, err
}

// Read reads the file, and holds it to its length.
func (f *formFile) Read(p []byte) (int, error) {
	n, err := f.take(p[:min(int64(len(p)), f.length-f.read)])
	if err == nil && f.read == f.length {
		_, err = f.take(make([]byte, 1)) // Nothing, if that was all.
	}
	switch {
	case f.ended && f.read == f.length, err == nil && f.read < f.length:
		return n, nil
	case err == nil || f.ended:
		f.wrong = true
		return 0, errWrongLength
	}
	return 0, err
}

// take reads from the source, and keeps it.
func (f *formFile) take(p []byte) (int, error) {
	n, err := fill(f.src, p)
	f.read += int64(n)
	if f.kept != nil && !f.settled {
		f.kept.write(p[:n])
	}
	switch {
	case err == io.EOF: //nolint:errorlint // a wrapped EOF is not the end
		f.ended = true
	case err != nil:
		err = f.form.in.because(err)
	}
	return n, err
}

// settle reads the rest of a file whose length was promised wrongly, and begins it again.
func (f *formFile) settle() error {
	buf := make([]byte, aheadBytes)
	for !f.ended {
		if f.read > f.form.size.max {
			break // As long as it was taken for, then.
		}
		if _, err := f.take(buf); err != nil && !f.ended {
			return err
		}
	}
	if err := f.form.size.check(f.read); err != nil {
		return err
	}
	from, err := f.kept.again()
	if err != nil {
		return fmt.Errorf("a form's file could not be kept: %w", err)
	}
	f.settled, f.src, f.length = true, from, f.read
	f.read, f.ended, f.wrong = 0, false, false
	return nil
}

// close gives up what was kept.
func (f *formFile) close() {
	if f.kept != nil {
		f.kept.close()
	}
}

// spool is a file on disk without a name. What is in it is encrypted with a key that is nowhere else: the object may be one that
// nothing of is to be on disk in plain. Until it is read again its errors are nobody's concern.
type spool struct {
	dir    string
	file   *os.File
	err    error
	block  cipher.Block
	stream cipher.Stream
	sealed []byte // what is on its way to the file
}

// begin makes the file.
func (s *spool) begin() {
	if s.file, s.err = os.CreateTemp(s.dir, "form-"); s.err == nil {
		_ = os.Remove(s.file.Name()) // Nothing is left, whatever happens.
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // It never fails.
	s.block, _ = aes.NewCipher(key[:])
	s.stream = s.fromStart()
}

// fromStart is the key stream from its first byte on. As the key is for one file, that is always the same.
func (s *spool) fromStart() cipher.Stream { return cipher.NewCTR(s.block, make([]byte, aes.BlockSize)) }

// write appends p.
func (s *spool) write(p []byte) {
	if s.file == nil && s.err == nil {
		s.begin()
	}
	if s.err == nil {
		s.sealed = append(s.sealed[:0], p...)
		s.stream.XORKeyStream(s.sealed, s.sealed)
		_, s.err = s.file.Write(s.sealed)
	}
}

// again is all that was written. Nothing may be written any more.
func (s *spool) again() (io.Reader, error) {
	if s.err != nil {
		return nil, s.err
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return cipher.StreamReader{S: s.fromStart(), R: s.file}, err
}

// close ends it.
func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}
