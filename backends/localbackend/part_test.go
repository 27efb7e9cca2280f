package localbackend

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestLargePartCopy: no more than 5 GiB become a part, of the object or of the
// range. The object has a row only: nothing of its body is looked at.
func TestLargePartCopy(t *testing.T) {
	b := open(t, Options{Dir: t.TempDir()})
	makeBucket(t, b, "bucket")
	const size = backends.MaxCopySize + 10
	p, err := b.at(new("bucket"), new("large"))
	if err != nil {
		t.Fatal(err)
	}
	o := &object{ObjectMeta: backends.ObjectMeta{Size: size, ETag: `"e"`}, body: []segment{{size: size}}}
	err = b.change(t.Context(), p, func(x *tx) error {
		x.set(objectKey(p.bkt.id, p.key), o.encode())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	up, err := b.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: new("bucket"), Key: new("k")})
	if err != nil {
		t.Fatal(err)
	}
	f := func(copyRange *string) {
		t.Helper()
		_, err := b.UploadPartCopy(t.Context(), backends.CopySource{Bucket: "bucket", Key: "large"}, &s3.UploadPartCopyInput{
			Bucket: new("bucket"), Key: new("k"), UploadId: up.UploadId, PartNumber: new(int32(1)), CopySourceRange: copyRange,
		})
		if !s3err.Is(err, s3err.InvalidRequest) {
			t.Errorf("%v", err)
		}
	}
	f(nil)
	f(new(fmt.Sprintf("bytes=5-%d", size-1)))
	f(new(fmt.Sprintf("bytes=0-%d", int64(backends.MaxCopySize))))
}
