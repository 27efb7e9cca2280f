// Package versionstest is the suite that every index passes: it holds the
// contracts of router.Records, of overlay.Tombstones and of the versions of objects.
package versionstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// Options tells the suite about the index.
type Options struct {
	// Open returns an empty index; the suite closes it.
	Open func(t testing.TB) versions.Index

	// Reopen closes the index and opens it again with what it had; nil when it
	// does not outlive its process.
	Reopen func(t testing.TB, x versions.Index) versions.Index

	// Slow says that each call takes milliseconds. Everything is tested then, less often.
	Slow bool
}

// slowChecks are how many sequences of random calls a slow index is given.
const slowChecks = 8

// check is rapid.Check with fewer checks of an index that is slow: those that follow do nothing, but
// for what rapid does with one that failed.
func (o Options) check(t rapid.TB, property func(*rapid.T)) {
	done, failed := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if o.Slow && done >= slowChecks && !failed {
			return
		}
		passed := false
		defer func() { failed = failed || !passed }()
		property(rt)
		passed = true
		done++
	})
}

// Run holds the index against its contract.
func Run(t *testing.T, o Options) {
	f := func(name string, test func(*testing.T, versions.Index), explanation string) {
		t.Run(name, func(t *testing.T) {
			x := o.Open(t)
			t.Cleanup(func() {
				if err := x.Close(); err != nil {
					t.Error("Close:", err)
				}
				if t.Failed() {
					t.Log("What this is about:", explanation)
				}
			})
			test(t, x)
		})
	}
	f("RecordRoundTrip", recordRoundTrip, "A record comes back as it was inserted, every field of it.")
	f("InsertIsUnique", insertIsUnique, "A name is inserted once; a second insert is ErrExists and changes nothing.")
	f("OneWinner", oneWinner, "Of many inserts at once exactly one succeeds, and its record is the one that stays.")
	f("DeleteNamesIncarnation", deleteNamesIncarnation, "A late delete must not remove a bucket that was made again since.")
	f("TenantsApart", tenantsApart, "No tenant's records show among another's, whatever the tenants are called.")
	f("ListPages", listPages, "Pages of every size, put together, are the whole list in byte order.")
	f("ValuesAreSetOnce", valuesAreSetOnce, "The first value of a name stays; everybody gets that one.")
	f("SettingsInOrder", settingsInOrder, "The settings with the greatest Seq are in force, every field of them, whenever they came.")
	f("SettingsAreUnique", settingsAreUnique, "An entry of settings is inserted once, and only its bucket's.")
	f("OneSettingsWins", oneSettingsWins, "Of many inserts of an entry of settings exactly one succeeds; who loses reads the winner's.")
	f("EndedContext", endedContext, "A call with an ended context fails and changes nothing.")
	f("HideOnce", hideOnce, "Of many calls that hide a key exactly one reports that it did, and no other key is hidden.")
	f("HiddenKeys", hiddenKeys, "Hidden keys are listed in byte order, from any key, and only their bucket's.")
	f("RowRoundTrip", rowRoundTrip, "A row comes back as it was inserted, every field of it, and belongs to the caller.")
	f("RowIsUnique", rowIsUnique, "A row is inserted once; a second insert is ErrExists and changes nothing.")
	f("OneRowWins", o.oneRowWins, "Of many inserts of a row exactly one succeeds; who loses reads the winner's.")
	f("ObjectsApart", objectsApart, "No object's rows show among another's, whatever buckets and keys are called.")
	f("RowsInOrder", rowsInOrder, "Rows come with the greatest Seq first, in whatever order they were inserted.")
	f("DeleteRows", deleteRows, "A row that is deleted is gone, and all others stay.")
	f("SlotsOnce", slotsOnce, "No number is taken twice, and none is left out.")
	f("SlotsInOrder", slotsInOrder, "Slots are listed by key and number, of any size of page.")
	f("SlotMarks", slotMarks, "The first mark of a slot stays.")
	f("HeadsInRange", o.headsInRange, "Objects are listed in byte order with their top rows, from anywhere, in pages of any size.")
	f("VersionsInRange", o.versionsInRange, "Versions are listed by key, the newest first, with the latest row about each.")
	f("HeadsFollow", headsFollow, "A listing tells the top row, whatever was noted when it was listed before.")
	f("Forget", forget, "Nothing is left of a bucket that is forgotten, and all of any other.")
	f("EndedRows", endedRows, "A call with an ended context fails and changes nothing.")
	f("Protocol", o.protocol, "However many commit at once: no gap, no change lost or twice, and states that follow from the rows.")
	t.Run("RowModel", func(t *testing.T) { rowModel(t, o) })
	t.Run("S3Model", func(t *testing.T) { s3Model(t, o, func() versions.Index { return o.Open(t) }) })
	t.Run("Model", func(t *testing.T) { model(t, o) })
	if o.Reopen != nil {
		t.Run("Durable", func(t *testing.T) { durable(t, o) })
	}
}

// record returns a record with every field set.
func record(tenant, name, id string) router.BucketRecord {
	return router.BucketRecord{
		TenantID: tenant, Name: name, BucketID: id, Owner: "owner of " + id, Region: "eu-central-1",
		Created: time.Date(2026, 11, 24, 3, 50, 0, 123e6, time.UTC),
		Mounts:  []router.Mount{{ID: "main", Backend: "local", Bucket: tenant + "/" + name, Prefix: "p\x00ä/", Own: true}},
	}
}

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want compares what is stored under (tenant, name); nil means nothing.
func want(t testing.TB, x versions.Index, tenant, name string, want *router.BucketRecord) {
	t.Helper()
	got, ok, err := x.GetBucket(t.Context(), tenant, name)
	must(t, err)
	if ok != (want != nil) {
		t.Fatalf("GetBucket(%q, %q) found %v, want %v", tenant, name, ok, want != nil)
	}
	if ok {
		if d := cmp.Diff(*want, got); d != "" {
			t.Fatalf("GetBucket(%q, %q): -want +got\n%s", tenant, name, d)
		}
	}
}

func recordRoundTrip(t *testing.T, x versions.Index) {
	want(t, x, "t", "b", nil)
	r := record("t", "b", "1")
	must(t, x.InsertBucket(t.Context(), r))
	want(t, x, "t", "b", &r)
	got, _, err := x.GetBucket(t.Context(), "t", "b")
	must(t, err)
	got.Mounts[0].Prefix = "changed by the caller"
	want(t, x, "t", "b", &r)
}

func insertIsUnique(t *testing.T, x versions.Index) {
	r := record("t", "b", "1")
	must(t, x.InsertBucket(t.Context(), r))
	if err := x.InsertBucket(t.Context(), record("t", "b", "2")); !errors.Is(err, router.ErrExists) {
		t.Errorf("second insert: %v, want ErrExists", err)
	}
	want(t, x, "t", "b", &r)
}

func oneWinner(t *testing.T, x versions.Index) {
	const racers = 16
	won := make([]bool, racers)
	values := make([]string, racers)
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			err := x.InsertBucket(t.Context(), record("t", "b", fmt.Sprint(i)))
			if won[i] = err == nil; err != nil && !errors.Is(err, router.ErrExists) {
				t.Errorf("racer %d: %v", i, err)
			}
			v, err := x.InsertValue(t.Context(), "name", fmt.Append(nil, i))
			if values[i] = string(v); err != nil {
				t.Errorf("racer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	winner := slices.Index(won, true)
	if winner < 0 || slices.Contains(won[winner+1:], true) {
		t.Fatalf("winners: %v, want one", won)
	}
	r := record("t", "b", fmt.Sprint(winner))
	want(t, x, "t", "b", &r)
	if slices.Sort(values); values[0] != values[racers-1] || values[0] == "" {
		t.Errorf("racers were given the values %q, want one and the same", values)
	}
}

func deleteNamesIncarnation(t *testing.T, x versions.Index) {
	old, now := record("t", "b", "1"), record("t", "b", "2")
	must(t, x.DeleteBucket(t.Context(), old))
	must(t, x.InsertBucket(t.Context(), old))
	must(t, x.DeleteBucket(t.Context(), old))
	want(t, x, "t", "b", nil)
	must(t, x.InsertBucket(t.Context(), now))
	must(t, x.DeleteBucket(t.Context(), old))
	want(t, x, "t", "b", &now)
}

func tenantsApart(t *testing.T, x versions.Index) {
	tenants := []string{"a", "ab", "a-b", "ä", "a\x01", strings.Repeat("a", 255), "b"}
	for _, tenant := range tenants {
		must(t, x.InsertBucket(t.Context(), record(tenant, "bucket", tenant)))
		must(t, x.InsertBucket(t.Context(), record(tenant, "b-bucket", tenant)))
	}
	for _, tenant := range tenants {
		list, err := x.ListBuckets(t.Context(), tenant, "", "", 100)
		must(t, err)
		if d := cmp.Diff([]router.BucketRecord{record(tenant, "b-bucket", tenant), record(tenant, "bucket", tenant)}, list); d != "" {
			t.Errorf("tenant %q: -want +got\n%s", tenant, d)
		}
	}
}

func listPages(t *testing.T, x versions.Index) {
	names := []string{"a", "a-", "a.b", "a0", "aa", "b", "ba", "ÿ", "b\U0010ffff", "b\U0010ffff\U0010ffff"}
	for _, n := range names {
		must(t, x.InsertBucket(t.Context(), record("t", n, n)))
	}
	slices.Sort(names)
	f := func(prefix string, want []string) {
		t.Helper()
		for size := 1; size <= len(names)+1; size++ {
			var got []string
			for after := ""; ; {
				list, err := x.ListBuckets(t.Context(), "t", prefix, after, size)
				must(t, err)
				if len(list) > size || len(got) > len(names) {
					t.Fatalf("prefix %q, pages of %d: a page of %d after %q", prefix, size, len(list), got)
				}
				if len(list) == 0 {
					break
				}
				for i := range list {
					got = append(got, list[i].Name)
				}
				after = got[len(got)-1]
			}
			if !slices.Equal(got, want) {
				t.Errorf("prefix %q, pages of %d: %q, want %q", prefix, size, got, want)
			}
		}
	}
	f("", names)
	f("a", []string{"a", "a-", "a.b", "a0", "aa"})
	f("b\U0010ffff", []string{"b\U0010ffff", "b\U0010ffff\U0010ffff"})
	f("c", nil)
	if list, err := x.ListBuckets(t.Context(), "t", "", "", 0); err != nil || len(list) > 0 {
		t.Errorf("a page of 0 has %d, %v", len(list), err)
	}
	if list, err := x.ListBuckets(t.Context(), "t", "b", "a", 1); err != nil || len(list) != 1 || list[0].Name != "b" {
		t.Errorf("after a name before the prefix: %v, %v", list, err)
	}
}

func valuesAreSetOnce(t *testing.T, x versions.Index) {
	f := func(got []byte, err error, want string) {
		t.Helper()
		if err != nil || string(got) != want || (got == nil) != (want == "") {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	got, err := x.Value(t.Context(), "tokenKeys")
	f(got, err, "")
	got, err = x.InsertValue(t.Context(), "tokenKeys", []byte("one\x00"))
	f(got, err, "one\x00")
	got[0] = 'x'
	got, err = x.InsertValue(t.Context(), "tokenKeys", []byte("two"))
	f(got, err, "one\x00")
	got, err = x.Value(t.Context(), "tokenKeys")
	f(got, err, "one\x00")
	got, err = x.InsertValue(t.Context(), "token", []byte("three"))
	f(got, err, "three")
}

func endedContext(t *testing.T, x versions.Index) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := record("t", "b", "1")
	if err := x.InsertBucket(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("InsertBucket: %v", err)
	}
	want(t, x, "t", "b", nil)
	must(t, x.InsertBucket(t.Context(), r))
	if err := x.DeleteBucket(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("DeleteBucket: %v", err)
	}
	want(t, x, "t", "b", &r)
	if _, _, err := x.GetBucket(ctx, "t", "b"); !errors.Is(err, context.Canceled) {
		t.Errorf("GetBucket: %v", err)
	}
	if _, err := x.ListBuckets(ctx, "t", "", "", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("ListBuckets: %v", err)
	}
	if _, err := x.InsertValue(ctx, "v", []byte("1")); !errors.Is(err, context.Canceled) {
		t.Errorf("InsertValue: %v", err)
	}
	if _, err := x.TopSettings(ctx, "b"); !errors.Is(err, context.Canceled) {
		t.Errorf("TopSettings: %v", err)
	}
	if err := x.InsertSettings(ctx, "b", settings(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("InsertSettings: %v", err)
	}
	topSettings(t, x, "b", router.Settings{})
	if _, err := x.Hide(ctx, "b", "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hide: %v", err)
	}
	if _, err := x.HiddenKeys(ctx, "b", "", "", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("HiddenKeys: %v", err)
	}
	if _, err := x.Hidden(ctx, "b", "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hidden: %v", err)
	}
	if hidden, err := x.Hidden(t.Context(), "b", "k"); err != nil || hidden {
		t.Errorf("hidden by a call that failed: %v, %v", hidden, err)
	}
}

// model runs random operations on the index and on memindex, and compares.
func model(t *testing.T, o Options) {
	o.check(t, func(rt *rapid.T) {
		x, m := o.Open(t), memindex.New()
		defer x.Close() //nolint:errcheck // the other tests look at it
		tenant := rapid.SampledFrom([]string{"a", "b", "ab"})
		name := rapid.StringMatching(`[ab]{1,2}`)
		drawn := func() router.BucketRecord {
			return record(tenant.Draw(rt, "tenant"), name.Draw(rt, "name"), rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "id"))
		}
		same := func(got, want any, err1, err2 error) {
			rt.Helper()
			if d := cmp.Diff(want, got); d != "" || !errors.Is(err1, err2) {
				rt.Fatalf("-want +got\n%s\nerrors: %v, want %v", d, err1, err2)
			}
		}
		ctx := t.Context()
		rt.Repeat(map[string]func(*rapid.T){
			"insert": func(*rapid.T) {
				r := drawn()
				same(nil, nil, x.InsertBucket(ctx, r), m.InsertBucket(ctx, r))
			},
			"delete": func(*rapid.T) {
				r := drawn()
				same(nil, nil, x.DeleteBucket(ctx, r), m.DeleteBucket(ctx, r))
			},
			"list": func(*rapid.T) {
				tenant, prefix, after := tenant.Draw(rt, "tenant"), rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "prefix"), name.Draw(rt, "after")
				limit := rapid.IntRange(0, 4).Draw(rt, "limit")
				got, err1 := x.ListBuckets(ctx, tenant, prefix, after, limit)
				want, err2 := m.ListBuckets(ctx, tenant, prefix, after, limit)
				same(append([]router.BucketRecord{}, got...), append([]router.BucketRecord{}, want...), err1, err2)
			},
			"value": func(*rapid.T) {
				n, v := name.Draw(rt, "name"), []byte(name.Draw(rt, "value"))
				got, err1 := x.InsertValue(ctx, n, v)
				want, err2 := m.InsertValue(ctx, n, v)
				same(got, want, err1, err2)
			},
			"settings": func(*rapid.T) {
				bucket, s := tenant.Draw(rt, "bucket"), settings(rapid.Int64Range(1, 5).Draw(rt, "seq"))
				same(nil, nil, x.InsertSettings(ctx, bucket, s), m.InsertSettings(ctx, bucket, s))
				bucket = tenant.Draw(rt, "read")
				got, err1 := x.TopSettings(ctx, bucket)
				want, err2 := m.TopSettings(ctx, bucket)
				same(got, want, err1, err2)
			},
			"hide": func(*rapid.T) {
				bucket, key := tenant.Draw(rt, "bucket"), name.Draw(rt, "key")
				got, err1 := x.Hide(ctx, bucket, key)
				want, err2 := m.Hide(ctx, bucket, key)
				same(got, want, err1, err2)
			},
			"hidden": func(*rapid.T) {
				bucket, key := tenant.Draw(rt, "bucket"), name.Draw(rt, "key")
				got, err1 := x.Hidden(ctx, bucket, key)
				want, err2 := m.Hidden(ctx, bucket, key)
				same(got, want, err1, err2)
				prefix, limit := rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "prefix"), rapid.IntRange(0, 4).Draw(rt, "limit")
				keys, err1 := x.HiddenKeys(ctx, bucket, prefix, key, limit)
				wantKeys, err2 := m.HiddenKeys(ctx, bucket, prefix, key, limit)
				same(append([]string{}, keys...), append([]string{}, wantKeys...), err1, err2)
			},
		})
	})
}

// durable looks for what was written after the index was opened again.
func durable(t *testing.T, o Options) {
	x := o.Open(t)
	kept, gone := record("t", "kept", "1"), record("t", "gone", "2")
	must(t, x.InsertBucket(t.Context(), kept))
	must(t, x.InsertBucket(t.Context(), gone))
	must(t, x.DeleteBucket(t.Context(), gone))
	_, err := x.InsertValue(t.Context(), "name", []byte("value"))
	must(t, err)

	_, err = x.Hide(t.Context(), "b", "k")
	must(t, err)

	insert(t, x, object, changes()...)
	must(t, x.DeleteRow(t.Context(), object, 1))
	must(t, x.TakeSlot(t.Context(), slot(4)))
	marked, err := x.MarkSlot(t.Context(), slot(4), instant(1))
	must(t, err)

	must(t, x.InsertSettings(t.Context(), "b", settings(1)))
	must(t, x.InsertSettings(t.Context(), "b", settings(2)))

	x = o.Reopen(t, x)
	defer x.Close() //nolint:errcheck // the other tests look at it
	rows, err := x.Rows(t.Context(), object, 0, 10)
	must(t, err)
	if len(rows) != 6 || rows[0].Seq != 7 {
		t.Errorf("%d rows are left: %+v", len(rows), rows)
	}
	if list, err := x.Heads(t.Context(), versions.Range{BucketID: "b", Limit: 10}); err != nil || len(list) != 1 || list[0].Top.Seq != 7 {
		t.Errorf("listed are %+v, %v", list, err)
	}
	lastSlot(t, x, 4)
	if again, err := x.MarkSlot(t.Context(), slot(4), instant(2)); err != nil || !again.Equal(marked) {
		t.Errorf("the slot is marked at %v, %v", again, err)
	}
	topSettings(t, x, "b", settings(2))
	if err := x.InsertSettings(t.Context(), "b", settings(2)); !errors.Is(err, router.ErrExists) {
		t.Errorf("an entry of settings that is there: %v, want ErrExists", err)
	}
	want(t, x, "t", "kept", &kept)
	want(t, x, "t", "gone", nil)
	if v, err := x.Value(t.Context(), "name"); err != nil || string(v) != "value" {
		t.Errorf("Value = %q, %v", v, err)
	}
	if hidden, err := x.Hidden(t.Context(), "b", "k"); err != nil || !hidden {
		t.Errorf("Hidden = %v, %v", hidden, err)
	}
}
