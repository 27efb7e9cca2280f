package twoproxies

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// bound is what an answer may take without the database: the timeout of a call to it, and room for a busy machine.
const bound = 15 * time.Second

// unversioned are calls on a bucket that has no versions, by name. They leave it as it was.
func (p *proxy) unversioned(bucket string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"put, get and delete": func(ctx context.Context) error {
			if _, err := p.put(ctx, bucket, "passing", "body"); err != nil {
				return fmt.Errorf("put: %w", err)
			}
			if got, err := p.get(ctx, bucket, "passing", ""); err != nil || got != "body" {
				return fmt.Errorf("get: %q, %w", got, err)
			}
			_, err := p.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("passing")})
			return err
		},
		"list": func(ctx context.Context) error {
			out, err := p.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String("before")})
			if err == nil && len(out.Contents) != 1 {
				err = fmt.Errorf("%d objects", len(out.Contents))
			}
			return err
		},
	}
}

// needing are calls that cannot be answered without the index, by name.
func (p *proxy) needing() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"get a version": func(ctx context.Context) error { _, err := p.get(ctx, "versioned", "before", ""); return err },
		"put a version": func(ctx context.Context) error { _, err := p.put(ctx, "versioned", "new", "body"); return err },
		"make a bucket": func(ctx context.Context) error {
			_, err := p.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("new-bucket")})
			return err
		},
		"unknown bucket": func(ctx context.Context) error { _, err := p.get(ctx, "unknown-bucket", "k", ""); return err },
		"list of versions": func(ctx context.Context) error {
			_, err := p.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: aws.String("versioned")})
			return err
		},
	}
}

// timed runs a call and holds that it is answered in time.
func timed(t *testing.T, what string, limit time.Duration, call func(context.Context) error) error {
	t.Helper()
	began := time.Now()
	err := call(t.Context())
	if took := time.Since(began); took > limit {
		t.Errorf("%s took %v", what, took)
	}
	return err
}

// TestDatabaseStopped: without the database, whatever needs it is told to come back, in time; buckets without
// versions go on; and when it is back, so is everything, in the same processes.
func TestDatabaseStopped(t *testing.T) {
	t.Parallel()
	f := func(stop, start func(w *world)) {
		t.Helper()
		w := newWorld(t, times{freshFor: 300 * time.Millisecond, outage: 5 * time.Minute})
		w.a.create(t, "made")
		id := w.a.mustPut(t, "versioned", "before", "of before")
		for name, p := range w.both() {
			for _, bucket := range []string{"made", "plain"} {
				eventually(t, "a put", func() error { _, err := p.put(t.Context(), bucket, "before", "of before"); return err })
			}
			p.has(t, "versioned", "before", id, "of before")
			if status, body := p.readyz(t); status != http.StatusOK {
				t.Errorf("%s: /readyz: %d %s", name, status, body)
			}
		}

		stop(w)
		for round := range 2 {
			for name, p := range w.both() {
				for _, bucket := range []string{"made", "plain"} {
					for what, call := range p.unversioned(bucket) {
						what = fmt.Sprintf("%s: round %d: %s: %s", name, round, bucket, what)
						if err := timed(t, what, bound, call); err != nil {
							t.Errorf("%s: %v", what, err)
						}
					}
				}
				for what, call := range p.needing() {
					what = fmt.Sprintf("%s: round %d: %s", name, round, what)
					if err := timed(t, what, bound, call); !comeBack(err) {
						t.Errorf("%s: %v, want 503 with Retry-After", what, err)
					}
				}
				if status, body := p.readyz(t); status != http.StatusServiceUnavailable || !strings.Contains(body, "index: ") {
					t.Errorf("%s: /readyz: %d %s", name, status, body)
				}
			}
		}

		start(w)
		for name, p := range w.both() {
			eventually(t, name+" is ready", func() error {
				if status, body := p.readyz(t); status != http.StatusOK {
					return fmt.Errorf("%d %s", status, body)
				}
				return nil
			})
			p.has(t, "versioned", "before", "", "of before")
			w.versioned(t, p, "versioned", "after", name)
			for _, bucket := range []string{"made", "plain"} {
				for what, call := range p.unversioned(bucket) {
					if err := call(t.Context()); err != nil {
						t.Errorf("%s: %s: %s: %v", name, bucket, what, err)
					}
				}
			}
			if strings.Contains(p.process.Log(), secretKey) {
				t.Errorf("%s has a secret in its log", name)
			}
		}
		w.a.create(t, "new-bucket-after")
		eventually(t, "it at B", func() error { _, err := w.b.put(t.Context(), "new-bucket-after", "k", "body"); return err })
	}
	f(func(w *world) { w.database.Stop(t) }, func(w *world) { w.database.Start(t) })
	f(func(w *world) { w.database.Freeze(t) }, func(w *world) { w.database.Thaw(t) })
}

// TestLongOutage: when the database is away for longer than routes last, all buckets are, for somebody may have changed
// them; they come back with it.
func TestLongOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, times{freshFor: 300 * time.Millisecond, outage: 2 * time.Second})
	w.a.create(t, "made")
	each := func(f func(p *proxy, what, bucket string)) {
		for name, p := range w.both() {
			for _, bucket := range []string{"made", "plain"} {
				f(p, name+": "+bucket, bucket)
			}
		}
	}
	each(func(p *proxy, what, bucket string) {
		eventually(t, what, func() error { _, err := p.put(t.Context(), bucket, "before", "of before"); return err })
	})
	w.database.Stop(t)
	each(func(p *proxy, what, bucket string) {
		eventually(t, what+" is given up", func() error {
			if _, err := p.get(t.Context(), bucket, "before", ""); !comeBack(err) {
				return fmt.Errorf("%w, want 503 with Retry-After", err)
			}
			return nil
		})
		if _, err := p.put(t.Context(), bucket, "before", "lost"); !comeBack(err) {
			t.Errorf("%s: a put: %v", what, err)
		}
	})
	w.database.Start(t)
	each(func(p *proxy, what, bucket string) {
		eventually(t, what+" is back", func() error { _, err := p.get(t.Context(), bucket, "before", ""); return err })
		p.has(t, bucket, "before", "", "of before")
	})
}
