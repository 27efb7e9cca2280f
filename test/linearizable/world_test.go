package linearizable

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/internal/history"
	"github.com/xronox/xronox-proxy/internal/proxyproc"
	"github.com/xronox/xronox-proxy/versions"
)

// The tenant's bucket, and the secret of all its credentials: each operation has one of its own, and one is for reads.
const (
	tenant, bucket = "acme", "history"
	readerKey      = "reader"
	secretKey      = "the-secret-of/a+tenant"
)

// Bounds, with much room for a busy machine.
const (
	callTimeout = time.Minute
	patience    = time.Minute
)

// run says what runs.
type run struct {
	keys, clients, ops, kills int

	seed uint64
}

// world is proxies that are killed, and their clients.
type world struct {
	*history.History

	run    run
	shared shared
	kills  int

	answered, unanswered atomic.Int64

	ticks    chan struct{} // gets an element after each operation
	finished chan struct{} // closed when the clients are

	mu        sync.Mutex
	changed   *sync.Cond
	processes []*proxyproc.Proxy
	clients   []*s3.Client // nil while the process is down
	ended     bool
}

// shared is what proxies stand on.
type shared struct {
	options []proxyproc.Options               // of each process
	index   func(t *testing.T) versions.Index // at rest
	store   *s3.Client                        // where heads are; nil when there are none
	outage  func(t *testing.T)                // kills the index's server and starts it again; nil when it has none
}

// credentialsOf are those of the operations of a run, as the configuration has them.
func credentialsOf(r run) string {
	var text strings.Builder
	f := func(name string) {
		fmt.Fprintf(&text, "    - {accessKey: %s, secretKey: %q, userId: main, tenantId: %s}\n", name, secretKey, tenant)
	}
	f(readerKey)
	for i := range r.ops + 4*r.clients {
		f(fmt.Sprint("op", i+1))
	}
	return text.String()
}

// writeConfig writes a configuration and returns its file.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "xronox.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// newWorld starts the proxies and makes the bucket.
func newWorld(t *testing.T, r run, s shared) *world {
	t.Helper()
	w := &world{
		History: history.New(), run: r, shared: s, ticks: make(chan struct{}, 2*r.ops), finished: make(chan struct{}),
		processes: make([]*proxyproc.Proxy, len(s.options)), clients: make([]*s3.Client, len(s.options)),
	}
	w.changed = sync.NewCond(&w.mu)
	for i := range s.options {
		w.start(t, i)
	}
	w.makeBucket(t)
	return w
}

// makeBucket makes the bucket, and waits until all proxies make versions in it.
func (w *world) makeBucket(t *testing.T) {
	t.Helper()
	p := w.clients[0]
	if _, err := p.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String(bucket), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	for _, p := range w.clients {
		eventually(t, "a version", func() error {
			out, err := p.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("first"), Body: strings.NewReader("first")})
			if err == nil && aws.ToString(out.VersionId) == "" {
				err = fmt.Errorf("a put without a version")
			}
			return err
		})
	}
}

// start starts a process.
func (w *world) start(t *testing.T, i int) {
	t.Helper()
	p := proxyproc.Start(t, w.shared.options[i])
	c := newClient("http://"+p.S3, readerKey, secretKey)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes[i], w.clients[i] = p, c
	w.changed.Broadcast()
}

// kill kills a process; clients notice before they are told.
func (w *world) kill(i int) {
	w.processes[i].Kill()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clients[i] = nil
}

// end has nobody wait for a proxy any more.
func (w *world) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.changed.Broadcast()
}

// proxy returns one that is up, as far as is known; it waits for one. Nil at the end.
func (w *world) proxy(intN func(int) int) *s3.Client {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; !w.ended; w.changed.Wait() {
		first := intN(len(w.clients))
		for i := range w.clients {
			if c := w.clients[(first+i)%len(w.clients)]; c != nil {
				return c
			}
		}
	}
	return nil
}

// key is the name of a key.
func (w *world) key(i int) string { return fmt.Sprint("key", i, ".txt") }

// progress tells the killer that an operation is over.
func (w *world) progress() {
	select {
	case w.ticks <- struct{}{}:
	default:
	}
}

// live runs the clients, and kills one process after the other until they are done.
func (w *world) live(t *testing.T) {
	defer w.end()
	var clients sync.WaitGroup
	for i := range w.run.clients {
		c := &client{world: w, r: rand.New(rand.NewPCG(w.run.seed, uint64(i)))}
		clients.Go(c.work)
	}
	go func() {
		clients.Wait()
		close(w.finished)
	}()
	r := rand.New(rand.NewPCG(w.run.seed, 1<<32))
	every := w.run.ops / (w.run.kills + 1)
	victims := len(w.processes)
	if w.shared.outage != nil {
		victims++
	}
	for i := 0; w.await(r.IntN(2*every), time.Duration(r.IntN(int(30*time.Millisecond)))); i++ {
		w.kills++
		if victim := i % victims; victim < len(w.processes) {
			w.kill(victim)
			w.start(t, victim)
		} else {
			w.shared.outage(t)
		}
		for len(w.ticks) > 0 {
			<-w.ticks
		}
	}
}

// await waits for some operations, and a moment more. It returns false when the clients are done.
func (w *world) await(ops int, more time.Duration) bool {
	for range ops {
		select {
		case <-w.ticks:
		case <-w.finished:
			return false
		}
	}
	select {
	case <-time.After(more): // A point in the middle of operations.
		return true
	case <-w.finished:
		return false
	}
}

// newClient returns one that repeats nothing.
func newClient(endpoint, access, secret string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", UsePathStyle: true, Retryer: aws.NopRetryer{},
		Credentials: credentialsFor(access, secret),
	})
}

// eventually repeats a call until it does what is wanted.
func eventually(t *testing.T, what string, done func() error) {
	t.Helper()
	proxyproc.Eventually(t, patience, what, done)
}
