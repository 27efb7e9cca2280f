package mount_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/s3err"
)

// calls counts what a store is asked.
type calls map[string]int

// counting returns a store that counts in calls.
func counting(store faultbackend.Store) (backends.Backend, calls) {
	n := calls{}
	return faultbackend.New(store, func(c faultbackend.Call) faultbackend.Fault {
		n[c.Op]++
		return faultbackend.Fault{}
	}), n
}

// TestCopyAcross copies between two mounts: on the side of the store when both are of
// one, through here when they are not.
func TestCopyAcross(t *testing.T) {
	t.Parallel()
	one, asked := counting(newStore(t, "physical", "physical2"))
	two, asked2 := counting(newStore(t, "physical"))
	src := newMount(t, one, "physical", "p/")
	put(t, src, "virtual", "from", "body")
	f := func(dst backends.Backend, server bool, asked calls) {
		t.Helper()
		clear(asked)
		ref := backends.Source{Backend: src, CopySource: backends.CopySource{Bucket: "virtual", Key: "from"}}
		out, err := backends.CopyObject(t.Context(), dst, ref, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("to")})
		if err != nil {
			t.Fatal(err)
		}
		if (asked["CopyObject"] == 1) != server || (asked["PutObject"] == 1) == server {
			t.Errorf("the store was asked %v; want a copy on its side: %v", asked, server)
		}
		if got := read(t, dst, "virtual", "to"); got != "body" {
			t.Errorf("the copy is %q", got)
		}
		head, err := dst.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: new("to"), ChecksumMode: types.ChecksumModeEnabled})
		if err != nil || *head.ContentType != "text/body" || head.ChecksumCRC64NVME == nil || *head.ETag != *out.CopyObjectResult.ETag {
			t.Errorf("the copy has lost something: %+v, %v", head, err)
		}

		id := begin(t, dst, "virtual", "parts")
		part, err := backends.UploadPartCopy(t.Context(), dst, ref, &s3.UploadPartCopyInput{
			Bucket: new("virtual"), Key: new("parts"), UploadId: &id, PartNumber: aws.Int32(1), CopySourceRange: new("bytes=1-2"),
		})
		if err != nil {
			t.Fatal(err)
		}
		if (asked["UploadPartCopy"] == 1) != server {
			t.Errorf("the store was asked %v; want a part copy on its side: %v", asked, server)
		}
		if _, err := uploader(t, dst).CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: new("virtual"), Key: new("parts"), UploadId: &id,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.CopyPartResult.ETag}}},
		}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, dst, "virtual", "parts"); got != "od" {
			t.Errorf("the part is %q, want %q", got, "od")
		}

		ref.Key = "none"
		_, err = backends.CopyObject(t.Context(), dst, ref, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("to")})
		refused(t, err, s3err.NoSuchKey)
		ref.Key = strings.Repeat("k", 1023)
		_, err = backends.CopyObject(t.Context(), dst, ref, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("to")})
		refused(t, err, s3err.KeyTooLong)
		ref.Backend, ref.Key = newMount(t, one, "gone", "p/"), "from"
		_, err = backends.CopyObject(t.Context(), dst, ref, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("to")})
		refused(t, err, s3err.NoSuchBucket)
	}
	f(src, true, asked)
	f(newMount(t, one, "physical", "q/"), true, asked)
	f(newMount(t, one, "physical2", ""), true, asked)
	f(newMount(t, newMount(t, one, "physical2", "r/"), "virtual", "s/"), true, asked)
	f(newMount(t, two, "physical", "p/"), false, asked2)
}
