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
	same := func(s string) string { return s }
	holdDocs(t, "docs/STORAGE_ARCHITECTURE.md", same, same)
}

// holdDocs runs the commands in a page and compares what they print. before is given each command, and after
// what it prints.
func holdDocs(t *testing.T, file string, before, after func(string) string) {
	t.Helper()
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
			if err := run(t.Context(), strings.Fields(before(command)), &stdout, &stderr); err != nil {
				t.Errorf("%s%v\n%s", command, err, &stderr)
			}
			out.WriteString(line + after(stdout.String()))
		}
		return "```console\n" + out.String() + "```"
	})
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if blocks == 0 || got != string(page) && !*update {
		t.Errorf("%s does not show what the commands print: go test ./cmd/xronox-proxy -run Docs -update\n%s", file, got)
	}
}

// What is different each time in what commands about versions print.
var (
	printedTime    = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	printedVersion = regexp.MustCompile(`\b[0-9a-v]{26}\b`)
)

// TestVersionsDocs runs the commands in docs/VERSIONS.md on a server, and compares what they print.
func TestVersionsDocs(t *testing.T) {
	dir := t.TempDir()
	r := serveDir(t, dir)
	defer r.end(t)
	c := client(t, dir, r.s3)
	versionedBucket(t, c, "reports")
	putObject(t, c, "reports", "q3.csv", "right")
	good, _, err := command(t, dir, r.admin, "history", "reports", "q3.csv")
	if err != nil {
		t.Fatal(err)
	}
	putObject(t, c, "reports", "q3.csv", "wrong, and longer")
	putObject(t, c, "reports", "spam", "x")

	t.Chdir("../..")
	t.Setenv("XRONOX_ADMIN", r.admin)
	t.Setenv("XRONOX_DATA_DIR", dir)
	secret, _ := c.Options().Credentials.Retrieve(t.Context())
	key := secret.AccessKeyID
	holdDocs(t, "docs/VERSIONS.md", func(command string) string {
		return strings.ReplaceAll(command, "2026-11-23T10:15:00Z", printedTime.FindString(good))
	}, func(printed string) string {
		printed = printedTime.ReplaceAllString(printed, "2026-11-23T10:15:00.000Z")
		printed = printedVersion.ReplaceAllString(printed, strings.Repeat("0", 26))
		return strings.ReplaceAll(printed, key, ("AKIDROOT" + strings.Repeat("0", len(key)))[:len(key)])
	})
}
