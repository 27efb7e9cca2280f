package streaming

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/localbackend"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3api"
	"github.com/xronox/xronox-proxy/token"
)

// modeEnv makes the test binary be the server: "synthetic", or the directory of
// a local store.
const modeEnv = "XRONOX_STREAMING_SERVER"

// Who signs, and what for.
const (
	accessKey, secretKey = "STREAM", "stream-secret"
	bucket               = "bucket"
	region               = "us-east-1"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeEnv); mode != "" {
		if err := serve(mode); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve is the server's process. It ends when its standard input does.
func serve(mode string) error {
	var store backends.Backend = synthetic{}
	if mode != "synthetic" {
		b, err := localbackend.Open(localbackend.Options{Dir: mode})
		if err != nil {
			return err
		}
		defer func() { _ = b.Close() }()
		if _, err := b.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
			return err
		}
		store = b
	}
	ids, err := router.NewIdentities([]router.Credential{{Identity: router.Identity{AccessKey: accessKey}, SecretKey: secretKey}})
	if err != nil {
		return err
	}
	sealer, err := token.New(token.NewKey())
	if err != nil {
		return err
	}
	server := s3api.New(s3api.Options{
		Resolver: oneBucket{&router.Route{Name: bucket, BucketID: bucket, TenantID: router.DefaultTenant, Backend: store}},
		Buckets:  &router.Router{}, Identities: ids, Sealer: sealer, Region: region, Log: slog.New(slog.DiscardHandler),
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Shutdown(context.Background())
	}()
	return server.Serve(ln)
}

// oneBucket resolves every name to one route.
type oneBucket struct{ route *router.Route }

// Resolve returns the route.
func (o oneBucket) Resolve(context.Context, string, string) (*router.Route, error) {
	return o.route, nil
}

// synthetic is a store of objects that are never stored: it discards what is
// put, and generates as many bytes as the key says.
type synthetic struct{ backends.Backend }

// PutObject reads the body to its end.
func (synthetic) PutObject(_ context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	n, err := io.Copy(io.Discard, in.Body)
	if err == nil && n != *in.ContentLength {
		err = errors.New("a body of another length")
	}
	return &s3.PutObjectOutput{ETag: aws.String(`"synthetic"`)}, err
}

// GetObject returns a body of the length that is the key.
func (synthetic) GetObject(_ context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	n, err := strconv.ParseInt(*in.Key, 10, 64)
	return &s3.GetObjectOutput{ContentLength: &n, Body: io.NopCloser(io.LimitReader(letters{}, n))}, err
}

// letters is a reader of one letter without end.
type letters struct{}

// Read fills p.
func (letters) Read(p []byte) (int, error) {
	for done := 0; done < len(p); {
		done += copy(p[done:], pattern)
	}
	return len(p), nil
}

// pattern is what letters copies.
var pattern = bytes.Repeat([]byte("x"), 32<<10)

// process is a server in a process of its own.
type process struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

// start starts a server in the mode of modeEnv.
func start(tb testing.TB, mode string) *process {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), modeEnv+"="+mode)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return &process{addr: strings.TrimSpace(addr), cmd: cmd, stdin: stdin}
}

// stop ends the server and returns the most memory it ever had resident, in bytes.
func (p *process) stop(tb testing.TB) int64 {
	tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		tb.Fatal(err)
	}
	_ = p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		tb.Error(err)
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				tb.Fatal(err)
			}
			return kib << 10
		}
	}
	tb.Fatal("the kernel does not tell the peak of resident memory")
	return 0
}
