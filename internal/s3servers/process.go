package s3servers

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Bounds, with much room for a busy machine.
const (
	startTimeout = time.Minute
	stopTimeout  = 20 * time.Second
	pollInterval = 20 * time.Millisecond // between two questions whether it is ready
	shownLog     = 8 << 10               // bytes of the log that are shown with a failure
)

// process is a server of this test binary.
type process struct {
	path    string // of the program
	temp    string // all that it writes
	address string
	command *exec.Cmd
	ended   chan error     // gets what Wait returned
	err     error          // why it could not be started
	roots   *x509.CertPool // whose certificates it shows; nil for one without TLS
}

// startup says how a server is started.
type startup struct {
	arguments   func(address string) []string
	environment []string
	ready       string                      // path that answers 200 when it is
	then        func(context.Context) error // what it needs besides, or nil
}

// prepare makes the directory of everything that the server writes.
func (p *process) prepare() (err error) {
	p.temp, err = os.MkdirTemp("", "xronox-s3servers-")
	return err
}

// dir returns a directory of the server's, and makes it.
func (p *process) dir(name string) string {
	dir := filepath.Join(p.temp, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(err) // The directory above was made a moment ago.
	}
	return dir
}

// run starts the server and waits until it is ready.
func (p *process) run(s startup) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := p.freeAddress(); err != nil {
		return err
	}
	log, err := os.Create(p.logFile())
	if err != nil {
		return err
	}
	defer log.Close()
	p.command = exec.Command(p.path, s.arguments(p.address)...)
	p.command.Dir = p.temp
	// Nothing of the developer's: neither credentials nor AWS_CA_BUNDLE.
	p.command.Env = append([]string{"HOME=" + p.temp, "PATH=" + os.Getenv("PATH")}, s.environment...)
	p.command.Stdout, p.command.Stderr = log, log
	p.ended = make(chan error, 1)
	if err := p.start(); err != nil {
		p.command = nil
		return err
	}
	if err := p.await(ctx, s.ready); err != nil || s.then == nil {
		return err
	}
	return s.then(ctx)
}

// freeAddress picks a port of loopback that nobody listens on.
func (p *process) freeAddress() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.address = l.Addr().String()
	return l.Close()
}

// await asks path until the server answers 200.
func (p *process) await(ctx context.Context, path string) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if p.answers(ctx, path) {
			return nil
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			return fmt.Errorf("it ended: %w", err)
		case <-ctx.Done():
			return errors.New("it does not get ready")
		case <-tick.C:
		}
	}
}

// endpoint is where the server answers.
func (p *process) endpoint() string {
	if p.roots != nil {
		return "https://" + p.address
	}
	return "http://" + p.address
}

// answers reports whether a GET of path is answered 200.
func (p *process) answers(ctx context.Context, path string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.endpoint()+path, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := clientOf(p.roots).Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stop ends the server and removes what it wrote.
func (p *process) stop() error {
	if p.command != nil {
		_ = p.command.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-p.ended:
			p.ended <- err
		case <-time.After(stopTimeout):
			_ = p.command.Process.Kill()
			p.ended <- <-p.ended
		}
	}
	if p.err != nil {
		return nil // The tests have said so, and the log is wanted.
	}
	return os.RemoveAll(p.temp)
}

// logFile is where the server's output goes.
func (p *process) logFile() string { return filepath.Join(p.temp, "log") }

// printLog shows the last of what the server said.
func (p *process) printLog(name string) {
	log, err := os.ReadFile(p.logFile())
	if err != nil {
		return
	}
	for line := range strings.Lines(string(log[max(0, len(log)-shownLog):])) {
		fmt.Fprint(os.Stderr, name, ": ", line)
	}
}
