package s3api

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var updateReadme = flag.Bool("update-readme", false, "write the table of operations into the README")

// TestReadmeTable keeps the README's table of operations equal to ours.
func TestReadmeTable(t *testing.T) {
	const file, begin, end = "../README.md", "<!-- operations -->\n", "<!-- /operations -->"
	readme, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(readme), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("the README has no place for the table")
	}
	want := readmeTable()
	if *updateReadme {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil { // a file of the repository
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the README's table is out of date; run go test ./s3api -run TestReadmeTable -update-readme\n%s", want)
	}
}

// readmeTable is the table as the README shows it: four columns.
func readmeTable() string {
	const columns = 4
	var b strings.Builder
	b.WriteString("\n| | | | |\n|---|---|---|---|\n")
	for i := range operations {
		mark := ""
		if operations[i].handle != nil {
			mark = " ✓"
		}
		if _, ok := unsets[operations[i].name]; ok {
			mark = " ◦"
		}
		b.WriteString("| " + operations[i].name + mark + " ")
		if i%columns == columns-1 || i == len(operations)-1 {
			b.WriteString("|\n")
		}
	}
	return b.String() + "\n"
}
