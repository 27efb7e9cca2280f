package localbackend

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// killDir tells a child of TestKill where to work.
const killDir = "XRONOX_KILL_DIR"

// killWorkers is how many workers a child has.
const killWorkers = 6

// TestMain makes this process a child of TestKill when it is to be one.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		fmt.Fprintln(os.Stderr, workUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// entry is a line of a journal on a pipe.
type entry struct {
	Key   string
	From  string // of a rename: the key that had the state
	State state
	Ack   bool
}

// pipeJournal writes entries to standard output.
type pipeJournal struct {
	mu  sync.Mutex
	enc *json.Encoder
}

// write writes a line at once.
func (j *pipeJournal) write(e entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.enc.Encode(e) != nil {
		os.Exit(2)
	}
}

// begin implements journal.
func (j *pipeJournal) begin(key string, s state) { j.write(entry{Key: key, State: s}) }

// move implements journal.
func (j *pipeJournal) move(from, to string, s state) { j.write(entry{Key: to, From: from, State: s}) }

// ack implements journal.
func (j *pipeJournal) ack(key string) { j.write(entry{Key: key, Ack: true}) }

// workUntilKilled is a child of TestKill.
func workUntilKilled(dir string) error {
	b, err := Open(Options{Dir: dir, MinFree: -1})
	if err != nil {
		return err
	}
	j := &pipeJournal{enc: json.NewEncoder(os.Stdout)}
	failed := make(chan error)
	seed, _ := strconv.ParseUint(os.Getenv("XRONOX_KILL_SEED"), 10, 64)
	for id := range killWorkers {
		w, err := newWorker(b, id, seed, j)
		if err != nil {
			return err
		}
		go func() {
			for {
				if err := w.step(context.Background()); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// expectations are what may be found after a crash: of each key the state that
// was acknowledged last, or one that was begun since.
type expectations struct {
	acked   map[string]state
	pending map[string]*state
	moves   map[string]string // of what is pending, by the new key: the old one
	shared  bool              // the shared key was acknowledged
}

// nothing expects an empty store.
func nothing() expectations {
	return expectations{acked: map[string]state{}, pending: map[string]*state{}, moves: map[string]string{}}
}

// note takes an entry of a journal.
func (x *expectations) note(e entry) {
	switch {
	case e.Key == sharedKey:
		x.shared = x.shared || e.Ack
	case !e.Ack:
		x.pending[e.Key] = &e.State
		if e.From != "" {
			x.pending[e.From], x.moves[e.Key] = &state{}, e.From
		}
	case x.pending[e.Key] != nil:
		x.acked[e.Key] = *x.pending[e.Key]
		delete(x.pending, e.Key)
		if from, ok := x.moves[e.Key]; ok {
			delete(x.acked, from)
			delete(x.pending, from)
			delete(x.moves, e.Key)
		}
	}
}

// checkMoves holds that of a rename that was not acknowledged both is done, or nothing: what is not at its old key is at the
// new one, and not at both.
func (x *expectations) checkMoves(t *testing.T, b *Backend) {
	t.Helper()
	for to, from := range x.moves {
		before, err := readState(t.Context(), b, from)
		if err != nil {
			t.Errorf("%s: %v", from, err)
		}
		after, err := readState(t.Context(), b, to)
		if err != nil {
			t.Errorf("%s: %v", to, err)
		}
		want := x.acked[to]
		if before == (state{}) {
			want = *x.pending[to]
		}
		if after != want {
			t.Errorf("%s, which %s was to become, is %v when that is %v, want %v", to, from, after, before, want)
		}
	}
	clear(x.moves)
}

// check holds that b is as expected, and from then on expects what it found.
func (x *expectations) check(t *testing.T, b *Backend, workers int) {
	t.Helper()
	x.checkMoves(t, b)
	for id := range workers {
		for _, k := range ownedKeys(id) {
			got, err := readState(t.Context(), b, k)
			if err != nil {
				t.Errorf("%s: %v", k, err)
			}
			if p := x.pending[k]; got != x.acked[k] && (p == nil || got != *p) {
				t.Errorf("%s: found %v, acknowledged %v, begun %v", k, got, x.acked[k], p)
			}
			x.acked[k] = got
		}
	}
	clear(x.pending)
	if s, err := readState(t.Context(), b, sharedKey); err != nil || x.shared && s.Seed == 0 {
		t.Errorf("shared: %v, %v; acknowledged %v", s, err, x.shared)
	}
	checkStore(t, b)
}

// TestKill kills a process at work, again and again, and holds that nothing
// that was acknowledged is lost and nothing is torn.
func TestKill(t *testing.T) {
	rounds := 40
	if os.Getenv("XRONOX_LONG") != "" {
		rounds = 400
	} else if testing.Short() {
		rounds = 3
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	b := open(t, Options{Dir: dir, MinFree: -1})
	makeBucket(t, b, crashBucket)
	x := nothing()
	for round := range rounds {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		killChild(t, dir, r, &x)
		b = open(t, Options{Dir: dir, MinFree: -1})
		x.check(t, b, killWorkers)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		abortUploads(t, b)
	}
}

// killChild runs a child for a while and kills it.
func killChild(t *testing.T, dir string, r *rand.Rand, x *expectations) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprintf("XRONOX_KILL_SEED=%d", r.Uint64()))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	after := r.IntN(300)
	scan := bufio.NewScanner(out)
	for lines := 0; ; lines++ {
		if lines == after {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		if !scan.Scan() {
			break
		}
		var e entry
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			break // the last line, cut off
		}
		x.note(e)
	}
	if err := child.Wait(); child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// abortUploads ends what uploads the crash left.
func abortUploads(t *testing.T, b *Backend) {
	t.Helper()
	list, err := b.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(crashBucket)})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list.Uploads {
		_, err := b.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{
			Bucket: aws.String(crashBucket), Key: u.Key, UploadId: u.UploadId,
		})
		if err != nil {
			t.Error(err)
		}
	}
}
