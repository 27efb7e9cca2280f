// Package mongoserver runs a server of the MongoDB protocol for tests: FerretDB, as
// scripts/install-servers builds it into .tools/bin. Each test that asks has one of its own, on
// loopback, with its data in a temporary directory.
package mongoserver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Bounds, with much room for a busy machine.
const (
	startTimeout = time.Minute
	stopTimeout  = 20 * time.Second
	shownLog     = 8 << 10 // bytes of the log that are shown with a failure
)

// Variable is the environment variable with the URI of a server that tests are to use instead, where
// they need not stop it: a real MongoDB. They make databases there, and drop them.
const Variable = "XRONOX_TEST_MONGODB"

// Server is a server that a test can stop and start.
type Server struct {
	Address string // where it listens, each time

	path, dir string
	running   *exec.Cmd
	stdin     io.Closer
	log       bytes.Buffer
}

// URI returns that of a server which runs until the test ends.
func URI(t testing.TB) string {
	t.Helper()
	if uri := os.Getenv(Variable); uri != "" {
		return uri
	}
	return Start(t).URI()
}

// Start returns a new server without data. The test is skipped when the program is missing, and fails in CI.
func Start(t testing.TB) *Server {
	t.Helper()
	path, err := find("ferretdb")
	if err != nil {
		const hint = "scripts/install-servers installs it"
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v; %s", err, hint)
		}
		t.Skipf("%v; %s", err, hint)
	}
	s := &Server{Address: "127.0.0.1:0", path: path, dir: t.TempDir()}
	s.Start(t)
	t.Cleanup(func() {
		s.Stop(t)
		if log := s.log.Bytes(); t.Failed() {
			t.Logf("ferretdb: %s", log[max(0, len(log)-shownLog):])
		}
	})
	return s
}

// URI is the server's.
func (s *Server) URI() string { return "mongodb://" + s.Address + "/" }

// Start starts a server that was stopped, with its data and at its address. It returns when it listens.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("mongoserver: %v\n%s", err, s.log.String())
	}
}

// start starts the program and waits for the URI that it prints.
func (s *Server) start() (err error) {
	command := exec.Command(s.path, s.Address, s.dir)
	command.Dir = s.dir
	command.Env = []string{"HOME=" + s.dir, "PATH=" + os.Getenv("PATH")}
	command.Stderr = &s.log
	if s.stdin, err = command.StdinPipe(); err != nil {
		return err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	s.running = command
	// It ends, and so does the read, when it does not listen in time.
	timer := time.AfterFunc(startTimeout, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return errors.Join(fmt.Errorf("ferretdb does not say that it listens: %w", err), s.stop())
	}
	s.Address = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "mongodb://"), "/")
	return nil
}

// Stop ends the server at once, if it runs, as when a machine is lost. What it said was written is kept.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Errorf("mongoserver: %v", err)
	}
}

// Freeze has a server that runs do nothing, as one that hangs; Thaw has it go on.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGSTOP)
	var status syscall.WaitStatus // Until then it may answer.
	for !status.Stopped() {
		if _, err := syscall.Wait4(s.running.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			t.Fatalf("mongoserver: %v", err)
		}
	}
}

// Thaw ends what Freeze began.
func (s *Server) Thaw(t testing.TB) { s.signal(t, syscall.SIGCONT) }

// signal sends one to the program.
func (s *Server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := s.running.Process.Signal(sig); err != nil {
		t.Fatalf("mongoserver: %v", err)
	}
}

// stop kills the program and waits for its end.
func (s *Server) stop() error {
	if s.running == nil {
		return nil
	}
	command := s.running
	s.running = nil
	if err := command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // Killed, it says so.
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		return errors.New("ferretdb does not end")
	}
	return nil
}

// find returns the path of a program in .tools/bin of the module, else where the shell finds it.
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
