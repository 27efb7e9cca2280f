package policy_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// checkPolicy tries every road by which "there" could be replaced or deleted, and by which
// something new could come; only an append-only mount takes what is new. upload is one
// of "there" that was begun elsewhere.
func checkPolicy(t *testing.T, m backends.Backend, upload string, appends bool) {
	t.Helper()
	bucket, there := new("virtual"), new("there")
	f := func(what string, err error, code s3err.Code) {
		t.Helper()
		if code == "" && err != nil || code != "" && !s3err.Is(err, code) {
			t.Errorf("append %v: %s: %v, want %q", appends, what, err, code)
		}
	}
	denied := s3err.AccessDenied
	fresh := denied
	if appends {
		fresh = ""
	}
	write := func(key string, edit func(*s3.PutObjectInput)) error {
		in := &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader("x"), ContentLength: aws.Int64(1), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme}
		edit(in)
		_, err := m.PutObject(t.Context(), in)
		return err
	}
	f("replace", write("there", func(*s3.PutObjectInput) {}), denied)
	f("replace on condition", write("there", func(in *s3.PutObjectInput) { in.IfMatch = new("*") }), denied)
	exists := denied
	if appends {
		exists = s3err.PreconditionFailed // what the client asked for itself
	}
	f("create once", write("there", func(in *s3.PutObjectInput) { in.IfNoneMatch = new("*") }), exists)
	f("create", write("new", func(*s3.PutObjectInput) {}), fresh)

	_, err := m.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: there})
	f("delete", err, denied)
	out, err := m.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: there}, {Key: new("absent")}}}})
	if err != nil || len(out.Errors) != 2 || *out.Errors[0].Code != "AccessDenied" || *out.Errors[0].Key != "there" || len(out.Deleted) != 0 {
		t.Errorf("append %v: DeleteObjects: %+v, %v", appends, out, err)
	}
	src := backends.CopySource{Bucket: "virtual", Key: "there"}
	_, err = m.CopyObject(t.Context(), src, &s3.CopyObjectInput{Bucket: bucket, Key: there, MetadataDirective: types.MetadataDirectiveReplace})
	f("copy onto itself", err, denied)
	_, err = m.CopyObject(t.Context(), src, &s3.CopyObjectInput{Bucket: bucket, Key: new("copy")})
	f("copy", err, fresh)

	u := uploader(t, m)
	_, err = u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: bucket, Key: new("upload"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	f("begin", err, fresh)
	part, err := u.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: bucket, Key: there, UploadId: &upload, PartNumber: aws.Int32(1), Body: strings.NewReader("x"), ContentLength: aws.Int64(1),
	})
	f("part", err, fresh)
	_, err = u.UploadPartCopy(t.Context(), src, &s3.UploadPartCopyInput{Bucket: bucket, Key: there, UploadId: &upload, PartNumber: aws.Int32(2)})
	f("part by copy", err, fresh)
	var etag *string
	if part != nil {
		etag = part.ETag
	} else {
		etag = new(`"00000000000000000000000000000000"`)
	}
	_, err = u.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: there, UploadId: &upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: etag}}},
	})
	f("complete", err, denied)
}
