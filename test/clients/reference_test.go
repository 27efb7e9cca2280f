package clients

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// sdk is an AWS SDK client for an endpoint. It also is how the tests look at
// what the other clients have done.
func sdk(at endpoint) *s3.Client {
	transport := awshttp.NewBuildableClient()
	if at.ca != "" {
		transport = transport.WithTransportOptions(func(tr *http.Transport) {
			tr.TLSClientConfig.RootCAs = at.roots()
		})
	}
	return s3.New(s3.Options{
		HTTPClient:       transport,
		BaseEndpoint:     aws.String(at.url),
		Region:           "us-east-1",
		Credentials:      credentials.NewStaticCredentialsProvider(at.accessKey, at.secretKey, ""),
		UsePathStyle:     true,
		RetryMaxAttempts: 1,
	})
}

// newBucket makes a bucket without the help of a client.
func newBucket(t *testing.T, at endpoint, name string) string {
	t.Helper()
	bucket := "clients-" + name + "-" + strings.ToLower(rand.Text())
	if _, err := sdk(at).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	return bucket
}

// stored are the objects of a bucket below a prefix, by key without the prefix.
func stored(t *testing.T, at endpoint, bucket, prefix string) map[string]types.Object {
	t.Helper()
	all := map[string]types.Object{}
	pages := s3.NewListObjectsV2Paginator(sdk(at), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			all[strings.TrimPrefix(aws.ToString(object.Key), prefix)] = object
		}
	}
	return all
}

// storedDigests are the contents of those objects.
func storedDigests(t *testing.T, at endpoint, bucket, prefix string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name := range stored(t, at, bucket, prefix) {
		all[name] = storedDigest(t, at, bucket, prefix+name)
	}
	return all
}

// storedDigest is the content of one object. Framing that an upload was sent in
// must not have become part of the object's description either.
func storedDigest(t *testing.T, at endpoint, bucket, key string) string {
	t.Helper()
	out, err := sdk(at).GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatalf("GetObject %q: %v", key, err)
	}
	defer out.Body.Close()
	if strings.Contains(aws.ToString(out.ContentEncoding), "aws-chunked") {
		t.Errorf("%q is stored with Content-Encoding %q", key, *out.ContentEncoding)
	}
	return digest(t, out.Body)
}

// exists tells whether HeadObject finds the key.
func exists(t *testing.T, at endpoint, bucket, key string) bool {
	t.Helper()
	_, err := sdk(at).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if missing := (*types.NotFound)(nil); errors.As(err, &missing) {
		return false
	}
	if err != nil {
		t.Fatalf("HeadObject %q: %v", key, err)
	}
	return true
}
