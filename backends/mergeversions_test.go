package backends

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"
)

// change is a version or a delete marker of a key.
type change struct {
	key, id string
	at      time.Time
	marker  bool
	gone    bool // removed, and still known to mark a place
}

// annals are the changes of a bucket, by key, those of a key the newest first. They implement [Versioned] as the
// contract has it, word for word, with no regard to cost.
type annals struct {
	Backend
	all []*change
}

// line is an entry of a listing, as text, and where a listing that goes on behind it begins.
type line struct{ text, key, id string }

// lines are the entries of a listing of all there is behind the markers of in.
func (a *annals) lines(in *s3.ListObjectVersionsInput) (lines []line) {
	prefix, delimiter, after := value(in.Prefix), value(in.Delimiter), value(in.KeyMarker)
	latest, marked := map[string]bool{}, false
	for _, c := range a.all {
		behind := c.key > after || c.key == after && marked
		marked = marked || c.key == after && value(in.VersionIdMarker) == c.id
		if c.gone {
			continue
		}
		first := !latest[c.key]
		latest[c.key] = true
		if !strings.HasPrefix(c.key, prefix) {
			continue
		}
		if i := strings.Index(c.key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			common := c.key[:len(prefix)+i+len(delimiter)]
			l := line{"prefix " + common, common, ""}
			if common > after && (len(lines) == 0 || lines[len(lines)-1] != l) {
				lines = append(lines, l)
			}
		} else if behind {
			lines = append(lines, line{fmt.Sprintf("%q %s marker %v latest %v", c.key, c.id, c.marker, first), c.key, c.id})
		}
	}
	return lines
}

// ListObjectVersions implements [Versioned].
func (a *annals) ListObjectVersions(_ context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	lines := a.lines(in)
	n := min(pageLength(in.MaxKeys), len(lines))
	out := &s3.ListObjectVersionsOutput{IsTruncated: aws.Bool(0 < n && n < len(lines))}
	for _, l := range lines[:n] {
		i := slices.IndexFunc(a.all, func(c *change) bool { return l.id != "" && c.key == l.key && c.id == l.id })
		switch latest := strings.HasSuffix(l.text, "latest true"); {
		case i < 0:
			out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: &l.key})
		case a.all[i].marker:
			out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{Key: &l.key, VersionId: &l.id, IsLatest: &latest, LastModified: &a.all[i].at})
		default:
			out.Versions = append(out.Versions, types.ObjectVersion{Key: &l.key, VersionId: &l.id, IsLatest: &latest, LastModified: &a.all[i].at})
		}
	}
	if *out.IsTruncated {
		out.NextKeyMarker, out.NextVersionIdMarker = &lines[n-1].key, optional(lines[n-1].id)
	}
	return out, nil
}

// textOf is a page as lines have it.
func textOf(out *s3.ListObjectVersionsOutput) (all []string) {
	type at struct {
		key  string
		time time.Time
		text string
	}
	var entries []at
	for _, v := range out.Versions {
		entries = append(entries, at{*v.Key, aws.ToTime(v.LastModified), fmt.Sprintf("%q %s marker false latest %v", *v.Key, *v.VersionId, *v.IsLatest)})
	}
	for _, v := range out.DeleteMarkers {
		entries = append(entries, at{*v.Key, aws.ToTime(v.LastModified), fmt.Sprintf("%q %s marker true latest %v", *v.Key, *v.VersionId, *v.IsLatest)})
	}
	for _, p := range out.CommonPrefixes {
		entries = append(entries, at{key: *p.Prefix, text: "prefix " + *p.Prefix})
	}
	slices.SortFunc(entries, func(a, b at) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return b.time.Compare(a.time)
	})
	for _, e := range entries {
		all = append(all, e.text)
	}
	return all
}

// drawAnnals makes some changes of each of the keys; keys of plain objects have one version.
func drawAnnals(keys []string, plain func(string) bool, rng *rand.Rand) *annals {
	a := &annals{}
	for _, key := range keys {
		if plain(key) {
			a.all = append(a.all, &change{key: key, id: NullVersion})
			continue
		}
		for n := 1 + rng.IntN(4); n > 0; n-- {
			a.all = append(a.all, &change{
				key: key, id: fmt.Sprintf("v%d", n), at: time.UnixMilli(int64(1000 + n)), marker: rng.IntN(3) == 0, gone: rng.IntN(4) == 0,
			})
		}
	}
	return a
}

// plainOf are the objects of a, which are all there is of it.
func plainOf(a *annals) *shelf {
	s := &shelf{}
	for _, c := range a.all {
		s.keys = append(s.keys, c.key)
	}
	return s
}

// drawVersionsInput draws what is asked of a listing.
func drawVersionsInput(t *rapid.T, keys []string) *s3.ListObjectVersionsInput {
	in := &s3.ListObjectVersionsInput{
		Prefix:    optional(rapid.SampledFrom([]string{"", "", "a", "a/", "\U0010ffff", "zz"}).Draw(t, "prefix")),
		Delimiter: optional(rapid.SampledFrom([]string{"", "", "/", "a", "//", "\x00", "\U0010ffff"}).Draw(t, "delimiter")),
		KeyMarker: optional(rapid.SampledFrom(append(keys, "", "", "a/zz")).Draw(t, "marker")),
	}
	if in.KeyMarker != nil {
		in.VersionIdMarker = optional(rapid.SampledFrom([]string{"", "v1", "v2", "v3", NullVersion}).Draw(t, "version marker"))
	}
	return in
}

// TestMergeVersions compares listings of several sources, at every size of pages, with what the contract says of one
// bucket that has all that they show. Between pages, the version that a marker names may go.
func TestMergeVersions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(oddKeys, 0, 12, rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n, owner := rapid.IntRange(1, 4).Draw(t, "sources"), map[string]int{}
		for _, key := range keys {
			owner[key] = rng.IntN(n)
		}
		plain := func(source int) bool { return source%2 == 1 }
		all := drawAnnals(keys, func(key string) bool { return plain(owner[key]) }, rng)
		var sources []VersionSource
		for i := range n {
			mine, foreign := &annals{}, drawAnnals(keys, func(string) bool { return plain(i) }, rng)
			for _, c := range all.all {
				if owner[c.key] == i {
					mine.all = append(mine.all, c)
				}
			}
			own := &annals{all: slices.Clone(mine.all)}
			for _, c := range foreign.all { // What belongs to another source, and is not shown.
				if owner[c.key] != i && c.key[len(c.key)-1] != '/' {
					mine.all = append(mine.all, c)
				}
			}
			slices.SortStableFunc(mine.all, func(a, b *change) int { return strings.Compare(a.key, b.key) })
			filter := Filter{
				Keep: func(_ context.Context, key string) (bool, error) { return owner[key] == i, nil },
				KeepPrefix: func(_ context.Context, prefix string) (bool, error) {
					return len(own.lines(&s3.ListObjectVersionsInput{Prefix: &prefix})) > 0, nil
				},
			}
			if plain(i) {
				sources = append(sources, VersionSource{Lister: plainOf(mine), Filter: filter})
			} else {
				sources = append(sources, VersionSource{Versioned: mine, Filter: filter})
			}
		}
		asked := drawVersionsInput(t, keys)
		if asked.KeyMarker != nil && plain(owner[*asked.KeyMarker]) {
			asked.VersionIdMarker = nil // An object has no versions among which a marker could be.
		}
		merged := func(in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
			return MergeVersions(context.Background(), sources, in)
		}
		checkPages(t, all, merged, asked, true)
	})
}

// TestSplitVersions is [TestMergeVersions] for listings that are split at a delimiter here.
func TestSplitVersions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(oddKeys, 0, 20, rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		all := drawAnnals(keys, func(string) bool { return false }, rng)
		split := func(in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
			return SplitVersions(context.Background(), unsplit{all}, in)
		}
		checkPages(t, all, split, drawVersionsInput(t, keys), false)
	})
}

// unsplit are annals that cannot be asked to split.
type unsplit struct{ *annals }

func (u unsplit) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	if in.Delimiter != nil {
		return nil, errors.New("asked to split")
	}
	return u.annals.ListObjectVersions(ctx, in)
}

// checkPages compares all pages of a listing, of every size, with the model.
func checkPages(t *rapid.T, model *annals, list func(*s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error), asked *s3.ListObjectVersionsInput, remove bool) {
	for size := range len(model.lines(asked)) + 2 {
		in := *asked
		in.MaxKeys = aws.Int32(int32(size))
		var goes []*change
		for {
			got, err := list(&in)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := model.ListObjectVersions(context.Background(), &in)
			if g, w := textOf(got), textOf(want); !slices.Equal(g, w) {
				t.Fatalf("%d after %q %q: %q, want %q", size, value(in.KeyMarker), value(in.VersionIdMarker), g, w)
			}
			if *got.IsTruncated != *want.IsTruncated || !equal(got.NextKeyMarker, want.NextKeyMarker) || !equal(got.NextVersionIdMarker, want.NextVersionIdMarker) {
				t.Fatalf("%d after %q %q: the next page is behind %q %q, want %q %q", size, value(in.KeyMarker), value(in.VersionIdMarker),
					value(got.NextKeyMarker), value(got.NextVersionIdMarker), value(want.NextKeyMarker), value(want.NextVersionIdMarker))
			}
			if !*got.IsTruncated {
				break
			}
			in.KeyMarker, in.VersionIdMarker = got.NextKeyMarker, got.NextVersionIdMarker
			i := slices.IndexFunc(model.all, func(c *change) bool { return c.key == *in.KeyMarker && c.id == value(in.VersionIdMarker) })
			if remove && i >= 0 && model.all[i].id != NullVersion {
				model.all[i].gone = true
				goes = append(goes, model.all[i])
			}
		}
		for _, c := range goes {
			c.gone = false
		}
	}
}

// equal reports whether two markers are the same, absent or not.
func equal(a, b *string) bool { return (a == nil) == (b == nil) && value(a) == value(b) }

// TestMergeVersionsOverPlain holds that an object of a later source is shown when there is no version of its key, and
// that none is shown of a key whose versions a page begins inside of.
func TestMergeVersionsOverPlain(t *testing.T) {
	t.Parallel()
	versions := &annals{all: []*change{
		{key: "a", id: "v2", at: time.UnixMilli(2), marker: true},
		{key: "a", id: "v1", at: time.UnixMilli(1)},
		{key: "c", id: "v1", at: time.UnixMilli(1)},
	}}
	sources := []VersionSource{{Versioned: versions}, {Lister: &shelf{keys: []string{"a", "b", "c", "d"}}}}
	want := []string{
		`"a" v2 marker true latest true`, `"a" v1 marker false latest false`, `"b" null marker false latest true`,
		`"c" v1 marker false latest true`, `"d" null marker false latest true`,
	}
	for size := 1; size <= len(want); size++ {
		var got []string
		in := &s3.ListObjectVersionsInput{MaxKeys: aws.Int32(int32(size))}
		for more := true; more; {
			out, err := MergeVersions(t.Context(), sources, in)
			if err != nil {
				t.Fatal(err)
			}
			got, more = append(got, textOf(out)...), *out.IsTruncated
			in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %d: %q, want %q", size, got, want)
		}
	}
}

// TestKeyCursor walks keys that have versions, and keys of objects.
func TestKeyCursor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(oddKeys, 0, 40, rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		all := drawAnnals(keys, func(string) bool { return false }, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		var want, got []string
		for _, c := range all.all {
			if !c.gone && strings.HasPrefix(c.key, "a") && !slices.Contains(want, c.key) {
				want = append(want, c.key)
			}
		}
		c := NewKeyCursor(context.Background(), all, "bucket", "a")
		for ok := c.SeekGE("a", ""); ok; ok = c.Next() {
			got = append(got, c.Key())
		}
		if c.Err() != nil || !slices.Equal(got, want) {
			t.Fatalf("%q, %v; want %q", got, c.Err(), want)
		}
	})
}

// TestAs holds that an ability is what a composition has the methods of and can do.
func TestAs(t *testing.T) {
	t.Parallel()
	f := func(b Backend, want bool) {
		t.Helper()
		if _, ok := As[Versioned](b); ok != want {
			t.Errorf("%T has versions: %v, want %v", b, ok, want)
		}
	}
	can := func(b Backend) able { return able{annals: &annals{}, of: []Backend{b}} }
	f(&annals{}, true)
	f(plainBackend{}, false)
	f(can(&annals{}), true)
	f(can(plainBackend{}), false)
	f(can(can(&annals{})), true)
	f(can(can(plainBackend{})), false)
	f(able{annals: &annals{}, of: []Backend{plainBackend{}, &annals{}}}, true)
	f(able{annals: &annals{}}, false)
	if _, ok := As[interface{ Can(any) bool }](can(plainBackend{})); !ok {
		t.Error("an ability that has nothing to do with versions is gone")
	}
}

// plainBackend has no abilities.
type plainBackend struct{ Backend }

// able passes abilities on.
type able struct {
	*annals
	of []Backend
}

func (a able) Can(ability any) bool { return Passing(ability, a.of...) }
