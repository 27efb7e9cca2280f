package s3servers

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// TestServers: each server takes requests of each of its accounts, and makes a
// bucket of its own for whoever asks.
func TestServers(t *testing.T) {
	for _, get := range []func(*testing.T) Server{VersityGW, VersityGWSecond, MinIO} {
		t.Run("", func(t *testing.T) {
			s := get(t)
			if one, two := s.NewBucket(t), s.NewBucket(t); one == two {
				t.Errorf("two buckets of the name %q", one)
			}
			if again := get(t); again != s {
				t.Errorf("got %+v, then %+v", s, again)
			}
		})
	}
}
