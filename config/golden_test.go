package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/xronox/xronox-proxy/config"
)

// update writes the golden reports anew.
var update = flag.Bool("update", false, "write testdata/*.txtar anew")

// goldenEnv is the environment of the golden files.
var goldenEnv = env("SET", "a-value-from-outside", "EMPTY", "")

// fixtures are the inputs of testdata: one archive each, of the file and of
// the report that it gives.
func fixtures(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no fixtures", err)
	}
	out := map[string]*txtar.Archive{}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = a
	}
	return out
}

// TestGolden holds every message of bad configurations.
func TestGolden(t *testing.T) {
	for name, a := range fixtures(t) {
		input := a.Files[0]
		_, report, _ := config.Parse(input.Data, input.Name, config.Options{Env: goldenEnv, Strict: strings.Contains(name, "strict")})
		var got bytes.Buffer
		for _, p := range report {
			got.WriteString(p.String() + "\n")
			if p.Hint == "" {
				t.Errorf("%s: %s: no word of what to do", name, p.Path)
			}
		}
		if *update {
			a.Files = []txtar.File{input, {Name: "report", Data: got.Bytes()}}
			if err := os.WriteFile(name, txtar.Format(a), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if len(a.Files) != 2 {
			t.Errorf("%s has no report; run with -update and read what comes", name)
			continue
		}
		if diff := cmp.Diff(string(a.Files[1].Data), got.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestReportJSON: what "check --json" prints has the names scripts rely on.
func TestReportJSON(t *testing.T) {
	t.Parallel()
	_, report, _ := config.Parse([]byte("{\n\"xronoxProxy\":\n{\"listne\": \"x\"}}"), "c.json", config.Options{})
	got, err := json.Marshal(report)
	want := `[{"path":"xronoxProxy.listne","line":3,"value":"\"x\"","message":"Unknown member","hint":"did you mean \"listen\"?","severity":"error"}]`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}
