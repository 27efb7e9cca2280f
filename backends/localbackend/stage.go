package localbackend

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// inlineLimit is the size from which on a body is a file. A body below it
// costs one sync that it shares with others; a file costs two more of its own.
const inlineLimit = 64 << 10

// bufferSize is how much of a body is in memory at a time.
const bufferSize = 256 << 10

// buffers are for bodies on their way.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// staged is a body that is written, and durable when it is a file, but not
// part of the store until a change takes it.
type staged struct {
	b     *Backend
	body  []segment
	data  []byte // of the inline segment
	size  int64
	sums  sums
	buf   *[bufferSize]byte // data's
	taken bool
}

// discard ends s; what no change took is removed.
func (s *staged) discard() {
	if s.buf != nil {
		buffers.Put(s.buf)
	}
	files := fileNames(s.body)
	if !s.taken {
		s.b.files.drop(files...)
	}
	s.b.files.release(files...)
}

// sums are the digests of a body, taken while it passes.
type sums struct {
	md5 hash.Hash
	sum hash.Hash // nil when no algorithm is wanted
}

// newSums begins an MD5 and, unless it is empty, the checksum of a.
func newSums(a types.ChecksumAlgorithm) sums {
	s := sums{md5: md5.New()}
	if a != "" {
		s.sum = checksum.New(a)
	}
	return s
}

// Write adds p to the digests.
func (s sums) Write(p []byte) (int, error) {
	_, _ = s.md5.Write(p)
	if s.sum != nil {
		_, _ = s.sum.Write(p)
	}
	return len(p), nil
}

// etag is the ETag of a body that was sent in one piece.
func (s sums) etag() string { return `"` + hex.EncodeToString(s.md5.Sum(nil)) + `"` }

// value is the checksum in base64, empty when none was wanted.
func (s sums) value() string {
	if s.sum == nil {
		return ""
	}
	return checksum.Encode(s.sum.Sum(nil))
}

// stage writes a body. The caller calls discard in any case. A body that is to
// be a part is always a file: the object that it becomes is large.
func (b *Backend) stage(r *source, a types.ChecksumAlgorithm, asFile bool) (*staged, error) {
	s := &staged{b: b, size: r.left, sums: newSums(a)}
	if s.size < inlineLimit && !asFile {
		return s, s.readInline(r)
	}
	return s, s.writeFile(r)
}

// readInline keeps a small body.
func (s *staged) readInline(r *source) error {
	s.buf = buffers.Get().(*[bufferSize]byte)
	n, err := r.next(s.buf[:s.size+1])
	if err != io.EOF {
		if err == nil {
			err = errTooLong
		}
		return err
	}
	s.data = s.buf[:n]
	_, _ = s.sums.Write(s.data)
	if n > 0 {
		s.body = []segment{{name: s.b.names.next(), size: int64(n), inline: true}}
	}
	return nil
}

// writeFile writes a large body.
func (s *staged) writeFile(r *source) (err error) {
	n := s.b.names.next()
	s.body = []segment{{name: n, size: s.size}}
	s.b.files.hold(n)
	file, err := s.b.files.create(n)
	if err != nil {
		return ioError("create body", err)
	}
	defer func() {
		if e := file.Close(); e != nil && err == nil {
			err = ioError("close body", e)
		}
	}()
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for {
		m, rerr := r.next(buf[:])
		if rerr != nil && rerr != io.EOF {
			return rerr
		}
		_, _ = s.sums.Write(buf[:m]) // first: a vfs.File may change what it writes
		if m > 0 {
			if _, err := file.Write(buf[:m]); err != nil {
				return ioError("write body", err)
			}
		}
		if rerr == io.EOF {
			break
		}
	}
	if err := file.SyncData(); err != nil {
		return ioError("sync body", err)
	}
	if err := s.b.files.syncEntries(n); err != nil {
		return ioError("sync directory", err)
	}
	return nil
}

// errTooLong is for a body that is longer than it was said to be.
var errTooLong = s3err.Newf(s3err.IncompleteBody, "The request body is longer than its Content-Length")

// source is a body that is being received.
type source struct {
	ctx  context.Context
	r    io.Reader
	left int64 // what is to come
}

// next fills p. Its error is io.EOF exactly when the body ended after as many
// bytes as it was to have; the bytes are good then, and not otherwise.
func (s *source) next(p []byte) (n int, err error) {
	for empty := 0; n < len(p); {
		if err := s.ctx.Err(); err != nil {
			return n, err
		}
		m, err := s.r.Read(p[n:])
		n += m
		s.left -= int64(m)
		switch {
		case s.left < 0:
			return n, errTooLong
		case errors.Is(err, io.EOF):
			if s.left > 0 {
				return n, s3err.New(s3err.IncompleteBody)
			}
			return n, io.EOF
		case err != nil:
			return n, err
		case m > 0:
			empty = 0
		default:
			if empty++; empty > 100 {
				return n, io.ErrNoProgress
			}
		}
	}
	return n, nil
}
