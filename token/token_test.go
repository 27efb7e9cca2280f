package token

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sealer returns a Sealer with a fixed key made of b.
func sealer(t testing.TB, b ...byte) *Sealer {
	t.Helper()
	var keys [][]byte
	for _, b := range b {
		keys = append(keys, bytes.Repeat([]byte{b}, keySize))
	}
	s, err := New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := New(); err == nil {
		t.Error("a Sealer without keys")
	}
	if _, err := New(NewKey(), []byte("short")); err == nil {
		t.Error("a Sealer with a short key")
	}
	if bytes.Equal(NewKey(), NewKey()) {
		t.Error("two new keys are equal")
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.Byte().Draw(t, "kind")
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		bind := rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, "bind")
		tok := s.Seal(kind, text, bind...)
		if again := s.Seal(kind, text, bind...); again != tok {
			t.Fatalf("sealed twice: %q and %q", tok, again)
		}
		if strings.Trim(tok, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("%q needs escaping in a URL", tok)
		}
		got, err := s.Open(kind, tok, bind...)
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("Open = %q, %v; want %q", got, err, text)
		}
		refuse(t, s, kind+1, tok, bind...)
		refuse(t, s, kind, tok, append(bind, "")...)
		at := rapid.IntRange(0, len(tok)-1).Draw(t, "at")
		for _, c := range []byte("A9-_\n=") {
			if tok[at] != c {
				refuse(t, s, kind, tok[:at]+string(c)+tok[at+1:], bind...)
			}
			refuse(t, s, kind, tok[:at]+string(c)+tok[at:], bind...)
		}
	})
}

// refuse fails unless Open refuses the token.
func refuse(t rapid.TB, s *Sealer, kind byte, tok string, bind ...string) {
	t.Helper()
	if got, err := s.Open(kind, tok, bind...); !errors.Is(err, ErrInvalid) || got != nil {
		t.Fatalf("Open(%d, %q, %q) = %q, %v; want ErrInvalid", kind, tok, bind, got, err)
	}
}

func TestBindIsUnambiguous(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	tok := s.Seal(1, []byte("x"), "ab", "c")
	refuse(t, s, 1, tok, "a", "bc")
	refuse(t, s, 1, tok, "abc")
	refuse(t, s, 1, tok, "ab", "c", "")
	refuse(t, s, 1, tok)
}

func TestRotation(t *testing.T) {
	t.Parallel()
	old := sealer(t, 1).Seal(1, []byte("x"))
	both := sealer(t, 2, 1)
	if got, err := both.Open(1, old); err != nil || string(got) != "x" {
		t.Errorf("an old token after rotation = %q, %v", got, err)
	}
	if tok := both.Seal(1, []byte("x")); tok != sealer(t, 2).Seal(1, []byte("x")) {
		t.Error("the first key did not seal")
	}
	refuse(t, sealer(t, 2), 1, old)
}

// FuzzOpen holds that nothing opens but what Seal made, in its one spelling.
func FuzzOpen(f *testing.F) {
	s := sealer(f, 1)
	f.Add(byte(1), "", "bucket")
	f.Add(byte(1), s.Seal(1, []byte("key"), "bucket"), "bucket")
	f.Add(byte(2), s.Seal(2, nil), "")
	f.Add(byte(2), strings.Repeat("A", maxLength+4), "")
	f.Fuzz(func(t *testing.T, kind byte, tok, bind string) {
		got, err := s.Open(kind, tok, bind)
		if err != nil {
			return
		}
		if again := s.Seal(kind, got, bind); again != tok {
			t.Errorf("%q and %q both open as %q", tok, again, got)
		}
	})
}
