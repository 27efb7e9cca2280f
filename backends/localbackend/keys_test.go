package localbackend

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestUploadKeysSort holds that rows of uploads sort by key and then by upload,
// also when keys have zero bytes or begin with each other.
func TestUploadKeysSort(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	key := func() string {
		b := make([]byte, r.IntN(4))
		for i := range b {
			b[i] = "\x00\x01\xfe\xffa"[r.IntN(5)]
		}
		return string(b)
	}
	for range 10_000 {
		k1, k2 := key(), key()
		u1, u2 := name{byte(r.IntN(3))}, name{byte(r.IntN(3))}
		r1, r2 := uploadKey(7, k1, u1), uploadKey(7, k2, u2)
		want := cmp.Or(strings.Compare(k1, k2), bytes.Compare(u1[:], u2[:]))
		if got := bytes.Compare(r1, r2); got != want {
			t.Fatalf("%q/%v and %q/%v: got %d, want %d", k1, u1, k2, u2, got, want)
		}
		if k, u := parseUploadKey(r1); k != k1 || u != u1 {
			t.Fatalf("%q/%v parses as %q/%v", k1, u1, k, u)
		}
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	f := func(prefix, want string) {
		t.Helper()
		if got := after([]byte(prefix)); string(got) != want {
			t.Errorf("after(%q) = %q, want %q", prefix, got, want)
		}
	}
	f("a", "b")
	f("ab", "ac")
	f("a\xff", "b")
	f("a\xff\xff", "b")
	f("a\x00", "a\x01")
}

// TestNamesGrow holds that names grow when the clock stands still or goes back.
func TestNamesGrow(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_800_000_000_000)
	g := namer{now: func() time.Time { return now }}
	last := g.next()
	for i := range 1000 {
		switch i {
		case 300:
			now = now.Add(-time.Hour)
		case 600:
			now = now.Add(2 * time.Hour)
		}
		n := g.next()
		if bytes.Compare(last[:], n[:]) >= 0 {
			t.Fatalf("%v follows %v", n, last)
		}
		if p, ok := parseName(n.String()); !ok || p != n {
			t.Fatalf("%v parses as %v, %v", n, p, ok)
		}
		last = n
	}
	f := func(s string) {
		t.Helper()
		if _, ok := parseName(s); ok {
			t.Errorf("%q is a name", s)
		}
	}
	f("")
	f(last.String()[1:])
	f(last.String() + "0")
	f(strings.ToUpper(last.String()[:30]) + "FF")
	f(strings.Repeat("g", 32))
}
