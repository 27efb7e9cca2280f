package s3backend

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestProbe: a probe finds what each server can do, and leaves nothing behind.
func TestProbe(t *testing.T) {
	f := func(name string, s s3servers.Server, want Capabilities) {
		t.Helper()
		b, bucket := connect(t, s, Cautious()), s.NewBucket(t)
		got, err := b.Probe(t.Context(), bucket, "probe/")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		out, err := b.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
		if err != nil || len(out.Contents) > 0 {
			t.Errorf("%s: %d objects were left, %v", name, len(out.Contents), err)
		}
		if _, err := b.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &bucket}); err != nil {
			t.Errorf("%s: the bucket cannot be deleted: %v", name, err)
		}
		if b.Capabilities() != Cautious() {
			t.Errorf("%s: the probe changed what the store does", name)
		}
		if b.Adopt(got); b.Capabilities() != got {
			t.Errorf("%s: what was found is not adopted", name)
		}
	}
	f("versitygw", s3servers.VersityGW(t), versityCan)
	f("MinIO", s3servers.MinIO(t), minioCan)
	encrypting := minioCan
	encrypting.Encryption, encrypting.KMS, encrypting.CustomerKeys = true, true, true
	f("MinIO with keys", s3servers.MinIOEncrypting(t), encrypting)
}

// TestProbeFails: a service that cannot be asked is an error, not one that can
// do nothing.
func TestProbeFails(t *testing.T) {
	b := connect(t, s3servers.VersityGW(t), Cautious())
	_, err := b.Probe(t.Context(), "no-such-bucket", "probe/")
	if !s3err.Is(err, s3err.NoSuchBucket) {
		t.Errorf("a bucket that is not there: %v", err)
	}
	b = connect(t, s3servers.Server{Endpoint: "http://" + closedAddress(t), Region: "us-east-1", AccessKey: "a", SecretKey: "s"}, All())
	if _, err := b.Probe(t.Context(), "bucket", "probe/"); !s3err.Is(err, s3err.ServiceUnavailable) {
		t.Errorf("a service that is down: %v", err)
	}
}

// TestCapabilities: capabilities are what operators see, and what is known of a host.
func TestCapabilities(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"amazonaws.com", "s3.eu-central-1.amazonaws.com", "bucket.S3.AmazonAWS.com", "s3.cn-north-1.amazonaws.com.cn"} {
		if profile(host) != All() {
			t.Errorf("%s is not AWS", host)
		}
	}
	for _, host := range []string{"notamazonaws.com", "amazonaws.com.example", "localhost"} {
		if profile(host) != Cautious() {
			t.Errorf("%s is AWS", host)
		}
	}
	if len(abilities(new(Capabilities))) != strings.Count(mustJSON(t, Capabilities{}), ":false") {
		t.Error("there are capabilities that are not probed, or not named")
	}
	var c Capabilities
	for _, a := range abilities(&c) {
		*a.can = true
	}
	if strings.Contains(mustJSON(t, c), "false") {
		t.Errorf("a capability that is not probed: %s", mustJSON(t, c))
	}
	if _, err := refusal(errors.New("?"), s3err.NoSuchKey); err != nil {
		t.Errorf("a refusal is %v", err)
	}
}

// mustJSON is v as JSON.
func mustJSON(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
