package localbackend

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// TestRealDiskFull fills a real file system of 48 MiB, without a reserve and
// with one, makes room by deleting, and goes on. It needs the right to mount.
func TestRealDiskFull(t *testing.T) {
	t.Parallel()
	f := func(minFree int64, size int) {
		t.Helper()
		dir := t.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=48m"); err != nil {
			t.Skip("cannot mount: ", err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
		now := time.Now()
		o := Options{Dir: dir, MinFree: minFree, Now: func() time.Time { now = now.Add(time.Second); return now }}
		b := open(t, o)
		makeBucket(t, b, "b")
		var n int
		for ; ; n++ {
			if err := put(t.Context(), b, fmt.Sprint(n), size); err != nil {
				if !s3err.Is(err, s3err.ServiceUnavailable) {
					t.Errorf("full: %v", err)
				}
				break
			}
		}
		for i := range n / 2 {
			_, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String(fmt.Sprint(i))})
			if err != nil {
				t.Fatal(err)
			}
		}
		until(t, func() bool { return put(t.Context(), b, "after", size) == nil })
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		b = open(t, o)
		for i := n / 2; i < n; i++ {
			wantSize(t, b, fmt.Sprint(i), size)
		}
		wantSize(t, b, "after", size)
		checkStore(t, b)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f(-1, 1<<20) // files fill it to the last page
	f(16<<20, 1<<20)
	f(24<<20, 60_000) // bodies in Pebble need room to be compacted away
}
