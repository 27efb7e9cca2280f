package streaming

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// limit is what the server may have resident at its peak, whatever it serves.
const limit = 256 << 20

// load is what the server is put under.
type load struct {
	uploads, downloads int
	size               int64 // of each body
	stored             bool  // downloads are of what was uploaded before
}

// TestStreaming: 128 bodies at a time, together eight times the limit.
func TestStreaming(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the peak of resident memory is read from /proc")
	}
	p := start(t, "synthetic")
	run(t, p, load{uploads: 64, downloads: 64, size: 16 << 20})
	if peak := p.stop(t); peak > limit {
		t.Errorf("%d MiB resident", peak>>20)
	}
}

// BenchmarkStreaming is the full form: 64 uploads and 64 downloads of 1 GiB at a
// time, past a store that keeps nothing.
func BenchmarkStreaming(b *testing.B) {
	benchmark(b, "synthetic", load{uploads: 64, downloads: 64, size: 1 << 30})
}

// BenchmarkStreamingLocal has four uploads of 1 GiB to local disk, and then
// four downloads of them.
func BenchmarkStreamingLocal(b *testing.B) {
	benchmark(b, b.TempDir(), load{uploads: 4, size: 1 << 30}, load{downloads: 4, size: 1 << 30, stored: true})
}

// benchmark reports throughput and the peak of resident memory.
func benchmark(b *testing.B, mode string, loads ...load) {
	p := start(b, mode)
	var bytes int64
	for _, l := range loads {
		bytes += int64(l.uploads+l.downloads) * l.size
	}
	b.SetBytes(bytes)
	for b.Loop() {
		for _, l := range loads {
			run(b, p, l)
		}
	}
	peak := p.stop(b)
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	if peak > limit {
		b.Errorf("%d MiB resident", peak>>20)
	}
}

// run does everything in l at the same time.
func run(tb testing.TB, p *process, l load) {
	tb.Helper()
	c := s3.NewPresignClient(s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + p.addr), Region: region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
	}))
	client := &http.Client{Transport: &http.Transport{WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10}}
	defer client.CloseIdleConnections()
	var g errgroup.Group
	for i := range l.uploads {
		key := "upload-" + strconv.Itoa(i)
		signed, err := c.PresignPutObject(tb.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key})
		if err != nil {
			tb.Fatal(err)
		}
		g.Go(func() error { return do(client, http.MethodPut, signed.URL, l.size) })
	}
	for i := range l.downloads {
		key := strconv.FormatInt(l.size, 10) // what the synthetic store takes for a length
		if l.stored {
			key = "upload-" + strconv.Itoa(i)
		}
		signed, err := c.PresignGetObject(tb.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
		if err != nil {
			tb.Fatal(err)
		}
		g.Go(func() error { return do(client, http.MethodGet, signed.URL, l.size) })
	}
	if err := g.Wait(); err != nil {
		tb.Fatal(err)
	}
}

// do sends or receives size bytes.
func do(client *http.Client, method, url string, size int64) error {
	var body io.Reader
	if method == http.MethodPut {
		body = io.LimitReader(letters{}, size)
	}
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	if body != nil {
		req.ContentLength = size
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || method == http.MethodGet && n != size {
		return fmt.Errorf("%s: %s, %d bytes", method, resp.Status, n)
	}
	return nil
}
