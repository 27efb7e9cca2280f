package versions

import (
	"math"
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/s3err"
)

func TestVersionID(t *testing.T) {
	t.Parallel()
	f := func(id VersionID, want string) {
		t.Helper()
		if got := id.String(); got != want {
			t.Errorf("%+v is %q, want %q", id, got, want)
		}
		if id.Null {
			id = VersionID{Null: true}
		}
		if got, err := ParseVersionID(want); err != nil || got != id {
			t.Errorf("%q is %+v, %v; want %+v", want, got, err, id)
		}
	}
	f(VersionID{}, "00000000000000000000000000")
	f(VersionID{N: 1}, "00000000000020000000000000")
	f(VersionID{N: math.MaxInt64, Nonce: math.MaxUint64}, "fvvvvvvvvvvvvvvvvvvvvvvvvs")
	f(VersionID{N: -1, Nonce: 0}, "vvvvvvvvvvvvu0000000000000")
	f(NullVersionID(7), "null")
	if name := (VersionID{N: 1, Null: true}).Name(); name != (VersionID{N: 1}).String() {
		t.Errorf("a null version's body is marked %q", name)
	}

	bad := func(s string) {
		t.Helper()
		if id, err := ParseVersionID(s); !s3err.Is(err, s3err.InvalidArgument) {
			t.Errorf("%q is %+v, %v", s, id, err)
		}
	}
	bad("")
	bad("Null")
	bad("NULL")
	bad(strings.Repeat("0", 25))
	bad(strings.Repeat("0", 27))
	bad(strings.Repeat("0", 25) + "1")  // a bit too many
	bad("A" + strings.Repeat("0", 25))  // another case
	bad("w" + strings.Repeat("0", 25))  // no digit
	bad(strings.Repeat("0", 26) + "\n") // which base32 would not mind
	if a, b := NewVersionID(0), NewVersionID(0); a == b {
		t.Error("two IDs have one nonce")
	}
}

// TestRequestedVersionID: what another S3 may have given out is no version; what nobody gives out is malformed.
func TestRequestedVersionID(t *testing.T) {
	t.Parallel()
	f := func(s, want string) {
		t.Helper()
		id, err := RequestedVersionID(s)
		switch got := ""; {
		case err != nil:
			if got = "malformed"; got != want {
				t.Errorf("%q: %v", s, err)
			}
		case id.N == foreign:
			if got = "nobody's"; got != want || id.Null {
				t.Errorf("%q: %+v", s, id)
			}
		case want != "ours" || id.String() != s:
			t.Errorf("%q: %+v", s, id)
		}
	}
	f("null", "ours")
	f(NewVersionID(7).String(), "ours")
	f("L4kqtJlcpXroDTDmpUMLUo", "malformed")
	f("3sL4kqtJlcpXroDTDmpUMLUo.rmdf_-x", "nobody's") // as AWS has them
	f("01BX5ZZKBKACTAV9WEVGEMMVRZ", "nobody's")
	f("8a3bcb0e-5c9f-4a37-9b11-1f2e3d4c5b6a", "nobody's")
	f(strings.ToUpper(NewVersionID(7).String()), "nobody's")
	for _, s := range []string{"", "NULL", "invalid_version_id", "../../secret.txt/../../secret", strings.Repeat("a", 65), strings.Repeat("é", 30), NewVersionID(7).String() + "\n"} {
		f(s, "malformed")
	}
}

func TestVersionIDNames(t *testing.T) {
	t.Parallel()
	f := func(id, of VersionID, want bool) {
		t.Helper()
		if got := id.Names(&Version{ID: of}); got != want {
			t.Errorf("%+v names %+v: %v", id, of, got)
		}
	}
	f(VersionID{N: 1, Nonce: 2}, VersionID{N: 1, Nonce: 2}, true)
	f(VersionID{N: 1, Nonce: 2}, VersionID{N: 1, Nonce: 3}, false)
	f(VersionID{N: 1, Nonce: 2}, VersionID{N: 1, Nonce: 2, Null: true}, false)
	f(VersionID{N: 1, Nonce: 2, Null: true}, VersionID{N: 1, Nonce: 2}, false)
	f(VersionID{Null: true}, NullVersionID(5), true)
	f(VersionID{}, NullVersionID(0), false)
}

// FuzzVersionID holds that one version has one name.
func FuzzVersionID(f *testing.F) {
	f.Add("null")
	f.Add(NewVersionID(3).String())
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseVersionID(s)
		if err == nil && (id.String() != s || id.N < 0) {
			t.Errorf("%q is %+v, which is %q", s, id, id)
		}
	})
}
