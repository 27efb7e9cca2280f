package fanout_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
)

// ops are what a store was asked since its plan was set.
func ops(wire *faultbackend.Backend) map[string]int {
	n := map[string]int{}
	for _, c := range wire.Calls() {
		n[c.Op]++
	}
	wire.SetPlan(nil)
	return n
}

// copies copies "0" to "1", which belong to the two mounts of b, as a whole and as a part, and returns
// what the store of "1" was asked for each.
func copies(t *testing.T, b backends.Backend, to *faultbackend.Backend) (object, part map[string]int) {
	t.Helper()
	ctx, bucket, key := t.Context(), new("virtual"), new("1")
	body := strings.Repeat("body", 50_000)
	put(t, b, "virtual", "0", body)
	src := backends.CopySource{Bucket: "virtual", Key: "0"}
	same := func(what string, got, want *string) {
		t.Helper()
		if got == nil || *got != *want {
			t.Errorf("%s of the copy is not that of its source", what)
		}
	}
	head := func(key string) *s3.HeadObjectOutput {
		t.Helper()
		out, err := b.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	from := head("0")
	to.SetPlan(nil)
	copied, err := b.CopyObject(ctx, src, &s3.CopyObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	object = ops(to)
	same("ETag in the result", copied.CopyObjectResult.ETag, from.ETag)
	same("checksum in the result", copied.CopyObjectResult.ChecksumSHA256, from.ChecksumSHA256)
	got := head("1")
	same("ETag", got.ETag, from.ETag)
	same("checksum", got.ChecksumSHA256, from.ChecksumSHA256)
	same("content type", got.ContentType, from.ContentType)
	if got.Metadata["m"] != body || read(t, b, "1") != body {
		t.Error("the copy has other bytes or metadata than its source")
	}

	u, _ := backends.As[backends.MultipartUploader](b)
	begun, err := u.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: bucket, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	if err != nil {
		t.Fatal(err)
	}
	to.SetPlan(nil)
	copiedPart, err := u.UploadPartCopy(ctx, src, &s3.UploadPartCopyInput{
		Bucket: bucket, Key: key, UploadId: begun.UploadId, PartNumber: new(int32(1)), CopySourceRange: new("bytes=4-11"),
	})
	if err != nil {
		t.Fatal(err)
	}
	part = ops(to)
	if _, err := u.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
			Parts: []types.CompletedPart{{PartNumber: new(int32(1)), ETag: copiedPart.CopyPartResult.ETag}},
		},
	}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, b, "1"); got != "bodybody" {
		t.Errorf("the object of the copied part is %q", got)
	}
	return object, part
}

// TestCopy holds that one store copies on its side, and two through here.
func TestCopy(t *testing.T) {
	t.Parallel()
	f := func(object, part map[string]int, op, partOp string) {
		t.Helper()
		if object[op] != 1 || object["CopyObject"]+object["PutObject"] != 1 {
			t.Errorf("a copy took %v; want one %s", object, op)
		}
		if part[partOp] != 1 || part["UploadPartCopy"]+part["UploadPart"] != 1 {
			t.Errorf("a copy of a part took %v; want one %s", part, partOp)
		}
	}
	one := faultbackend.New(memory(t), nil)
	object, part := copies(t, over(t, byFirst, one, one), one)
	f(object, part, "CopyObject", "UploadPartCopy")

	two := faultbackend.New(local(t), nil)
	object, part = copies(t, over(t, byFirst, one, two), two)
	f(object, part, "PutObject", "UploadPart")
}
