package conformance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documentFile is what people read of the results.
var documentFile = filepath.Join("..", "..", "docs", "conformance.md")

// document is the text of docs/conformance.md: nothing in it changes but with the manifest and the versions.
func (m *manifest) document(t *testing.T) string {
	t.Helper()
	d := &document{m: m}
	d.introduction(t)
	d.numbers()
	d.failures("Failures that differ between shapes", func(e *entry) bool { return e.differs() },
		"Every difference has its reason.")
	d.failures("Failures on every shape", func(e *entry) bool { return !e.differs() }, "")
	d.exclusions()
	d.groups()
	return d.String()
}

// document is a text being written.
type document struct {
	bytes.Buffer
	m *manifest
}

// line writes a line.
func (d *document) line(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

// introduction says what was run.
func (d *document) introduction(t *testing.T) {
	d.line("# Conformance\n")
	d.line("Written by `make conformance UPDATE=1` from test/conformance/manifest.tsv. What is run are the %d cases of", len(d.m.entries))
	d.line("`versitygw test full-flow` with versioning, as of %s, against the built binary.", versionOf(t, "internal/s3suite/go.mod", "github.com/versity/versitygw"))
	d.line("The store behind it is %s of %s. AWS's documentation is the judge, not the suite:", upstreamName, versionOf(t, "scripts/install-servers", "cmd/versitygw github.com/versity/versitygw"))
	d.line("what does not count, and why, is listed below.\n")
	d.line("| shape | how each bucket is kept |\n|---|---|")
	for _, sh := range shapes {
		d.line("| %s | %s |", sh.name, sh.about)
	}
	d.line("\nThe suite makes its own buckets, so that a shape is a `bucketTemplate`. Cases that switch versioning on do so on every")
	d.line("shape; on `versioned` buckets are created with it, and a case that wants a bucket which never had versions fails there.")
}

// versionOf is the version of a module that a file names.
func versionOf(t *testing.T, file, module string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(regexp.QuoteMeta(module) + ` (v\S+)`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s names no version of %s", file, module)
	}
	return string(found[1])
}

// numbers are how much passes.
func (d *document) numbers() {
	d.line("\n## Numbers\n\n| shape | pass | of | | with aws and needs | |\n|---|--:|--:|--:|--:|--:|")
	for _, sh := range d.m.shapes {
		passed, of := d.m.score(sh, counts)
		all, ofAll := d.m.score(sh, counts, aws, needs)
		d.line("| %s | %d | %d | %.1f %% | %d of %d | %.1f %% |", sh, passed, of, percent(passed, of), all, ofAll, percent(all, ofAll))
	}
	d.line("\nThe last columns count what AWS itself would fail, or what begins with an operation that is not part of this yet.")
	d.line("\nA run fails when a shape is under %g %%, when a case fails that is not listed here, and when one passes that is.", d.m.floor)
}

// failures are the cases that fail, of one kind.
func (d *document) failures(title string, which func(*entry) bool, remark string) {
	entries := slices.DeleteFunc(slices.Clone(d.m.entries), func(e *entry) bool { return !e.failing() || !which(e) })
	d.line("\n## %s\n", title)
	if len(entries) == 0 {
		d.line("None.")
		return
	}
	if remark != "" {
		d.line("%s\n", remark)
	}
	d.line("| case | fails on | because |\n|---|---|---|")
	for _, e := range entries {
		var on []string
		for i, x := range e.expect {
			if x == fail {
				on = append(on, d.m.shapes[i])
			}
		}
		d.line("| %s | %s | %s |", e.name, strings.Join(on, ", "), cell(e.reason))
	}
}

// exclusions are the cases that do not count.
func (d *document) exclusions() {
	about := map[string]string{
		aws:     "They assert what AWS answers otherwise, as its documentation says or as is on record. They are run, and held to what is listed above.",
		needs:   "They begin with a bucket policy, an ACL or an ownership setting. They are run, and held to what is listed above.",
		admin:   "They call the admin API of versitygw, with its program.",
		later:   "They are of operations on policies, ACLs, ownership, public access, websites, logging and notifications, which are not part of this yet.",
		wording: "They assert the exact text of a message, and AWS has another.",
	}
	for _, class := range classes[1:] {
		var entries []*entry
		for _, e := range d.m.entries {
			if e.class == class {
				entries = append(entries, e)
			}
		}
		d.line("\n## Not counted: %s (%d)\n\n%s\n", class, len(entries), about[class])
		for _, e := range entries {
			if e.reason == "" || class == admin || runs(class) {
				d.line("- %s", e.name)
			} else {
				d.line("- %s: %s", e.name, cell(e.reason))
			}
		}
	}
}

// groups are the numbers by the first word of the names, which is an operation for most.
func (d *document) groups() {
	d.line("\n## By group\n\n| group | of | %s |\n|---|--:%s|", strings.Join(d.m.shapes, " | "), strings.Repeat("|--:", len(d.m.shapes)))
	var names []string
	in := map[string][]*entry{}
	for _, e := range d.m.entries {
		if e.class != counts {
			continue
		}
		group, _, _ := strings.Cut(e.name, "_")
		if in[group] == nil {
			names = append(names, group)
		}
		in[group] = append(in[group], e)
	}
	for _, name := range names {
		d.WriteString("| " + name)
		fmt.Fprintf(d, " | %d", len(in[name]))
		for i := range d.m.shapes {
			passed := 0
			for _, e := range in[name] {
				if e.expect[i] == pass {
					passed++
				}
			}
			fmt.Fprintf(d, " | %d", passed)
		}
		d.line(" |")
	}
}

// cell is a text in a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;").Replace(s)
}
