package versionstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/versions"
)

// object is the one that most tests use.
var object = versions.Object{BucketID: "b", Key: "k"}

// oddKeys are in byte order, and hard to keep apart from one another, and from what may follow them.
var oddKeys = []string{
	"\x00", "\x00\x00", "\x00\x01", "a", "a\x00", "a\x00\x00", "a\x00\x01", "a\x01", "a/", "a/\x00", "a/b", "a0", "b",
	"k", "ü/ä", "\u00ff", "\u00ff\x00", "\U0010ffff", "\U0010ffff\U0010ffff", strings.Repeat("\U0010ffff", 256),
}

// oddBuckets are hard to keep apart.
var oddBuckets = []string{"b", "b\x01", "bb", "", strings.Repeat("b", 200)}

// instant is a time as rows have it.
func instant(ms int64) time.Time { return time.UnixMilli(1_790_000_000_000 + ms).UTC() }

// fullVersion returns a version with every field set but Marker.
func fullVersion(n int64) versions.Version {
	return versions.Version{
		ID:           versions.VersionID{N: n, Nonce: 1<<63 + uint64(n), Null: true},
		Time:         instant(n),
		By:           versions.By{Operation: "PutObject", AccessKey: "AK", UserID: "u", TenantID: "t\x00"},
		Size:         5 << 40,
		ETag:         `"d41d8cd98f00b204e9800998ecf8427e-3"`,
		StorageClass: types.StorageClassGlacier,
		Checksum:     backends.Checksum{Algorithm: types.ChecksumAlgorithmCrc64nvme, Type: types.ChecksumTypeFullObject, Value: "AAAAAAAAAAA="},
		Parts:        3,
		UploadID:     "upload",
		Redirect:     "/elsewhere",
		Tags:         []versions.Tag{{Key: "k", Value: "v"}, {Key: "empty"}},
		Retention:    versions.Retention{Mode: types.ObjectLockRetentionModeGovernance, Until: instant(1e9)},
		LegalHold:    true,
		LegalHoldOff: true,
		Encryption:   versions.Encryption{Algorithm: types.ServerSideEncryptionAwsKms, KMSKeyID: "key", BucketKey: true, Customer: true},
	}
}

// fullRow returns a row with every field set.
func fullRow(seq int64) versions.Row {
	current := fullVersion(seq + 1000)
	return versions.Row{
		Seq: seq, Time: instant(seq), Kind: versions.KindPut, By: versions.By{Operation: "o", AccessKey: "a", UserID: "u", TenantID: "t"},
		Version: fullVersion(seq), Replaced: versions.Ref{N: 1, Time: instant(1)},
		State: versions.State{Current: &current, Null: versions.Ref{N: 2, Time: instant(2)}, NullGone: true, NextN: 7},
	}
}

// same compares what an index gave with what it should have given.
func same(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// stateless is a row as Find gives it, whether it has its State or not.
func stateless(r versions.Row) versions.Row {
	r.State = versions.State{}
	return r
}

// insert inserts rows.
func insert(t testing.TB, x versions.Index, o versions.Object, rows ...versions.Row) {
	t.Helper()
	must(t, x.InsertKey(t.Context(), o))
	for _, r := range rows {
		must(t, x.InsertRow(t.Context(), o, r))
	}
}

func rowRoundTrip(t *testing.T, x versions.Index) {
	top, err := x.Top(t.Context(), object)
	must(t, err)
	same(t, top, versions.Row{})
	r := fullRow(3)
	insert(t, x, object, r)
	for range 2 {
		top, err = x.Top(t.Context(), object)
		must(t, err)
		same(t, top, fullRow(3))
		top.Version.Tags[0].Key = "changed by the caller"
		top.State.Current.ETag = "changed by the caller"
		r.State.Current.ETag = "changed by who inserted it"
	}
	found, err := x.Find(t.Context(), object, 3)
	must(t, err)
	same(t, stateless(found), stateless(fullRow(3)))
	list, err := x.Rows(t.Context(), object, 0, 10)
	must(t, err)
	same(t, list, []versions.Row{fullRow(3)})

	lean := versions.Row{Seq: 4, Time: instant(4), Kind: versions.KindRemove, Version: versions.Version{Time: instant(4), Marker: true}}
	insert(t, x, object, lean)
	top, err = x.Top(t.Context(), object)
	must(t, err)
	same(t, top, lean)
}

func rowIsUnique(t *testing.T, x versions.Index) {
	insert(t, x, object, fullRow(1), fullRow(2))
	other := fullRow(1)
	other.Version = fullVersion(9)
	for _, seq := range []int64{1, 2} {
		if other.Seq = seq; !errors.Is(x.InsertRow(t.Context(), object, other), versions.ErrExists) {
			t.Errorf("row %d could be inserted again", seq)
		}
	}
	list, err := x.Rows(t.Context(), object, 0, 10)
	must(t, err)
	same(t, list, []versions.Row{fullRow(2), fullRow(1)})
	if r, err := x.Find(t.Context(), object, 9); err != nil || r.Seq != 0 {
		t.Errorf("a row that was refused is found: %+v, %v", r, err)
	}
}

func (o Options) oneRowWins(t *testing.T, x versions.Index) {
	const racers = 16
	rounds := int64(20)
	if o.Slow {
		rounds = 5
	}
	must(t, x.InsertKey(t.Context(), object))
	for seq := int64(1); seq <= rounds; seq++ {
		var winner atomic.Int64
		var wg sync.WaitGroup
		for i := range int64(racers) {
			wg.Go(func() {
				r := versions.Row{Seq: seq, Time: instant(seq), Version: versions.Version{ID: versions.VersionID{N: seq*100 + i}, Time: instant(seq)}}
				switch err := x.InsertRow(t.Context(), object, r); {
				case err == nil && !winner.CompareAndSwap(0, r.Version.ID.N):
					t.Errorf("row %d has two winners", seq)
				case err != nil && !errors.Is(err, versions.ErrExists):
					t.Error(err)
				case err != nil: // The winner's row can be read by who has lost.
					if top, err := x.Top(t.Context(), object); err != nil || top.Seq != seq {
						t.Errorf("row %d exists, and the top row is %d, %v", seq, top.Seq, err)
					}
				}
			})
		}
		wg.Wait()
		top, err := x.Top(t.Context(), object)
		must(t, err)
		if top.Seq != seq || top.Version.ID.N != winner.Load() {
			t.Fatalf("the top row is %d of %d; %d of %d has won", top.Seq, top.Version.ID.N, seq, winner.Load())
		}
	}
}

func objectsApart(t *testing.T, x versions.Index) {
	for i, bucketID := range oddBuckets {
		for j, key := range oddKeys {
			r := fullRow(1)
			r.Version.ID.N = int64(i*100 + j)
			insert(t, x, versions.Object{BucketID: bucketID, Key: key}, r)
		}
	}
	for i, bucketID := range oddBuckets {
		for j, key := range oddKeys {
			o := versions.Object{BucketID: bucketID, Key: key}
			list, err := x.Rows(t.Context(), o, 0, 10)
			must(t, err)
			if len(list) != 1 || list[0].Version.ID.N != int64(i*100+j) {
				t.Errorf("%q has %d rows: %+v", o, len(list), list)
			}
			if r, err := x.Find(t.Context(), o, int64(i*100+j+1)); err != nil || r.Seq != 0 {
				t.Errorf("another's version is found in %q: %+v, %v", o, r, err)
			}
		}
	}
}

// changes is the log of an object with three versions: rows about each, in order of Seq.
func changes() []versions.Row {
	rows := make([]versions.Row, 7)
	for i, about := range []int64{0, 1, 0, 2, 1, 2, 2} {
		rows[i] = fullRow(int64(i) + 1)
		rows[i].Version = fullVersion(about * 10)
		if rows[i].Kind = versions.KindAmend; slices.Contains([]int{0, 1, 3}, i) {
			rows[i].Kind = versions.KindPut
		}
		rows[i].Version.ETag = fmt.Sprint("as of row ", i+1)
	}
	return rows
}

func rowsInOrder(t *testing.T, x versions.Index) {
	rows := changes()
	insert(t, x, object, rows[0], rows[1], rows[2], rows[5], rows[3], rows[4], rows[6]) // as a loader may
	slices.Reverse(rows)
	f := func(before int64, limit int, want []versions.Row) {
		t.Helper()
		list, err := x.Rows(t.Context(), object, before, limit)
		must(t, err)
		if len(list) > 0 || len(want) > 0 {
			same(t, list, want)
		}
	}
	f(0, 10, rows)
	f(0, 7, rows)
	f(0, 3, rows[:3])
	f(0, 0, nil)
	f(7, 10, rows[1:])
	f(100, 10, rows)
	f(3, 1, rows[5:6])
	f(1, 10, nil)
	find := func(n, seq int64) {
		t.Helper()
		r, err := x.Find(t.Context(), object, n)
		must(t, err)
		if r.Seq != seq {
			t.Errorf("the latest row about %d is %d, want %d", n, r.Seq, seq)
		}
	}
	find(0, 3)
	find(10, 5)
	find(20, 7)
	find(30, 0)
}

func deleteRows(t *testing.T, x versions.Index) {
	rows := changes()
	insert(t, x, object, rows...)
	f := func(seq int64, want ...int64) {
		t.Helper()
		must(t, x.DeleteRow(t.Context(), object, seq))
		must(t, x.DeleteRow(t.Context(), object, seq))
		list, err := x.Rows(t.Context(), object, 0, 10)
		must(t, err)
		var seqs []int64
		for _, r := range list {
			seqs = append(seqs, r.Seq)
		}
		if !slices.Equal(seqs, want) {
			t.Errorf("rows %d, want %d", seqs, want)
		}
	}
	f(1, 7, 6, 5, 4, 3, 2)
	if r, err := x.Find(t.Context(), object, 0); err != nil || r.Seq != 3 {
		t.Errorf("the latest row about 0 is %d, %v", r.Seq, err)
	}
	f(2, 7, 6, 5, 4, 3)
	f(5, 7, 6, 4, 3) // the last about 10
	if r, err := x.Find(t.Context(), object, 10); err != nil || r.Seq != 0 {
		t.Errorf("what has no row is found in row %d, %v", r.Seq, err)
	}
	f(6, 7, 4, 3)
	f(4, 7, 3)
	f(99, 7, 3)
	if top, err := x.Top(t.Context(), object); err != nil || top.Seq != 7 {
		t.Errorf("the top row is %d, %v", top.Seq, err)
	}
	list, err := x.Versions(t.Context(), versions.Range{BucketID: "b", Limit: 10})
	must(t, err)
	if len(list) != 2 || list[0].Seq != 7 || list[1].Seq != 3 {
		t.Errorf("listed are %+v", list)
	}
}

// endedRows is endedContext for the index of versions.
func endedRows(t *testing.T, x versions.Index) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := versions.Slot{Object: object}
	all := versions.Range{BucketID: "b", Limit: 1}
	f := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("InsertRow", x.InsertRow(ctx, object, fullRow(1)))
	f("TakeSlot", x.TakeSlot(ctx, s))
	f("DeleteRow", x.DeleteRow(ctx, object, 1))
	f("InsertKey", x.InsertKey(ctx, object))
	f("Forget", x.Forget(ctx, "b"))
	_, err := x.Top(ctx, object)
	f("Top", err)
	_, err = x.Find(ctx, object, 1)
	f("Find", err)
	_, err = x.Rows(ctx, object, 0, 1)
	f("Rows", err)
	_, err = x.LastSlot(ctx, object)
	f("LastSlot", err)
	_, err = x.Slots(ctx, s, 1)
	f("Slots", err)
	_, err = x.MarkSlot(ctx, s, instant(1))
	f("MarkSlot", err)
	_, err = x.Marked(ctx, s)
	f("Marked", err)
	f("DeleteSlot", x.DeleteSlot(ctx, s))
	_, err = x.Heads(ctx, all)
	f("Heads", err)
	_, err = x.Versions(ctx, all)
	f("Versions", err)
	if top, err := x.Top(t.Context(), object); err != nil || top.Seq != 0 {
		t.Errorf("a call that failed inserted %+v, %v", top, err)
	}
	if n, err := x.LastSlot(t.Context(), object); err != nil || n != -1 {
		t.Errorf("a call that failed took slot %d, %v", n, err)
	}
}
