package versions

import (
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCeiling(t *testing.T) {
	t.Parallel()
	f := func(key, want string) {
		t.Helper()
		if got, ok := Ceiling(key); got != want || ok != (want != "" || key == "") {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
	f("", "")
	f("a\x00", "a\x00")
	f("\ufffd", "\ufffd")
	f("a\xff", "b")
	f("ü\xff", "ý")
	f("\xc3\xc0", "\u0100")             // the end of U+00FF as a prefix
	f("\xed\xa0\x80", "\ue000")         // a surrogate
	f("a\xf4\x8f\xbf\xc0", "b")         // the end of U+10FFFF
	f("\xf4\x8f\xbf\xc0", "")           // nothing comes after it
	f("\U0010ffff\xff", "")             // nor here
	f("a\U0010ffff\U0010ffff\xf5", "b") // carried twice
	runes := rapid.SampledFrom([]string{"a", "b", "\x7f", "\u0080", "\ud7ff", "\ue000", "\U0010ffff", "\x00"})
	rapid.Check(t, func(t *rapid.T) {
		key := string(rapid.SliceOfN(rapid.SampledFrom([]byte("ab\x00\x7f\x80\xbf\xc2\xc3\xed\xf4\xf5\xff")), 0, 5).Draw(t, "key"))
		got, ok := Ceiling(key)
		if ok && got < key || !utf8.ValidString(got) {
			t.Fatalf("%q: got %q", key, got)
		}
		other := ""
		for range rapid.IntRange(0, 4).Draw(t, "length") {
			other += runes.Draw(t, "rune")
		}
		if other >= key && (!ok || other < got) {
			t.Fatalf("%q: got %q, but %q is less", key, got, other)
		}
	})
}
