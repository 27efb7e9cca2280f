package conformance

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestManifest holds that the manifest is whole, in the form in which a run writes it, and that docs/conformance.md says
// what it says.
func TestManifest(t *testing.T) {
	t.Parallel()
	m := loadManifest(t)
	m.check(t)
	if !slices.Equal(m.shapes, shapeNames()) {
		t.Errorf("it has the shapes %v", m.shapes)
	}
	for file, want := range map[string]string{manifestFile: m.String(), documentFile: m.document(t)} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(text)); diff != "" {
			t.Errorf("%s: `make conformance UPDATE=1` writes it anew:\n%s", file, diff)
		}
	}
}

// TestRecord holds what becomes of the manifest with what a run finds.
func TestRecord(t *testing.T) {
	t.Parallel()
	const head = "# A comment.\nfloor\t50\ncase\tclass\tone\ttwo\treason\n"
	f := func(name, before, found, after string, problems ...string) {
		t.Helper()
		m, err := parseManifest(head + before)
		if err != nil {
			t.Fatal(err)
		}
		m.adopt([]string{name}, []string{"one", "two"})
		r := result{Name: name, Result: pass}
		if found != "" {
			r.Result, r.Message = fail, found
		}
		m.record("two", map[string]result{name: r})
		if diff := cmp.Diff(head+after, m.String()); diff != "" {
			t.Error(diff)
		}
		all := strings.Join(m.problems(), "\n")
		for _, p := range problems {
			if !strings.Contains(all, p) {
				t.Errorf("the problems of %s are %q, without %q", after, all, p)
			}
		}
		if (all != "") != (len(problems) > 0) {
			t.Errorf("the problems of %s are %q", after, all)
		}
	}
	// A failure keeps its reason, and has it no longer than it lasts.
	f("a", "a\tcounts\tpass\tfail\tbecause\n", "no", "a\tcounts\tpass\tfail\tbecause\n")
	f("a", "a\tcounts\tpass\tfail\tbecause\n", "", "a\tcounts\tpass\tpass\t\n")
	f("a", "a\tcounts\tfail\tfail\tbecause\n", "", "a\tcounts\tfail\tpass\tbecause\n")
	f("a", "a\tcounts\tpass\tpass\t\n", "a: b\n\tc", "a\tcounts\tpass\tfail\t?? a: b c\n", "a reason is wanted")
	// Cases that are new, or gone.
	f("a", "", "", "a\tcounts\tpass\tpass\t\n")
	f("a", "b\tcounts\tpass\tfail\tbecause\n", "", "a\tcounts\tpass\tpass\t\n")
	f("PutBucketAcl_x", "", "no", "PutBucketAcl_x\tlater\t-\t-\t\n")
	f("a", "", "fork/exec ./versitygw: no such file", "a\tadmin\t-\t-\tcalls the admin API of versitygw\n")
	f("a", "a\twording\t-\t-\tit says A, AWS says B\n", "no", "a\twording\t-\t-\tit says A, AWS says B\n")
	// What cannot be.
	f("a", "a\twording\t-\t-\t\n", "", "a\twording\t-\t-\t\n", "a reason is wanted")
	f("a", "a\tlater\t-\t-\t\n", "", "a\tlater\t-\t-\t\n", "the class later")
	f("a", "a\tnone\t-\t-\tx\n", "", "a\tnone\t-\t-\tx\n", "no class none")
	f("a", "a\tcounts\tmaybe\tpass\t\n", "", "a\tcounts\tmaybe\tpass\t\n", "expected to maybe")
	if _, err := parseManifest(head + "a\tcounts\tpass\n"); err == nil {
		t.Error("a line without all columns is taken")
	}
}

// TestScore holds how much passes, and that less than the floor is told.
func TestScore(t *testing.T) {
	t.Parallel()
	m, err := parseManifest("floor\t60\ncase\tclass\tone\ttwo\treason\na\tcounts\tpass\tfail\tx\nb\tcounts\tpass\tpass\t\nc\twording\t-\t-\tx\n")
	if err != nil {
		t.Fatal(err)
	}
	for shape, want := range map[string][2]int{"one": {2, 2}, "two": {1, 2}} {
		if passed, of := m.score(shape, counts); passed != want[0] || of != want[1] {
			t.Errorf("%s: %d of %d", shape, passed, of)
		}
	}
	if low := m.low(); len(low) != 1 || !strings.Contains(low[0], "two: 1 of 2") {
		t.Errorf("low: %q", low)
	}
}
