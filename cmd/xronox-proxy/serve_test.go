package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// running is a server in this process.
type running struct {
	s3, admin string // addresses
	stdout    bytes.Buffer
	log       *logged
	stop      context.CancelFunc
	ended     chan error
}

// logged keeps what the server logs, line by line.
type logged struct {
	lines chan map[string]any
	all   strings.Builder
}

// serveDir starts the server on a data directory and waits until it listens.
func serveDir(t *testing.T, dir string, args ...string) *running {
	t.Helper()
	r := &running{ended: make(chan error, 1), log: &logged{lines: make(chan map[string]any, 1000)}}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	pr, pw := io.Pipe()
	go func() {
		defer close(r.log.lines)
		for sc := bufio.NewScanner(pr); sc.Scan(); {
			var line map[string]any
			r.log.all.WriteString(sc.Text() + "\n")
			if json.Unmarshal(sc.Bytes(), &line) == nil {
				r.log.lines <- line
			}
		}
	}()
	args = append([]string{"xronox-proxy", "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir", dir, "--log-format", "json"}, args...)
	go func() {
		err := run(ctx, args, &r.stdout, pw)
		_ = pw.Close()
		r.ended <- err
	}()
	t.Cleanup(stop)
	for line := range r.log.lines {
		if line["msg"] == "listening" {
			r.s3, r.admin = line["s3"].(string), line["admin"].(string)
			return r
		}
	}
	t.Fatalf("the server ended: %v\n%s", <-r.ended, r.log.all.String())
	return nil
}

// end stops the server and waits for its end.
func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	for range r.log.lines { // to the end of the log
	}
}

// request is the next line of the log that tells of a request.
func (r *running) request() map[string]any {
	for line := range r.log.lines {
		if line["msg"] == "request" {
			return line
		}
	}
	return nil
}

// client signs with the root credential of dir.
func client(t *testing.T, dir, addr string) *s3.Client {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, rootFile))
	if err != nil {
		t.Fatal(err)
	}
	var c rootCredential
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return clientOf(c, addr)
}

// clientOf signs with c.
func clientOf(c rootCredential, addr string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + addr), Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, ""),
	})
}

// TestServe: the first start makes a credential and prints it once; what was
// put is there after a restart; logs and metrics tell of it without secrets.
func TestServe(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	ctx := t.Context()
	r := serveDir(t, dir)
	c := client(t, dir, r.s3)
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("demo")}); err != nil {
		t.Fatal(err)
	}
	put := &s3.PutObjectInput{Bucket: aws.String("demo"), Key: aws.String("k"), Body: strings.NewReader("hello")}
	if _, err := c.PutObject(ctx, put); err != nil {
		t.Fatal(err)
	}
	if got := get(t, "http://"+r.admin+"/readyz"); got != "ready\n" {
		t.Errorf("readyz: %q", got)
	}
	metrics := get(t, "http://"+r.admin+"/metrics")
	for _, want := range []string{
		`xronox_requests_total{code="",operation="PutObject",status="200"} 1`,
		`xronox_backend_calls_total{backend="local",operation="PutObject",result="ok"} 1`,
		`xronox_body_bytes_total{direction="in"}`, "xronox_route_cache_hits_total", "xronox_requests_in_flight 0",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	r.end(t)
	fi, err := os.Stat(filepath.Join(dir, rootFile))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("credential file: %v, %v", fi.Mode(), err)
	}
	secret, _ := client(t, dir, r.s3).Options().Credentials.Retrieve(ctx)
	if !strings.Contains(r.stdout.String(), secret.SecretAccessKey) {
		t.Error("the first start did not print the credential")
	}
	if all := r.log.all.String(); strings.Contains(all, secret.SecretAccessKey) || !strings.Contains(all, `"op":"PutObject"`) {
		t.Errorf("log:\n%s", all)
	}

	r = serveDir(t, dir)
	out, err := client(t, dir, r.s3).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("demo"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(out.Body)
	_ = out.Body.Close()
	if err != nil || string(body) != "hello" {
		t.Errorf("%q, %v", body, err)
	}
	if r.stdout.Len() > 0 {
		t.Error("the second start prints a credential")
	}
	where := fmt.Sprintf(`"msg":"root credential","accessKey":%q,"file":%q`, secret.AccessKeyID, filepath.Join(dir, rootFile))
	r.end(t)
	if all := r.log.all.String(); !strings.Contains(all, where) || strings.Contains(all, secret.SecretAccessKey) {
		t.Errorf("the second start does not say where the credential is, or says too much:\n%s", all)
	}
}

// TestPortInUse: a start that fails for its address leaves no data directory, so
// that the next one is the first, and is told what to do.
func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	dir := filepath.Join(t.TempDir(), "data")
	f := func(listen, admin, hint string) {
		t.Helper()
		args := []string{"xronox-proxy", "--listen", listen, "--admin", admin, "--data-dir", dir}
		err := run(t.Context(), args, io.Discard, io.Discard)
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), hint) {
			t.Errorf("got %v, want the hint %q", err, hint)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the data directory: %v", err)
		}
	}
	f(taken.Addr().String(), "127.0.0.1:0", "--listen or XRONOX_LISTEN")
	f("127.0.0.1:0", taken.Addr().String(), "--admin or XRONOX_ADMIN")

	r := serveDir(t, dir)
	r.end(t)
	if !strings.Contains(r.stdout.String(), "AWS_SECRET_ACCESS_KEY=") {
		t.Error("the first start that works did not print the credential")
	}
}

// get is the body of a page.
func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestShutdownFinishesRequests: an upload that is under way when the server is
// told to stop is stored, and its client is told so.
func TestShutdownFinishesRequests(t *testing.T) {
	dir := t.TempDir()
	r := serveDir(t, dir)
	c := client(t, dir, r.s3)
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("demo")}); err != nil {
		t.Fatal(err)
	}
	signed, err := s3.NewPresignClient(c).PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("demo"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	pr, pw := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- put(signed.URL, pr, 1<<20) }()
	half := strings.Repeat("x", 1<<19)
	_, _ = io.WriteString(pw, half)
	for begin := time.Now(); !strings.Contains(get(t, "http://"+r.admin+"/metrics"), "xronox_requests_in_flight 1"); {
		select {
		case err := <-done:
			t.Fatalf("the upload ended: %v", err)
		default:
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the request does not arrive")
		}
	}
	r.stop()
	time.AfterFunc(100*time.Millisecond, func() {
		_, _ = io.WriteString(pw, half)
		_ = pw.Close()
	})
	if err := <-done; err != nil {
		t.Errorf("the upload failed: %v", err)
	}
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}

// put uploads size bytes of body to a presigned URL.
func put(url string, body io.Reader, size int64) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPut, url, body)
	if err != nil {
		return err
	}
	req.ContentLength = size
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	return nil
}

// TestLogOfRefused: the log of a request that is refused names the access key that
// it came with as one that nobody has verified, and how long it took with a unit.
func TestLogOfRefused(t *testing.T) {
	dir := t.TempDir()
	r := serveDir(t, dir)
	defer r.stop()
	root := client(t, dir, r.s3)
	f := func(change func(*s3.Options), code string) {
		t.Helper()
		list := func(o *s3.Options) { o.RetryMaxAttempts = 1; change(o) }
		_, err := root.ListBuckets(t.Context(), &s3.ListBucketsInput{}, list)
		if err == nil {
			t.Errorf("%s: accepted", code)
		}
		line := r.request()
		secret, _ := root.Options().Credentials.Retrieve(t.Context())
		took, _ := line["took"].(string)
		d, err := time.ParseDuration(took)
		if line["code"] != code || line["accessKey"] != "" || line["tenant"] != "" || err != nil || d <= 0 {
			t.Errorf("%s: %v", code, line)
		}
		if key := line["unverifiedAccessKey"]; key != secret.AccessKeyID && key != "AKIDNOBODY" {
			t.Errorf("%s: the access key is %v", code, key)
		}
	}
	key := func(accessKey, secretKey string) func(*s3.Options) {
		return func(o *s3.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")
		}
	}
	known, _ := root.Options().Credentials.Retrieve(t.Context())
	f(key(known.AccessKeyID, "wrong"), "SignatureDoesNotMatch")
	f(key("AKIDNOBODY", "wrong"), "InvalidAccessKeyId")
	f(func(o *s3.Options) { o.Region = "mars-1" }, "AuthorizationHeaderMalformed")

	if _, err := root.ListBuckets(t.Context(), &s3.ListBucketsInput{}); err != nil {
		t.Fatal(err)
	}
	if line := r.request(); line["accessKey"] != known.AccessKeyID || line["unverifiedAccessKey"] != nil {
		t.Errorf("a request that was answered: %v", line)
	}
	r.end(t)
}

// TestSecondServer: a data directory belongs to one server, and the other is told.
func TestSecondServer(t *testing.T) {
	dir := t.TempDir()
	r := serveDir(t, dir)
	defer r.end(t)
	var stderr bytes.Buffer
	err := run(t.Context(), []string{"xronox-proxy", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir", dir}, io.Discard, &stderr)
	if err == nil || !strings.Contains(err.Error(), "the data directory "+dir) || !strings.Contains(err.Error(), "XRONOX_DATA_DIR") {
		t.Errorf("%v", err)
	}
}
