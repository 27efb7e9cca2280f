package versioned_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
)

// TestListingBefore lists, as of a time before, objects that the index does not know: pages of the store that
// have nothing from then are passed over.
func TestListingBefore(t *testing.T) {
	t.Parallel()
	b := open(t, func(o *versioned.Options) { o.Complete = false })
	for i := range 40 {
		in := &s3.PutObjectInput{Key: new(fmt.Sprintf("%02d", i)), ContentLength: aws.Int64(0), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme}
		if _, err := b.o.Heads.PutObject(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	f := func(at time.Time, want int) {
		t.Helper()
		ctx := backends.WithRequest(t.Context(), &backends.Request{AsOf: at})
		for _, size := range []int32{1, 40} {
			out, err := b.ListObjectsV2(ctx, &s3.ListObjectsV2Input{MaxKeys: &size})
			if err != nil || len(out.Contents) != min(want, int(size)) {
				t.Errorf("as of %s by %d: %+v, %v; want %d objects", at, size, out, err, want)
			}
			v, _ := backends.As[backends.Versioned](b.Backend)
			page, err := v.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{MaxKeys: &size})
			if err != nil || len(page.Versions) != min(want, int(size)) {
				t.Errorf("as of %s by %d: %+v, %v; want %d versions", at, size, page, err, want)
			}
		}
	}
	f(time.Now().Add(-time.Hour), 0)
	f(time.Now().Add(time.Hour), 40)
}
