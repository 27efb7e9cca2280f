package s3api

import (
	"strings"
	"testing"
	"time"
)

// TestCutView: what is a name of a view, and what is only like one.
func TestCutView(t *testing.T) {
	t.Parallel()
	f := func(name, bucket, asOf string) {
		t.Helper()
		b, at, ok := cutView(name)
		if ok != (asOf != "") || ok && (b != bucket || at.Format(time.RFC3339Nano) != asOf) {
			t.Errorf("%q: %q, %v, %v", name, b, at, ok)
		}
	}
	f("b.at.20261123T101500Z", "b", "2026-11-23T10:15:00Z")
	f("b.at.20261123t101500z", "b", "2026-11-23T10:15:00Z")
	f("b.at.20240229T235959Z", "b", "2024-02-29T23:59:59Z")
	f("b.at.x.at.20261123T101500Z", "b.at.x", "2026-11-23T10:15:00Z")
	f("b.at.20261122T101500Z.at.20261123T101500Z", "b.at.20261122T101500Z", "2026-11-23T10:15:00Z")
	f("b", "", "")
	f(".at.20261123T101500Z", "", "")
	f("b.at.", "", "")
	f("b.at.20261123T101500", "", "")
	f("b.at.20261123T101500Z ", "", "")
	f("b.at.20261123T1015Z", "", "")
	f("b.at.20261123T101500.5Z", "", "")
	f("b.at.20261123 101500Z", "", "")
	f("b.at.20261123T101500X", "", "")
	f("b.at.20261123T101560Z", "", "")
	f("b.at.20261123T241500Z", "", "")
	f("b.at.20260229T101500Z", "", "")
	f("b.at.00010101T000000Z", "", "") // The zero time means now.
	f("b.AT.20261123T101500Z", "", "")
	f("bat.20261123T101500Z", "", "")
}

// FuzzCutView: what is taken apart can be put together again, but for the case of letters.
func FuzzCutView(f *testing.F) {
	f.Add("b.at.20261123T101500Z")
	f.Add("b.at.20261123t101500z")
	f.Add("b.at.20261123T101500.5")
	f.Fuzz(func(t *testing.T, name string) {
		bucket, asOf, ok := cutView(name)
		if !ok {
			return
		}
		if again := bucket + viewMark + asOf.Format(viewLayout); !strings.EqualFold(again, name) || bucket == "" || asOf.IsZero() {
			t.Errorf("%q: %q", name, again)
		}
	})
}
