package localbackend

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// benchStore is a store on disk with a bucket.
func benchStore(b *testing.B) *Backend {
	s := open(b, Options{Dir: b.TempDir()})
	makeBucket(b, s, "b")
	return s
}

// benchPut returns a function that puts an object with a CRC64NVME, as clients do.
func benchPut(b *testing.B, s *Backend, body []byte) func(key string) {
	return func(key string) {
		_, err := s.PutObject(b.Context(), &s3.PutObjectInput{
			Bucket:            aws.String("b"),
			Key:               &key,
			Body:              bytes.NewReader(body),
			ContentLength:     aws.Int64(int64(len(body))),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		})
		if err != nil {
			b.Error(err)
		}
	}
}

// benchGet reads an object to its end.
func benchGet(b *testing.B, s *Backend, key string, buf []byte) {
	out, err := s.GetObject(b.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: &key})
	if err != nil {
		b.Error(err)
		return
	}
	// Hidden behind interfaces: as a response is written, piece by piece.
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{out.Body}, buf); err != nil {
		b.Error(err)
	}
	if err := out.Body.Close(); err != nil {
		b.Error(err)
	}
}

// BenchmarkPut measures one writer, and many at once.
func BenchmarkPut(b *testing.B) {
	f := func(name string, size, parallel int) {
		b.Run(name, func(b *testing.B) {
			s := benchStore(b)
			put := benchPut(b, s, make([]byte, size))
			var n atomic.Int64
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.SetParallelism(parallel)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					put(fmt.Sprintf("key-%08d", n.Add(1)%1000))
				}
			})
		})
	}
	f("1KiB/parallel=2", 1<<10, 1)
	f("1KiB/parallel=64", 1<<10, 32)
	f("64KiB/parallel=64", 64<<10, 32)
	f("64MiB/parallel=2", 64<<20, 1)
}

// BenchmarkGet measures reading from a warm cache.
func BenchmarkGet(b *testing.B) {
	f := func(name string, size int) {
		b.Run(name, func(b *testing.B) {
			s := benchStore(b)
			benchPut(b, s, make([]byte, size))("k")
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				buf := make([]byte, 64<<10)
				for pb.Next() {
					benchGet(b, s, "k", buf)
				}
			})
		})
	}
	f("1KiB", 1<<10)
	f("64KiB", 64<<10)
	f("64MiB", 64<<20)
}

// BenchmarkList measures a page of 1,000 keys.
func BenchmarkList(b *testing.B) {
	s := benchStore(b)
	put := benchPut(b, s, []byte("body"))
	for i := range 2000 {
		put(fmt.Sprintf("prefix/key-%08d", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		out, err := s.ListObjectsV2(b.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("b"), Prefix: aws.String("prefix/")})
		if err != nil || len(out.Contents) != 1000 {
			b.Fatal(len(out.Contents), err)
		}
	}
}

// BenchmarkCopy measures the copy of a large object.
func BenchmarkCopy(b *testing.B) {
	s := benchStore(b)
	benchPut(b, s, make([]byte, 64<<20))("k")
	b.SetBytes(64 << 20)
	for b.Loop() {
		_, err := s.CopyObject(b.Context(), backends.CopySource{Bucket: "b", Key: "k"}, &s3.CopyObjectInput{Bucket: aws.String("b"), Key: aws.String("copy")})
		if err != nil {
			b.Fatal(err)
		}
	}
}
