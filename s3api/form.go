package s3api

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// maxFormBytes is what a form may have before its file: fields, their headers, and boundaries.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
const maxFormBytes = 20 << 10

// form is a body of multipart/form-data up to the content of its file. What comes
// after the file means nothing.
//
// https://www.rfc-editor.org/rfc/rfc7578
type form struct {
	fields params // in their order; a name is there once, in whatever case

	file     *multipart.Part
	filename string // without directories
	named    bool   // the file has a name, even an empty one

	in   *formReader
	tail int64 // bytes of a usual end: those of the last boundary
	size sizeRange
}

// readForm reads a form to the beginning of its file. contentType is that of the request.
func readForm(r io.Reader, contentType string) (*form, error) {
	kind, attributes, err := mime.ParseMediaType(contentType)
	switch boundary := attributes["boundary"]; {
	case kind != "multipart/form-data":
		return nil, s3err.New(s3err.PreconditionFailed).
			With("Condition", "Bucket POST must be of the enclosure-type multipart/form-data")
	case err != nil || boundary == "":
		return nil, malformedForm(err)
	default:
		f := &form{in: &formReader{r: bufio.NewReaderSize(r, copyBufferBytes/8)}}
		f.tail = int64(len("\r\n--" + boundary + "--\r\n"))
		return f, f.read(multipart.NewReader(f.in, boundary))
	}
}

// malformedForm is the error for a body that is no form.
func malformedForm(cause error) error { return s3err.New(s3err.MalformedPOSTRequest).Because(cause) }

// read reads the parts before the file, and the file's header. Parts are taken as they are: no
// transfer encoding is undone.
func (f *form) read(parts *multipart.Reader) error {
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // a wrapped EOF is not the end of a form
			return s3err.InvalidArg("file", "0", "POST requires exactly one file upload per request.")
		}
		if err != nil {
			return f.in.because(err)
		}
		name := part.FormName()
		if isNamed(name, "file") {
			f.takeFile(part)
			return nil
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return f.in.because(err)
		}
		if name != "" {
			f.add(name, string(value))
		}
	}
}

// takeFile begins the file.
func (f *form) takeFile(part *multipart.Part) {
	_, attributes, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	f.filename, f.named = attributes["filename"]
	f.filename = f.filename[strings.LastIndexAny(f.filename, `/\`)+1:]
	f.file, f.in.inFile = part, true
	if !f.named {
		return // S3 leaves the variable as it is then.
	}
	for i := range f.fields {
		f.fields[i].value = strings.ReplaceAll(f.fields[i].value, "${filename}", f.filename)
	}
}

// add adds a field. The values of one that is given more than once are a list.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/HTTPPOSTForms.html
func (f *form) add(name, value string) {
	for i := range f.fields {
		if isNamed(f.fields[i].name, name) {
			f.fields[i].value += "," + value
			return
		}
	}
	f.fields = append(f.fields, param{name, value})
}

// lookup returns the field of that name, in whatever case.
func (f *form) lookup(name string) (string, bool) {
	for i := range f.fields {
		if isNamed(f.fields[i].name, name) {
			return f.fields[i].value, true
		}
	}
	return "", false
}

// value is the field of that name, or "".
func (f *form) value(name string) string {
	v, _ := f.lookup(name)
	return v
}

// has reports whether the form has a field of that name.
func (f *form) has(name string) bool {
	_, ok := f.lookup(name)
	return ok
}

// isNamed reports whether two fields are the same, in whatever case. Letters beyond ASCII that are other cases of ASCII's, such
// as the long s, are longer, and no header's: a policy that asks for a field must not be content with one that means nothing.
func isNamed(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// ignored reports whether a field is one that only its sender cares for.
func ignored(name string) bool { return hasPrefixFold(name, "x-ignore-") }

// formReader is what a form is read through. Before the file it gives one line at a
// time, so that whoever reads it never has more than the line it asked for: the first byte of the
// file is then where the count ends.
type formReader struct {
	r      *bufio.Reader
	n      int64 // bytes given before the file
	inFile bool
	err    error // what reading ended in, unless that is the end of the body
}

// Read reads, and bounds what comes before the file.
func (f *formReader) Read(p []byte) (int, error) {
	if f.inFile {
		n, err := f.r.Read(p)
		return n, f.note(err)
	}
	if _, err := f.r.Peek(1); err != nil {
		return 0, f.note(err)
	}
	ahead, _ := f.r.Peek(min(f.r.Buffered(), len(p)))
	if i := bytes.IndexByte(ahead, '\n'); i >= 0 {
		ahead = ahead[:i+1]
	}
	n := copy(p, ahead)
	_, _ = f.r.Discard(n) // it is buffered
	if f.n += int64(n); f.n > maxFormBytes {
		return 0, f.note(s3err.New(s3err.MaxPostPreDataLengthExceeded).With("MaxPostPreDataLengthBytes", itoa(maxFormBytes)))
	}
	return n, nil
}

// note remembers why the body cannot be read further.
func (f *formReader) note(err error) error {
	if err != nil && err != io.EOF { //nolint:errorlint // a wrapped EOF is not the end
		f.err = err
	}
	return err
}

// because is the error of a form that could not be read: what reading it ended in, or that it is malformed.
func (f *formReader) because(err error) error {
	if f.err != nil {
		return f.err
	}
	return malformedForm(err)
}
