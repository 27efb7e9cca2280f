// Package s3servers runs real S3 servers of other makers for tests of what
// speaks S3 to a store: versitygw and MinIO, as scripts/install-servers puts
// them into .tools/bin. Each is started once per test binary, on loopback, with
// its data in a temporary directory, and ended by [Main].
package s3servers

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Server is where a running server answers, and an account that may make
// buckets there.
type Server struct {
	Endpoint, Region, AccessKey, SecretKey string

	Roots *x509.CertPool // whose certificates it shows; nil for one without TLS
}

// Domain is the base of virtual-hosted names of MinIO's buckets. It does not
// resolve: a test dials the address of Endpoint for it.
const Domain = "s3.test"

// Names and secrets of the servers' accounts.
const (
	region                       = "us-east-1"
	rootKey, rootSecret          = "AKIDSERVERROOT", "the/root+secret/of-a-test-server"
	secondKey, secondSecret      = "AKIDSERVERSECOND", "another+secret/of-a-test-server"
	installHint                  = "scripts/install-servers installs it"
	versityProgram, minioProgram = "versitygw", "minio"
)

// running are the servers of this test binary.
var running struct {
	started atomic.Bool // Main has been called
	mu      sync.Mutex
	servers map[string]*process
}

// buckets counts the buckets that were made.
var buckets atomic.Int64

// Main runs the tests of a package that uses servers, ends the servers and
// returns what to exit with; the package's TestMain calls it.
func Main(m *testing.M) int {
	running.started.Store(true)
	code := m.Run()
	running.mu.Lock()
	defer running.mu.Unlock()
	for name, p := range running.servers {
		if err := p.stop(); err != nil {
			fmt.Fprintf(os.Stderr, "s3servers: %s: %v\n", name, err)
			code = max(code, 1)
		}
		if code != 0 {
			p.printLog(name)
		}
	}
	return code
}

// VersityGW returns a versitygw over a directory. The test is skipped when the
// program is missing, and fails in CI.
func VersityGW(t *testing.T) Server {
	t.Helper()
	return get(t, versityProgram, versityProgram, (*process).versitygw)
}

// VersityGWSecond returns a second account on the server of [VersityGW].
func VersityGWSecond(t *testing.T) Server {
	t.Helper()
	s := VersityGW(t)
	s.AccessKey, s.SecretKey = secondKey, secondSecret
	return s
}

// MinIO returns a MinIO with one drive. The test is skipped when the program
// is missing, and fails in CI.
func MinIO(t *testing.T) Server {
	t.Helper()
	return get(t, minioProgram, minioProgram, (*process).minio)
}

// MinIOEncrypting returns a MinIO that has a key of KMS, and speaks TLS: so it encrypts, also with keys of customers.
func MinIOEncrypting(t *testing.T) Server {
	t.Helper()
	return get(t, minioProgram, minioProgram+" with keys", (*process).minioEncrypting)
}

// NewBucket makes an empty bucket and returns its name. It goes with the server.
func (s Server) NewBucket(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", buckets.Add(1))
	client := s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true, HTTPClient: clientOf(s.Roots),
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")),
	})
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatalf("s3servers: CreateBucket: %v", err)
	}
	return name
}

// get returns the server of that name, and starts the program if it is not running.
func get(t *testing.T, program, name string, start func(p *process) error) Server {
	t.Helper()
	if !running.started.Load() {
		t.Fatal("BUG: TestMain does not call s3servers.Main")
	}
	path, err := find(program)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v; %s", err, installHint)
		}
		t.Skipf("%v; %s", err, installHint)
	}
	running.mu.Lock()
	defer running.mu.Unlock()
	p := running.servers[name]
	if p == nil {
		p = &process{path: path}
		p.err = errors.Join(p.prepare(), start(p))
		if running.servers == nil {
			running.servers = map[string]*process{}
		}
		running.servers[name] = p
	}
	if p.err != nil {
		p.printLog(name)
		t.Fatalf("s3servers: %s: %v", name, p.err)
	}
	return Server{Endpoint: p.endpoint(), Region: region, AccessKey: rootKey, SecretKey: rootSecret, Roots: p.roots}
}

// find returns the path of a program: in .tools/bin, else where the shell finds it.
func find(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || dir == filepath.Dir(dir) {
			break
		}
	}
	path := filepath.Join(dir, ".tools", "bin", name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return exec.LookPath(name)
}

// versitygw starts the gateway over a directory, with two accounts.
func (p *process) versitygw() error {
	return p.run(startup{
		arguments: func(address string) []string {
			return []string{
				"--port", address, "--access", rootKey, "--secret", rootSecret, "--region", region,
				"--iam-dir", p.dir("iam"), "--keep-alive", "--quiet", "--health", "/health", "posix", p.dir("data"),
			}
		},
		ready: "/health",
		then: func(ctx context.Context) error {
			out, err := exec.CommandContext(ctx, p.path, "admin", "--access", rootKey, "--secret", rootSecret,
				"--region", region, "--endpoint-url", "http://"+p.address,
				"create-user", "--access", secondKey, "--secret", secondSecret, "--role", "userplus").CombinedOutput()
			if err != nil {
				return fmt.Errorf("making the second account: %w: %s", err, strings.TrimSpace(string(out)))
			}
			return nil
		},
	})
}

// minio starts a MinIO with one drive that asks nobody anything.
func (p *process) minio() error { return p.minioWith(nil, nil) }

// minioWith starts a MinIO with more flags and environment.
func (p *process) minioWith(flags, environment []string) error {
	return p.run(startup{
		arguments: func(address string) []string {
			return append(append([]string{"server", "--address", address, "--quiet"}, flags...), p.dir("data"))
		},
		environment: append([]string{
			"MINIO_ROOT_USER=" + rootKey, "MINIO_ROOT_PASSWORD=" + rootSecret, "MINIO_DOMAIN=" + Domain + ",s3.amazonaws.com",
			"MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_CALLHOME_ENABLE=off", "MINIO_REGION_NAME=" + region,
		}, environment...),
		ready: "/minio/health/cluster", // health/ready is answered before accounts and buckets are loaded
	})
}
