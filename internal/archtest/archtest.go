// Package archtest holds the source to the table "Who may import whom" in
// ARCHITECTURE.md. It parses the files itself: a test that asks the go command
// is cached, and passes on what was true once.
package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the path that our imports begin with.
const module = "github.com/xronox/xronox-proxy/"

// heading is what the table stands under.
const heading = "## Who may import whom"

// everything is what a package may import that may import all.
const everything = "everything"

// row is one line of the table.
type row struct {
	name string
	may  []string
}

// readTable returns the rows of the table in document.
func readTable(document string) ([]row, error) {
	_, section, ok := strings.Cut(document, "\n"+heading+"\n")
	if !ok {
		return nil, fmt.Errorf("no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []row
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 2 || strings.HasPrefix(cells[0], "-") {
			continue
		}
		r := row{name: strings.TrimSpace(cells[0])}
		if r.name == "package" {
			continue
		}
		if may := strings.TrimSpace(cells[1]); may != "–" {
			r.may = strings.Split(may, ", ")
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no table under %q", heading)
	}
	return rows, nil
}

// readImports returns, by directory, which of our packages the Go files of the
// module import. Tests and nested modules are left out.
func readImports(root fs.FS) (map[string][]string, error) {
	imports := map[string][]string{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return skip(root, name)
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		list := imports[dir]
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if ours, ok := strings.CutPrefix(imported, module); ok && !slices.Contains(list, ours) {
				list = append(list, ours)
			}
		}
		imports[dir] = list
		return nil
	})
	return imports, err
}

// skip leaves out the directories that the go command leaves out, too.
func skip(root fs.FS, dir string) error {
	base := path.Base(dir)
	if dir == "." {
		return nil
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); err == nil ||
		strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" {
		return fs.SkipDir
	}
	return nil
}

// compare returns what is wrong: with the table itself, and with imports that it
// does not allow.
func compare(rows []row, imports map[string][]string) []string {
	var problems []string
	report := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	allowed := map[string][]string{}
	for _, r := range rows {
		if _, ok := allowed[r.name]; ok {
			report("%s has two rows", r.name)
		}
		if _, ok := imports[r.name]; !ok {
			report("%s has a row and no Go files", r.name)
		}
		for _, name := range r.may {
			if _, above := allowed[name]; !above && name != everything {
				report("%s may import %s, which has no row above its own", r.name, name)
			}
		}
		allowed[r.name] = r.may
	}
	for _, dir := range slices.Sorted(maps.Keys(imports)) {
		may, ok := allowed[dir]
		if !ok {
			report("%s has no row", dir)
		}
		for _, name := range imports[dir] {
			if !slices.Contains(may, name) && !slices.Contains(may, everything) {
				report("%s imports %s", dir, name)
			}
		}
	}
	return problems
}
