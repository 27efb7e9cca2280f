package versions

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/backends"
)

// drawTime draws times as rows have them.
var drawTime = rapid.Map(rapid.Int64Range(-1<<40, 1<<45), func(ms int64) time.Time { return time.UnixMilli(ms).UTC() })

// drawBy draws somebody.
var drawBy = rapid.Custom(func(t *rapid.T) By {
	s := rapid.SampledFrom([]string{"", "a", "ä\x00"})
	return By{s.Draw(t, "operation"), s.Draw(t, "key"), s.Draw(t, "user"), s.Draw(t, "tenant")}
})

// drawVersion draws versions with any of their fields.
var drawVersion = rapid.Custom(func(t *rapid.T) Version {
	s := rapid.SampledFrom([]string{"", "x", `"d41d8cd98f00b204e9800998ecf8427e"`, "\xff"})
	v := Version{
		ID:           VersionID{rapid.Int64Range(0, math.MaxInt64).Draw(t, "n"), rapid.Uint64().Draw(t, "nonce"), rapid.Bool().Draw(t, "null")},
		Time:         drawTime.Draw(t, "time"),
		By:           drawBy.Draw(t, "by"),
		Marker:       rapid.Bool().Draw(t, "marker"),
		Size:         rapid.Int64Range(0, math.MaxInt64).Draw(t, "size"),
		ETag:         s.Draw(t, "etag"),
		StorageClass: types.StorageClass(s.Draw(t, "class")),
		Checksum:     backends.Checksum{Algorithm: types.ChecksumAlgorithm(s.Draw(t, "algorithm")), Type: types.ChecksumType(s.Draw(t, "type")), Value: s.Draw(t, "value")},
		Parts:        rapid.Int32Range(0, 10_000).Draw(t, "parts"),
		UploadID:     s.Draw(t, "upload"),
		Redirect:     s.Draw(t, "redirect"),
		LegalHold:    rapid.Bool().Draw(t, "hold"),
		LegalHoldOff: rapid.Bool().Draw(t, "hold off"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "tags") {
		v.Tags = append(v.Tags, Tag{Key: s.Draw(t, "tag"), Value: s.Draw(t, "value")})
	}
	if rapid.Bool().Draw(t, "retained") {
		v.Retention = Retention{types.ObjectLockRetentionModeCompliance, drawTime.Draw(t, "until")}
	}
	return v
})

// drawRow draws rows with any of their fields.
var drawRow = rapid.Custom(func(t *rapid.T) Row {
	ref := rapid.Custom(func(t *rapid.T) Ref {
		return Ref{rapid.Int64Range(0, 9).Draw(t, "n"), drawTime.Draw(t, "time")}
	})
	r := Row{
		Seq: rapid.Int64Range(1, math.MaxInt64).Draw(t, "seq"), Time: drawTime.Draw(t, "time"),
		Kind: Kind(rapid.IntRange(1, 4).Draw(t, "kind")), By: drawBy.Draw(t, "by"), Version: drawVersion.Draw(t, "version"),
	}
	r.State.NullGone, r.State.NextN = rapid.Bool().Draw(t, "gone"), rapid.Int64Range(0, 9).Draw(t, "next")
	if rapid.Bool().Draw(t, "has null") {
		r.Replaced, r.State.Null = ref.Draw(t, "replaced"), ref.Draw(t, "null")
	}
	switch current := r.Version; rapid.IntRange(0, 3).Draw(t, "current") {
	case 1:
		r.State.Current = &current
	case 2:
		current.LegalHold = !current.LegalHold
		r.State.Current = &current
	case 3:
		current = drawVersion.Draw(t, "other")
		r.State.Current = &current
	}
	return r
})

func TestEncode(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := drawRow.Draw(t, "row")
		got, err := DecodeRow(r.Encode())
		if d := cmp.Diff(r, got); d != "" || err != nil {
			t.Fatalf("%v, -want +got\n%s", err, d)
		}
	})
}

// TestEncodeStays holds bytes that were written once: they are on disks.
func TestEncodeStays(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_790_000_000_000).UTC()
	r := Put(Row{}, Version{ID: VersionID{N: 3, Nonce: 4}, Size: 5, ETag: `"e"`, By: By{Operation: "PutObject", AccessKey: "AK"}}, at)
	const want = "\x01\x01\x01\x02\x02\x06\x80\xb0\x83\xc5\x98h\x03\x01\x02\x04\x0f\x01\tPutObject\x02\x02AK" +
		"\x05'\x01\x01\x06\x02\x01\b\x04\x06\x80\xb0\x83\xc5\x98h\x05\x0f\x01\tPutObject\x02\x02AK\a\x01\n\b\x03\"e\"\b\x00\v\x01\b"
	if got := string(r.Encode()); got != want {
		t.Errorf("got %q", got)
	}
	if got, err := DecodeRow([]byte(want + "\xfe\x01x")); err != nil || cmp.Diff(r, got) != "" {
		t.Errorf("with a field of a later version: %+v, %v", got, err)
	}
}

// FuzzDecodeRow holds that damaged rows are errors, and that what is read is written again as it is.
func FuzzDecodeRow(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{rowFormat + 1})
	f.Add(Put(Row{}, Version{Tags: []Tag{{Key: "k", Value: "v"}}}, time.Unix(0, 0)).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRow(b)
		if err != nil {
			return
		}
		again, err := DecodeRow(r.Encode())
		if err != nil || !bytes.Equal(again.Encode(), r.Encode()) {
			t.Errorf("%q: %+v, then %+v, %v", b, r, again, err)
		}
	})
}
