package archtest

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestImports is the check itself.
func TestImports(t *testing.T) {
	t.Parallel()
	const root = "../.."
	document, err := os.ReadFile(root + "/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := readTable(string(document))
	if err != nil {
		t.Fatal(err)
	}
	imports, err := readImports(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range compare(rows, imports) {
		t.Errorf("%s: see %q in ARCHITECTURE.md", problem, heading)
	}
}

// TestCheck holds that the check can fail.
func TestCheck(t *testing.T) {
	t.Parallel()
	source := fstest.MapFS{
		"a/a.go":            {Data: []byte("package a\n")},
		"b/b.go":            {Data: []byte("package b\nimport (\n\"fmt\"\n x \"" + module + "a\"\n)\n")},
		"b/b_test.go":       {Data: []byte("package b\nimport \"" + module + "c\"\n")},
		"c/d/d.go":          {Data: []byte("package d\nimport (\n\"" + module + "a\"\n\"" + module + "b\"\n)\n")},
		"b/testdata/t.go":   {Data: []byte("no Go")},
		".tools/x.go":       {Data: []byte("no Go")},
		"nested/go.mod":     {Data: []byte("module nested\n")},
		"nested/sub/sub.go": {Data: []byte("no Go")},
	}
	imports, err := readImports(source)
	if err != nil {
		t.Fatal(err)
	}
	f := func(table string, want ...string) {
		t.Helper()
		rows, err := readTable("# Title\n" + heading + "\n\nText.\n\n| package | may import |\n|---|---|\n" + table + "\n\n## Next\n| no | row |\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := compare(rows, imports); !slices.Equal(got, want) {
			t.Errorf("%s\n got %q\nwant %q", table, got, want)
		}
	}
	f("| a | – |\n| b | a |\n| c/d | a, b |")
	f("| a | – |\n| b | a |\n| c/d | everything |")
	f("| a | – |\n| b | a |\n| c/d | a |", "c/d imports b")
	f("| a | – |\n| c/d | everything |", "b has no row", "b imports a")
	f("| a | – |\n| b | a |\n| c/d | a, b |\n| e | – |", "e has a row and no Go files")
	f("| b | a |\n| a | – |\n| c/d | a, b |", "b may import a, which has no row above its own")
	f("| a | – |\n| a | – |\n| b | a |\n| c/d | a, b |", "a has two rows")

	if _, err := readTable("# Title\n"); err == nil || !strings.Contains(err.Error(), heading) {
		t.Errorf("a document without the heading: %v", err)
	}
	if _, err := readTable("\n" + heading + "\n\n## Next\n| a | – |\n"); err == nil {
		t.Error("a section without a table")
	}
}
