package policy_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/policy"
)

// asked is a store that keeps what it was last asked to encrypt with.
type asked struct {
	faultbackend.Store
	sse types.ServerSideEncryption
	key *string
}

// PutObject implements [backends.ObjectWriter].
func (a *asked) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	a.sse, a.key = in.ServerSideEncryption, in.SSEKMSKeyId
	return a.Store.PutObject(ctx, in)
}

// CopyObject implements [backends.ObjectWriter].
func (a *asked) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	a.sse, a.key = in.ServerSideEncryption, in.SSEKMSKeyId
	return a.Store.CopyObject(ctx, src, in)
}

// CreateMultipartUpload implements [backends.MultipartUploader].
func (a *asked) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	a.sse, a.key = in.ServerSideEncryption, in.SSEKMSKeyId
	return a.Store.CreateMultipartUpload(ctx, in)
}

// TestEncryption holds that every road of a write asks for the key of the data type, unless
// the writer asks for something else.
func TestEncryption(t *testing.T) {
	t.Parallel()
	store := &asked{Store: newStore(t)}
	m := with(store, policy.Policy{KMSKeyID: "key-of-the-type"})
	f := func(what string, err error, sse types.ServerSideEncryption, key string) {
		t.Helper()
		if err != nil || store.sse != sse || aws.ToString(store.key) != key {
			t.Errorf("%s: asked for %q with %q, %v; want %q with %q", what, store.sse, aws.ToString(store.key), err, sse, key)
		}
	}
	put := func(edit func(*s3.PutObjectInput)) error {
		in := &s3.PutObjectInput{
			Bucket: new("virtual"), Key: new("k"), Body: strings.NewReader("x"), ContentLength: aws.Int64(1), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		}
		edit(in)
		_, err := m.PutObject(t.Context(), in)
		return err
	}
	f("put", put(func(*s3.PutObjectInput) {}), types.ServerSideEncryptionAwsKms, "key-of-the-type")
	f("put with another key", put(func(in *s3.PutObjectInput) {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, new("another")
	}), types.ServerSideEncryptionAwsKms, "another")
	f("put with SSE-S3", put(func(in *s3.PutObjectInput) { in.ServerSideEncryption = types.ServerSideEncryptionAes256 }), types.ServerSideEncryptionAes256, "")
	_, err := m.CopyObject(t.Context(), backends.CopySource{Bucket: "virtual", Key: "k"}, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("copy")})
	f("copy", err, types.ServerSideEncryptionAwsKms, "key-of-the-type")
	_, err = uploader(t, m).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: new("virtual"), Key: new("upload"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	f("upload", err, types.ServerSideEncryptionAwsKms, "key-of-the-type")
}
