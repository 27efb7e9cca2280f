package s3api

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// document is what a client's document may be. All of its bounds are found
// while it is read, before what they bound has been paid for.
type document struct {
	root     string
	bytes    int64
	elements int  // known and unknown, comments too
	digest   bool // S3 wants one: a damaged list would delete other objects
	required bool // an empty body has an error of its own; S3 calls those of parts, legal holds and retentions malformed
}

// The documents that clients send, with what S3 takes: 1,000 keys of 1,024
// bytes; 10,000 parts, each with number, ETag and checksum. Unknown
// elements have room too.
var (
	corsDocument           = &document{root: "CORSConfiguration", bytes: 64 << 10, elements: 8192, required: true}
	createBucketDocument   = &document{root: "CreateBucketConfiguration", bytes: 64 << 10, elements: 512}
	deleteDocument         = &document{root: "Delete", bytes: 2 << 20, elements: 16 * maxKeys, digest: true, required: true}
	encryptionDocument     = &document{root: "ServerSideEncryptionConfiguration", bytes: 64 << 10, elements: 512, required: true}
	legalHoldDocument      = &document{root: "LegalHold", bytes: 64 << 10, elements: 512}
	lockDocument           = &document{root: "ObjectLockConfiguration", bytes: 64 << 10, elements: 512, required: true}
	requestPaymentDocument = &document{root: "RequestPaymentConfiguration", bytes: 64 << 10, elements: 512, required: true}
	restoreDocument        = &document{root: "RestoreRequest", bytes: 64 << 10, elements: 512}
	retentionDocument      = &document{root: "Retention", bytes: 64 << 10, elements: 512}
	taggingDocument        = &document{root: "Tagging", bytes: 64 << 10, elements: 512, required: true}
	versioningDocument     = &document{root: "VersioningConfiguration", bytes: 64 << 10, elements: 512, required: true}
	completeDocument       = &document{root: "CompleteMultipartUpload", bytes: 400 * maxParts, elements: 16 * maxParts}
)

// Bounds of every document.
const (
	maxDocumentDepth = 16
	maxTagBytes      = 4 << 10 // from "<" to ">", attributes or a key in CDATA included
)

// maxDocumentBytes bounds all documents that are being read or worked at
// together. Decoded, they take a few times that.
const maxDocumentBytes = 64 << 20

// readXML reads the request's body, one of those documents. f reads the
// children of the root. Unknown elements are ignored, entities do not exist.
func (c *call) readXML(doc *document, f func(*elements) error) error {
	b, err := c.openBody()
	if err != nil {
		return err
	}
	if doc.digest && b.md5 == nil && b.algorithm == "" {
		return s3err.Newf(s3err.InvalidRequest, "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	if err := b.within(doc.bytes); err != nil {
		return err
	}
	if err := c.reserve(b.length); err != nil {
		return err
	}
	if err = doc.decode(b, f); err != nil {
		// What is not what the client sent should not be called malformed.
		if _, damaged := io.Copy(io.Discard, b); damaged != nil {
			return damaged
		}
		if doc.required && b.length == 0 {
			return s3err.New(s3err.MissingRequestBody)
		}
	}
	return err
}

// reserve takes n bytes of what all documents may have together, until the
// call ends.
func (c *call) reserve(n int64) error {
	if c.s.documents.Add(n) > maxDocumentBytes {
		c.s.documents.Add(-n)
		return s3err.New(s3err.SlowDown)
	}
	c.reserved = n
	return nil
}

// decode reads a document.
func (d *document) decode(r io.Reader, f func(*elements) error) error {
	e := &elements{doc: d, d: xml.NewDecoder(&tags{Reader: bufio.NewReader(r)})}
	if err := e.root(); err != nil {
		return err
	}
	if err := f(e); err != nil {
		return err
	}
	return e.end()
}

// elements reads a document element by element.
type elements struct {
	doc   *document
	d     *xml.Decoder
	depth int // of open elements
	seen  int
}

// malformed is the error for what is no document, or not the one expected.
func malformed(cause error) error {
	if e := (*s3err.Error)(nil); errors.As(cause, &e) {
		return e // what reading the body ended in
	}
	return s3err.New(s3err.MalformedXML).Because(cause)
}

// token returns the next token, or io.EOF after the root's end.
func (e *elements) token() (xml.Token, error) {
	t, err := e.d.Token()
	if err == io.EOF { //nolint:errorlint // of the decoder, which does not wrap it
		return nil, io.EOF
	}
	if err != nil {
		return nil, malformed(err)
	}
	switch t.(type) {
	case xml.StartElement:
		e.depth++
		e.seen++
	case xml.EndElement:
		e.depth--
	case xml.Comment, xml.ProcInst:
		e.seen++
	case xml.Directive: // a document type could declare entities
		return nil, malformed(nil)
	}
	if e.depth > maxDocumentDepth || e.seen > e.doc.elements {
		return nil, malformed(nil)
	}
	return t, nil
}

// root opens the root element.
func (e *elements) root() error {
	for {
		t, err := e.token()
		if err != nil {
			return malformed(err)
		}
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == e.doc.root {
			return nil
		}
		if !between(t) {
			return malformed(nil)
		}
	}
}

// end holds that nothing comes after the root element.
func (e *elements) end() error {
	for {
		t, err := e.token()
		if err == io.EOF { //nolint:errorlint // of token
			return nil
		}
		if err != nil {
			return err
		}
		if !between(t) {
			return malformed(nil)
		}
	}
}

// between reports whether t may stand outside of the root element.
func between(t xml.Token) bool {
	switch t := t.(type) {
	case xml.CharData:
		return len(bytes.TrimSpace(bytes.TrimPrefix(t, []byte("\ufeff")))) == 0
	case xml.Comment, xml.ProcInst:
		return true
	}
	return false
}

// children calls f with the name of each child of the element that was opened
// last, and closes that. What f leaves of a child is skipped.
func (e *elements) children(f func(name string) error) error {
	for depth := e.depth; e.depth >= depth; {
		t, err := e.token()
		if err != nil {
			return err
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if err := f(start.Name.Local); err != nil {
			return err
		}
		for e.depth > depth {
			if _, err := e.token(); err != nil {
				return err
			}
		}
	}
	return nil
}

// text returns what is in the element that was opened last, and closes it.
func (e *elements) text() (string, error) {
	var b []byte
	for depth := e.depth; e.depth >= depth; {
		t, err := e.token()
		if err != nil {
			return "", err
		}
		if c, ok := t.(xml.CharData); ok && e.depth == depth {
			b = append(b, c...)
		}
	}
	return string(b), nil
}

// textTo is text into *to, which is nil while there is none.
func (e *elements) textTo(to **string) error {
	s, err := e.text()
	*to = &s
	return err
}

// texts reads the children of the element that was opened last: those named in to are text, and may be there once.
func (e *elements) texts(to map[string]**string) error {
	return e.children(func(name string) error {
		switch at := to[name]; {
		case at == nil:
			return nil
		case *at != nil:
			return malformed(nil)
		default:
			return e.textTo(at)
		}
	})
}

// number is text that is a number of so many bits.
func (e *elements) number(bits int) (int64, error) {
	s, err := e.text()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, bits)
	if err != nil {
		return 0, malformed(err)
	}
	return n, nil
}

// flag is text that is true or false; nothing is false.
func (e *elements) flag() (bool, error) {
	s, err := e.text()
	if err != nil || s == "" {
		return false, err
	}
	v, err := strconv.ParseBool(strings.TrimSpace(s))
	if err != nil {
		return false, malformed(err)
	}
	return v, nil
}

// tags ends a document in which a tag does not end: the decoder holds all
// attributes of one in memory, at many times their size.
type tags struct {
	*bufio.Reader
	since int // the last "<", while no ">" came
}

// ReadByte reads a byte: the decoder calls nothing else.
func (t *tags) ReadByte() (byte, error) {
	b, err := t.Reader.ReadByte()
	switch {
	case err != nil:
		return 0, err
	case b == '>':
		t.since = 0
	case b == '<' && t.since == 0, t.since > 0:
		if t.since++; t.since > maxTagBytes {
			return 0, malformed(nil)
		}
	}
	return b, nil
}
