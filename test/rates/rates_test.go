package rates

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/valyala/fasthttp"

	"github.com/xronox/xronox-proxy/internal/proxyproc"
)

func TestMain(m *testing.M) { os.Exit(proxyproc.Main(m.Run)) }

// What a round puts, and by how many clients.
const (
	clients = 16
	puts    = 2000
	size    = 1024
)

// round puts objects of a bucket, each once, by URLs that were signed before, and returns how long that took.
func round(b *testing.B, urls []string) time.Duration {
	b.Helper()
	c := &fasthttp.Client{MaxConnsPerHost: clients}
	defer c.CloseIdleConnections()
	body := bytes.Repeat([]byte("x"), size)
	var next atomic.Int64
	var failed atomic.Pointer[string]
	var wg sync.WaitGroup
	began := time.Now()
	for range clients {
		wg.Go(func() {
			var q fasthttp.Request
			var r fasthttp.Response
			for i := next.Add(1) - 1; i < int64(len(urls)); i = next.Add(1) - 1 {
				q.SetRequestURI(urls[i])
				q.Header.SetMethod(http.MethodPut)
				q.SetBodyRaw(body)
				err := c.Do(&q, &r)
				if err != nil || r.StatusCode() != http.StatusOK {
					failed.Store(new(fmt.Sprint(err, r.StatusCode(), string(r.Body()))))
					return
				}
			}
		})
	}
	wg.Wait()
	if f := failed.Load(); f != nil {
		b.Fatal(*f)
	}
	return time.Since(began)
}

// BenchmarkPut compares puts of 1 KiB into a bucket with versions and one without, on local disk and durable both, in
// turns: %rate is the rate with versions in percent of that without.
func BenchmarkPut(b *testing.B) {
	const key, secret = "RATES", "a-secret-of-the-benchmark"
	p := proxyproc.Start(b, proxyproc.Options{Env: []string{"XRONOX_ROOT_ACCESS_KEY=" + key, "XRONOX_ROOT_SECRET_KEY=" + secret}})
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + p.S3), Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
	})
	for _, bucket := range []string{"plain", "versions"} {
		if _, err := client.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			b.Fatal(err)
		}
	}
	_, err := client.PutBucketVersioning(b.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("versions"), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		b.Fatal(err)
	}
	signer := s3.NewPresignClient(client)
	signed := func(bucket string, run int) []string {
		urls := make([]string, puts)
		for i := range urls {
			q, err := signer.PresignPutObject(context.Background(), &s3.PutObjectInput{Bucket: &bucket, Key: new(fmt.Sprintf("%d/%d", run, i))})
			if err != nil {
				b.Fatal(err)
			}
			urls[i] = q.URL
		}
		return urls
	}
	var without, with time.Duration
	run := 0
	for b.Loop() {
		without += round(b, signed("plain", run))
		with += round(b, signed("versions", run))
		run++
	}
	perSecond := func(d time.Duration) float64 { return float64(puts*run) / d.Seconds() }
	b.ReportMetric(100*float64(without)/float64(with), "%rate")
	b.ReportMetric(perSecond(without), "plain/s")
	b.ReportMetric(perSecond(with), "versions/s")
}
