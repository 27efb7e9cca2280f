// Package proxyproc runs the built binary for tests: as a process of its own, with
// the configuration and environment that a user would give it.
package proxyproc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Bounds, with much room for a busy machine.
const (
	startTimeout = time.Minute
	stopTimeout  = time.Minute
	runTimeout   = 2 * time.Minute
)

// Options say how the binary is started; the zero value is a server with local
// disk only.
type Options struct {
	Config string   // file, or empty
	Dir    string   // data directory; a temporary one when empty
	Env    []string // besides PATH, HOME and TMPDIR
}

// Proxy is a running server.
type Proxy struct {
	S3, Admin string // addresses

	t       testing.TB
	command *exec.Cmd
	ended   chan struct{} // closed at the end of its log
	gone    bool          // stopped or killed

	mu  sync.Mutex
	log bytes.Buffer
}

// Binary builds the command once, and returns where it is.
var Binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "xronox-binary-")
	if err != nil {
		return "", err
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "xronox-proxy")
	build := exec.Command("go", "build", "-o", binary, "./cmd/xronox-proxy")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building xronox-proxy: %w\n%s", err, out)
	}
	return binary, nil
})

// moduleRoot is the directory of go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", os.ErrNotExist
		}
	}
	return "", err
}

// Main runs the tests of a package and removes the binary; the package's TestMain
// calls it with what runs the tests.
func Main(run func() int) int {
	code := run()
	if binary, err := Binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(binary))
	}
	return code
}

// Start starts a server and waits until it listens. It ends with the test, which fails
// when it does not end cleanly or has panicked.
func Start(t testing.TB, o Options) *Proxy {
	t.Helper()
	binary, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	args := []string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir", o.Dir, "--log-format", "json"}
	if o.Config != "" {
		args = append(args, "--config", o.Config)
	}
	p := &Proxy{t: t, command: exec.Command(binary, args...), ended: make(chan struct{})}
	p.command.Dir = o.Dir // no configuration of the developer's is found
	p.command.Env = append(environment(), o.Env...)
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan struct{})
	go p.read(stderr, listening)
	t.Cleanup(p.Stop)
	select {
	case <-listening:
	case <-p.ended:
		t.Fatalf("the server ended:\n%s", p.Log())
	case <-time.After(startTimeout):
		t.Fatalf("the server does not listen:\n%s", p.Log())
	}
	return p
}

// read keeps the log, and tells when the server listens.
func (p *Proxy) read(r io.Reader, listening chan<- struct{}) {
	defer close(p.ended)
	for lines := bufio.NewScanner(r); lines.Scan(); {
		p.mu.Lock()
		p.log.Write(append(lines.Bytes(), '\n'))
		p.mu.Unlock()
		var line struct{ Msg, S3, Admin string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			p.S3, p.Admin = line.S3, line.Admin
			close(listening)
		}
	}
}

// Log is what the server has logged so far.
func (p *Proxy) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Run runs another command of the binary, on the data directory and the configuration of a server, and returns what
// it prints. It fails when the command does, with what it says on standard error.
func Run(t testing.TB, o Options, args ...string) (string, error) {
	t.Helper()
	return Begin(t, o, args...).Wait()
}

// Command is another command of the binary that runs.
type Command struct {
	args           []string
	command        *exec.Cmd
	cancel         context.CancelFunc
	stdout, stderr bytes.Buffer
}

// Begin is Run without waiting for the end, for which who calls it waits.
func Begin(t testing.TB, o Options, args ...string) *Command {
	t.Helper()
	binary, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	args = append([]string{"--data-dir", o.Dir}, args...)
	if o.Config != "" {
		args = append([]string{"--config", o.Config}, args...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	c := &Command{args: args, cancel: cancel, command: exec.CommandContext(ctx, binary, args...)}
	c.command.Dir, c.command.Env = o.Dir, append(environment(), o.Env...)
	c.command.Stdout, c.command.Stderr = &c.stdout, &c.stderr
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// Signal sends the command a signal.
func (c *Command) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := c.command.Process.Signal(s); err != nil {
		t.Errorf("xronox-proxy %s: %v", strings.Join(c.args, " "), err)
	}
}

// Wait waits for the end of the command. It returns what Run does.
func (c *Command) Wait() (string, error) {
	defer c.cancel()
	if err := c.command.Wait(); err != nil {
		return c.stdout.String(), fmt.Errorf("xronox-proxy %s: %w\n%s", strings.Join(c.args, " "), err, c.stderr.String())
	}
	return c.stdout.String(), nil
}

// environment is what the binary gets to see of this process's.
func environment() (env []string) {
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// Kill ends the server at once, as when a machine is lost, and waits for its end.
func (p *Proxy) Kill() {
	p.t.Helper()
	p.gone = true
	if err := p.command.Process.Kill(); err != nil {
		p.t.Errorf("killing xronox-proxy: %v", err)
	}
	<-p.ended
	_ = p.command.Wait() // Killed, it says so.
	if strings.Contains(p.Log(), "panic") {
		p.t.Errorf("xronox-proxy before SIGKILL:\n%s", p.Log())
	}
}

// Stop ends the server as an operator does; Start has it done at the end of the test else.
func (p *Proxy) Stop() {
	if p.gone {
		return
	}
	p.gone = true
	_ = p.command.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(stopTimeout, func() { _ = p.command.Process.Kill() })
	<-p.ended
	err := p.command.Wait()
	kill.Stop()
	log := p.Log()
	if err != nil || strings.Contains(log, "panic") {
		p.t.Errorf("xronox-proxy after SIGTERM: %v", err)
	}
	if p.t.Failed() {
		p.t.Logf("the server's log:\n%s", log[max(0, len(log)-8000):])
	}
}

// Eventually repeats a call until it does what is wanted, for as long as there is patience.
func Eventually(t testing.TB, patience time.Duration, what string, done func() error) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		err := done()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
