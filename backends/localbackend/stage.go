package localbackend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/xronox/xronox-proxy/backends"
)

// inlineLimit is the size from which on a body is a file. A body below it
// costs one sync that it shares with others; a file costs two more of its own.
const inlineLimit = 64 << 10

// bufferSize is how much of a large body is in memory at a time.
const bufferSize = 256 << 10

// buffers are for bodies on their way to files, inlineBuffers for small ones
// until they are stored.
var (
	buffers       = sync.Pool{New: func() any { return new([bufferSize]byte) }}
	inlineBuffers = sync.Pool{New: func() any { return new([inlineLimit]byte) }}
)

// staged is a body that is written, and durable when it is a file, but not
// part of the store until a change takes it.
type staged struct {
	b      *Backend
	digest *backends.Digest
	body   []segment
	inline *[inlineLimit]byte // has the bytes of an inline body; else nil
	sealed []byte             // those bytes, encrypted; nil when they are not
	taken  bool
}

// staging is how a body is to be staged.
type staging struct {
	algorithm types.ChecksumAlgorithm
	part      int32 // of an upload: its number; else 0
	cipher    objectCipher
}

// stage writes a body of an object that is m, through a digest. The caller
// discards what is returned, also with an error. The body of a part is always
// a file: the object that it will belong to is large.
func (b *Backend) stage(ctx context.Context, body backends.Body, m *backends.ObjectMeta, how staging) (*staged, error) {
	s := &staged{b: b, digest: backends.NewDigest(how.algorithm)}
	how.cipher.hide(s.digest, &m.Encryption)
	if body.Length < inlineLimit && how.part == 0 {
		return s, s.readInline(ctx, body, how.cipher)
	}
	return s, s.writeFile(ctx, body, how)
}

// errNoLinks says that a body cannot be linked.
var errNoLinks = errors.New("not in files")

// stageLinks stages a body that has links to the files of another. It fails
// when that is not in files, or was removed, or where links cannot be made;
// the caller discards what is returned, also then.
func (b *Backend) stageLinks(from []segment, a types.ChecksumAlgorithm) (*staged, error) {
	s := &staged{b: b, digest: backends.NewDigest(a)}
	if len(from) == 0 || from[0].inline {
		return s, errNoLinks
	}
	for _, seg := range from {
		link := segment{name: b.names.next(), size: seg.size}
		b.files.hold(link.name)
		s.body = append(s.body, link)
		if err := b.files.fs.Link(b.files.path(seg.name), b.files.path(link.name)); err != nil {
			return s, ioError("link body", err)
		}
	}
	if err := b.files.syncEntries(fileNames(s.body)...); err != nil {
		return s, ioError("sync directory", err)
	}
	return s, nil
}

// discard ends s, and removes what no change took.
func (s *staged) discard() {
	if s.inline != nil {
		inlineBuffers.Put(s.inline)
	}
	names := fileNames(s.body)
	if !s.taken {
		s.b.files.drop(names...)
	}
	s.b.files.release(names...)
}

// data is the bytes of an inline body, as they are stored.
func (s *staged) data() []byte {
	if s.sealed != nil {
		return s.sealed
	}
	return s.inline[:s.digest.Size()]
}

// readInline keeps a small body in memory. The buffer is longer than the body
// may be, so that all of it comes with one filling.
func (s *staged) readInline(ctx context.Context, body backends.Body, c objectCipher) error {
	s.inline = inlineBuffers.Get().(*[inlineLimit]byte)
	if err := s.pass(ctx, io.Discard, body, s.inline[:]); err != nil {
		return err
	}
	if body.Length == 0 {
		return nil
	}
	s.body = []segment{{name: s.b.names.next(), size: body.Length, inline: true}}
	if c == nil {
		return nil
	}
	sealed := bytes.NewBuffer(make([]byte, 0, c.storedSize(body.Length)))
	w, err := c.writer(sealed, s.body[0])
	if err == nil {
		_, err = w.Write(s.inline[:body.Length])
	}
	if err == nil {
		err = w.Close()
	}
	s.sealed = sealed.Bytes()
	return err
}

// pass moves a body through the digest to dst, a buffer at a time.
func (s *staged) pass(ctx context.Context, dst io.Writer, body backends.Body, buf []byte) error {
	if body.Reader != nil {
		body.Reader = filler{body.Reader}
	}
	return s.digest.CopyBody(ctx, dst, body, buf)
}

// passLarge is pass with a buffer for large bodies.
func (s *staged) passLarge(ctx context.Context, dst io.Writer, body backends.Body) error {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	return s.pass(ctx, dst, body, buf[:])
}

// writeFile writes a large body.
func (s *staged) writeFile(ctx context.Context, body backends.Body, how staging) (err error) {
	n := s.b.names.next()
	s.body = []segment{{name: n, size: body.Length, number: how.part}}
	s.b.files.hold(n)
	file, err := s.b.files.create(n)
	if err != nil {
		return ioError("create body", err)
	}
	defer func() {
		if cerr := file.Close(); cerr != nil && err == nil {
			err = ioError("close body", cerr)
		}
	}()
	w, err := how.cipher.writer(bodyWriter{file}, s.body[0])
	if err != nil {
		return err
	}
	if err := s.passLarge(ctx, w, body); err != nil {
		return err
	}
	if err := w.Close(); err != nil { // It writes the last package.
		return err
	}
	if err := file.SyncData(); err != nil {
		return ioError("sync body", err)
	}
	if err := s.b.files.syncEntries(n); err != nil {
		return ioError("sync directory", err)
	}
	return nil
}

// bodyWriter makes the errors of a file those of a backend.
type bodyWriter struct{ vfs.File }

// Write implements io.Writer.
func (w bodyWriter) Write(p []byte) (int, error) {
	n, err := w.File.Write(p)
	if err != nil {
		return n, ioError("write body", err)
	}
	return n, nil
}

// filler fills the buffers that it is given: bodies arrive from the network in
// small pieces, and go to disk in large ones.
type filler struct{ r io.Reader }

// Read implements io.Reader.
func (f filler) Read(p []byte) (n int, err error) {
	for empty := 0; n < len(p) && err == nil; {
		var m int
		m, err = f.r.Read(p[n:])
		n += m
		if m > 0 {
			empty = 0
		} else if empty++; empty > 100 && err == nil {
			err = io.ErrNoProgress
		}
	}
	return n, err
}
