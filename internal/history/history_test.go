package history

import (
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/versions"
)

// log is that of a key, to which operations add rows.
type log []versions.Row

// add adds the row of an operation.
func (l *log) add(o *Op, n int64) versions.VersionID {
	id := versions.NewVersionID(n)
	*l = append(*l, versions.Row{
		Seq: int64(len(*l)) + 1, By: versions.By{AccessKey: o.Name},
		Version: versions.Version{ID: id, ETag: ETagOf(o.In.Value), Marker: o.In.Kind == Delete},
	})
	return id
}

// TestHistory: what was answered must be seen by all that begins later, and seen once; what was not answered may be
// seen at any time from then on, or never.
func TestHistory(t *testing.T) {
	f := func(want string, does func(h *History, l *log)) {
		t.Helper()
		h, l := New(), log{}
		does(h, &l)
		h.Resolve([][]versions.Row{l})
		if got := h.Verdict(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("found %q, want %q%s", got, want, h.Explain())
		}
	}
	put := func(h *History, value string) *Op {
		o := h.Begin(Put, "k")
		o.In.Value = value
		h.Knows(ETagOf(value), value)
		return o
	}
	done := func(o *Op, id versions.VersionID) {
		o.Out.ID, o.Out.ETag = id.String(), ETagOf(o.In.Value)
		o.Done()
	}
	get := func(h *History, id versions.VersionID, value string) {
		o := h.Begin(Get, "k")
		if o.Out.ID, o.Out.Value = id.String(), value; value == "" {
			o.Out.ID, o.Out.Code = "", "NoSuchKey"
		}
		o.Done()
	}
	const illegal = "the history is not linearizable"
	f("", func(h *History, l *log) {
		o := put(h, "one")
		id := l.add(o, 0)
		done(o, id)
		get(h, id, "one")
	})
	f(illegal, func(h *History, l *log) { // forgotten
		o := put(h, "one")
		done(o, l.add(o, 0))
		get(h, versions.VersionID{}, "")
	})
	f(illegal, func(h *History, _ *log) { // answered, and not in the log
		o := put(h, "one")
		done(o, versions.NewVersionID(0))
	})
	f("", func(h *History, l *log) { // not answered, and seen late
		o := put(h, "one")
		o.Failed()
		get(h, versions.VersionID{}, "")
		get(h, l.add(o, 0), "one")
	})
	f("", func(h *History, _ *log) { // not answered, and never seen
		put(h, "one").Failed()
		get(h, versions.VersionID{}, "")
	})
	f(illegal, func(h *History, l *log) { // seen, and then not
		o := put(h, "one")
		o.Failed()
		get(h, l.add(o, 0), "one")
		get(h, versions.VersionID{}, "")
	})
	f("has two rows", func(h *History, l *log) {
		o := put(h, "one")
		l.add(o, 0)
		done(o, l.add(o, 1))
	})
	f("InternalError", func(h *History, _ *log) {
		o := h.Begin(Get, "k")
		o.Out.Code = "InternalError"
		o.Done()
	})
}
