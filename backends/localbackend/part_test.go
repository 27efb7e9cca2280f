package localbackend

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

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

// TestPartOfPart: a part that is exactly a part of its source shares the file with it, and has its own ETag and checksum; any
// other is copied. Each outlives the other's object.
func TestPartOfPart(t *testing.T) {
	t.Parallel()
	b := open(t, Options{Dir: t.TempDir(), MinFree: -1})
	makeBucket(t, b, "bucket")
	bodies := []string{strings.Repeat("a", backends.MinPartSize), strings.Repeat("b", backends.MinPartSize), "end"}
	crc64, crc32 := types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmCrc32
	begin := func(key string, a types.ChecksumAlgorithm) *string {
		t.Helper()
		up, err := b.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
			Bucket: new("bucket"), Key: &key, ChecksumAlgorithm: a, ChecksumType: types.ChecksumTypeFullObject,
		})
		if err != nil {
			t.Fatal(err)
		}
		return up.UploadId
	}
	complete := func(key string, id *string, parts []types.CompletedPart) *s3.CompleteMultipartUploadOutput {
		t.Helper()
		out, err := b.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: new("bucket"), Key: &key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	var parts []types.CompletedPart
	id := begin("from", crc64)
	for i, body := range bodies {
		n := new(int32(2*i + 1))
		out, err := b.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: new("bucket"), Key: new("from"), UploadId: id, PartNumber: n, Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: n, ETag: out.ETag})
	}
	original := complete("from", id, parts)

	// copied copies the source by ranges, and returns how many parts have the files of its parts.
	copied := func(key string, a types.ChecksumAlgorithm, ranges ...string) (linked int, out *s3.CompleteMultipartUploadOutput) {
		t.Helper()
		var parts []types.CompletedPart
		id := begin(key, a)
		for i, r := range ranges {
			n := new(int32(i + 1))
			out, err := b.UploadPartCopy(t.Context(), backends.CopySource{Bucket: "bucket", Key: "from"}, &s3.UploadPartCopyInput{
				Bucket: new("bucket"), Key: &key, UploadId: id, PartNumber: n, CopySourceRange: &r,
			})
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, types.CompletedPart{PartNumber: n, ETag: out.CopyPartResult.ETag})
		}
		out = complete(key, id, parts)
		for _, seg := range segments(t, b, key) {
			for _, of := range segments(t, b, "from") {
				if sameFile(t, b.files.path(seg.name), b.files.path(of.name)) {
					linked++
				}
			}
		}
		return linked, out
	}
	f := func(key string, a types.ChecksumAlgorithm, want int, ranges ...string) *s3.CompleteMultipartUploadOutput {
		t.Helper()
		linked, out := copied(key, a, ranges...)
		if linked != want {
			t.Errorf("%s: %d parts have the file of another, want %d", key, linked, want)
		}
		return out
	}
	all := []string{"bytes=0-5242879", "bytes=5242880-10485759", "bytes=10485760-10485762"}
	same := f("same", crc64, 3, all...)
	if *same.ETag != *original.ETag || *same.ChecksumCRC64NVME != *original.ChecksumCRC64NVME {
		t.Errorf("the copy is %s, %s", *same.ETag, *same.ChecksumCRC64NVME)
	}
	f("another checksum", crc32, 0, all...)
	f("another cut", crc64, 1, "bytes=0-5242880", "bytes=5242881-10485760", "bytes=10485760-10485762")
	if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("bucket"), Key: new("from")}); err != nil {
		t.Fatal(err)
	}
	checkStore(t, b)
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("bucket"), Key: new("same")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if got, err := io.ReadAll(out.Body); err != nil || string(got) != strings.Join(bodies, "") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// segments are what the body of an object is made of.
func segments(t *testing.T, b *Backend, key string) []segment {
	t.Helper()
	p, err := b.at(new("bucket"), &key)
	if err != nil {
		t.Fatal(err)
	}
	o, err := b.lookup(p)
	if err != nil {
		t.Fatal(err)
	}
	return o.body
}

// sameFile reports whether two paths are of one file.
func sameFile(t *testing.T, one, other string) bool {
	t.Helper()
	a, err := os.Stat(one)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.Stat(other)
	if err != nil {
		t.Fatal(err)
	}
	return os.SameFile(a, b)
}
