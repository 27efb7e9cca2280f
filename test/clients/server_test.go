package clients

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startTimeout and stopTimeout bound what the server may take, with much room
// for a busy machine.
const (
	startTimeout = time.Minute
	stopTimeout  = time.Minute
)

// server is a running xronox-proxy.
type server struct {
	endpoint
	command *exec.Cmd
	logged  chan struct{} // closed when all of the log has been read

	mu  sync.Mutex
	bad []string // log lines that are not INFO or DEBUG
}

// buildServer builds the binary as users do, in dir.
func buildServer(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "xronox-proxy")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/xronox-proxy")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building xronox-proxy: %w\n%s", err, out)
	}
	return binary, nil
}

// startServer starts the binary on a free port, with its data in dir and with a
// configuration unless that is empty, and returns when it listens.
func startServer(ctx context.Context, binary, dir, config string) (*server, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	line := []string{
		"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--data-dir", filepath.Join(dir, "data"), "--log-format", "json",
	}
	if config != "" {
		file := filepath.Join(dir, "config.yaml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			return nil, err
		}
		line = append(line, "--config", file)
	}
	s := &server{
		endpoint: endpoint{accessKey: "AKIDCLIENTS", secretKey: "clients-of-all-kinds/+secret"},
		logged:   make(chan struct{}),
	}
	s.command = exec.CommandContext(ctx, binary, line...)
	s.command.Dir = dir // no configuration of the developer's is found
	s.command.Env = append(cleanEnv(),
		"XRONOX_ROOT_ACCESS_KEY="+s.accessKey, "XRONOX_ROOT_SECRET_KEY="+s.secretKey)
	stderr, err := s.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	listening := make(chan string, 1)
	go s.readLog(stderr, listening)
	select {
	case address := <-listening:
		s.url = "http://" + address
		return s, nil
	case <-s.logged:
		err = errors.New("the server ended")
	case <-time.After(startTimeout):
		err = errors.New("the server does not listen")
	}
	return nil, errors.Join(err, s.command.Process.Kill(), s.complaints(true))
}

// readLog tells the address that the server listens on, and remembers what it
// complains about, until the server closes its log.
func (s *server) readLog(r io.Reader, listening chan<- string) {
	defer close(s.logged)
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		var entry struct{ Level, Msg, S3 string }
		notJSON := json.Unmarshal(line, &entry) != nil
		switch {
		case entry.Msg == "listening" && entry.S3 != "":
			listening <- entry.S3
		case len(line) > 0 && (notJSON || entry.Level == "WARN" || entry.Level == "ERROR"):
			s.mu.Lock()
			s.bad = append(s.bad, string(bytes.TrimSpace(line)))
			s.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// stop ends the server as an operator does; it must finish cleanly.
func (s *server) stop() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	kill := time.AfterFunc(stopTimeout, func() { _ = s.command.Process.Kill() })
	defer kill.Stop()
	<-s.logged
	if err := s.command.Wait(); err != nil {
		return fmt.Errorf("xronox-proxy after SIGTERM: %w", err)
	}
	return nil
}

// complaints prints the last of what the server warned of when a test failed,
// and is an error when it panicked, whether a client noticed or not.
func (s *server) complaints(failed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	panicked := slices.ContainsFunc(s.bad, func(line string) bool { return strings.Contains(line, "panic") })
	if failed || panicked {
		for _, line := range s.bad[max(0, len(s.bad)-40):] {
			fmt.Fprintln(os.Stderr, "server:", line)
		}
	}
	if panicked {
		return errors.New("the server panicked")
	}
	return nil
}
