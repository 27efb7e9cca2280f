package s3backend

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/internal/s3test"
)

// TestDefaultChecksums: of a service that gives uploads a default checksum, as this proxy itself is one, it is not asked for. Then
// every proxy shows uploads as they were begun, and objects have the checksum all the same.
func TestDefaultChecksums(t *testing.T) {
	p := s3test.Start(t, s3test.Options{Now: time.Now})
	s := s3servers.Server{Endpoint: "http://" + p.Addr, Region: s3test.Region, AccessKey: s3test.Root.AccessKey, SecretKey: s3test.Root.SecretKey}
	b, bucket := connect(t, s, Cautious()), s3test.Bucket
	can, err := b.Probe(t.Context(), bucket, "probe/")
	if err != nil || !can.DefaultChecksums {
		t.Fatalf("the probe finds %+v, %v", can, err)
	}
	b.Adopt(can)
	begun, err := b.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: new("k")})
	if err != nil || begun.ChecksumAlgorithm != "" {
		t.Fatalf("CreateMultipartUpload: %v, %+v", err, begun)
	}
	for name, other := range map[string]*Backend{"the same": b, "another": connect(t, s, can)} {
		list, err := other.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err != nil || len(list.Uploads) != 1 || list.Uploads[0].ChecksumAlgorithm != "" {
			t.Errorf("ListMultipartUploads of %s: %v, %+v", name, err, list)
		}
		part, err := other.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: &bucket, Key: new("k"), UploadId: begun.UploadId, PartNumber: new(int32(1)),
			Body: strings.NewReader("body"), ContentLength: new(int64(4)), ChecksumAlgorithm: backends.NoChecksum,
		})
		if err != nil || value(part.ChecksumCRC64NVME) != sum64("body") {
			t.Errorf("UploadPart of %s: %v, %+v", name, err, part)
		}
	}
	in := &s3.CompleteMultipartUploadInput{Bucket: &bucket, Key: new("k"), UploadId: begun.UploadId}
	in.MultipartUpload = &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{
		PartNumber: new(int32(1)), ETag: new(`"841a2d689ad86bd1611447453c22c6fc"`), ChecksumCRC64NVME: new(sum64("body")),
	}}}
	out, err := b.CompleteMultipartUpload(t.Context(), in)
	if err != nil || value(out.ChecksumCRC64NVME) != sum64("body") || out.ChecksumType != types.ChecksumTypeFullObject {
		t.Errorf("CompleteMultipartUpload: %v, %+v", err, out)
	}
	head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: new("k"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || value(head.ChecksumCRC64NVME) != sum64("body") {
		t.Errorf("HeadObject: %v, %+v", err, head)
	}
}

// sum64 is the CRC64NVME of a body.
func sum64(body string) string {
	var in s3.PutObjectInput
	claim(body)(&in)
	return *in.ChecksumCRC64NVME
}
