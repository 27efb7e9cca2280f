package upkeep_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// openPrivate returns a place on a disk of its own, whose store goes by the same clock.
func openPrivate(t testing.TB, change func(*versioned.Options)) *kept {
	t.Helper()
	var k *kept
	store := membackend.New()
	store.Now = func() time.Time { return k.now }
	faults := faultbackend.New(store, nil)
	k = open(t, func(o *versioned.Options) {
		o.Private = true
		at := func(prefix string) backends.Backend {
			return mount.New(mount.Options{Backend: faults, Bucket: "physical", Prefix: prefix})
		}
		o.Heads, o.Bodies = at("plain/"), at("versions/")
		if change != nil {
			change(o)
		}
	})
	k.store = faults
	if _, err := store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("physical")}); err != nil {
		t.Fatal(err)
	}
	return k
}

// recover recovers from one loss, and returns how many bodies have slots again.
func (k *kept) recover(from, to time.Time) (int64, error) {
	k.Helper()
	return upkeep.Recover(k.Context(), []*upkeep.Place{k.Place}, []versions.Loss{{From: from.Truncate(time.Second), To: to}})
}

// TestRecover: a body that a crash left with neither row nor slot is collected a day later, and nothing else is.
func TestRecover(t *testing.T) {
	t.Parallel()
	k := openPrivate(t, nil)
	k.raw("versions/.content/old/v0", "of unknown origin")
	k.now = k.now.Add(time.Hour)
	from := k.now
	k.put("a", "1")
	k.put("a", "2")
	k.remove("b", k.put("b", "1"))
	k.remove("c", "")
	k.lost("pending")
	k.raw("versions/.content/a/v2", "lost")
	k.raw("versions/.content/never/v0", "lost")
	k.raw("versions/.content/never/d1", "no body")
	k.raw("versions/.records/c/v7", "another's")
	to := k.now
	k.now = k.now.Add(time.Hour)
	k.put("later", "1")
	k.want("not seen by the sweep", gocmp.Diff(upkeep.Swept{Marked: 1}, k.sweep(time.Time{})), "") // but what is pending
	before := k.stored()
	for _, want := range []int64{2, 0} {
		if n, err := k.recover(from, to); n != want || err != nil {
			t.Errorf("%d bodies, %v, want %d", n, err, want)
		}
	}
	k.want("seen", gocmp.Diff(upkeep.Swept{Marked: 3}, k.sweep(time.Time{})), "")
	k.want("after", k.stored(), before)
	k.put("never", "1") // The number is not taken again.
	k.now = k.now.Add(versions.KeepDead)
	k.want("collected", gocmp.Diff(upkeep.Swept{Bodies: 3, Rows: 1, Slots: 1}, k.sweep(time.Time{})), "")
	k.want("left", k.stored(), strings.NewReplacer(
		"versions/.content/a/v2 ", "", "versions/.content/never/v0", "versions/.content/never/v1", "versions/.content/pending/v0 ", "").Replace(before))
	k.want("a", k.get("a"), "2")
	k.want("never", k.get("never"), "1")
}

// TestRecoverNothing: where bodies are without rows that no crash can have left, versions were lost, and nothing is done.
func TestRecoverNothing(t *testing.T) {
	t.Parallel()
	k, other := openPrivate(t, nil), openPrivate(t, nil)
	k.raw("versions/.content/a/v0", "x")
	from := k.now
	other.now = from.Add(time.Hour)
	other.raw("versions/.content/b/v0", "a version that the index has lost")
	f := func(want error, losses ...versions.Loss) {
		t.Helper()
		n, err := upkeep.Recover(t.Context(), []*upkeep.Place{k.Place, other.Place}, losses)
		if n != 0 || !errors.Is(err, want) {
			t.Errorf("%d bodies, %v, want %v", n, err, want)
		}
	}
	first := versions.Loss{From: from.Truncate(time.Second), To: from.Add(time.Minute)}
	f(upkeep.ErrNoRows, first)
	f(upkeep.ErrNoRows, first, versions.Loss{From: from.Add(2 * time.Hour), To: from.Add(3 * time.Hour)})
	f(nil, versions.Loss{From: from.Add(2 * time.Hour), To: from.Add(3 * time.Hour)})
	k.now = k.now.Add(1000 * time.Hour)
	k.want("nothing is seen", gocmp.Diff(upkeep.Swept{}, k.sweep(time.Time{})), "")
	if n, err := k.recover(first.From, first.To); n != 1 || err != nil {
		t.Errorf("%d bodies, %v", n, err)
	}
}

// TestRecoverFails: what was not done is done the next time, whatever failed.
func TestRecoverFails(t *testing.T) {
	t.Parallel()
	k := openPrivate(t, nil)
	k.put("a", "1")
	k.raw("versions/.content/a/v1", "x")
	k.raw("versions/.content/b/v0", "x")
	for n := 1; ; n++ {
		k.store.SetPlan(faultbackend.Nth(n, faultbackend.Fault{Err: errStore}))
		done, err := k.recover(begun, k.now)
		calls := len(k.store.Calls())
		k.store.SetPlan(nil)
		if calls < n {
			if done != 2 || err != nil || n < 3 {
				t.Errorf("after %d calls: %d, %v", calls, done, err)
			}
			break
		}
		if !errors.Is(err, errStore) || done > 0 {
			t.Errorf("call %d: %d, %v", n, done, err)
		}
	}
}

// meeting is an index in which a recovery goes on as writers do: it has listed everything when they begin, and then takes a slot
// after each few of theirs.
type meeting struct {
	versions.Index
	once   sync.Once
	begin  chan struct{} // closed when writers may begin
	writes chan struct{} // is met after each write
	done   chan struct{} // closed when the recovery is
	each   int
}

func (x *meeting) TakeSlot(ctx context.Context, s versions.Slot) error {
	if !s.Early {
		x.once.Do(func() { close(x.begin) })
		for range x.each {
			select {
			case <-x.writes:
			case <-ctx.Done():
			}
		}
	}
	return x.Index.TakeSlot(ctx, s)
}

// written meets the recovery.
func (x *meeting) written() {
	select {
	case x.writes <- struct{}{}:
	case <-x.done:
	}
}

// TestRecoverWhileInUse: who writes objects meanwhile that have lost bodies, and wants the same numbers, loses nothing.
func TestRecoverWhileInUse(t *testing.T) {
	t.Parallel()
	const keys, writers = 40, 3
	x := &meeting{Index: memindex.New(), begin: make(chan struct{}), writes: make(chan struct{}), done: make(chan struct{}), each: writers}
	k := openPrivate(t, func(o *versioned.Options) { o.Index = x })
	key := func(i int) string { return fmt.Sprintf("k%02d", i) }
	for i := range keys {
		k.raw("versions/.content/"+key(i)+"/v0", "lost")
	}
	var users, rounds sync.WaitGroup
	var mu sync.Mutex
	promised := map[string]string{} // body by key and version
	for w := range writers {
		users.Go(func() {
			<-x.begin
			for i := keys - 1; i >= 0; i-- { // The recovery comes from the other side.
				body := fmt.Sprint(w, "-", i)
				out, err := k.bucket.PutObject(t.Context(), &s3.PutObjectInput{
					Key: new(key(i)), Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
				})
				x.written()
				if err != nil {
					t.Error(err)
					continue
				}
				mu.Lock()
				promised[key(i)+" "+*out.VersionId] = body
				mu.Unlock()
			}
		})
	}
	recovered := int64(0)
	rounds.Go(func() {
		var err error
		if recovered, err = k.recover(begun, k.now); err != nil {
			t.Error(err)
		}
		x.once.Do(func() { close(x.begin) })
		close(x.done)
		if _, err := k.Sweep(t.Context(), time.Time{}); err != nil {
			t.Error(err)
		}
	})
	users.Wait()
	rounds.Wait()
	k.now = k.now.Add(versions.KeepDead)
	swept := k.sweep(time.Time{}).Bodies
	if swept != recovered || recovered == 0 || recovered == keys {
		t.Errorf("%d of %d bodies were recovered, %d swept", recovered, keys, swept)
	}
	for at, body := range promised {
		key, version, _ := strings.Cut(at, " ")
		out, err := k.bucket.GetObject(t.Context(), &s3.GetObjectInput{Key: &key, VersionId: &version})
		if err != nil {
			t.Errorf("%s: %v", at, err)
			continue
		}
		data, err := io.ReadAll(out.Body)
		if _ = out.Body.Close(); err != nil || string(data) != body {
			t.Errorf("%s: %q, %v, want %q", at, data, err, body)
		}
	}
	if len(promised) != keys*writers {
		t.Errorf("%d versions were promised", len(promised))
	}
	k.want("verify", k.verify(false), "")
}

// TestSweepSlowWriter: a writer takes the number of a lost body, which is seen without a version, and writes his own body more than a day
// later. It is not taken for the one that was seen.
func TestSweepSlowWriter(t *testing.T) {
	t.Parallel()
	x := &committing{Index: memindex.New()}
	k := openPrivate(t, func(o *versioned.Options) { o.Index = x })
	k.raw("versions/.content/a/v0", "lost")
	read := false
	body := readerFunc(func(b []byte) (int, error) {
		if read {
			return 0, io.EOF
		}
		read = true
		k.want("the slot is taken", gocmp.Diff(upkeep.Swept{Marked: 1}, k.sweep(time.Time{})), "")
		k.now = k.now.Add(2 * versions.KeepDead)
		return copy(b, "1"), nil
	})
	x.before = func() {
		k.want("before the commit", gocmp.Diff(upkeep.Swept{}, k.sweep(time.Time{})), "")
	}
	if _, err := k.bucket.PutObject(t.Context(), &s3.PutObjectInput{Key: new("a"), Body: body, ContentLength: aws.Int64(1)}); err != nil {
		t.Fatal(err)
	}
	if x.before != nil {
		t.Error("nothing was inserted")
	}
	k.want("a", k.get("a"), "1")
	k.want("verify", k.verify(false), "")
}

// deleting is a store in which something happens just before an object is deleted.
type deleting struct {
	backends.Backend
	before func()
}

func (d deleting) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	d.before()
	return d.Backend.DeleteObject(ctx, in)
}

// TestSweepOverwritten: the body is written over that is about to be collected.
func TestSweepOverwritten(t *testing.T) {
	t.Parallel()
	over := false
	var k *kept
	k = openPrivate(t, func(o *versioned.Options) {
		o.Bodies = deleting{o.Bodies, func() {
			over = true
			k.raw("versions/.content/a/v0", "new")
		}}
	})
	k.lost("a")
	k.sweep(time.Time{})
	k.now = k.now.Add(versions.KeepDead)
	k.want("swept", gocmp.Diff(upkeep.Swept{}, k.sweep(time.Time{})), "")
	if !over {
		t.Error("nothing was to be collected")
	}
	k.want("stored", k.stored(), "versions/.content/a/v0")
}
