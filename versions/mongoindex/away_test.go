package mongoindex

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/internal/mongoserver"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/versionstest"
)

// buffer is a log that may be written to at once.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// has reports whether the log has a text.
func (b *buffer) has(s string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(b.String(), s)
}

// object is the one that tests use.
var object = versions.Object{BucketID: "b", Key: "k"}

// slow reports whether a client would be told to come back later.
func slow(err error) bool { return err != nil && s3err.From(err).Code == s3err.SlowDown }

// rowOf returns some row.
func rowOf(seq int64) versions.Row {
	return versions.Put(versions.Row{Seq: seq - 1}, versions.Version{ID: versions.NewVersionID(seq)}, time.Now())
}

// TestAway: while the database is away calls fail in time, with SlowDown; when it is back they
// work, and what was written is there.
func TestAway(t *testing.T) {
	t.Parallel()
	const limit, room = 2 * time.Second, 10 * time.Second
	server, log := mongoserver.Start(t), &buffer{}
	x := open(t, Options{
		URI: server.URI(), SelectionTimeout: 300 * time.Millisecond, ConnectTimeout: time.Second, CallTimeout: limit,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	defer x.Close() //nolint:errcheck // other tests look at it
	if err := x.InsertRow(t.Context(), object, rowOf(1)); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func(context.Context) error{
		"Top":       func(ctx context.Context) error { _, err := x.Top(ctx, object); return err },
		"InsertRow": func(ctx context.Context) error { return x.InsertRow(ctx, object, rowOf(2)) },
		"TakeSlot":  func(ctx context.Context) error { return x.TakeSlot(ctx, versions.Slot{Object: object}) },
		"Heads": func(ctx context.Context) error {
			_, err := x.Heads(ctx, versions.Range{BucketID: "b", Limit: 10})
			return err
		},
		"GetBucket": func(ctx context.Context) error { _, _, err := x.GetBucket(ctx, "t", "b"); return err },
		"Forget":    func(ctx context.Context) error { return x.Forget(ctx, "another") },
	}
	fails := func(when string) {
		t.Helper()
		for name, call := range calls {
			start := time.Now()
			err := call(t.Context())
			if !slow(err) || errors.Is(err, versions.ErrExists) {
				t.Errorf("%s, %s: %v, want SlowDown", when, name, err)
			}
			if took := time.Since(start); took > limit+room {
				t.Errorf("%s, %s took %v", when, name, took)
			}
		}
	}
	works := func(when string) {
		t.Helper()
		for name, call := range calls {
			err := call(t.Context())
			for deadline := time.Now().Add(time.Minute); slow(err) && time.Now().Before(deadline); {
				err = call(t.Context()) // which waits for the database a while
			}
			if err != nil && !errors.Is(err, versions.ErrExists) {
				t.Errorf("%s, %s: %v", when, name, err)
			}
		}
		if top, err := x.Top(t.Context(), object); err != nil || top.Seq != 2 {
			t.Errorf("%s the top row is %d, %v", when, top.Seq, err)
		}
	}
	server.Stop(t)
	fails("stopped")
	if !log.has("index: server lost") {
		t.Error("the operator is not told of a server that is lost")
	}
	server.Start(t)
	works("started again")
	if !log.has("index: server found again") {
		t.Error("the operator is not told of a server that is found again")
	}
	server.Freeze(t)
	fails("frozen")
	server.Thaw(t)
	works("thawed")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls {
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, ended by the caller: %v", name, err)
		}
	}
}

// TestQuiet: an index that is opened and closed tells the operator nothing.
func TestQuiet(t *testing.T) {
	t.Parallel()
	log := &buffer{}
	x := open(t, Options{URI: mongoserver.URI(t), Database: newDatabase(), Log: slog.New(slog.NewTextHandler(log, nil))})
	drop(t, x)
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if log.has("index") {
		t.Errorf("it says %s", log.String())
	}
}

// TestKilled: whenever the database ends while there are writers, what it acknowledged is there when it is back,
// and the log of each object is whole.
func TestKilled(t *testing.T) {
	t.Parallel()
	const writers, each, kills = 4, 12, 3
	server := mongoserver.Start(t)
	x := open(t, Options{URI: server.URI(), SelectionTimeout: time.Second, CallTimeout: 2 * time.Second})
	defer x.Close() //nolint:errcheck // other tests look at it
	done := make(chan versions.Row)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each * kills {
				r, err := put(t.Context(), x)
				for slow(err) { // It may have happened: this is another version.
					r, err = put(t.Context(), x)
				}
				if err != nil {
					t.Error(err)
				}
				done <- r
			}
		})
	}
	acknowledged := map[int64]versions.Row{}
	for i := range writers * each * kills {
		r := <-done
		acknowledged[r.Seq] = r
		if i%(writers*each) == each { // The others are in the midst of something.
			server.Stop(t)
			server.Start(t)
		}
	}
	wg.Wait()
	rows := versionstest.Judge(t, x, object)
	if len(acknowledged) != writers*each*kills || len(rows) < len(acknowledged) {
		t.Errorf("%d rows were acknowledged, and %d are there", len(acknowledged), len(rows))
	}
	for seq, r := range acknowledged {
		if d := cmp.Diff(r, rows[seq-1]); d != "" {
			t.Errorf("row %d: -acknowledged +log\n%s", seq, d)
		}
	}
}

// put adds a version as a writer does.
func put(ctx context.Context, x *Index) (versions.Row, error) {
	top, err := x.Top(ctx, object)
	if err != nil {
		return top, err
	}
	s, err := versions.NextSlot(ctx, x, versions.Slot{Object: object, N: top.State.NextN})
	if err != nil {
		return top, err
	}
	v := versions.Version{ID: versions.NewVersionID(s.N)}
	return versions.Commit(ctx, x, versions.Head{Object: object, Top: top}, func(top versions.Row) (versions.Row, error) {
		return versions.Put(top, v, time.Now()), nil
	})
}

// What a wire does with the next insert.
const (
	forward    int32 = iota
	loseInsert       // it is lost, and the connection ends
	loseAnswer       // it arrives and is done, but the answer is lost, and the connection ends
)

// wire is the way to a server.
type wire struct {
	net.Listener
	server string
	next   atomic.Int32
}

// newWire returns one that ends with the test.
func newWire(t testing.TB, server string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	w := &wire{Listener: l, server: server}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(client)
		}
	}()
	return w
}

// carry carries the messages of a connection, both ways.
func (w *wire) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	var lose atomic.Bool
	go func() {
		defer client.Close()
		each(server, func(message []byte) bool {
			if lose.Load() {
				return false
			}
			_, err := client.Write(message)
			return err == nil
		})
	}()
	each(client, func(message []byte) bool {
		if bytes.Contains(message, []byte("\x02insert\x00")) {
			switch w.next.Swap(forward) {
			case loseInsert:
				return false
			case loseAnswer:
				lose.Store(true)
			}
		}
		_, err := server.Write(message)
		return err == nil
	})
}

// each calls f with each message of the MongoDB protocol, until it wants no more.
func each(c net.Conn, f func(message []byte) bool) {
	head := make([]byte, 4)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		message := append([]byte{}, head...)
		message = append(message, make([]byte, binary.LittleEndian.Uint32(head)-4)...)
		if _, err := io.ReadFull(c, message[4:]); err != nil || !f(message) {
			return
		}
	}
}

// TestLostAnswers: an insert whose answer is lost is what it was: done, or somebody else's.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	server := mongoserver.Start(t)
	way := newWire(t, server.Address)
	o := Options{URI: "mongodb://" + way.Addr().String() + "/", Database: newDatabase()}
	x := open(t, o)
	defer x.Close() //nolint:errcheck // other tests look at it
	o.URI = server.URI()
	other := open(t, o)
	defer other.Close() //nolint:errcheck // likewise

	n := int64(0) // of what is inserted
	inserts := map[string]func(x *Index) error{
		"InsertRow": func(x *Index) error { return x.InsertRow(t.Context(), object, rowOf(n)) },
		"TakeSlot":  func(x *Index) error { return x.TakeSlot(t.Context(), versions.Slot{Object: object, N: n}) },
		"InsertSettings": func(x *Index) error {
			return x.InsertSettings(t.Context(), "b", router.Settings{Seq: n})
		},
		"Hide": func(x *Index) error {
			inserted, err := x.Hide(t.Context(), "b", strconv.FormatInt(n, 10))
			if err == nil && !inserted {
				return versions.ErrExists
			}
			return err
		},
		"InsertBucket": func(x *Index) error {
			return x.InsertBucket(t.Context(), router.BucketRecord{TenantID: "t", Name: strconv.FormatInt(n, 10)})
		},
	}
	for name, insert := range inserts {
		f := func(next int32, before bool, want error) {
			t.Helper()
			n++
			if before {
				if err := insert(other); err != nil {
					t.Fatal(name, err)
				}
			}
			way.next.Store(next)
			if err := insert(x); !errors.Is(err, want) {
				t.Errorf("%s, %d: %v, want %v", name, next, err, want)
			}
			if way.next.Load() != forward {
				t.Errorf("%s, %d: nothing was lost", name, next)
			}
			if err := insert(other); !errors.Is(err, versions.ErrExists) {
				t.Errorf("%s, %d: after it %v, want ErrExists", name, next, err)
			}
		}
		f(loseAnswer, false, nil)
		f(loseAnswer, true, versions.ErrExists)
		f(loseInsert, true, versions.ErrExists)
		if name != "InsertBucket" {
			f(loseInsert, false, nil)
		}
	}

	// Somebody may have removed the bucket by then: what is not there is not inserted again.
	n++
	way.next.Store(loseInsert)
	if err := inserts["InsertBucket"](x); !slow(err) {
		t.Errorf("InsertBucket that was lost: %v, want SlowDown", err)
	}
	if _, found, err := other.GetBucket(t.Context(), "t", strconv.FormatInt(n, 10)); err != nil || found {
		t.Errorf("a bucket whose insert was lost: found %v, %v", found, err)
	}
}
