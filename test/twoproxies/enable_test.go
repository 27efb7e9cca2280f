package twoproxies

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// write is one that was acknowledged.
type write struct {
	body, version string
	began         bool // after versioning was there
}

// writer writes to objects of its own, in turns, until it is told to end.
type writer struct {
	p       *proxy
	bucket  string
	keys    []string
	enabled <-chan struct{} // closed when versioning is there
	writes  map[string][]write
	refused int // writes that came while the settings were changing
}

// run writes until there are some versions of each object.
func (w *writer) run(ctx context.Context, versions int) error {
	w.writes = map[string][]write{}
	for i, made := 0, 0; made < versions*len(w.keys); i++ {
		key, done := w.keys[i%len(w.keys)], write{body: fmt.Sprint(w.keys[0], i)}
		select {
		case <-w.enabled:
			done.began = true
			made++
		default:
		}
		for again := true; again; {
			var err error
			done.version, err = w.p.put(ctx, w.bucket, key, done.body)
			if again = comeBack(err); again {
				w.refused++
			} else if err != nil {
				return err
			}
		}
		w.writes[key] = append(w.writes[key], done)
	}
	return nil
}

// TestEnableInUse: a bucket is given versions at A while B, and A too, write to it. Of what was acknowledged
// nothing is lost, and nothing is written without a version any more once versioning was acknowledged.
func TestEnableInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, soon)
	const bucket, versions = "in-use", 4
	w.a.create(t, bucket)
	enabled := make(chan struct{})
	writers := []*writer{
		{p: w.b, keys: []string{"b1-", "b2-"}}, {p: w.b, keys: []string{"b3-"}}, {p: w.a, keys: []string{"a1-", "a2-"}},
	}
	for _, x := range writers {
		x.bucket, x.enabled = bucket, enabled
		for _, key := range x.keys { // There is something from before, and B knows the bucket.
			eventually(t, "the first put", func() error { _, err := x.p.put(t.Context(), bucket, key, "first"); return err })
		}
	}
	var wg sync.WaitGroup
	for _, x := range writers {
		wg.Go(func() {
			if err := x.run(t.Context(), versions); err != nil {
				t.Error(err)
			}
		})
	}
	w.a.setVersioning(t, bucket, types.BucketVersioningStatusEnabled)
	close(enabled)
	wg.Wait()
	if t.Failed() {
		return
	}

	listed := map[string]version{}
	for _, v := range w.b.versions(t, bucket, 1000) {
		listed[v.Key+" "+v.ID] = v
	}
	before, refused := 0, 0
	for _, x := range writers {
		refused += x.refused
		for key, writes := range x.writes {
			before += w.judge(t, bucket, key, writes, listed)
		}
	}
	t.Logf("%d writes before, %d refused meanwhile", before, refused)
	if before == 0 {
		t.Error("nobody wrote before the bucket had versions")
	}
}

// judge holds what was acknowledged of an object against what is there. It returns how many writes came before versions.
func (w *world) judge(t *testing.T, bucket, key string, writes []write, listed map[string]version) (before int) {
	t.Helper()
	null := "first"
	for _, x := range writes {
		switch {
		case x.version == "" && x.began:
			t.Errorf("%s: %q began after versioning was acknowledged, and has no version", key, x.body)
		case x.version == "" && before > 0 && null == "":
			t.Errorf("%s: %q has no version, and one before it had", key, x.body)
		case x.version == "":
			before++
			null = x.body
		default:
			if _, ok := listed[key+" "+x.version]; !ok {
				t.Errorf("%s: the version %s of %q is not listed", key, x.version, x.body)
			}
			w.a.has(t, bucket, key, x.version, x.body)
			w.b.has(t, bucket, key, x.version, x.body)
		}
	}
	last := writes[len(writes)-1]
	for _, p := range w.both() {
		p.has(t, bucket, key, "", last.body)
		p.has(t, bucket, key, "null", null) // the last one before versions
	}
	if v := listed[key+" "+last.version]; !v.Latest {
		t.Errorf("%s: the last version is listed as %+v", key, v)
	}
	return before
}
