package linearizable

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/internal/mongoserver"
	"github.com/xronox/xronox-proxy/internal/proxyproc"
	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/kvindex"
	"github.com/xronox/xronox-proxy/versions/mongoindex"
)

// The long form, of each kind of proxies. Servers of the tests get slow with the rows that they have, so that it is made of
// many short runs.
const (
	longOps  = 50_000 // that are answered
	shortOps = 500
	each     = 300 // operations of a run, answered or not
	kills    = 8   // of a run, or fewer, when starting again takes long
)

// TestShared is about two processes that share an index and an S3 server.
func TestShared(t *testing.T) {
	database := mongoserver.Start(t)
	store := s3servers.MinIO(t)
	direct := newClient(store.Endpoint, store.AccessKey, store.SecretKey)
	runs := 0
	long(t, func(t *testing.T, r run) shared {
		runs++
		name := fmt.Sprint("index", runs)
		config := writeConfig(t, fmt.Sprintf(`
dbConnections: {primary: {mongoUri: %q}}
spacesConnections:
  store: {endpoint: %q, region: %q, accessKey: %q, secretKey: %q, forcePathStyle: true}
databases: {}
xronoxProxy:
  connections: {store: {capabilities: probe}}
  index: {driver: mongo, dbConnRef: primary, dbName: %s, freshFor: 200ms, outage: 200ms}
  bucketTemplate: {connection: store, bucket: %q, prefix: "made/{tenantId}/{bucket}/"}
  credentials:
%s`, database.URI(), store.Endpoint, store.Region, store.AccessKey, store.SecretKey, name, store.NewBucket(t), credentialsOf(r)))
		o := proxyproc.Options{Config: config}
		return shared{
			options: []proxyproc.Options{o, o}, store: direct,
			outage: func(t *testing.T) {
				database.Stop(t)
				database.Start(t)
			},
			index: func(t *testing.T) versions.Index {
				x, err := mongoindex.Open(t.Context(), mongoindex.Options{URI: database.URI(), Database: name})
				if err != nil {
					t.Fatal(err)
				}
				return x
			},
		}
	})
}

// TestEmbedded is about one process with an index and a store of its own.
func TestEmbedded(t *testing.T) {
	long(t, func(t *testing.T, r run) shared {
		dir := t.TempDir()
		config := writeConfig(t, "xronoxProxy:\n  credentials:\n"+credentialsOf(r))
		return shared{
			options: []proxyproc.Options{{Config: config, Dir: dir}},
			index: func(t *testing.T) versions.Index {
				x, err := kvindex.Open(kvindex.Options{Dir: filepath.Join(dir, "index")})
				if err != nil {
					t.Fatal(err)
				}
				return x
			},
		}
	})
}

// total is what the runs of a test did.
type total struct{ begun, answered, unanswered, kills int }

// long makes runs until there were enough operations.
func long(t *testing.T, open func(*testing.T, run) shared) {
	want := shortOps
	if os.Getenv("XRONOX_LONG") != "" {
		want = longOps
	}
	if testing.Short() {
		want = each / 2
	}
	seed, began := rand.Uint64(), time.Now()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var sum total
	for i := 0; sum.answered < want && !t.Failed(); i++ {
		if end, ok := t.Deadline(); ok && time.Until(end) < 2*patience {
			t.Errorf("the time is over after %d of %d operations", sum.answered, want)
			break
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			one := run{keys: 3, clients: 8, ops: each, kills: kills, seed: r.Uint64()}
			sum.add(once(t, one, open(t, one)))
		})
		t.Logf("%.0f s: %d operations, of which %d were answered and %d were not; %d kills",
			time.Since(began).Seconds(), sum.begun, sum.answered, sum.unanswered, sum.kills)
	}
}

// add adds a run.
func (s *total) add(o total) {
	s.begun, s.answered, s.unanswered, s.kills = s.begun+o.begun, s.answered+o.answered, s.unanswered+o.unanswered, s.kills+o.kills
}

// once makes one run and judges it.
func once(t *testing.T, r run, s shared) total {
	w := newWorld(t, r, s)
	w.live(t)
	sum := total{begun: w.Begun(), answered: int(w.answered.Load()), unanswered: int(w.unanswered.Load()), kills: w.kills}
	w.rest()
	if s.store == nil { // The index can be open once; what is on disk must do.
		w.kill(0)
		sum.kills++
	}
	x := s.index(t)
	logs, record := w.logs(t, x)
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	w.heads(t, logs, record, false)
	w.verify(t)
	w.heads(t, logs, record, true)
	w.Resolve(logs)
	if problem := w.Verdict(); problem != "" {
		t.Errorf("seed %d: %s%s", r.seed, problem, w.Explain())
	}
	return sum
}
