package s3api_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/s3api"
	"github.com/xronox/xronox-proxy/s3err"
)

// putWithKey stores an object with a customer's key.
func putWithKey(t *testing.T, p *s3test.Proxy, key []byte) error {
	t.Helper()
	sum := md5.Sum(key)
	_, err := p.Client(s3test.Root).PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(s3test.Bucket), Key: new("k"), Body: strings.NewReader("secret"), SSECustomerAlgorithm: new("AES256"),
		SSECustomerKey:    new(base64.StdEncoding.EncodeToString(key)),
		SSECustomerKeyMD5: new(base64.StdEncoding.EncodeToString(sum[:])),
	})
	return err
}

// TestCustomerKeysTransport holds that keys are taken over the connections that are said to be private, and no others.
func TestCustomerKeysTransport(t *testing.T) {
	key := bytes.Repeat([]byte("k"), backends.CustomerKeySize)
	for way, taken := range map[s3api.CustomerKeys]bool{s3api.CustomerKeysLocal: true, s3api.CustomerKeysTrusted: true, s3api.CustomerKeysTLS: false} {
		err := putWithKey(t, s3test.Start(t, s3test.Options{CustomerKeys: way, Now: time.Now}), key)
		var api smithy.APIError
		switch {
		case taken && err != nil:
			t.Errorf("%q: %v", way, err)
		case !taken && (!errors.As(err, &api) || api.ErrorCode() != string(s3err.InvalidRequest) || !strings.Contains(api.ErrorMessage(), "secure connection")):
			t.Errorf("%q: %v", way, err)
		}
	}
}

// TestCustomerKeysAreNotPrinted holds that a key shows in no format.
func TestCustomerKeysAreNotPrinted(t *testing.T) {
	k := backends.CustomerKey{Algorithm: new("AES256"), Key: new("the secret key"), MD5: new("its digest")}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("key", slog.Any("key", k))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", slog.Any("key", k))
	if strings.Contains(log.String(), "secret") || k.String() != "***" || k.GoString() != "***" {
		t.Errorf("%s, %s, %#v", log.String(), k, k)
	}
}
