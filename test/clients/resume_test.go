package clients

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestBrokenDownloads: clients that go on with a download when a connection
// breaks in the midst of it get the file.
func TestBrokenDownloads(t *testing.T) {
	t.Parallel()
	bucket, file := newBucket(t, plain, "broken"), filepath.Join(t.TempDir(), "file")
	makeFile(t, file, 4<<20, 1)
	g := goSDK{s3: sdk(plain), transfer: transfermanager.New(sdk(plain))}
	if _, err := g.put(t.Context(), args{file: file, bucket: bucket, key: "k"}); err != nil {
		t.Fatal(err)
	}
	for name, find := range map[string]func(context.Context, endpoint) []client{
		"aws-cli": awsCLI, "s3cmd": s3cmd, "rclone": rclone, "boto3": boto3, "curl": curl,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, broken := plain.breaking(t)
			found := find(t.Context(), at)
			if len(found) == 0 {
				lacking(t, name)
			}
			for _, c := range found {
				broken.Store(0)
				a := args{bucket: bucket, key: "k", file: filepath.Join(t.TempDir(), "back")}
				c.must(t, "get", a)
				same(t, c.version, fileDigest(t, file), fileDigest(t, a.file))
				if broken.Load() < breaks {
					t.Errorf("%s: only %d connections broke", c.version, broken.Load())
				}
			}
		})
	}
}

// curl is the curl of this machine, with a URL that the SDK presigned. It is told
// to try again and to continue where it was.
func curl(ctx context.Context, at endpoint) []client {
	c := installed(ctx, command{name: "curl", version: []string{"curl", "--version"}})
	for i := range c {
		c[i].do = func(ctx context.Context, _ string, a args) (string, error) {
			url, err := goSDK{s3: sdk(at)}.signGet(ctx, a)
			if err != nil {
				return "", err
			}
			for range breaks {
				// What this one ends with is that its connection broke.
				_ = exec.CommandContext(ctx, "curl", "--fail", "--silent", "-C", "-", "-o", a.file, url).Run()
			}
			return "", exec.CommandContext(ctx, "curl", "--fail", "--silent", "-C", "-", "-o", a.file, url).Run()
		}
	}
	return c
}

// breaks are the connections that break, each after so many bytes of answers.
const (
	breaks     = 2
	breakAfter = 1 << 20
)

// breaking is the endpoint behind a line of which the first connections that
// carry much break. The counter tells how many have; zero makes it begin again.
func (e endpoint) breaking(t *testing.T) (endpoint, *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	broken := new(atomic.Int32)
	go forwardBy(listener, strings.TrimPrefix(e.url, "http://"), func(client io.Writer, server io.Reader) {
		n, _ := io.CopyN(client, server, breakAfter)
		if n < breakAfter || broken.Add(1) <= breaks {
			return
		}
		_, _ = io.Copy(client, server)
	})
	e.url = "http://" + listener.Addr().String()
	return e, broken
}

// TestResumeOfReplaced is what ranges with a condition are for: an object that was
// replaced meanwhile is not continued.
func TestResumeOfReplaced(t *testing.T) {
	t.Parallel()
	bucket, key, c := newBucket(t, plain, "replaced"), "k", sdk(plain)
	put, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("first")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("other")}); err != nil {
		t.Fatal(err)
	}
	url, err := goSDK{s3: c}.signGet(t.Context(), args{bucket: bucket, key: key})
	if err != nil {
		t.Fatal(err)
	}
	status, answer := fetch(t, http.MethodGet, url, nil, "Range", "bytes=2-", "If-Match", *put.ETag)
	if status != http.StatusPreconditionFailed || errorCode(answer) != "PreconditionFailed" {
		t.Errorf("got %d %s", status, answer)
	}
	// With If-Range it begins again.
	status, answer = fetch(t, http.MethodGet, url, nil, "Range", "bytes=2-", "If-Range", *put.ETag)
	if status != http.StatusOK || answer != "other" {
		t.Errorf("got %d %s", status, answer)
	}
}
