package localbackend

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/minio/sio"

	"github.com/xronox/xronox-proxy/backends"
)

// segment is a stretch of an object's bytes: a body of its own. An object that
// was sent at once has one, or none when it is empty; one of many parts has as
// many.
type segment struct {
	name   name
	size   int64
	inline bool  // in Pebble, else a file
	number int32 // of the part that it is; 0 for none
}

// fileNames returns the names of those that are files.
func fileNames(body []segment) []name {
	var names []name
	for _, seg := range body {
		if !seg.inline {
			names = append(names, seg.name)
		}
	}
	return names
}

// cut returns the segments that a span touches, and where in the first of them
// it begins.
func cut(body []segment, span backends.Span) (touched []segment, skip int64) {
	start := span.Start
	for len(body) > 0 && start >= body[0].size {
		start -= body[0].size
		body = body[1:]
	}
	n := 0
	for end := start + span.Length; n < len(body) && end > 0; n++ {
		end -= body[n].size
	}
	return body[:n], start
}

// errGone says that a body was removed between looking it up and opening it.
var errGone = errors.New("body is gone")

// openBody opens a range of a body, which is encrypted with c. It returns errGone when the body is not
// there any more, or not current, which says whether metadata still names it.
func (b *Backend) openBody(body []segment, c objectCipher, span backends.Span, current func() (bool, error)) (io.ReadCloser, error) {
	body, skip := cut(body, span)
	if len(body) == 1 && body[0].inline {
		data, err := b.inline(body[0], c, span)
		if err != nil {
			return nil, err
		}
		return inlineBody{bytes.NewReader(data)}, nil
	}
	r := &fileBody{files: b.files, body: body, cipher: c, off: skip, left: span.Length}
	if len(body) > 1 {
		// A body that is held before it is found to be current stays.
		r.held = fileNames(body)
		b.files.hold(r.held...)
		if ok, err := current(); err != nil || !ok {
			return nil, errors.Join(err, errGone, r.Close())
		}
	}
	if err := r.open(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// inline returns bytes of a small body.
func (b *Backend) inline(seg segment, c objectCipher, span backends.Span) (data []byte, err error) {
	found, err := b.meta.get(inlineKey(seg.name), func(v []byte) error {
		if want := c.storedSize(seg.size); int64(len(v)) != want {
			return fmt.Errorf("localbackend: body %v has %d bytes instead of %d", seg.name, len(v), want)
		}
		if c != nil && seg.size > 0 {
			if v, err = sio.DecryptBuffer(make([]byte, 0, len(v)), v, c.config(seg)); err != nil {
				return fmt.Errorf("localbackend: body %v: %w", seg.name, err)
			}
		}
		data = bytes.Clone(v[span.Start : span.Start+span.Length])
		return nil
	})
	if err == nil && !found {
		return nil, errGone
	}
	return data, err
}

// inlineBody reads a small body.
type inlineBody struct{ *bytes.Reader }

// Close implements io.Closer.
func (inlineBody) Close() error { return nil }

// fileBody reads a range of a body of files, one after the other. It holds
// them when they are several, since they are opened late.
type fileBody struct {
	files *files
	held  []name

	body   []segment // the rest, from the one that is open
	cipher objectCipher
	file   vfs.File
	plain  io.Reader // the file from off on, when it is encrypted
	off    int64     // in the segment
	left   int64     // of the range
}

// open opens the file of the first segment, when there is one.
func (r *fileBody) open() error {
	if len(r.body) == 0 {
		return nil
	}
	file, err := r.files.open(r.body[0].name)
	if missing(err) {
		return errGone
	}
	if err != nil {
		return ioError("open body", err)
	}
	r.file = file
	if r.cipher == nil || r.body[0].size == 0 {
		return nil
	}
	if r.plain, err = r.cipher.reader(file, r.body[0], r.off); err != nil {
		return r.damaged(err)
	}
	return nil
}

// readFile fills p from the file that is open.
func (r *fileBody) readFile(p []byte) (int, error) {
	if r.plain != nil {
		return io.ReadFull(r.plain, p)
	}
	return r.file.ReadAt(p, r.off)
}

// damaged is the error of a body that is not what was written.
func (r *fileBody) damaged(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("localbackend: read body %v: %w", r.body[0].name, err)
}

// Read implements io.Reader. A file that is shorter than it was written is an
// error, not an end.
func (r *fileBody) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	for r.off == r.body[0].size {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	p = p[:min(int64(len(p)), r.left, r.body[0].size-r.off)]
	n, err := r.readFile(p)
	r.off += int64(n)
	r.left -= int64(n)
	switch {
	case n == len(p):
		return n, nil
	case err == nil:
		err = io.ErrUnexpectedEOF
	}
	return n, r.damaged(err)
}

// next goes on to the next file.
func (r *fileBody) next() error {
	file := r.file
	r.file, r.plain, r.body, r.off = nil, nil, r.body[1:], 0
	if err := file.Close(); err != nil {
		return ioError("close body", err)
	}
	return r.open()
}

// Close implements io.Closer.
func (r *fileBody) Close() (err error) {
	if r.file != nil {
		err = r.file.Close()
		r.file = nil
	}
	r.left = 0
	r.files.release(r.held...)
	r.held = nil
	return err
}
