package backends

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/xronox/xronox-proxy/checksum"
)

// crc is the algorithm of the upload under test.
const crc = types.ChecksumAlgorithmCrc32

// uploadedPart is a part as a store has it.
func uploadedPart(n int32, body string) PartInfo {
	d := NewDigest(crc)
	d.add([]byte(body))
	p := d.Part(n)
	p.LastModified = time.Unix(int64(n), 0)
	return p
}

// completed names a part.
func completed(n int32, etag string) types.CompletedPart {
	return types.CompletedPart{PartNumber: &n, ETag: &etag}
}

// TestPlanComplete goes through the refusals with their details, and one success.
func TestPlanComplete(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", MinPartSize)
	parts := map[int32]PartInfo{1: uploadedPart(1, big), 3: uploadedPart(3, "small"), 5: uploadedPart(5, "end")}
	stored := func(n int32) (PartInfo, bool) { p, ok := parts[n]; return p, ok }
	upload := ObjectMeta{
		Headers:  Headers{ContentType: "text/plain"},
		Checksum: Checksum{Algorithm: crc, Type: types.ChecksumTypeFullObject},
	}
	one, three, five := completed(1, parts[1].ETag), completed(3, parts[3].ETag), completed(5, strings.Trim(parts[5].ETag, `"`))
	input := func(list ...types.CompletedPart) *s3.CompleteMultipartUploadInput {
		return &s3.CompleteMultipartUploadInput{
			UploadId:        new("id"),
			MultipartUpload: &types.CompletedMultipartUpload{Parts: list},
		}
	}
	f := func(in *s3.CompleteMultipartUploadInput, want string) {
		t.Helper()
		if _, err := PlanComplete(upload, stored, in); verdict(err) != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(input(), "MalformedXML")
	f(input(types.CompletedPart{PartNumber: new(int32(1))}), "MalformedXML")
	f(input(types.CompletedPart{ETag: new("x")}), "MalformedXML")
	f(input(five, one), "InvalidPartOrder UploadId=id")
	f(input(one, one), "InvalidPartOrder UploadId=id")
	f(input(one, completed(2, `"abc"`)), "InvalidPart UploadId=id PartNumber=2 ETag=abc")
	f(input(one, completed(5, `"abc"`)), "InvalidPart UploadId=id PartNumber=5 ETag=abc")
	f(input(one, three, five), "EntityTooSmall ProposedSize=5 MinSizeAllowed=5242880 PartNumber=3 ETag="+bareETag(parts[3].ETag))

	in := input(one, five)
	in.ChecksumCRC32 = new("AAAAAA==")
	f(in, "BadDigest")
	in = input(one, five)
	in.ChecksumSHA256 = new("AAAAAA==")
	f(in, "InvalidRequest")

	in = input(one, five)
	m, err := PlanComplete(upload, stored, in)
	if err != nil {
		t.Fatal(err)
	}
	if want := uploadedPart(0, big+"end"); m.Size != want.Size || m.Checksum.Value != want.Checksum {
		t.Errorf("size %d, checksum %s, want %d, %s", m.Size, m.Checksum.Value, want.Size, want.Checksum)
	}
	if len(m.Parts) != 2 || m.Parts[1].Number != 5 || !m.Parts[1].LastModified.IsZero() || m.ContentType != "text/plain" {
		t.Errorf("%+v", m)
	}
	if !CompletedBy(&m, in) || CompletedBy(&m, input(one)) || CompletedBy(&ObjectMeta{}, in) || CompletedBy(nil, in) {
		t.Error("CompletedBy does not tell the same parts from others")
	}
	if in.UploadId = new("another"); CompletedBy(&m, in) {
		t.Error("CompletedBy takes another upload's id")
	}
}

// TestMetaRoundTrip holds that what a writer says is what a reader is told.
func TestMetaRoundTrip(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	put := &s3.PutObjectInput{
		CacheControl: new("c"), ContentDisposition: new("d"), ContentEncoding: new("e"), ContentLanguage: new("l"),
		ContentType: new("t"), Expires: &at, WebsiteRedirectLocation: new("/w"), Metadata: map[string]string{"a": "b"},
		StorageClass: types.StorageClassGlacier, ChecksumAlgorithm: crc,
	}
	m := PutMeta(put)
	d := NewDigest(crc)
	d.add([]byte("body"))
	d.Finish(&m)
	m.LastModified = stored.LastModified
	out, span, err := Read(&m, &s3.GetObjectInput{ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || span != (Span{0, 4}) {
		t.Fatal(span, err)
	}
	second := stored.LastModified.Truncate(time.Second)
	want := &s3.GetObjectOutput{
		AcceptRanges: new("bytes"), CacheControl: new("c"), ContentDisposition: new("d"), ContentEncoding: new("e"),
		ContentLanguage: new("l"), ContentType: new("t"), ExpiresString: new("Wed, 02 Jan 2030 03:04:05 GMT"), Expires: &at, //nolint:staticcheck // see getOutput
		WebsiteRedirectLocation: new("/w"), Metadata: map[string]string{"a": "b"}, StorageClass: types.StorageClassGlacier,
		ETag: &m.ETag, ContentLength: new(int64(4)), LastModified: &second,
		ChecksumCRC32: new(d.Checksum()), ChecksumType: types.ChecksumTypeFullObject,
	}
	if diff := cmp.Diff(want, out, cmpopts.IgnoreUnexported(s3.GetObjectOutput{}, middleware.Metadata{})); diff != "" {
		t.Error(diff)
	}
	upload := UploadMeta(&s3.CreateMultipartUploadInput{
		CacheControl: new("c"), ContentDisposition: new("d"), ContentEncoding: new("e"), ContentLanguage: new("l"),
		ContentType: new("t"), Expires: &at, WebsiteRedirectLocation: new("/w"), Metadata: map[string]string{"a": "b"},
	})
	if diff := cmp.Diff(m.Headers, upload.Headers); diff != "" {
		t.Error(diff)
	}
	copied := CopyMeta(&m, &s3.CopyObjectInput{})
	bare := m.Headers
	bare.WebsiteRedirectLocation = ""
	if diff := cmp.Diff(ObjectMeta{Headers: bare, Checksum: Checksum{Algorithm: crc, Type: types.ChecksumTypeFullObject}}, copied); diff != "" {
		t.Error(diff)
	}
	if m := PutMeta(&s3.PutObjectInput{}); m.ContentType != DefaultContentType {
		t.Errorf("default type %q", m.ContentType)
	}
	if checksum.Get(PutOutput(&m, CustomerKey{}), crc) == nil || ListedObject("k", &m).ChecksumType != types.ChecksumTypeFullObject {
		t.Error("the checksum is not in the outputs")
	}
}

// TestUploadType holds that an upload has a type that its algorithm can have.
func TestUploadType(t *testing.T) {
	t.Parallel()
	for _, a := range checksum.All() {
		m := UploadMeta(&s3.CreateMultipartUploadInput{ChecksumAlgorithm: a})
		if !checksum.ValidType(a, m.Checksum.Type) {
			t.Errorf("%s: %q", a, m.Checksum.Type)
		}
	}
	m := UploadMeta(&s3.CreateMultipartUploadInput{})
	if want := (Checksum{Algorithm: types.ChecksumAlgorithmCrc64nvme, Type: types.ChecksumTypeFullObject, Default: true}); m.Checksum != want {
		t.Errorf("without an algorithm: %+v", m.Checksum)
	}
	if m.Checksum.Named() != (Checksum{}) {
		t.Errorf("shown of the default: %+v", m.Checksum.Named())
	}
}
