package s3api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// formType is the Content-Type of the forms here.
const formType = "multipart/form-data; boundary=b"

// formPart is a part of a form, with the header as it is.
func formPart(header, value string) string {
	return "--b\r\nContent-Disposition: form-data; " + header + "\r\n\r\n" + value + "\r\n"
}

// TestReadForm: fields are found in whatever form they have, and the file begins where it begins.
func TestReadForm(t *testing.T) {
	f := func(body, file string, want ...param) {
		t.Helper()
		for _, r := range []io.Reader{strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body)), iotest.DataErrReader(strings.NewReader(body))} {
			form, err := readForm(r, formType)
			if err != nil {
				t.Errorf("%q: %v", body, err)
				return
			}
			if fmt.Sprint(form.fields) != fmt.Sprint(params(want)) {
				t.Errorf("%q: fields %q, want %q", body, form.fields, want)
			}
			if got := body[form.in.n:]; !strings.HasPrefix(got, file) {
				t.Errorf("%q: the file is at %q, want %q", body, got, file)
			}
			if got, err := io.ReadAll(form.file); string(got) != file || err != nil {
				t.Errorf("%q: file %q, %v; want %q", body, got, err, file)
			}
		}
	}
	const end = "--b--\r\n"
	f(formPart(`name="file"; filename="f"`, "hello")+end, "hello")
	f(formPart(`name="a"`, "1")+formPart(`name="B"`, "")+formPart(`name="file"`, "")+end, "", param{"a", "1"}, param{"B", ""})
	f("a preamble\r\n"+formPart(`name=a`, "1\n\r\n--bb\r\n")+formPart(`name="FILE"`, "\r\n--c\r\n")+"--b--", "\r\n--c\r\n", param{"a", "1\n\r\n--bb\r\n"})
	f(formPart(`name="k"`, "${filename}/${filename}")+formPart(`name="file"; filename="/d/e\f"`, "x")+end, "x", param{"k", "f/f"})
	f(formPart(`name="k"`, "a${filename}")+formPart(`name="file"; filename=""`, "x")+end, "x", param{"k", "a"})
	f(formPart(`name="k"`, "${filename}")+formPart(`name="file"`, "x")+end, "x", param{"k", "${filename}"})
	f(formPart(`name="k"`, "${filename}")+formPart(`name="file"; filename*=UTF-8''%E2%82%AC`, "x")+end, "x", param{"k", "€"})
	f(formPart(`name="k"; filename="k"`, "1")+formPart(`name="K"`, "2")+formPart(`name="file"`, "x")+end, "x", param{"k", "1,2"})
	f("--b\r\n\r\nno name\r\n"+formPart(`name="file"`, "x")+end, "x")
	f(formPart(`name="a\"b"`, "1")+formPart(`name="file"`, "x")+end, "x", param{`a"b`, "1"})
	f("--b\r\nContent-Disposition: form-data;\r\n name=\"a\"\r\nX: y\r\n\r\n1\r\n"+formPart("name=\"file\"\r\nContent-Transfer-Encoding: quoted-printable", "=41")+end, "=41", param{"a", "1"})
	f(strings.ReplaceAll(formPart(`name="a"`, "1")+formPart(`name="file"`, "x")+end, "\r\n", "\n"), "x", param{"a", "1"})
	f(formPart(`name="file"`, strings.Repeat("x", 10_000))+formPart(`name="file"`, "y")+end, strings.Repeat("x", 10_000))
}

// TestReadFormRefuses has bodies that are no forms, and those that would cost too much.
func TestReadFormRefuses(t *testing.T) {
	f := func(contentType, body string, want s3err.Code) {
		t.Helper()
		_, err := readForm(strings.NewReader(body), contentType)
		if !s3err.Is(err, want) {
			t.Errorf("%s, %.80q: %v, want %s", contentType, body, err, want)
		}
	}
	file := formPart(`name="file"`, "x")
	f("", file, s3err.PreconditionFailed)
	f("multipart/mixed; boundary=b", file, s3err.PreconditionFailed)
	f("multipart/form-data", file, s3err.MalformedPOSTRequest)
	f(`multipart/form-data; boundary=""`, file, s3err.MalformedPOSTRequest)
	f("multipart/form-data; boundary=b/c", file, s3err.MalformedPOSTRequest)
	f("multipart/form-data; boundary=other", file, s3err.MalformedPOSTRequest)
	f(formType, "", s3err.MalformedPOSTRequest)
	f(formType, "--b", s3err.MalformedPOSTRequest)
	f(formType, "--b--\r\n", s3err.InvalidArgument)
	f(formType, formPart(`name="a"`, "1")+"--b--", s3err.InvalidArgument)
	f(formType, formPart(`name="a"`, "1"), s3err.MalformedPOSTRequest)
	f(formType, "--b\r\nContent-Disposition", s3err.MalformedPOSTRequest)
	f(formType, "--b\r\nno header\r\n\r\n", s3err.MalformedPOSTRequest)
	f(formType, "--b\r\nContent-Disposition: file; name=\"file\"\r\n\r\nx\r\n--b--", s3err.InvalidArgument)

	const tooLarge = s3err.MaxPostPreDataLengthExceeded
	f(formType, formPart(`name="a"`, strings.Repeat("x", maxFormBytes))+file, tooLarge)
	f(formType, formPart(`name="a"`, strings.Repeat("\n", maxFormBytes))+file, tooLarge)
	f(formType, formPart(`name="`+strings.Repeat("x", maxFormBytes)+`"`, "")+file, tooLarge)
	f(formType, strings.Repeat(formPart(`name="a"`, "1"), 1000)+file, tooLarge)
	f(formType, "--b\r\n"+strings.Repeat("X: y\r\n", 10_000), tooLarge)
	f(formType, strings.Repeat("preamble\r\n", 10_000), tooLarge)

	fill := maxFormBytes - len(formPart(`name="a"`, "")+strings.TrimSuffix(file, "x\r\n"))
	exact := formPart(`name="a"`, strings.Repeat("x", fill)) + file + "--b--"
	if _, err := readForm(strings.NewReader(exact), formType); err != nil {
		t.Error("a form as large as may be:", err)
	}
	f(formType, formPart(`name="a"`, strings.Repeat("x", fill+1))+file, tooLarge)
}

// formOf is a form with that file, and a tail instead of the usual end.
func formOf(file []byte, tail string) []byte {
	return append(append([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"), file...), tail...)
}

// randomBytes are n bytes that do not look like a boundary.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// openForm opens the file of a form as the operation does.
func openForm(t *testing.T, r io.Reader, length int, size sizeRange) (*formFile, error) {
	t.Helper()
	f, err := readForm(r, formType)
	if err != nil {
		t.Fatal(err)
	}
	f.size = size
	file, err := f.open(int64(length)-f.in.n, t.TempDir())
	if file != nil {
		t.Cleanup(file.close)
	}
	return file, err
}

// usualEnd is how nearly all forms end.
const usualEnd = "\r\n--b--\r\n"

// TestFormFile: whatever follows a file, it comes whole; and it is streamed when nothing does.
func TestFormFile(t *testing.T) {
	f := func(n int, tail string, streamed bool) {
		t.Helper()
		want := randomBytes(n)
		body := formOf(want, tail)
		file, err := openForm(t, iotest.HalfReader(bytes.NewReader(body)), len(body), sizeRange{max: maxObjectBytes})
		if err != nil {
			t.Fatal(err)
		}
		wrong := file.wrong
		if !wrong {
			var got []byte
			got, err = io.ReadAll(io.LimitReader(file, file.length))
			if wrong = file.wrong; !wrong && (err != nil || !bytes.Equal(got, want)) {
				t.Errorf("%d bytes, then %.40q: got %d, %v", n, tail, len(got), err)
			}
			if wrong && (!errors.Is(err, errWrongLength) || int64(len(got)) >= file.length) {
				t.Errorf("%d bytes, then %.40q: %d of %d were given for a wrong length, %v", n, tail, len(got), file.length, err)
			}
		}
		if wrong == streamed {
			t.Errorf("%d bytes, then %.40q: streamed %v", n, tail, !wrong)
		}
		if wrong {
			if err := file.settle(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(io.LimitReader(file, file.length)); err != nil || file.wrong || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, then %.40q: again %d, %v", n, tail, len(got), err)
			}
		}
	}
	for _, n := range []int{0, 1, aheadBytes - 1, aheadBytes} {
		f(n, usualEnd, true)
		f(n, "\r\n--b--", true)
	}
	submit := "\r\n" + formPart(`name="submit"`, "Upload") + "--b--\r\n"
	f(5, submit+"tail", true)
	for _, n := range []int{aheadBytes + 1, 300_000, 1 << 20} {
		f(n, usualEnd, true)
		f(n, "\r\n--b--", false)
		f(n, usualEnd+"an epilogue", false)
		f(n, submit, false)
		f(n, "\r\n"+formPart(`name="more"`, strings.Repeat("x", 200_000))+"--b--\r\n", false)
	}
}

// TestFormFileSizes: files are held to their limits, wherever those lie.
func TestFormFileSizes(t *testing.T) {
	f := func(n int, tail string, low, high int64, want s3err.Code) {
		t.Helper()
		body := formOf(randomBytes(n), tail)
		file, err := openForm(t, bytes.NewReader(body), len(body), sizeRange{low, high})
		if err == nil && !file.wrong {
			_, err = io.Copy(io.Discard, io.LimitReader(file, file.length))
		}
		if file.wrong {
			err = file.settle()
		}
		if want == "" && err != nil || want != "" && !s3err.Is(err, want) {
			t.Errorf("%d bytes and %d, limits %d and %d: %v, want %q", n, len(tail), low, high, err, want)
		}
	}
	long := "\r\n" + formPart(`name="submit"`, "Upload") + "--b--\r\n"
	for _, n := range []int{10, aheadBytes - 1, 100_000, 500_000} {
		at := int64(n)
		for _, tail := range []string{usualEnd, "\r\n--b--", long} {
			f(n, tail, at, at, "")
			f(n, tail, at+1, maxObjectBytes, s3err.EntityTooSmall)
			f(n, tail, 0, at-1, s3err.EntityTooLarge)
			f(n, tail, 0, 0, s3err.EntityTooLarge)
			f(n, tail, maxObjectBytes, maxObjectBytes, s3err.EntityTooSmall)
		}
	}
}

// TestFormFileBroken: a body that breaks off is told from one that is no form, at every place.
func TestFormFileBroken(t *testing.T) {
	for _, n := range []int{100, 200_000} {
		whole := formOf(randomBytes(n), usualEnd)
		for _, cut := range []int{70, 90, len(whole) - n/2, len(whole) - len(usualEnd), len(whole) - 6} {
			for _, r := range []io.Reader{bytes.NewReader(whole[:cut]), io.MultiReader(bytes.NewReader(whole[:cut]), iotest.ErrReader(s3err.New(s3err.IncompleteBody).Because(io.EOF)))} {
				file, err := openForm(t, r, len(whole), sizeRange{max: maxObjectBytes})
				if err == nil {
					_, err = io.Copy(io.Discard, io.LimitReader(file, file.length))
				}
				if !s3err.Is(err, s3err.IncompleteBody) && !s3err.Is(err, s3err.MalformedPOSTRequest) || errors.Is(err, errWrongLength) {
					t.Errorf("%d bytes cut at %d: %v", n, cut, err)
				}
			}
		}
	}
}

// TestFormFileWithoutDisk: a usual form needs no place to be kept; an unusual one says that it has none.
func TestFormFileWithoutDisk(t *testing.T) {
	open := func(tail string) *formFile {
		body := formOf(randomBytes(100_000), tail)
		f, err := readForm(bytes.NewReader(body), formType)
		if err != nil {
			t.Fatal(err)
		}
		f.size.max = maxObjectBytes
		file, err := f.open(int64(len(body))-f.in.n, t.TempDir()+"/gone")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, io.LimitReader(file, file.length))
		if file.wrong != (err != nil) {
			t.Error(err)
		}
		return file
	}
	if file := open(usualEnd); file.wrong {
		t.Error("a usual form was kept")
	}
	if err := open("\r\n--b--").settle(); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestFormFileLeavesNothing: what is kept has no name.
func TestFormFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := &spool{dir: dir}
	s.write([]byte("hello"))
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 0 || s.err != nil {
		t.Errorf("%v, %v, %v", list, err, s.err)
	}
	s.close()
}

// TestSpoolIsSealed: what is kept of a form's file is not on disk as it is, and comes back as it was.
func TestSpoolIsSealed(t *testing.T) {
	s := &spool{dir: t.TempDir()}
	defer s.close()
	const text = "nothing of this is to be on disk"
	for i := range len(text) {
		s.write([]byte(text[i : i+1]))
	}
	kept := make([]byte, len(text))
	if _, err := s.file.ReadAt(kept, 0); err != nil || bytes.Contains(kept, []byte(text[:4])) {
		t.Errorf("%q, %v", kept, err)
	}
	r, err := s.again()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != text || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestPolicyNames: a field whose name is a header's only to Unicode meets no condition.
func TestPolicyNames(t *testing.T) {
	p := &postPolicy{expiration: time.Unix(1, 0), conditions: []postCondition{
		{op: postEq, field: "$bucket", value: "b"}, {op: postEq, field: "$Content-Disposition", value: "attachment"},
	}}
	f := func(name string, want bool) {
		t.Helper()
		err := p.allows(&form{fields: params{{name, "attachment"}}}, "b", time.Unix(0, 0))
		if want != (err == nil) {
			t.Errorf("%q: %v", name, err)
		}
	}
	f("content-disposition", true)
	f("CONTENT-DISPOSITION", true)
	f("content-di\u017fposition", false)
	f("content-dispo\u017fition", false)
}

// FuzzForm holds that every body ends in an error of ours or in a file, which is what the
// reader of one byte at a time finds too; that what comes before the file is bounded; and that the
// file begins where the count says.
func FuzzForm(f *testing.F) {
	f.Add([]byte(formPart(`name="key"`, "a/${filename}")+formPart(`name="file"; filename="x"`, "hello")+"--b--\r\n"), formType)
	f.Add([]byte("--b\r\n\r\n--b\r\n"), formType)
	f.Add([]byte("\n--b\nContent-Disposition: form-data; name=file\n\n\n--b"), "multipart/form-data; boundary=\"b\"")
	f.Add([]byte(formPart(`name="file"`, "--b")+"--b--"), formType)
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		read := func(r io.Reader) (*form, string, error) {
			f, err := readForm(r, contentType)
			if err != nil {
				return f, "", err
			}
			begin := f.in.n
			f.size.max = maxObjectBytes
			file, err := f.open(int64(len(body))-begin, t.TempDir())
			if err != nil {
				return f, "", err
			}
			defer file.close()
			if !file.wrong {
				got, err := io.ReadAll(io.LimitReader(file, file.length))
				if !file.wrong {
					if err == nil && !bytes.HasPrefix(body[begin:], got) {
						t.Fatalf("%q: the file is %q at %d", body, got, begin)
					}
					return f, string(got), err
				}
			}
			if err := file.settle(); err != nil {
				return f, "", err
			}
			got, err := io.ReadAll(io.LimitReader(file, file.length))
			return f, string(got), err
		}
		form1, file1, err1 := read(bytes.NewReader(body))
		form2, file2, err2 := read(iotest.OneByteReader(bytes.NewReader(body)))
		if file1 != file2 || (err1 == nil) != (err2 == nil) {
			t.Fatalf("%q: %q, %v; by bytes %q, %v", body, file1, err1, file2, err2)
		}
		if err1 != nil {
			if e := s3err.From(err1); e.Status < 400 || e.Status > 499 {
				t.Fatalf("%q: %v", body, err1)
			}
			return
		}
		if form1.in.n > maxFormBytes || fmt.Sprint(form1.fields) != fmt.Sprint(form2.fields) {
			t.Fatalf("%q: %+v, %+v", body, form1.fields, form2.fields)
		}
	})
}

// FuzzPolicy holds that every text is a policy or refused as none, and that a policy allows only
// forms whose fields it mentions.
func FuzzPolicy(f *testing.F) {
	f.Add(`{"expiration": "2026-11-23T11:15:00Z", "conditions": [{"bucket": "b"}, ["eq", "$key", "\$k"], ["content-length-range", 0, "9"]]}`, "key", "$k")
	f.Add(`{"expiration": "2026-11-23T11:15:00Z", "conditions": [["starts-with", "$bucket", ""], ["STARTS-WITH", "$a", "\v"]]}`, "A", "\v")
	f.Add(`{"conditions": [[], {}, null], "x": 1}`, "", "")
	f.Fuzz(func(t *testing.T, text, name, value string) {
		p, err := parsePolicy(encodePolicy(text))
		if err != nil {
			if !s3err.Is(err, s3err.InvalidPolicyDocument) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		form := &form{fields: params{{name, value}}}
		err = p.allows(form, "b", time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC))
		switch {
		case err != nil:
			if !s3err.Is(err, s3err.AccessDenied) {
				t.Fatalf("%q: %v", text, err)
			}
		case !p.covers("bucket") || needsCondition(name) && !p.covers(name):
			t.Fatalf("%q allows %q", text, name)
		}
		if r := p.size(); r.min < 0 || r.max < 0 || r.max > maxObjectBytes {
			t.Fatalf("%q: sizes %+v", text, r)
		}
	})
}

// TestPolicyEscapes: policies have two escapes more than JSON.
func TestPolicyEscapes(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := string(plainJSON([]byte(text))); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	f(`"\$a\v"`, `"$a\u000b"`)
	f(`"\\$a\\v\n\""`, `"\\$a\\v\n\""`)
	f(`"\`, `"\`)
	f(`"$v"`, `"$v"`)
}
