package versioned_test

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
)

// pair is a bucket on local disk without versions, and one with versions in the embedded index.
func pair(b *testing.B) (plain, versionedBucket backends.Backend) {
	store := local(b)
	o := options(store, kv(b))
	o.Private = true
	return place(store, "unversioned/"), versioned.New(o)
}

// clients is how many clients a benchmark has.
const clients = 16

// putMany puts objects of 1 KiB by many clients, and returns how long one took.
func putMany(b *testing.B, to backends.Backend, run, n int) time.Duration {
	body := bytes.Repeat([]byte("x"), 1024)
	var next atomic.Int64
	done := make(chan error, clients)
	began := time.Now()
	for range clients {
		go func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				_, err := to.PutObject(b.Context(), &s3.PutObjectInput{
					Key: aws.String(fmt.Sprintf("%d/%d.bin", run, i)), Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
					ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
				})
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began) / time.Duration(n)
}

// BenchmarkPut compares puts of 1 KiB by 16 clients, durable both, in turns: %rate is the rate with versions in
// percent of that without.
func BenchmarkPut(b *testing.B) {
	plain, v := pair(b)
	const n = 500
	var without, with time.Duration
	run := 0
	for b.Loop() {
		without += putMany(b, plain, run, n)
		with += putMany(b, v, run, n)
		run++
	}
	b.ReportMetric(100*float64(without)/float64(with), "%rate")
	b.ReportMetric(float64(with.Microseconds())/float64(run), "µs/put")
}

// BenchmarkGet compares gets of 1 KiB, in turns: µs/more is what a current version takes more.
func BenchmarkGet(b *testing.B) {
	plain, v := pair(b)
	putMany(b, plain, 0, 100)
	putMany(b, v, 0, 100)
	get := func(from backends.Backend) time.Duration {
		const n = 2000
		began := time.Now()
		for i := range n {
			out, err := from.GetObject(b.Context(), &s3.GetObjectInput{Key: aws.String(fmt.Sprintf("0/%d.bin", 1+i%100))})
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, out.Body)
			_ = out.Body.Close()
		}
		return time.Since(began) / n
	}
	var without, with time.Duration
	runs := 0
	for b.Loop() {
		without += get(plain)
		with += get(v)
		runs++
	}
	b.ReportMetric(float64((with-without).Nanoseconds())/1000/float64(runs), "µs/more")
	b.ReportMetric(float64(without.Nanoseconds())/1000/float64(runs), "µs/get")
}

// BenchmarkListVersions lists a page of 1,000 versions of 100 keys.
func BenchmarkListVersions(b *testing.B) {
	_, v := pair(b)
	for range 10 {
		putMany(b, v, 0, 100)
	}
	list, _ := backends.As[backends.Versioned](v)
	for b.Loop() {
		out, err := list.ListObjectVersions(b.Context(), &s3.ListObjectVersionsInput{})
		if err != nil || len(out.Versions) != 1000 {
			b.Fatal(len(out.Versions), err)
		}
	}
}
