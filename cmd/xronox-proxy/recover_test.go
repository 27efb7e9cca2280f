package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/kvindex"
)

// TestRecover kills a server. A body that its last write left behind, without a row and a slot, is collected a day after the
// next one has seen it, although commands had the data open in between.
func TestRecover(t *testing.T) {
	dir := t.TempDir()
	addr, kill := serveProcess(t, dir)
	c := client(t, dir, addr)
	versionedBucket(t, c, "demo")
	kill()
	if stdout, stderr, err := command(t, dir, "127.0.0.1:1", "index", "verify"); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}

	now := time.Now()
	var log bytes.Buffer
	round := func(do func(at kept)) {
		t.Helper()
		cfg := config.Default()
		cfg.Proxy.DataDir = dir
		m := mapped(cfg)
		a, err := open(t.Context(), cfg, m, newLog(cfg.Proxy.Log, &log))
		if err != nil {
			t.Fatal(err)
		}
		defer a.close()
		k := newKeeper(a, cfg, m)
		k.now = func() time.Time { return now }
		places, _, err := k.all(t.Context())
		if err != nil || len(places) != 1 {
			t.Fatal(places, err)
		}
		do(places[0])
		k.round(t.Context())
	}
	has := func(at kept, n int64) bool {
		_, err := at.Bodies.HeadObject(t.Context(), &s3.HeadObjectInput{Key: aws.String(at.Body("dir/doc", n))})
		return err == nil
	}
	round(func(at kept) {
		_, err := at.Bodies.PutObject(t.Context(), &s3.PutObjectInput{
			Key: aws.String(at.Body("dir/doc", 2)), Body: strings.NewReader("x"), ContentLength: aws.Int64(1),
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	if !strings.Contains(log.String(), "msg=recovery bodies=1 ") || !strings.Contains(log.String(), "place=demo waiting=1 bodies=0") {
		t.Errorf("after the kill:\n%s", log.String())
	}
	log.Reset()
	now = now.Add(versions.KeepDead)
	round(func(at kept) {
		if !has(at, 2) {
			t.Error("the body is gone before its day was over")
		}
	})
	if strings.Contains(log.String(), "msg=recovery") || !strings.Contains(log.String(), "place=demo waiting=0 bodies=1") {
		t.Errorf("a day later:\n%s", log.String())
	}
	round(func(at kept) {
		if has(at, 2) || !has(at, 1) || !has(at, 0) {
			t.Error("what was committed is gone, or what was not is there")
		}
	})

	// One that has ended as it should leaves nothing to look for.
	r := serveDir(t, dir)
	putObject(t, client(t, dir, r.s3), "demo", "dir/doc", "third")
	r.end(t)
	x, err := kvindex.Open(kvindex.Options{Dir: filepath.Join(dir, "index")})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close() //nolint:errcheck // the test is over
	if losses := x.Losses(); len(losses) > 0 {
		t.Errorf("after a clean stop: %v", losses)
	}
}

// serveProcess starts the server as a process of its own. It returns where it listens, and what kills it.
func serveProcess(t *testing.T, dir string) (addr string, kill func()) {
	t.Helper()
	command := exec.Command("xronox-proxy", "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir", dir, "--log-format", "json")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	kill = func() {
		_ = command.Process.Kill() // again, at the end of the test, is an error
		<-ended
		_ = command.Wait()
	}
	t.Cleanup(kill)
	listens := make(chan string, 1)
	go func() {
		defer close(ended)
		defer close(listens)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			var line struct{ Msg, S3 string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				listens <- line.S3
			}
		}
	}()
	addr, ok := <-listens
	if !ok {
		t.Fatal("the server ended")
	}
	return addr, kill
}
