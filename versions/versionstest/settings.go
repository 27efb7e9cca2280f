package versionstest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
)

// settings returns an entry with every field set.
func settings(seq int64) router.Settings {
	return router.Settings{
		Seq: seq, Time: instant(seq), AccessKey: fmt.Sprint("key of ", seq),
		Versioning: router.Suspended, Enabling: true, Closing: true, Complete: true,
		Configuration: router.Configuration{
			Tags: []router.Tag{{Key: "a", Value: "1"}, {Key: "ö", Value: ""}},
			CORS: []router.CORSRule{{
				ID: "rule", AllowedOrigins: []string{"https://*.example.com"}, AllowedMethods: []string{"GET", "PUT"},
				AllowedHeaders: []string{"*"}, ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: new(int32(seq)),
			}},
			Encryption: &router.Encryption{Algorithm: "aws:kms", KMSKeyID: "key", BucketKey: true},
			ObjectLock: &router.ObjectLock{Mode: "GOVERNANCE", Days: int32(seq)},
		},
	}
}

// topSettings compares what is in force.
func topSettings(t testing.TB, x versions.Index, bucketID string, want router.Settings) {
	t.Helper()
	got, err := x.TopSettings(t.Context(), bucketID)
	must(t, err)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("settings of %q: -want +got\n%s", bucketID, d)
	}
}

func settingsInOrder(t *testing.T, x versions.Index) {
	topSettings(t, x, "b", router.Settings{})
	for i, seq := range []int64{2, 1, 9, 10, 256, 255} { // as a loader may
		must(t, x.InsertSettings(t.Context(), "b", settings(seq)))
		topSettings(t, x, "b", settings([]int64{2, 2, 9, 10, 256, 256}[i]))
	}
	lean := router.Settings{Seq: 257, Time: instant(1)}
	must(t, x.InsertSettings(t.Context(), "b", lean))
	topSettings(t, x, "b", lean)
}

func settingsAreUnique(t *testing.T, x versions.Index) {
	must(t, x.InsertSettings(t.Context(), "b", settings(1)))
	if err := x.InsertSettings(t.Context(), "b", router.Settings{Seq: 1}); !errors.Is(err, router.ErrExists) {
		t.Errorf("second insert: %v, want ErrExists", err)
	}
	topSettings(t, x, "b", settings(1))
	for _, bucketID := range oddBuckets[1:] {
		topSettings(t, x, bucketID, router.Settings{})
	}
	for i, bucketID := range oddBuckets[1:] {
		must(t, x.InsertSettings(t.Context(), bucketID, settings(int64(i)+1)))
	}
	for i, bucketID := range oddBuckets[1:] {
		topSettings(t, x, bucketID, settings(int64(i)+1))
	}
	topSettings(t, x, "b", settings(1))
}

func oneSettingsWins(t *testing.T, x versions.Index) {
	const racers = 16
	for seq := int64(1); seq <= 3; seq++ {
		var winner atomic.Pointer[router.Settings]
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() {
				s := settings(seq)
				s.AccessKey = fmt.Sprint(i)
				switch err := x.InsertSettings(t.Context(), "b", s); {
				case err == nil && !winner.CompareAndSwap(nil, &s):
					t.Errorf("entry %d has two winners", seq)
				case err != nil && !errors.Is(err, router.ErrExists):
					t.Error(err)
				case err != nil: // The winner's entry can be read by who has lost.
					if top, err := x.TopSettings(t.Context(), "b"); err != nil || top.Seq != seq {
						t.Errorf("entry %d exists, and in force is %d, %v", seq, top.Seq, err)
					}
				}
			})
		}
		wg.Wait()
		if winner.Load() == nil {
			t.Fatalf("entry %d has no winner", seq)
		}
		topSettings(t, x, "b", *winner.Load())
	}
}
