package backends

import (
	"strings"
	"testing"
)

func TestParseRange(t *testing.T) {
	t.Parallel()
	f := func(header string, size, start, length int64) {
		t.Helper()
		s, ok, err := ParseRange(header, size)
		if !ok || err != nil || s != (Span{start, length}) {
			t.Errorf("%q of %d: got %v %v %v, want %d+%d", header, size, s, ok, err, start, length)
		}
	}
	f("bytes=0-0", 10, 0, 1)
	f("bytes=0-9", 10, 0, 10)
	f("bytes=0-10", 10, 0, 10)
	f("bytes=9-", 10, 9, 1)
	f("bytes=0-", 10, 0, 10)
	f("bytes=-1", 10, 9, 1)
	f("bytes=-10", 10, 0, 10)
	f("bytes=-11", 10, 0, 10)
	f("bytes=-99999999999999999999", 10, 0, 10)
	f("bytes=2-99999999999999999999", 10, 2, 8)
	f("bytes=2-9223372036854775807", 10, 2, 8)
	f("Bytes=1-2", 10, 1, 2)
	f("bytes=007-008", 10, 7, 2)

	ignored := func(header string) {
		t.Helper()
		for _, size := range []int64{0, 10} {
			if s, ok, err := ParseRange(header, size); ok || err != nil {
				t.Errorf("%q of %d: got %v %v %v", header, size, s, ok, err)
			}
		}
	}
	for _, header := range strings.Split("|bytes|bytes=|bytes=-|bytes=--1|bytes=1|bytes=2-1|bytes=a-|bytes=1-b|bytes=0-0,2-2|bytes=+1-2|bytes=1-+2|bytes=0x1-2|chars=0-1|bytes 0-1|bytes=1-2-3|bytes=1_0-20| bytes=1-2|bytes =1-2|bytes= -1|bytes=0 -1|bytes=1-2 ", "|") {
		ignored(header)
	}

	if s, ok, err := ParseRange("bytes=-1", 0); ok || err != nil { // All that there is of an empty object.
		t.Errorf("the last byte of none: got %v %v %v", s, ok, err)
	}

	unsatisfiable := func(header string, size int64, want string) {
		t.Helper()
		if _, ok, err := ParseRange(header, size); ok || verdict(err) != want {
			t.Errorf("%q of %d: got %v %q", header, size, ok, verdict(err))
		}
	}
	unsatisfiable("bytes=10-", 10, "InvalidRange RangeRequested=bytes=10- ActualObjectSize=10")
	unsatisfiable("bytes=10-20", 10, "InvalidRange RangeRequested=bytes=10-20 ActualObjectSize=10")
	unsatisfiable("bytes=99999999999999999999-", 10, "InvalidRange RangeRequested=bytes=99999999999999999999- ActualObjectSize=10")
	unsatisfiable("bytes=-0", 10, "InvalidRange RangeRequested=bytes=-0 ActualObjectSize=10")
	unsatisfiable("bytes=-0", 0, "InvalidRange RangeRequested=bytes=-0 ActualObjectSize=0")
	unsatisfiable("bytes=0-", 0, "InvalidRange RangeRequested=bytes=0- ActualObjectSize=0")
}

// FuzzParseRange holds that what is selected lies inside the object.
func FuzzParseRange(f *testing.F) {
	f.Add("bytes=0-1", int64(10))
	f.Add("bytes=-5", int64(3))
	f.Add("bytes=99999999999999999999-", int64(0))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		s, ok, err := ParseRange(header, size)
		if ok && (err != nil || s.Start < 0 || s.Length < 1 || s.Start > size-s.Length) {
			t.Errorf("%q of %d selects %v, %v", header, size, s, err)
		}
		if c, err := ParseCopyRange(header, size); err == nil && (!ok || c != s) {
			t.Errorf("%q of %d: the copy range is %v, the range %v", header, size, c, s)
		}
	})
}

func TestParseCopyRange(t *testing.T) {
	t.Parallel()
	f := func(header string, want Span, refusal string) {
		t.Helper()
		got, err := ParseCopyRange(header, 10)
		if code, _, _ := strings.Cut(verdict(err), " "); got != want || code != refusal {
			t.Errorf("%q: got %v %v", header, got, err)
		}
	}
	f("bytes=0-9", Span{0, 10}, "")
	f("bytes=9-9", Span{9, 1}, "")
	f("bytes=0-10", Span{}, "InvalidArgument")
	f("bytes=10-10", Span{}, "InvalidArgument")
	f("bytes=0-", Span{}, "InvalidArgument")
	f("bytes=-1", Span{}, "InvalidArgument")
	f("bytes=1-0", Span{}, "InvalidArgument")
	f("0-9", Span{}, "InvalidArgument")
	f("", Span{}, "InvalidArgument")
}

func TestSelectPart(t *testing.T) {
	t.Parallel()
	whole := &ObjectMeta{Size: 7}
	parts := &ObjectMeta{Size: 9, Parts: []PartInfo{{Number: 2, Size: 5}, {Number: 7, Size: 0}, {Number: 8, Size: 4}}}
	f := func(m *ObjectMeta, n int32, want Span, refusal string) {
		t.Helper()
		if got, err := SelectPart(m, n); got != want || verdict(err) != refusal {
			t.Errorf("part %d: got %v %q", n, got, verdict(err))
		}
	}
	f(whole, 1, Span{0, 7}, "")
	f(whole, 2, Span{}, "InvalidPartNumber PartNumberRequested=2 ActualPartCount=1")
	f(parts, 1, Span{0, 5}, "")
	f(parts, 2, Span{5, 0}, "")
	f(parts, 3, Span{5, 4}, "")
	f(parts, 4, Span{}, "InvalidPartNumber PartNumberRequested=4 ActualPartCount=3")
	f(parts, 0, Span{}, "InvalidPartNumber PartNumberRequested=0 ActualPartCount=3")
}

// TestCanonicalRange: a canonical header selects what the header does, and one
// that selects nothing is none.
func TestCanonicalRange(t *testing.T) {
	t.Parallel()
	f := func(header, want string) {
		t.Helper()
		if got := CanonicalRange(header); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
		for _, size := range []int64{0, 1, 10, 1 << 40} {
			s, ok, err := ParseRange(header, size)
			c, cok, cerr := ParseRange(want, size)
			if s != c || ok != cok || (err == nil) != (cerr == nil) {
				t.Errorf("%q of %d: %v %v %v, but %q: %v %v %v", header, size, s, ok, err, want, c, cok, cerr)
			}
		}
	}
	f("bytes=0-0", "bytes=0-0")
	f("Bytes=007-8", "bytes=7-8")
	f("bytes=5-", "bytes=5-")
	f("bytes=5-99999999999999999999", "bytes=5-")
	f("bytes=-7", "bytes=-7")
	f("bytes=-0", "bytes=-0")
	f("bytes=-99999999999999999999", "bytes=-9223372036854775806")
	for _, header := range []string{"", "bytes", "bytes=", "bytes=-", "bytes=5-3", "bytes=0-1,3-4", "items=0-1", "bytes=+1-2"} {
		f(header, "")
	}
}
