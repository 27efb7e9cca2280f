package dropin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/internal/proxyproc"
	"github.com/xronox/xronox-proxy/internal/s3servers"
)

// configure writes a configuration with a connection "up" to a server, under the endpoint and
// secret of the test, and a bucket "app" there that is kept in the physical bucket given.
func configure(t *testing.T, endpoint string, s s3servers.Server, physical string) string {
	t.Helper()
	text := fmt.Sprintf(`
spacesConnections:
  up: {endpoint: %q, region: %q, accessKey: %q, secretKey: %q, forcePathStyle: true}
databases: {}
xronoxProxy:
  credentials: [{accessKey: AKIDAPP, secretKey: %q}]
  connections: {up: {capabilities: probe}}
  virtualBuckets:
    app: {mode: flat, connection: up, bucket: %q, prefix: "secret-prefix/"}
`, endpoint, s.Region, s.AccessKey, s.SecretKey, clientSecret, physical)
	file := filepath.Join(t.TempDir(), "xronox.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a signed GET. No client repeats it.
func ask(t *testing.T, p *proxyproc.Proxy, path string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.S3+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := credentials.NewStaticCredentialsProvider("AKIDAPP", clientSecret, "").Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	if err := v4.NewSigner().SignHTTP(t.Context(), identity, req, "UNSIGNED-PAYLOAD", "s3", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return get(t, req)
}

// get sends a request.
func get(t *testing.T, req *http.Request) answer {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// readyz is what the admin listener says.
func readyz(t *testing.T, p *proxyproc.Proxy) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Admin+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	a := get(t, req)
	return a.status, a.body
}

// answers holds what clients and operators are told when the connection does not work.
func answers(t *testing.T, p *proxyproc.Proxy, status int, code, ready, logged string, hidden ...string) {
	t.Helper()
	for _, path := range []string{"/app/key", "/app?list-type=2"} {
		a := ask(t, p, path)
		if a.status != status || !strings.Contains(a.body, "<Code>"+code+"</Code>") {
			t.Errorf("%s: %+v, want %d %s", path, a, status, code)
		}
		if (a.header.Get("Retry-After") != "") != (status == http.StatusServiceUnavailable) {
			t.Errorf("%s: %d with Retry-After %q", path, a.status, a.header.Get("Retry-After"))
		}
		for _, name := range hidden {
			if strings.Contains(fmt.Sprint(a), name) {
				t.Errorf("%s: the client reads %q in %+v", path, name, a)
			}
		}
	}
	if status, body := readyz(t, p); status != http.StatusServiceUnavailable || !strings.Contains(body, ready) {
		t.Errorf("/readyz: %d %s, want %q in it", status, body, ready)
	}
	if log := p.Log(); !strings.Contains(log, logged) {
		t.Errorf("%q is not in the log:\n%s", logged, log)
	}
	// What is kept elsewhere goes on.
	c := through(p, "AKIDAPP")
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("local-bucket")}); err != nil {
		t.Error(err)
	}
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("local-bucket"), Key: new("k"), Body: strings.NewReader("x")}); err != nil {
		t.Error(err)
	}
}

func TestUnreachable(t *testing.T) {
	s := s3servers.Server{Region: "us-east-1", AccessKey: "AKIDUPSTREAM", SecretKey: "upstream-secret"}
	p := proxyproc.Start(t, proxyproc.Options{Config: configure(t, "http://127.0.0.1:1", s, "physical-name")})
	answers(t, p, http.StatusServiceUnavailable, "ServiceUnavailable", "connection up: ", "connection refused",
		"physical-name", "secret-prefix", "127.0.0.1:1", "AKIDUPSTREAM")
}

func TestUpstreamCredentials(t *testing.T) {
	s := s3servers.MinIO(t)
	physical := s.NewBucket(t)
	s.SecretKey = "another secret"
	p := proxyproc.Start(t, proxyproc.Options{Config: configure(t, s.Endpoint, s, physical)})
	answers(t, p, http.StatusBadGateway, "BadGateway", "connection up: ", "SignatureDoesNotMatch",
		physical, "secret-prefix", s.AccessKey, strings.TrimPrefix(s.Endpoint, "http://"), "SignatureDoesNotMatch")
	if strings.Contains(p.Log(), s.SecretKey) {
		t.Error("the log has the secret")
	}
}

func TestDeletedBucket(t *testing.T) {
	s := s3servers.MinIO(t)
	physical := s.NewBucket(t)
	p := proxyproc.Start(t, proxyproc.Options{Config: configure(t, s.Endpoint, s, physical)})
	c := through(p, "AKIDAPP")
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("app"), Key: new("k"), Body: strings.NewReader("x")}); err != nil {
		t.Fatal(err)
	}
	direct := (&aws{server: s}).client()
	if _, err := direct.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &physical, Key: new("secret-prefix/k")}); err != nil {
		t.Fatal(err)
	}
	if _, err := direct.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &physical}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/app/k", "/app?list-type=2"} {
		a := ask(t, p, path)
		if a.status != http.StatusNotFound || !strings.Contains(a.body, "<Code>NoSuchBucket</Code>") || strings.Contains(a.body, physical) {
			t.Errorf("%s: %+v", path, a)
		}
	}
	if status, body := readyz(t, p); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

// TestCheckProbe runs check --probe on a connection that works, one without its bucket, and one that
// does not work.
func TestCheckProbe(t *testing.T) {
	s := s3servers.MinIO(t)
	f := func(file string, fails bool, words ...string) {
		t.Helper()
		binary, err := proxyproc.Binary()
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"", "--json"} {
			args := []string{"check", "--probe", file}
			if format != "" {
				args = []string{"check", "--probe", format, file}
			}
			out, err := exec.CommandContext(t.Context(), binary, args...).Output()
			if (err != nil) != fails {
				t.Errorf("%v: %v\n%s", args, err, out)
			}
			if format != "" && !json.Valid(out) {
				t.Errorf("no JSON: %s", out)
			}
			for _, word := range words {
				if !strings.Contains(string(out), word) {
					t.Errorf("%v prints no %q:\n%s", args, word, out)
				}
			}
		}
	}
	f(configure(t, s.Endpoint, s, s.NewBucket(t)), false, "putIfAbsent", "deleteIfMatch", "anyKey")
	f(configure(t, s.Endpoint, s, "there-is-none"), true, "there-is-none")
	f(configure(t, "http://127.0.0.1:1", s, "any"), true, "connection refused")
}
