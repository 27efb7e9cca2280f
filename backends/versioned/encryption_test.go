package versioned_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// customerKey is a customer's key.
func customerKey() backends.CustomerKey {
	key := bytes.Repeat([]byte("k"), backends.CustomerKeySize)
	sum := md5.Sum(key)
	return backends.CustomerKey{
		Algorithm: new("AES256"), Key: new(base64.StdEncoding.EncodeToString(key)), MD5: new(base64.StdEncoding.EncodeToString(sum[:])),
	}
}

// putSecret puts an object that is to be encrypted.
func putSecret(b backends.Backend, t testing.TB, body string, a types.ServerSideEncryption, k backends.CustomerKey) (*s3.PutObjectOutput, error) {
	t.Helper()
	return b.PutObject(t.Context(), &s3.PutObjectInput{
		Key: new("k"), Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))), ServerSideEncryption: a,
		SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	})
}

// TestEncryptedHeads holds that the head of a version is encrypted as that is, and that there is none when nobody could read it.
func TestEncryptedHeads(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	head := func() (types.ServerSideEncryption, error) {
		t.Helper()
		out, err := b.o.Heads.HeadObject(t.Context(), &s3.HeadObjectInput{Key: new("k")})
		if err != nil {
			return "", err
		}
		return out.ServerSideEncryption, nil
	}
	for _, a := range []types.ServerSideEncryption{types.ServerSideEncryptionAes256, types.ServerSideEncryptionAwsKms, ""} {
		if _, err := putSecret(b, t, "x", a, backends.CustomerKey{}); err != nil {
			t.Fatal(err)
		}
		if got, err := head(); got != a || err != nil {
			t.Errorf("the head is encrypted by %q, %v, want %q", got, err, a)
		}
	}
	secret, err := putSecret(b, t, "secret", "", customerKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := head(); !s3err.Is(err, s3err.NoSuchKey) {
		t.Errorf("a version with a customer's key has a head: %v", err)
	}
	if _, err := putSecret(b, t, "plain", "", backends.CustomerKey{}); err != nil {
		t.Fatal(err)
	}
	if _, err := head(); err != nil {
		t.Errorf("the version after it has no head: %v", err)
	}
	k := customerKey()
	in := &s3.GetObjectInput{Key: new("k"), VersionId: secret.VersionId}
	if _, err := b.GetObject(t.Context(), in); !s3err.Is(err, s3err.InvalidRequest) {
		t.Errorf("an older version without its key: %v", err)
	}
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
	out, err := b.GetObject(t.Context(), in)
	if err != nil || aws.ToInt64(out.ContentLength) != 6 {
		t.Errorf("an older version with its key: %v", err)
	}
}

// TestCustomerKeyFromBefore holds that an object with a customer's key from before versions is never lost: it cannot be kept as a
// version, so that nobody writes over it but in a bucket that keeps none for now.
func TestCustomerKeyFromBefore(t *testing.T) {
	t.Parallel()
	b := open(t, func(o *versioned.Options) { o.Complete = false })
	if _, err := putSecret(b.o.Heads, t, "old", "", customerKey()); err != nil {
		t.Fatal(err)
	}
	if _, err := putSecret(b, t, "new", "", backends.CustomerKey{}); !s3err.Is(err, s3err.NotImplemented) {
		t.Errorf("written over: %v", err)
	}
	k := customerKey()
	_, err := b.GetObject(t.Context(), &s3.GetObjectInput{
		Key: new("k"), SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	})
	if err != nil {
		t.Errorf("read: %v", err)
	}
	suspended := b.as(router.Suspended)
	if _, err := putSecret(suspended, t, "new", "", backends.CustomerKey{}); err != nil {
		t.Errorf("replaced: %v", err)
	}
}
