package conformance

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Variables of the environment, which the Makefile sets.
const (
	runVariable    = "XRONOX_CONFORMANCE"        // run everything; "update": and take what is found into the manifest and the document
	shapesVariable = "XRONOX_CONFORMANCE_SHAPES" // only those
	casesVariable  = "XRONOX_CONFORMANCE_CASES"  // only those whose names begin so
)

// TestConformance runs every case that counts on every shape, and holds the results against the manifest.
func TestConformance(t *testing.T) {
	mode := os.Getenv(runVariable)
	if mode == "" {
		t.Skip("make conformance runs it")
	}
	s, m := newSuite(t), loadManifest(t)
	m.adopt(s.cases(t), shapeNames())
	before := m.String()
	for _, sh := range shapes {
		if only := os.Getenv(shapesVariable); only == "" || slices.Contains(strings.Split(only, ","), sh.name) {
			t.Run(sh.name, func(t *testing.T) {
				found := runShape(t, s, m, sh, chosen(m.counted()), 2*runtime.NumCPU())
				if mode != "update" {
					m.compare(t, sh, found)
				}
				m.record(sh.name, found)
				tell(m, sh)
			})
		}
	}
	if mode == "update" {
		write(t, manifestFile, m.String())
		write(t, documentFile, m.document(t))
	} else if m.String() != before && !t.Failed() {
		t.Error("the manifest does not list the cases that there are: make conformance UPDATE=1")
	}
	m.check(t)
}

// TestSelection runs what is quick of the cases that are expected to pass, on two shapes: a proxy alone, and one with
// everything in between that it has.
func TestSelection(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	s, m := newSuite(t), loadManifest(t)
	for _, sh := range []*shape{shapes[0], shapes[2]} {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			names := m.selection(sh.name)
			if len(names) == 0 {
				t.Fatal("nothing is selected")
			}
			m.compare(t, sh, runShape(t, s, m, sh, names, 2))
		})
	}
}

// slow is in the names of cases that move much data, or wait.
var slow = regexp.MustCompile(`(?i)racey|large|conditional_reads|_mp_|multipart|parts|checksums?$|Lock|Retention|LegalHold|WORM`)

// selection are quick cases that are expected to pass on a shape: every other one, and fewer where a store is behind it.
func (m *manifest) selection(shape string) (names []string) {
	at := m.at(shape)
	for i, e := range m.entries {
		if e.class == counts && e.expect[at] == pass && !slow.MatchString(e.name) && (at == 0 && i%2 == 0 || i%4 == 0) {
			names = append(names, e.name)
		}
	}
	return names
}

// chosen are the cases of a run: all, unless somebody looks at a few.
func chosen(names []string) []string {
	if prefix := os.Getenv(casesVariable); prefix != "" {
		names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, prefix) })
	}
	return names
}

// runShape runs cases on a shape. What is not as expected has another try, alone.
func runShape(t *testing.T, s suite, m *manifest, sh *shape, names []string, parallel int) map[string]result {
	t.Helper()
	r := sh.start(t)
	found := s.round(t, sh.name, r.endpoint(), names, parallel)
	if len(names) == len(m.counted()) {
		checkSpread(t, r)
	}
	at := m.at(sh.name)
	for _, b := range s.settle(t, sh, found, names, func(name string) string { return m.find(name).expect[at] }) {
		fmt.Fprintf(progress, "%s: %s is as expected only alone; before: %s %s\n%s", sh.name, b.Name, b.Result, b.Message, r.about(b.Message))
	}
	return found
}

// requestID finds the id of a request in what a case says.
var requestID = regexp.MustCompile(`RequestID: (\w+)`)

// about is what the proxy has logged of the request that a case names.
func (r running) about(message string) (all string) {
	id := requestID.FindStringSubmatch(message)
	if id == nil {
		return ""
	}
	for line := range strings.Lines(r.Log()) {
		if strings.Contains(line, id[1]) {
			all += line
		}
	}
	return all
}

// compare fails the test for every result that is not the one expected.
func (m *manifest) compare(t *testing.T, sh *shape, found map[string]result) {
	t.Helper()
	at := m.at(sh.name)
	for _, name := range slices.Sorted(maps.Keys(found)) {
		switch r, e := found[name], m.find(name); {
		case r.Result == e.expect[at]:
		case r.passed():
			t.Errorf("%s passes: `make conformance UPDATE=1` records that", name)
		default:
			t.Errorf("%s: %s", name, r.Message)
		}
	}
}

// check fails the test for what is wrong with a manifest, and for shapes on which too little passes.
func (m *manifest) check(t *testing.T) {
	t.Helper()
	for _, p := range slices.Concat(m.problems(), m.low()) {
		t.Error(p)
	}
}

// tell prints how much passes on a shape.
func tell(m *manifest, sh *shape) {
	passed, of := m.score(sh.name, counts)
	fmt.Fprintf(progress, "%s: %d of %d cases pass, %.1f %%\n", sh.name, passed, of, percent(passed, of))
}

// counted are the names of the cases that count.
func (m *manifest) counted() (names []string) {
	for _, e := range m.entries {
		if runs(e.class) {
			names = append(names, e.name)
		}
	}
	return names
}

// loadManifest reads the manifest.
func loadManifest(t *testing.T) *manifest {
	t.Helper()
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// write writes a file.
func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Clean(file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
