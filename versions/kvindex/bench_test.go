package kvindex

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/versions"
)

// benchVersion is a version as they are.
func benchVersion(n int64) versions.Version {
	return versions.Version{
		ID: versions.NewVersionID(n), Size: 1024, ETag: `"d41d8cd98f00b204e9800998ecf8427e"`,
		By:       versions.By{Operation: "PutObject", AccessKey: "AKIAIOSFODNN7EXAMPLE", UserID: "main", TenantID: "acme"},
		Checksum: backends.Checksum{Algorithm: "CRC64NVME", Type: "FULL_OBJECT", Value: "AAAAAAAAAAA="},
	}
}

// benchKey is the key of an object.
func benchKey(i int) versions.Object {
	return versions.Object{BucketID: "0123456789abcdef", Key: fmt.Sprintf("records/orders/%06d/head.json", i)}
}

// benchIndex is an index on disk with so many objects of so many versions each, which were not
// waited for one by one.
func benchIndex(b *testing.B, objects, each int) *Index {
	b.Helper()
	x := open(b, Options{Dir: b.TempDir()})
	b.Cleanup(func() {
		if err := x.Close(); err != nil {
			b.Error(err)
		}
	})
	batch := x.db.NewBatch()
	for i := range objects {
		o, top := benchKey(i), versions.Row{}
		for n := range each {
			top = versions.Put(top, benchVersion(int64(n)), time.UnixMilli(1_790_000_000_000))
			latest := top
			latest.State = versions.State{}
			err := errors.Join(
				batch.Set(rowKey(o, top.Seq), top.Encode(), nil),
				batch.Set(latestKey(o, top.Version.Time), latest.Encode(), nil),
				batch.Set(numberKey(kindNumber, o, top.Version.ID.N), encodeTime(top.Version.Time), nil),
				batch.Set(numberKey(kindSlot, o, top.Version.ID.N), encodeTime(top.Version.Time), nil),
			)
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Set(objectKey(kindTop, o), top.Encode(), nil); err != nil {
			b.Fatal(err)
		}
		if err := batch.Commit(pebble.NoSync); err != nil {
			b.Fatal(err)
		}
		batch = x.db.NewBatch()
	}
	return x
}

// reads reports how many rows an operation reads in the store.
func reads(b *testing.B, x *Index) {
	before := x.reads.Load()
	b.ResetTimer()
	b.Cleanup(func() { b.ReportMetric(float64(x.reads.Load()-before)/float64(b.N), "reads/op") })
}

// BenchmarkTop is what a read of a current version asks.
func BenchmarkTop(b *testing.B) {
	x := benchIndex(b, 1000, 10)
	reads(b, x)
	i := 0
	for b.Loop() {
		if top, err := x.Top(b.Context(), benchKey(i%1000)); err != nil || top.Seq != 10 {
			b.Fatal(top, err)
		}
		i += 7
	}
}

// BenchmarkFind is what a read of any other version asks.
func BenchmarkFind(b *testing.B) {
	x := benchIndex(b, 1000, 10)
	reads(b, x)
	i := 0
	for b.Loop() {
		if r, err := x.Find(b.Context(), benchKey(i%1000), int64(i%10)); err != nil || r.Seq == 0 {
			b.Fatal(r, err)
		}
		i += 7
	}
}

// writers calls insert b.N times from that many at once.
func writers(b *testing.B, count int, insert func(i int) error) {
	b.ResetTimer()
	var next atomic.Int64
	done := make(chan error, count)
	for range count {
		go func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := insert(int(i)); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range count {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkInsertRow inserts durable rows: those of writers at the same time share a sync.
func BenchmarkInsertRow(b *testing.B) {
	for _, count := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", count), func(b *testing.B) {
			x := benchIndex(b, 0, 0)
			writers(b, count, func(i int) error {
				r := versions.Put(versions.Row{}, benchVersion(0), time.Now())
				return x.InsertRow(b.Context(), benchKey(i), r)
			})
		})
	}
}

// BenchmarkSync is the disk's share: the smallest row that Pebble can make durable, by as many.
func BenchmarkSync(b *testing.B) {
	for _, count := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", count), func(b *testing.B) {
			x := benchIndex(b, 0, 0)
			writers(b, count, func(i int) error { return x.db.Set(fmt.Append(nil, i), nil, pebble.Sync) })
		})
	}
}

// BenchmarkListVersions is a page of 1,000: of objects with few versions, and of one with many.
func BenchmarkListVersions(b *testing.B) {
	f := func(name string, objects, each int) {
		b.Run(name, func(b *testing.B) {
			x := benchIndex(b, objects, each)
			reads(b, x)
			for b.Loop() {
				out, err := versions.ListVersions(b.Context(), x, "0123456789abcdef", &s3.ListObjectVersionsInput{})
				if err != nil || len(out.Versions) != 1000 {
					b.Fatal(len(out.Versions), err)
				}
			}
		})
	}
	f("short", 1000, 3)
	f("long", 1, 3000)
}

// BenchmarkListObjects is a page of 1,000 objects that have one version each, and 1,000: the second only
// with XRONOX_LONG, as it begins with 1,000,000 rows.
func BenchmarkListObjects(b *testing.B) {
	f := func(each int) {
		b.Run(fmt.Sprintf("versions=%d", each), func(b *testing.B) {
			if each > 100 && os.Getenv("XRONOX_LONG") == "" {
				b.Skip("only with XRONOX_LONG")
			}
			x := benchIndex(b, 1000, each)
			list := func(b *testing.B, in s3.ListObjectsV2Input, want int) {
				reads(b, x)
				for b.Loop() {
					out, err := versions.ListObjects(b.Context(), x, "0123456789abcdef", &in)
					if err != nil || int(*out.KeyCount) != want {
						b.Fatal(*out.KeyCount, err)
					}
				}
			}
			b.Run("flat", func(b *testing.B) { list(b, s3.ListObjectsV2Input{}, 1000) })
			b.Run("delimiter", func(b *testing.B) {
				list(b, s3.ListObjectsV2Input{Prefix: aws.String("records/orders/"), Delimiter: aws.String("/")}, 1000)
			})
		})
	}
	f(1)
	f(100)
	f(1000)
}
