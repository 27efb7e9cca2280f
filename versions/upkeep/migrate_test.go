package upkeep_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// migration is one between two indexes that nobody else uses.
func migration(from, to versions.Index, c upkeep.Contents) upkeep.Migration {
	return upkeep.Migration{
		From: upkeep.Target{Index: from, Name: "the old one", Sign: "tokenKeys"}, To: upkeep.Target{Index: to, Name: "the new one", Sign: "tokenKeys"},
		Contents: func(context.Context) (upkeep.Contents, error) { return c, nil },
	}
}

// breaking is an index that fails from its nth change on.
type breaking struct {
	versions.Index
	left int
	rows int // that were to be inserted
}

// newBreaking returns one that does not fail yet.
func newBreaking(x versions.Index) *breaking { return &breaking{Index: x, left: never} }

// never is so many changes that they do not come.
const never = 1 << 30

// errBreaking is its failure.
var errBreaking = errors.New("the index fails")

// change counts one.
func (x *breaking) change() error {
	if x.left--; x.left < 0 {
		return errBreaking
	}
	return nil
}

// InsertValue implements versions.Index.
func (x *breaking) InsertValue(ctx context.Context, name string, value []byte) ([]byte, error) {
	if err := x.change(); err != nil {
		return nil, err
	}
	return x.Index.InsertValue(ctx, name, value)
}

// TakeSlot implements versions.Index.
func (x *breaking) TakeSlot(ctx context.Context, s versions.Slot) error {
	if err := x.change(); err != nil {
		return err
	}
	return x.Index.TakeSlot(ctx, s)
}

// InsertRow implements versions.Index.
func (x *breaking) InsertRow(ctx context.Context, o versions.Object, r versions.Row) error {
	if err := x.change(); err != nil {
		return err
	}
	x.rows++
	return x.Index.InsertRow(ctx, o, r)
}

// state is what an index may be used for.
func state(t *testing.T, x versions.Index) versions.Notice {
	t.Helper()
	last, err := versions.LastNotice(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// isEmpty reports whether nothing was copied into an index.
func isEmpty(t *testing.T, x versions.Index) bool {
	t.Helper()
	keys, err := x.Value(t.Context(), "tokenKeys")
	if err != nil {
		t.Fatal(err)
	}
	return keys == nil
}

// refused holds that an error says something.
func refused(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v; want %q", err, want)
	}
}

// TestMigrateBroken breaks off a migration at each change of the new index, and of the old one. At no time both can be used;
// done again it goes on, without the objects that were copied, and ends with an equal index.
func TestMigrateBroken(t *testing.T) {
	t.Parallel()
	f := func(oldBreaks, newBreaks int) (ended bool) {
		t.Helper()
		k, c := filled(t)
		want := dump(t, k.Index, c)
		from, to := newBreaking(k.Index), newBreaking(memindex.New())
		from.left, to.left = oldBreaks, newBreaks
		_, err := migration(from, to, c).Run(t.Context())
		ended = err == nil
		if !ended && !errors.Is(err, errBreaking) {
			t.Fatal(err)
		}
		from.left, to.left = never, never
		if state(t, from).Writes() == nil && !isEmpty(t, to) {
			t.Error("the old index is changed, and something of it was copied")
		}
		if open := state(t, to).Reads() == nil; open && !isEmpty(t, to) && state(t, from).Reads() == nil || ended && !open {
			t.Errorf("the new index is open: %v; the old one: %v; ended: %v", open, state(t, from), ended)
		}
		if ended {
			_, err := migration(from, to, c).Run(t.Context())
			refused(t, err, "was migrated to the new one")
		} else if _, err := migration(from, to, c).Run(t.Context()); err != nil {
			t.Errorf("done again: %v", err)
		}
		if state(t, from).Reads() == nil || state(t, to).Writes() != nil {
			t.Errorf("in the end: %v, %v", state(t, from), state(t, to))
		}
		if diff := gocmp.Diff(want, dump(t, to.Index, c)); diff != "" {
			t.Errorf("the new index (-want +got):\n%s", diff)
		}
		// Rows of the object at which it was broken off may be copied twice: of one there are four.
		if to.rows > 8+4 {
			t.Errorf("%d rows were copied", to.rows)
		}
		return ended
	}
	for n, ended := 0, false; !ended; n++ {
		ended = f(n, never)
	}
	for n, ended := 0, false; !ended; n++ {
		ended = f(never, n)
	}
}

// TestMigrateRefused: an index that was in use is not filled, one that is not whole is not copied, and two never are open.
func TestMigrateRefused(t *testing.T) {
	t.Parallel()
	k, c := filled(t)
	ctx := t.Context()
	used := memindex.New()
	if _, err := used.InsertValue(ctx, "tokenKeys", []byte("k")); err != nil {
		t.Fatal(err)
	}
	_, err := migration(k.Index, used, c).Run(ctx)
	refused(t, err, "the new one: it is in use, or was")
	if err := state(t, k.Index).Writes(); err != nil {
		t.Errorf("after a refusal: %v", err)
	}

	// One that was broken off, and then done with another new index, does not go on with the first.
	first, second := newBreaking(memindex.New()), memindex.New()
	first.left = 5
	_, err = migration(k.Index, first, c).Run(ctx)
	refused(t, err, errBreaking.Error())
	first.left = never
	_, err = migration(first, memindex.New(), c).Run(ctx)
	refused(t, err, "has not got all of the old one")
	refused(t, upkeep.Reopen(ctx, first, true), "cannot be used as it is")
	if _, err := migration(k.Index, second, c).Run(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = migration(k.Index, first, c).Run(ctx)
	refused(t, err, "was migrated to the new one")
	if state(t, first).Reads() == nil {
		t.Error("an index that has not all is open")
	}
	_, err = migration(second, k.Index, c).Run(ctx)
	refused(t, err, "in use, or was") // Back, into what is out of date.
}

// TestReopen: a migration that was broken off can be given up, and does not end then.
func TestReopen(t *testing.T) {
	t.Parallel()
	k, c := filled(t)
	ctx := t.Context()
	m := migration(k.Index, memindex.New(), c)
	m.Contents = func(ctx context.Context) (upkeep.Contents, error) { return c, upkeep.Reopen(ctx, k.Index, false) }
	_, err := m.Run(ctx)
	refused(t, err, "something else has begun with it meanwhile")
	if err := state(t, k.Index).Writes(); err != nil {
		t.Error(err)
	}
	if state(t, m.To.Index).Reads() == nil {
		t.Error("both are open")
	}
	if _, err := migration(k.Index, memindex.New(), c).Run(ctx); err != nil {
		t.Fatal(err)
	}
	refused(t, upkeep.Reopen(ctx, k.Index, false), "--moved")
	if err := errors.Join(upkeep.Reopen(ctx, k.Index, true), state(t, k.Index).Writes()); err != nil {
		t.Error(err)
	}
	if err := upkeep.Reopen(ctx, k.Index, false); err != nil { // There is nothing to do.
		t.Error(err)
	}
}

// TestFill: while a dump is loaded nobody uses the index. One that is not whole stays so, unless it was in use before.
func TestFill(t *testing.T) {
	t.Parallel()
	k, c := filled(t)
	text := dump(t, k.Index, c)
	f := func(x versions.Index, text string) error {
		t.Helper()
		_, err := upkeep.Target{Index: x, Sign: "tokenKeys"}.Fill(t.Context(), func() (upkeep.Copied, error) {
			if state(t, x).Reads() == nil {
				t.Error("it may be used meanwhile")
			}
			return upkeep.Load(t.Context(), x, strings.NewReader(text), nil)
		}, nil)
		return err
	}
	x := memindex.New()
	refused(t, f(x, text[:len(text)-10]), "cannot be read")
	if state(t, x).Reads() == nil {
		t.Error("a part of it may be used")
	}
	if err := errors.Join(f(x, text), state(t, x).Writes()); err != nil {
		t.Error(err)
	}
	refused(t, f(x, text[:len(text)-10]), "cannot be read")
	if err := state(t, x).Writes(); err != nil {
		t.Errorf("it was in use, and is not any more: %v", err)
	}
	if diff := gocmp.Diff(text, dump(t, x, c)); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	if _, err := migration(x, memindex.New(), c).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(t, f(x, text), "was migrated to")
}
