package s3api

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// namespace is the one of all S3 result documents.
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// timeLayout is how S3 writes times in documents: UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// doc is an XML document being written. Writing it by hand costs a fraction
// of encoding/xml, and lets keys hold every character as S3 does.
type doc struct{ b []byte }

// newDoc returns a document with its declaration.
func newDoc() *doc {
	return &doc{append(make([]byte, 0, 512), `<?xml version="1.0" encoding="UTF-8"?>`+"\n"...)}
}

// newResult returns a document that has its root element open.
func newResult(root string) *doc {
	d := newDoc()
	d.b = append(d.b, '<')
	d.b = append(d.b, root...)
	d.b = append(d.b, ` xmlns="`+namespace+`">`...)
	return d
}

func (d *doc) open(name string) {
	d.b = append(d.b, '<')
	d.b = append(d.b, name...)
	d.b = append(d.b, '>')
}

func (d *doc) close(name string) {
	d.b = append(d.b, '<', '/')
	d.b = append(d.b, name...)
	d.b = append(d.b, '>')
}

// text writes an element that holds s.
func (d *doc) text(name, s string) {
	d.open(name)
	d.escape(s)
	d.close(name)
}

// ptr writes an element that holds *s, or nothing when s is nil.
func (d *doc) ptr(name string, s *string) {
	if s != nil {
		d.text(name, *s)
	}
}

func (d *doc) int(name string, n int64) {
	d.open(name)
	d.b = strconv.AppendInt(d.b, n, 10)
	d.close(name)
}

func (d *doc) bool(name string, v bool) {
	d.open(name)
	d.b = strconv.AppendBool(d.b, v)
	d.close(name)
}

// time writes an element that holds *t, or nothing when t is nil.
func (d *doc) time(name string, t *time.Time) {
	if t != nil {
		d.open(name)
		d.b = t.UTC().AppendFormat(d.b, timeLayout)
		d.close(name)
	}
}

// owner writes who owns a bucket or object.
func (d *doc) owner(name, id string) {
	d.open(name)
	d.text("ID", id)
	d.text("DisplayName", id)
	d.close(name)
}

// escape appends s as character data. Control characters, which XML 1.0
// cannot hold and keys can, are written as character references like S3 does.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html#object-key-xml-related-constraints
func (d *doc) escape(s string) {
	last := 0
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		var esc string
		switch {
		case r == '&':
			esc = "&amp;"
		case r == '<':
			esc = "&lt;"
		case r == '>':
			esc = "&gt;"
		case r == '"':
			esc = "&quot;"
		case r < ' ' || r == 0x7f || r == 0xFFFE || r == 0xFFFF:
			esc = "&#x" + strconv.FormatInt(int64(r), 16) + ";"
		case r == utf8.RuneError && size == 1:
			esc = "\uFFFD"
		default:
			i += size
			continue
		}
		d.b = append(d.b, s[last:i]...)
		d.b = append(d.b, esc...)
		i += size
		last = i
	}
	d.b = append(d.b, s[last:]...)
}

// writeDoc answers with a document.
func (c *call) writeDoc(d *doc) {
	c.set("Content-Type", "application/xml")
	c.fc.Response.SetBodyRaw(d.b)
}
