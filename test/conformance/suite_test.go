package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The account that cases use.
const accessKey, secretKey = "AKIDCONFORMANCE", "the/secret+of-the-conformance-client"

// result is what a case came to.
type result struct {
	Name, Result, Message string
}

// passed reports whether the case did.
func (r result) passed() bool { return r.Result == pass }

// suite is the client's program.
type suite struct{ path string }

// suiteDir is where the client is, once it was built.
var suiteDir string

// buildSuite builds the client once.
var buildSuite = sync.OnceValues(func() (_ string, err error) {
	if suiteDir, err = os.MkdirTemp("", "xronox-s3suite-"); err != nil {
		return "", err
	}
	path := filepath.Join(suiteDir, "s3suite")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = filepath.Join("..", "..", "internal", "s3suite")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building internal/s3suite: %w\n%s", err, out)
	}
	return path, nil
})

// removeSuite removes it, if it was built.
func removeSuite() {
	if suiteDir != "" {
		_ = os.RemoveAll(suiteDir)
	}
}

// newSuite returns the client. Where it cannot be built, for want of its modules, the test is skipped, and fails in CI.
func newSuite(t *testing.T) suite {
	t.Helper()
	path, err := buildSuite()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return suite{path}
}

// cases are the names of all cases, in the suite's order.
func (s suite) cases(t *testing.T) (names []string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), s.path, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		names = append(names, strings.Fields(line)[0])
	}
	return names
}

// run runs cases against an endpoint, that many at a time, and tells each result as it comes. The client dies with a case
// that panics beside its own goroutine; then those behind have no result.
func (s suite) run(t *testing.T, endpoint string, names []string, parallel int, each func(result)) {
	t.Helper()
	command := exec.CommandContext(t.Context(), s.path, "--endpoint", endpoint, "--parallel", fmt.Sprint(parallel))
	command.Dir = t.TempDir()
	command.Env = []string{"AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey, "HOME=" + command.Dir, "PATH=" + os.Getenv("PATH")}
	command.Stdin = strings.NewReader(strings.Join(names, "\n"))
	var story bytes.Buffer
	command.Stderr = &story
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("the suite says %q: %v", lines.Text(), err)
		}
		each(r)
	}
	if err := command.Wait(); err != nil {
		last := story.Bytes()
		t.Logf("the suite ended: %v\n%s", err, last[max(0, len(last)-4000):])
	}
}

// round runs cases and returns their results, those that have none left out. Progress is told to whoever waits.
func (s suite) round(t *testing.T, what, endpoint string, names []string, parallel int) map[string]result {
	t.Helper()
	all := map[string]result{}
	passed := 0
	s.run(t, endpoint, names, parallel, func(r result) {
		all[r.Name] = r
		if r.passed() {
			passed++
		}
		if n := len(all); n%100 == 0 || n == len(names) {
			fmt.Fprintf(progress, "%s: %d of %d cases run, %d passed\n", what, n, len(names), passed)
		}
	})
	return all
}

// progress is where the people are who wait.
var progress io.Writer = os.Stderr

// settle runs again, alone and on a server of its own, what is not as expected or has no result: a case that is in the
// way of another, or too slow for a busy machine, must not count. Nor must versitygw, which now and then takes a file for a
// directory while it removes empty ones (ExistingObjectIsDirectory). It returns what those came to before that were as
// expected only then.
func (s suite) settle(t *testing.T, sh *shape, found map[string]result, names []string, expected func(name string) string) (before []result) {
	t.Helper()
	var again []string
	for _, name := range names {
		if found[name].Result != expected(name) {
			again = append(again, name)
		}
	}
	if len(again) == 0 {
		return nil
	}
	second := s.round(t, sh.name+", again", sh.start(t).endpoint(), again, 1)
	for _, name := range again {
		r, ran := second[name]
		if !ran {
			r = result{name, fail, "the suite did not survive it"}
		}
		if r.Result == expected(name) {
			before = append(before, result{name, found[name].Result, found[name].Message})
		}
		found[name] = r
	}
	return before
}
