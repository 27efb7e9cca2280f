package upkeep_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// TestUpkeepWhileInUse looks after a bucket, in which there is much to be collected, while clients use it: nothing that they were
// promised is lost, and in the end nothing is wrong.
func TestUpkeepWhileInUse(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Log("seed", seed)
	const clients, writes, keys = 4, 60, 5
	var offset atomic.Int64
	k := open(t, nil)
	o := k.Options
	o.Now = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	k.Place = &upkeep.Place{Place: versioned.NewPlace(o)}
	k.bucket = k.Backend()
	offset.Store(-3 * int64(versions.KeepDead))
	for n := range 50 {
		key := fmt.Sprint("k", n%keys)
		k.remove(key, k.put(key, "dead"))
		k.lost(key)
	}
	offset.Store(-2 * int64(versions.KeepDead))
	swept := k.sweep(time.Time{}) // Of the removals those on top are not dead yet.
	if swept.Marked != 50+50-keys || swept.Bodies > 0 {
		t.Errorf("before: %+v", swept)
	}
	offset.Store(0)

	promised := make([]map[string]string, clients) // body by key and version, of versions that were not removed
	var users, rounds sync.WaitGroup
	done := make(chan struct{})
	for i := range clients {
		promised[i] = map[string]string{}
		users.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			for n := range writes {
				key, body := fmt.Sprint("k", rng.IntN(keys)), fmt.Sprint(i, "-", n)
				out, err := k.bucket.PutObject(t.Context(), &s3.PutObjectInput{Key: &key, Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body)))})
				if err != nil {
					t.Error(err)
					return
				}
				promised[i][key+" "+*out.VersionId] = body
				for at := range promised[i] { // Remove one of its own now and then.
					if rng.IntN(4) > 0 {
						break
					}
					key, version, _ := strings.Cut(at, " ")
					if _, err := k.bucket.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: &key, VersionId: &version}); err != nil {
						t.Error(err)
					}
					delete(promised[i], at)
					break
				}
				if rng.IntN(8) == 0 {
					if _, err := k.bucket.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: &key}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	rounds.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			one, err := k.Sweep(t.Context(), time.Time{})
			if err != nil {
				t.Error(err)
			}
			swept.Rows, swept.Bodies = swept.Rows+one.Rows, swept.Bodies+one.Bodies
			out, err := k.Verify(t.Context(), upkeep.Check{Repair: true, Report: func(p upkeep.Problem) {
				if p.Problem == upkeep.MissingBody || p.Problem == upkeep.WrongBody {
					t.Errorf("%+v", p)
				}
			}})
			if err != nil {
				t.Error(out, err)
			}
		}
	})
	users.Wait()
	close(done)
	rounds.Wait()
	if swept.Rows < 2*50-keys || swept.Bodies != 50 {
		t.Errorf("swept %+v", swept)
	}
	for i := range promised {
		for at, body := range promised[i] {
			key, version, _ := strings.Cut(at, " ")
			out, err := k.bucket.GetObject(t.Context(), &s3.GetObjectInput{Key: &key, VersionId: &version})
			if err != nil {
				t.Errorf("%s: %v", at, err)
				continue
			}
			_ = out.Body.Close()
			if aws.ToInt64(out.ContentLength) != int64(len(body)) {
				t.Errorf("%s has %d bytes", at, aws.ToInt64(out.ContentLength))
			}
		}
	}
	k.want("verify", k.verify(false), "")
}
