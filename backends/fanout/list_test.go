package fanout_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/fanout"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
)

// twin is a bucket over four mounts and one store that holds the same keys.
type twin struct {
	*testing.T
	rng  *rand.Rand
	keys []string
	b    backends.Backend
	one  *membackend.Backend
}

// still is a store whose clock stands, so that what is stored twice is the same.
func still(t testing.TB) *membackend.Backend {
	b := memory(t).(*membackend.Backend)
	b.Now = func() time.Time { return time.Date(2026, 11, 25, 1, 2, 3, 0, time.UTC) }
	return b
}

// newTwin stores the keys twice.
func newTwin(t *testing.T, rng *rand.Rand, keys []string) *twin {
	w := &twin{T: t, rng: rng, keys: keys, one: still(t)}
	choose := byHash
	if rng.IntN(2) == 0 {
		choose = byFirst
	}
	w.b = over(t, choose, still(t), still(t), still(t), still(t))
	for _, key := range keys {
		put(t, w.b, "virtual", key, "")
		put(t, w.one, "physical", key, "")
	}
	return w
}

// randomTree returns n keys of few letters, sorted: a tree with wide and deep places.
func randomTree(rng *rand.Rand, n int) []string {
	letters := []string{"a", "b", "c", "d", "0", "-", "ä", "\x00", "\U0010ffff", "/", "/", "/", "//"}
	seen := map[string]bool{}
	for len(seen) < n {
		var key strings.Builder
		for range 1 + rng.IntN(12) {
			key.WriteString(letters[rng.IntN(len(letters))])
		}
		if rng.IntN(3) > 0 { // most are in the company of others
			fmt.Fprintf(&key, "/%d", rng.IntN(n))
		}
		seen[key.String()] = true
	}
	keys := make([]string, 0, n)
	for key := range seen {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// query draws what to list; it begins somewhere.
func (w *twin) query() s3.ListObjectsV2Input {
	key := w.keys[w.rng.IntN(len(w.keys))]
	cut := func() *string { return aws.String(strings.ToValidUTF8(key[:w.rng.IntN(min(len(key), 4)+1)], "")) }
	delimiters := []string{"", "", "/", "/", "/", "//", "a", "/a", "-/", "ä", "\x00", "\U0010ffff", "a/b/c", "none"}
	in := s3.ListObjectsV2Input{Delimiter: aws.String(delimiters[w.rng.IntN(len(delimiters))]), Prefix: cut()}
	if w.rng.IntN(3) == 0 {
		in.Prefix = nil
	}
	if w.rng.IntN(3) > 0 {
		key = w.keys[w.rng.IntN(len(w.keys))]
		in.StartAfter = &key
	}
	return in
}

// page compares one page of the two, in all its values, and returns it.
func (w *twin) page(in s3.ListObjectsV2Input) *s3.ListObjectsV2Output {
	w.Helper()
	in.Bucket = new("physical")
	want, err := w.one.ListObjectsV2(w.Context(), &in)
	if err != nil {
		w.Fatal(err)
	}
	in.Bucket = new("virtual")
	got, err := w.b.ListObjectsV2(w.Context(), &in)
	if err != nil {
		w.Fatal(err)
	}
	if !reflect.DeepEqual(want, got) { // cmp takes its time
		ignore := cmpopts.IgnoreUnexported(*got, types.Object{}, types.CommonPrefix{}, got.ResultMetadata)
		d := cmp.Diff(want, got, ignore)
		w.Fatalf("prefix %q, delimiter %q, after %q, %d keys: -want +got\n%s", aws.ToString(in.Prefix),
			aws.ToString(in.Delimiter), aws.ToString(in.StartAfter), *in.MaxKeys, d)
	}
	return got
}

// walk compares all pages of a listing. It returns how many there are.
func (w *twin) walk(in s3.ListObjectsV2Input, size int) (pages int) {
	w.Helper()
	in.MaxKeys = aws.Int32(int32(size))
	for {
		out := w.page(in)
		pages++
		if !*out.IsTruncated {
			return pages
		}
		var last string
		if n := len(out.Contents); n > 0 {
			last = *out.Contents[n-1].Key
		}
		if n := len(out.CommonPrefixes); n > 0 {
			last = max(last, *out.CommonPrefixes[n-1].Prefix)
		}
		in.StartAfter = &last
	}
}

// seeded returns a source of randomness and logs how to get it again.
func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Log("seed", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestModel holds that a bucket over four mounts lists as one store does: small
// trees in pages of every size, to their end.
func TestModel(t *testing.T) {
	t.Parallel()
	rng := seeded(t)
	for range 20 {
		w := newTwin(t, rng, randomTree(rng, 1+rng.IntN(120)))
		for range 5 {
			in := w.query()
			for size := 0; size <= len(w.keys)+1; size++ {
				w.walk(in, size)
			}
		}
	}
}

// TestModelLarge is TestModel with 100,000 keys: pages of every size from anywhere,
// and some sizes from beginning to end.
func TestModelLarge(t *testing.T) {
	t.Parallel()
	rng := seeded(t)
	keys := 100_000
	if testing.Short() {
		keys = 10_000
	}
	w := newTwin(t, rng, randomTree(rng, keys))
	for size := range 1001 {
		in := w.query()
		in.MaxKeys = aws.Int32(int32(size))
		w.page(in)
	}
	for _, size := range []int{1000, 2 + rng.IntN(998)} {
		pages := w.walk(s3.ListObjectsV2Input{}, size)
		if want := (keys + size - 1) / size; pages != want {
			t.Errorf("%d pages of %d, want %d", pages, size, want)
		}
		w.walk(s3.ListObjectsV2Input{Delimiter: new("/")}, size)
	}
	for _, size := range []int{1, 2} {
		w.walk(s3.ListObjectsV2Input{Delimiter: new("/"), Prefix: new("a/b")}, size)
	}
}

// costly is a bucket over four stores that count their calls and reads.
type costly struct {
	backends.Backend
	stores []*membackend.Backend
	wires  []*faultbackend.Backend
}

// newCostly has so many keys below 50 prefixes.
func newCostly(t *testing.T, keys int) *costly {
	t.Helper()
	c := &costly{}
	var all []backends.Backend
	for range 4 {
		store := still(t)
		wire := faultbackend.New(store, nil)
		c.stores, c.wires, all = append(c.stores, store), append(c.wires, wire), append(all, wire)
	}
	c.Backend = over(t, byHash, all...)
	for i := range keys {
		put(t, c, "virtual", fmt.Sprintf("%02d/%06d", i*50/keys, i), "")
	}
	return c
}

// page is what a page with a delimiter costs, from the middle.
func (c *costly) page(t *testing.T, size int) (calls int, reads int64) {
	t.Helper()
	for i := range c.stores {
		c.wires[i].SetPlan(nil)
		reads -= c.stores[i].Reads()
	}
	out, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{
		Bucket: new("virtual"), Delimiter: new("/"), StartAfter: new("09/"), MaxKeys: aws.Int32(int32(size)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.CommonPrefixes) != min(size, 40) || *out.CommonPrefixes[0].Prefix != "10/" {
		t.Fatalf("%d prefixes", len(out.CommonPrefixes))
	}
	for i := range c.stores {
		calls += len(c.wires[i].Calls())
		reads += c.stores[i].Reads()
	}
	return calls, reads
}

// TestCost holds that a page with a delimiter costs the stores the same, whatever is below the
// prefixes that it shows.
func TestCost(t *testing.T) {
	t.Parallel()
	small, large := newCostly(t, 1000), newCostly(t, 50_000)
	for _, size := range []int{1, 7, 30, 1000} {
		calls, reads := small.page(t, size)
		calls2, reads2 := large.page(t, size)
		t.Logf("a page of %d: %d calls, %d reads", min(size, 40), calls, reads)
		if calls != calls2 || reads != reads2 {
			t.Errorf("a page of %d costs %d calls and %d reads with 1,000 keys, %d and %d with 50,000", size, calls, reads, calls2, reads2)
		}
		if calls > 8 {
			t.Errorf("a page of %d costs four stores %d calls", size, calls)
		}
	}
}

// TestForeign holds that what a mount lists but cannot be read from it is not shown, nor a
// prefix that stands for nothing else.
func TestForeign(t *testing.T) {
	t.Parallel()
	store := memory(t)
	o := fanout.Options{Select: func(key string) (int, error) { return byFirst(key[len(key)-1:], 2) }}
	mixed := func(prefix string) bool { return prefix != "clean/" }
	for i := range 2 {
		o.Mounts = append(o.Mounts, fanout.Mount{Backend: mountOf(t, store, i), Mixed: mixed})
	}
	b := fanout.New(o)
	var want []string
	for i, key := range []string{"a", "b/0", "b/1", "c/1", "d/2", "d/3", "e/f/5", "g/7", "clean/6", "h"} {
		owner, _ := o.Select(key)
		put(t, store, "physical", fmt.Sprintf("m%d/%s", owner, key), fmt.Sprint(i))
		want = append(want, key)
	}
	for _, key := range []string{"b/1", "c/3", "foreign", "only/1", "only/deeper/3", "d/5", "z"} {
		owner, _ := o.Select(key)
		put(t, store, "physical", fmt.Sprintf("m%d/%s", 1-owner, key), "foreign")
	}
	slices.Sort(want)
	f := func(delimiter string, want ...string) {
		t.Helper()
		for size := 1; size <= len(want)+1; size++ {
			var got []string
			in := &s3.ListObjectsV2Input{Bucket: new("virtual"), Delimiter: &delimiter, MaxKeys: aws.Int32(int32(size))}
			for more := true; more; {
				out, err := b.ListObjectsV2(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				more = *out.IsTruncated
				for _, o := range out.Contents {
					got = append(got, *o.Key)
				}
				for _, p := range out.CommonPrefixes {
					got = append(got, *p.Prefix)
				}
				if slices.Sort(got); len(got) > 0 {
					in.StartAfter = &got[len(got)-1]
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("delimiter %q by %d: %q, want %q", delimiter, size, got, want)
			}
		}
	}
	f("", want...)
	f("/", "a", "b/", "c/", "clean/", "d/", "e/", "g/", "h")
}
