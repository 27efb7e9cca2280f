package linearizable

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/internal/proxyproc"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// rest looks at everything when nothing is killed any more: each proxy shows every key, and each version that
// it lists.
func (w *world) rest() {
	before := w.unanswered.Load()
	c := &client{world: w, r: rand.New(rand.NewPCG(w.run.seed, 2<<32))}
	for i := range w.run.keys {
		key := w.key(i)
		for _, p := range w.clients {
			c.get(p, key, "")
			c.listObject(p, key)
			for _, id := range c.listVersions(p, key) {
				c.get(p, key, id)
			}
		}
	}
	if n := w.unanswered.Load() - before; n > 0 {
		w.Problem("%d reads at rest were not answered", n)
	}
}

// logs reads the logs of all keys, each from its first row on, and where the bucket is.
func (w *world) logs(t *testing.T, x versions.Index) (logs [][]versions.Row, record router.BucketRecord) {
	t.Helper()
	record, ok, err := x.GetBucket(t.Context(), tenant, bucket)
	if err != nil || !ok {
		t.Fatalf("the record of the bucket: %v, %v", ok, err)
	}
	for i := range w.run.keys {
		o := versions.Object{BucketID: record.IndexID(&record.Mounts[0]), Key: w.key(i)}
		log, err := x.Rows(t.Context(), o, 0, 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(log)
		for i, r := range log {
			if r.Seq != int64(i)+1 {
				w.Problem("row %d of %q has the number %d", i+1, o.Key, r.Seq)
			}
		}
		logs = append(logs, log)
	}
	return logs, record
}

// heads holds that heads are the current versions: after each key was read, those that there are; after `index
// verify` has repaired what it found, also those that must not be there, of which no reader takes notice.
func (w *world) heads(t *testing.T, logs [][]versions.Row, record router.BucketRecord, verified bool) {
	t.Helper()
	if w.shared.store == nil {
		return
	}
	for i, log := range logs {
		if len(log) == 0 {
			continue
		}
		if v := log[len(log)-1].State.Current; verified || v != nil && !v.Marker {
			eventually(t, "the head of "+w.key(i), func() error { return w.head(t, w.key(i), v, &record.Mounts[0]) })
		}
	}
}

// verify has `index verify` repair what the kills left, and holds that all of it could be, and then is.
func (w *world) verify(t *testing.T) {
	t.Helper()
	left, err := w.problems(t, "--repair")
	// A put of the embedded index does not wait for its slot, which can be lost when its body is not. Such a body is kept,
	// since it could be of a row that was lost. Who writes the object next takes its number.
	if keys := orphans(left); w.shared.store == nil && len(keys) > 0 {
		w.start(t, 0)
		for key := range keys {
			w.overwrite(t, key)
		}
		w.kill(0)
		_, err = w.problems(t, "--repair")
	}
	if err != nil {
		w.Problem("repairing: %v", err)
	}
	if _, err := w.problems(t); err != nil {
		w.Problem("repaired, and not right: %v", err)
	}
}

// found is a problem that `index verify` has found.
type found struct{ Problem, Key string }

// problems runs `index verify`. Its error says what is not right.
func (w *world) problems(t *testing.T, flags ...string) ([]found, error) {
	t.Helper()
	args := append([]string{"index", "verify", "--json", "--as", readerKey}, flags...)
	out, err := proxyproc.Run(t, w.shared.options[0], append(args, bucket)...)
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	var list struct{ Items []found }
	if e := json.Unmarshal([]byte(out), &list); e != nil {
		return nil, errors.Join(err, e)
	}
	for _, p := range list.Items {
		t.Logf("found: %s, %s", p.Problem, p.Key)
	}
	return list.Items, err
}

// orphans are the keys with bodies that the index knows nothing of.
func orphans(list []found) map[string]bool {
	keys := map[string]bool{}
	for _, p := range list {
		if p.Problem == upkeep.OrphanBody {
			keys[p.Key] = true
		}
	}
	return keys
}

// overwrite takes all numbers that clients can have had at once.
func (w *world) overwrite(t *testing.T, key string) {
	t.Helper()
	for range w.run.clients {
		if _, err := w.clients[0].PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader("later")}); err != nil {
			t.Fatal(err)
		}
	}
}

// head says what is wrong with a head.
func (w *world) head(t *testing.T, key string, current *versions.Version, m *router.Mount) error {
	t.Helper()
	out, err := w.shared.store.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &m.Bucket, Key: aws.String(m.Prefix + key)})
	if current == nil || current.Marker {
		if httpStatus(err) != http.StatusNotFound {
			return fmt.Errorf("it is there, %w; nothing is current", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w; current is %s", err, current.ID)
	}
	if mark, ok := versioned.ReadMark(out.Metadata); !ok || mark.ID.Name() != current.ID.Name() || aws.ToInt64(out.ContentLength) != current.Size {
		return fmt.Errorf("it shows %v, %v; current is %s", mark.ID, ok, current.ID)
	}
	return nil
}

// httpStatus is that of an error; 0 of none.
func httpStatus(err error) int {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}
