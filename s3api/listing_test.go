package s3api

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// fullPage is a page of 1,000 keys that need escaping, with everything that S3 says of an object.
func fullPage() *objectsPage {
	out := &s3.ListObjectsV2Output{}
	for i := range maxKeys {
		out.Contents = append(out.Contents, types.Object{
			Key:               aws.String(fmt.Sprintf("photos/2026/january & february/%06d.jpeg", i)),
			LastModified:      aws.Time(time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)),
			ETag:              aws.String(`"d41d8cd98f00b204e9800998ecf8427e"`),
			Size:              aws.Int64(int64(i) << 20),
			ChecksumAlgorithm: []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc64nvme},
			ChecksumType:      types.ChecksumTypeFullObject,
			StorageClass:      types.ObjectStorageClassStandard,
		})
	}
	return &objectsPage{listing: listing{max: maxKeys, prefix: "photos/", encode: true}, name: "bucket", owner: "owner", nextToken: "token", out: out}
}

// A page costs the growing of one buffer, whatever is on it: nothing for each entry.
func TestListEncodingAllocations(t *testing.T) {
	const most = 50
	page := fullPage()
	if got := testing.AllocsPerRun(20, func() { page.document() }); got > most {
		t.Errorf("a page of %d keys takes %v allocations, more than %d", maxKeys, got, most)
	}
}

func BenchmarkListEncoding(b *testing.B) {
	page := fullPage()
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(page.document().b)))
	}
}
