package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestAnonymousTenant: a request that nobody signed means the buckets of the tenant that the configuration
// names, else of the only one that has credentials, else nobody's.
func TestAnonymousTenant(t *testing.T) {
	const acme, globex = "{accessKey: ACME, secretKey: secret-of-acme-1234, tenantId: acme}", "{accessKey: GLOBEX, secretKey: secret-of-globex-1, tenantId: globex}"
	f := func(proxy string, status int) {
		t.Helper()
		dir := t.TempDir()
		file := filepath.Join(dir, "xronox.config.yaml")
		if err := os.WriteFile(file, []byte("xronoxProxy: {"+proxy+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := serveDir(t, filepath.Join(dir, "data"), "--config", file)
		defer r.end(t)
		c, bucket := clientOf(rootCredential{AccessKey: "ACME", SecretKey: "secret-of-acme-1234"}, r.s3), "pages"
		if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
		_, err := c.PutBucketCors(t.Context(), &s3.PutBucketCorsInput{Bucket: &bucket, CORSConfiguration: &types.CORSConfiguration{
			CORSRules: []types.CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET"}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+r.s3+"/pages/key", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "http://a")
		req.Header.Set("Access-Control-Request-Method", "GET")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("%s: %s; want %d", proxy, resp.Status, status)
		}
	}
	f("credentials: ["+acme+"]", 200)
	f("credentials: ["+acme+", "+globex+"]", 403)
	f("credentials: ["+acme+", "+globex+"], anonymousTenant: acme", 200)
	f("credentials: ["+acme+", "+globex+"], anonymousTenant: globex", 403)
}
