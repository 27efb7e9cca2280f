package mongoindex

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/internal/mongoserver"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/versionstest"
)

// databases counts those that were made, each with a name of its own.
var databases atomic.Int64

// newDatabase names one.
func newDatabase() string { return fmt.Sprintf("xronox-test-%x-%d", rand.Uint32(), databases.Add(1)) }

// open opens an index.
func open(t testing.TB, o Options) *Index {
	t.Helper()
	x, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// openNew opens an index in a database of its own, which goes with the test.
func openNew(t testing.TB, o Options) *Index {
	t.Helper()
	o.Database = newDatabase()
	x := open(t, o)
	t.Cleanup(func() {
		drop(t, x)
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// drop removes the database of an index.
func drop(t testing.TB, x *Index) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := x.rows.Database().Drop(ctx); err != nil {
		t.Error(err)
	}
}

// two are two proxies with one database: any call goes to either.
type two struct {
	t        testing.TB
	one, two *Index
	kept     *atomic.Bool // somebody else has the database by now
}

// openTwo opens two indexes at once.
func openTwo(t testing.TB, o Options) two {
	t.Helper()
	both := make(chan *Index, 2)
	for range 2 {
		go func() {
			x, err := Open(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
			both <- x
		}()
	}
	x := two{t, <-both, <-both, &atomic.Bool{}}
	if x.one == nil || x.two == nil {
		t.FailNow()
	}
	return x
}

func (x two) any() *Index {
	if rand.IntN(2) == 0 {
		return x.one
	}
	return x.two
}

func (x two) Close() error {
	if !x.kept.Load() {
		drop(x.t, x.one)
	}
	return errors.Join(x.one.Close(), x.two.Close())
}

func (x two) InsertBucket(ctx context.Context, r router.BucketRecord) error {
	return x.any().InsertBucket(ctx, r)
}

func (x two) GetBucket(ctx context.Context, tenantID, name string) (router.BucketRecord, bool, error) {
	return x.any().GetBucket(ctx, tenantID, name)
}

func (x two) DeleteBucket(ctx context.Context, r router.BucketRecord) error {
	return x.any().DeleteBucket(ctx, r)
}

func (x two) ListBuckets(ctx context.Context, tenantID, prefix, after string, limit int) ([]router.BucketRecord, error) {
	return x.any().ListBuckets(ctx, tenantID, prefix, after, limit)
}

func (x two) TopSettings(ctx context.Context, bucketID string) (router.Settings, error) {
	return x.any().TopSettings(ctx, bucketID)
}

func (x two) InsertSettings(ctx context.Context, bucketID string, s router.Settings) error {
	return x.any().InsertSettings(ctx, bucketID, s)
}

func (x two) Value(ctx context.Context, name string) ([]byte, error) { return x.any().Value(ctx, name) }

func (x two) InsertValue(ctx context.Context, name string, v []byte) ([]byte, error) {
	return x.any().InsertValue(ctx, name, v)
}

func (x two) Hide(ctx context.Context, bucketID, key string) (bool, error) {
	return x.any().Hide(ctx, bucketID, key)
}

func (x two) Hidden(ctx context.Context, bucketID, key string) (bool, error) {
	return x.any().Hidden(ctx, bucketID, key)
}

func (x two) HiddenKeys(ctx context.Context, bucketID, prefix, from string, limit int) ([]string, error) {
	return x.any().HiddenKeys(ctx, bucketID, prefix, from, limit)
}

func (x two) Top(ctx context.Context, o versions.Object) (versions.Row, error) {
	return x.any().Top(ctx, o)
}

func (x two) InsertRow(ctx context.Context, o versions.Object, r versions.Row) error {
	return x.any().InsertRow(ctx, o, r)
}

func (x two) Find(ctx context.Context, o versions.Object, n int64) (versions.Row, error) {
	return x.any().Find(ctx, o, n)
}

func (x two) Rows(ctx context.Context, o versions.Object, before int64, limit int) ([]versions.Row, error) {
	return x.any().Rows(ctx, o, before, limit)
}

func (x two) DeleteRow(ctx context.Context, o versions.Object, seq int64) error {
	return x.any().DeleteRow(ctx, o, seq)
}

func (x two) TakeSlot(ctx context.Context, s versions.Slot) error { return x.any().TakeSlot(ctx, s) }

func (x two) LastSlot(ctx context.Context, o versions.Object) (int64, error) {
	return x.any().LastSlot(ctx, o)
}

func (x two) Slots(ctx context.Context, from versions.Slot, limit int) ([]versions.Slot, error) {
	return x.any().Slots(ctx, from, limit)
}

func (x two) MarkSlot(ctx context.Context, s versions.Slot, now time.Time) (time.Time, error) {
	return x.any().MarkSlot(ctx, s, now)
}

func (x two) Marked(ctx context.Context, s versions.Slot) (time.Time, error) {
	return x.any().Marked(ctx, s)
}

func (x two) DeleteSlot(ctx context.Context, s versions.Slot) error {
	return x.any().DeleteSlot(ctx, s)
}

func (x two) InsertKey(ctx context.Context, o versions.Object) error {
	return x.any().InsertKey(ctx, o)
}

func (x two) Heads(ctx context.Context, r versions.Range) ([]versions.Head, error) {
	return x.any().Heads(ctx, r)
}

func (x two) Versions(ctx context.Context, r versions.Range) ([]versions.Entry, error) {
	return x.any().Versions(ctx, r)
}

func (x two) Forget(ctx context.Context, bucketID string) error { return x.any().Forget(ctx, bucketID) }

// TestSuite: everything holds for two proxies with one database.
func TestSuite(t *testing.T) {
	t.Parallel()
	uri := mongoserver.URI(t)
	versionstest.Run(t, versionstest.Options{
		Slow: true,
		Open: func(t testing.TB) versions.Index {
			return openTwo(t, Options{URI: uri, Database: newDatabase()})
		},
		Reopen: func(t testing.TB, x versions.Index) versions.Index {
			old := x.(two)
			o := Options{URI: uri, Database: old.one.rows.Database().Name()}
			old.kept.Store(true)
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
			return openTwo(t, o)
		},
	})
}
