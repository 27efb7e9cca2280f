package main

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

// update writes what commands print into the documentation.
var update = flag.Bool("update", false, "write what commands print into the documentation")

// console finds the blocks of commands in a page.
var console = regexp.MustCompile("(?s)```console\n(.*?)```")

// TestDocs runs the commands in docs/STORAGE_ARCHITECTURE.md and compares what they print.
func TestDocs(t *testing.T) {
	setSecrets(t)
	t.Chdir("../..")
	t.Setenv("XRONOX_ADMIN", "127.0.0.1:1") // no server runs there
	const file = "docs/STORAGE_ARCHITECTURE.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	got := console.ReplaceAllStringFunc(string(page), func(block string) string {
		blocks++
		var out strings.Builder
		for line := range strings.Lines(console.FindStringSubmatch(block)[1]) {
			command, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				continue // what an earlier run printed
			}
			var stdout, stderr bytes.Buffer
			if err := run(t.Context(), strings.Fields(command), &stdout, &stderr); err != nil {
				t.Errorf("%s%v\n%s", command, err, &stderr)
			}
			out.WriteString(line + stdout.String())
		}
		return "```console\n" + out.String() + "```"
	})
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if blocks == 0 || got != string(page) && !*update {
		t.Errorf("%s does not show what the commands print: go test ./cmd/xronox-proxy -run TestDocs -update", file)
	}
}
