package backends

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestListCursor moves a cursor over a listing as one over the keys moves.
func TestListCursor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.OneOf(oddKeys, longKeys), 0, 60, rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		prefix := rapid.SampledFrom([]string{"", "", "a", "\U0010ffff"}).Draw(t, "prefix")
		c := NewListCursor(context.Background(), &shelf{keys: keys}, "bucket", prefix)
		model := &sliceCursor{keys: slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, prefix) })}
		ok := false
		same := func(got, want bool) {
			if ok = want; got != want || c.Err() != nil || want && c.Key() != model.Key() {
				t.Fatalf("stands at something: %v, want %v; %v", got, want, c.Err())
			}
		}
		seek := func(to string) { same(c.SeekGE(to, ""), model.SeekGE(to, "")) }
		t.Repeat(map[string]func(*rapid.T){
			"seek": func(t *rapid.T) { seek(rapid.OneOf(oddKeys, longKeys, rapid.Just("")).Draw(t, "key")) },
			"past": func(t *rapid.T) {
				past, _ := PrefixEnd(rapid.OneOf(oddKeys, longKeys).Draw(t, "prefix"))
				seek(past)
			},
			"behind": func(t *rapid.T) { seek(rapid.OneOf(oddKeys, longKeys).Draw(t, "key") + "\x00") },
			"next": func(t *rapid.T) {
				if ok {
					same(c.Next(), model.Next())
				}
			},
		})
	})
}

// longKeys draws keys of 1,024 bytes and almost as many.
var longKeys = rapid.Custom(func(t *rapid.T) string {
	r := rapid.SampledFrom([]string{"a", "ä", "\U0010ffff", "\x00"}).Draw(t, "rune")
	n := maxKeyBytes/len(r) - rapid.IntRange(0, 2).Draw(t, "less")
	return strings.Repeat(r, n)
})

// TestListCursorPages lists with a delimiter by way of the cursor.
func TestListCursorPages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(oddKeys, 0, 60, rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		s := &shelf{keys: keys}
		in := &s3.ListObjectsV2Input{
			Prefix:     optional(rapid.SampledFrom([]string{"", "a", "a/"}).Draw(t, "prefix")),
			Delimiter:  optional(rapid.SampledFrom([]string{"", "/", "a", "\U0010ffff"}).Draw(t, "delimiter")),
			StartAfter: optional(rapid.SampledFrom(append(keys, "")).Draw(t, "after")),
		}
		got, err := ListObjects(NewListCursor(context.Background(), s, "bucket", value(in.Prefix)), in)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.ListObjectsV2(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(s3.ListObjectsV2Output{}, types.Object{}, types.CommonPrefix{}),
			cmpopts.IgnoreFields(s3.ListObjectsV2Output{}, "ResultMetadata")); d != "" {
			t.Fatalf("-want +got\n%s", d)
		}
	})
}

// TestListCursorCost holds that a walk costs few calls, and a seek few keys.
func TestListCursorCost(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	for i := range 10_000 {
		s.keys = append(s.keys, fmt.Sprintf("%d/%05d", i/1000, i))
	}
	f := func(delimiter string, calls, given int) {
		t.Helper()
		s.calls, s.given = 0, 0
		in := &s3.ListObjectsV2Input{Delimiter: &delimiter}
		if _, err := ListObjects(NewListCursor(t.Context(), s, "bucket", ""), in); err != nil {
			t.Fatal(err)
		}
		t.Logf("delimiter %q: %d calls for %d keys", delimiter, s.calls, s.given)
		if s.calls > calls || s.given > given {
			t.Errorf("delimiter %q: %d calls for %d keys, want %d for %d", delimiter, s.calls, s.given, calls, given)
		}
	}
	f("", 5, 1700)
	f("/", 11, 80)
}

func TestListCursorFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	c := NewListCursor(t.Context(), &shelf{keys: []string{"a"}, fail: broken}, "bucket", "")
	if c.SeekGE("", "") || c.Next() || !errors.Is(c.Err(), broken) {
		t.Errorf("got %v: a listing that broke off must not look complete", c.Err())
	}
}

func TestBefore(t *testing.T) {
	t.Parallel()
	const last = "\U0010ffff\U0010ffff\U0010ffff\U0010ffff"
	f := func(key, want string) {
		t.Helper()
		if got := before(key); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
	f("", "")
	f("\x00", "")
	f("a\x00", "a")
	f("b", "a"+last)
	f("a0", "a/"+last)
	f("\u0080", "\x7f"+last)
	f("\ue000", "\ud7ff"+last)
	f("\xc3\xc0", "\u00ff"+last)             // the end of U+00FF as a prefix
	f("\xf4\x8f\xbf\xc0", "\U0010ffff"+last) // that of U+10FFFF
	f("\xff", "\U0010ffff"+last)
	f("\xed\xa0", "\ud7ff"+last)
	f(strings.Repeat("b", 1024), strings.Repeat("b", 1023)+"a")
	rapid.Check(t, func(t *rapid.T) {
		key := string(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "key"))
		if got := before(key); got >= key || !utf8.ValidString(got) {
			t.Fatalf("%q: got %q", key, got)
		}
	})
}
