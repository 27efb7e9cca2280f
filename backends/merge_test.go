package backends

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// shelf is a Lister of sorted keys that counts what it is asked for, and takes
// no more than S3 does.
type shelf struct {
	keys []string
	name string // in the objects' ETags
	fail error

	mu           sync.Mutex
	calls, given int
}

// keyCursor makes objects of keys.
type keyCursor struct {
	sliceCursor
	name string
}

func (c *keyCursor) Value() (types.Object, error) {
	return types.Object{Key: &c.keys[c.at], ETag: &c.name}, nil
}

func (s *shelf) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	if s.fail != nil || ctx.Err() != nil {
		return nil, errors.Join(s.fail, ctx.Err())
	}
	if after := aws.ToString(in.StartAfter); !utf8.ValidString(after) || len(after) > maxKeyBytes {
		return nil, fmt.Errorf("StartAfter is %q", after)
	}
	out, err := ListObjects(&keyCursor{sliceCursor{keys: s.keys}, s.name}, in)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.given += len(out.Contents) + len(out.CommonPrefixes)
	return out, err
}

// shelves deal keys out: to one shelf each or, now and then, to several.
func shelves(keys []string, n int, rng *rand.Rand) []*shelf {
	all := make([]*shelf, n)
	for i := range all {
		all[i] = &shelf{name: fmt.Sprint(i)}
	}
	for _, key := range keys {
		for again := true; again; again = rng.IntN(4) == 0 {
			s := all[rng.IntN(n)]
			if len(s.keys) == 0 || s.keys[len(s.keys)-1] != key {
				s.keys = append(s.keys, key)
			}
		}
	}
	return all
}

// sourcesOf are the shelves as sources, with one filter.
func sourcesOf(all []*shelf, f Filter) (sources []ListSource) {
	for _, s := range all {
		sources = append(sources, ListSource{Lister: s, Filter: f})
	}
	return sources
}

// oddKeys draws texts of bytes that make successors hard.
var oddKeys = rapid.StringOfN(rapid.SampledFrom([]rune{'a', 'b', '/', '\x00', '\u007f', '\u0080', '\ud7ff', '\ue000', '\U0010ffff'}), 1, 5, -1)

// TestMerge compares merged pages with those of one shelf that holds all that the
// sources show.
func TestMerge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(oddKeys, 0, 40, rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		all := shelves(keys, rapid.IntRange(1, 5).Draw(t, "shelves"), rng)
		hidden := rapid.SliceOf(rapid.SampledFrom(append(keys, "none"))).Draw(t, "hidden")
		model := &shelf{}
		for _, key := range keys {
			if !slices.Contains(hidden, key) {
				model.keys = append(model.keys, key)
			}
		}
		in := &s3.ListObjectsV2Input{
			Prefix:     optional(rapid.SampledFrom([]string{"", "a", "a/", "\U0010ffff", "zz"}).Draw(t, "prefix")),
			Delimiter:  optional(rapid.SampledFrom([]string{"", "/", "a", "//", "\x00", "\U0010ffff"}).Draw(t, "delimiter")),
			StartAfter: optional(rapid.SampledFrom(append(keys, "", "a/zz")).Draw(t, "after")),
			MaxKeys:    aws.Int32(int32(rapid.IntRange(0, 12).Draw(t, "max"))),
		}
		got, err := MergeObjects(context.Background(), sourcesOf(all, model.filter(hidden, PageQuery{Prefix: value(in.Prefix), Delimiter: value(in.Delimiter)})), in)
		if err != nil {
			t.Fatal(err)
		}
		want, err := model.ListObjectsV2(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(s3.ListObjectsV2Output{}, types.Object{}, types.CommonPrefix{}),
			cmpopts.IgnoreFields(types.Object{}, "ETag"), cmpopts.IgnoreFields(s3.ListObjectsV2Output{}, "ResultMetadata")); d != "" {
			t.Fatalf("-want +got\n%s", d)
		}
		for _, o := range got.Contents {
			first := slices.IndexFunc(all, func(s *shelf) bool { return slices.Contains(s.keys, *o.Key) })
			if *o.ETag != fmt.Sprint(first) {
				t.Fatalf("%q is the object of %s, want that of %d", *o.Key, *o.ETag, first)
			}
		}
	})
}

// filter shows what s holds, and skips over runs of hidden keys. What a run ends at is an entry: a common prefix
// that also stands for a key behind the run is shown, and not skipped.
func (s *shelf) filter(hidden []string, q PageQuery) Filter {
	return Filter{
		Keep: func(_ context.Context, key string) (bool, error) { return slices.Contains(s.keys, key), nil },
		KeepPrefix: func(_ context.Context, prefix string) (bool, error) {
			return slices.ContainsFunc(s.keys, func(key string) bool { return strings.HasPrefix(key, prefix) }), nil
		},
		Skip: func(entry string) (string, bool) {
			next, _ := slices.BinarySearch(s.keys, entry)
			shown := ""
			if next < len(s.keys) {
				shown = s.keys[next]
				if strings.HasPrefix(shown, q.Prefix) {
					shown, _ = q.entry(shown)
				}
			}
			after, ok := entry, false
			for _, key := range hidden {
				if key > after && (shown == "" || key < shown) {
					after, ok = key, true
				}
			}
			return after, ok
		},
	}
}

// TestMergeCost holds what pages cost: few calls, and few entries that are not shown.
func TestMergeCost(t *testing.T) {
	t.Parallel()
	var keys []string
	for i := range 20_000 {
		keys = append(keys, fmt.Sprintf("%05d", i))
	}
	f := func(name string, deal func(i int) int, filter Filter, limit, calls, given int) {
		t.Helper()
		all := make([]*shelf, 4)
		for i := range all {
			all[i] = &shelf{}
		}
		for i, key := range keys {
			s := all[deal(i)]
			s.keys = append(s.keys, key)
		}
		out, err := MergeObjects(t.Context(), sourcesOf(all, filter), &s3.ListObjectsV2Input{MaxKeys: aws.Int32(int32(limit))})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Contents) != limit || !*out.IsTruncated {
			t.Fatalf("%s: a page of %d", name, len(out.Contents))
		}
		var c, g int
		for _, s := range all {
			c, g = c+s.calls, g+s.given
		}
		t.Logf("%s: %d shown cost %d calls for %d entries", name, limit, c, g)
		if c > calls || g > given {
			t.Errorf("%s: %d shown cost %d calls for %d entries, want %d for %d", name, limit, c, g, calls, given)
		}
	}
	turns, runs := func(i int) int { return i % 4 }, func(i int) int { return i / 5000 }
	f("in turns", turns, Filter{}, 1000, 4, 1300)
	f("in turns", turns, Filter{}, 1, 4, 8)
	f("in runs", runs, Filter{}, 1000, 5, 2000)
	f("in runs", runs, Filter{}, 1, 4, 8)
	behind := Filter{Keep: func(_ context.Context, key string) (bool, error) { return key >= "04000", nil }}
	f("behind 4,000 that are not shown, in turns", turns, behind, 1, 30, 8000)
	f("behind 4,000 that are not shown, in runs", runs, behind, 1, 15, 6000)
	behind.Skip = func(string) (string, bool) { return "03999", true }
	f("behind 4,000 that are skipped, in turns", turns, behind, 1, 8, 100)
}

func TestMergeFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	f := func(in ListSource) {
		t.Helper()
		sources := []ListSource{{Lister: &shelf{keys: []string{"a", "b"}}}, in}
		if _, err := MergeObjects(t.Context(), sources, &s3.ListObjectsV2Input{}); !errors.Is(err, broken) {
			t.Errorf("got %v: a listing that broke off must not look complete", err)
		}
	}
	fails := func(context.Context, string) (bool, error) { return false, broken }
	f(ListSource{Lister: &shelf{fail: broken}})
	f(ListSource{Lister: &shelf{keys: []string{"c"}}, Filter: Filter{Keep: fails}})

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := MergeObjects(ctx, nil, &s3.ListObjectsV2Input{MaxKeys: aws.Int32(0)}); err == nil {
		t.Error("a page with a context that has ended")
	}
}

// endless is a store that does not know StartAfter.
type endless struct{ shelf }

func (s *endless) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	c := *in
	c.StartAfter = nil
	return s.shelf.ListObjectsV2(ctx, &c)
}

// TestMergeStuck holds that a store that always gives the same page is not asked forever.
func TestMergeStuck(t *testing.T) {
	t.Parallel()
	none := Filter{Keep: func(context.Context, string) (bool, error) { return false, nil }}
	s := &endless{}
	for i := range 3000 {
		s.keys = append(s.keys, fmt.Sprintf("%04d", i))
	}
	_, err := MergeObjects(t.Context(), []ListSource{{Lister: s, Filter: none}}, &s3.ListObjectsV2Input{MaxKeys: aws.Int32(1)})
	if err == nil {
		t.Error("no error")
	}
}
