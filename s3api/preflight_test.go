package s3api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/internal/s3test"
)

// untouchable is a backend whose every call ends in a panic.
type untouchable struct{ backends.Backend }

// TestPreflightTouchesNothing: what nobody signed is answered from the settings of the bucket alone.
func TestPreflightTouchesNothing(t *testing.T) {
	t.Parallel()
	p := s3test.Start(t, s3test.Options{
		Now:  time.Now,
		Wrap: func(backends.Backend) backends.Backend { return untouchable{} },
	})
	bucket := s3test.Bucket
	_, err := p.Client(s3test.Root).PutBucketCors(t.Context(), &s3.PutBucketCorsInput{
		Bucket:            &bucket,
		CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{{AllowedOrigins: []string{"http://a"}, AllowedMethods: []string{"GET"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f := func(method, path string, status int, allowed string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "http://a")
		req.Header.Set("Access-Control-Request-Method", "GET")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != status || got != allowed || strings.Contains(string(body), "InternalError") {
			t.Errorf("%s %s: %d, %q, %s", method, path, resp.StatusCode, got, body)
		}
	}
	f("OPTIONS", "/bucket/key", 200, "http://a")
	f("OPTIONS", "/bucket", 200, "http://a")
	f("OPTIONS", "/other/key", 403, "")
	f("GET", "/bucket/key", 403, "http://a")
	f("PUT", "/bucket/key", 403, "http://a")
}
