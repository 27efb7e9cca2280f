package config

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSchema holds the JSON Schema and the lenient validator against the same
// files: they agree on every shape. What holds between values is for the
// validator alone.
func TestSchema(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	judged := map[bool]int{}
	f := func(name string, data []byte) {
		t.Helper()
		l := &loader{name: name, opts: Options{Env: func(string) (string, bool) { return "x", true }}}
		file := l.read(data)
		if file == nil {
			return // not even a file
		}
		want := shapeFits(file)
		judged[want]++
		if err := schema.Validate(file.plain()); (err == nil) != want {
			t.Errorf("%s: the validator says %v, the schema %v", name, want, err)
		}
	}
	for _, pattern := range []string{"testdata/*.txtar", "testdata/*.yaml", "../examples/*/*.json", "../examples/*/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(name) != ".txtar" {
				f(name, data)
				continue
			}
			input := txtar.Parse(data).Files[0]
			f(input.Name, input.Data)
		}
	}
	for _, text := range []string{
		`{}`, `{"xronox":1}`, `{"xronox":{"dbConnections":{}}}`, `{"xronox":{"spacesConnections":{"s":{}}}}`,
		`{"xronoxProxy":null}`, `{"xronoxProxy":[]}`, `{"xronoxProxy":{"listen":null}}`, `{"xronoxProxy":{"listen":""}}`,
		`{"xronoxProxy":{"listen":"ENV.X"}}`, `{"xronoxProxy":{"limits":{"maxHeaderBytes":4095}}}`,
		`{"xronoxProxy":{"limits":{"maxHeaderBytes":4096.0}}}`, `{"xronoxProxy":{"limits":{"maxHeaderBytes":4096.5}}}`,
		`{"xronoxProxy":{"credentials":[null]}}`, `{"xronoxProxy":{"credentials":[{"accessKey":null}]}}`,
		`{"xronoxProxy":{"virtualBuckets":{"UP":{"mode":"flat"}}}}`, `{"xronoxProxy":{"virtualBuckets":{"abc":null}}}`,
		`{"xronoxProxy":{"dataTypes":{"records":{"sse":{}}}}}`, `{"xronoxProxy":{"dataTypes":{"other":{}}}}`,
		`{"xronoxProxy":{"retention":"ENV.X"}}`, `{"xronoxProxy":{"retention":"never"}}`,
		`{"analytics":5,"devShadow":"x","rollup":null,"retention":{"ver":{"days":0}},"hardDeleteEnabled":null}`,
		`{"collectionMaps":5}`, `{"collectionMaps":{"c":5}}`, `{"localStorage":{}}`, `{"logicalDelete":{}}`, `{"logicalDelete":5}`,
		`{"databases":{"runtime":{"dynamicTenants":{"enabled":"x"}}}}`, `{"databases":{"runtime":{"dynamicTenants":{"enabled":true,"tiers":{"a":{}}}}}}`,
		`{"databases":{"logs":{"spaceConnRef":""}}}`, `{"databases":{"metadata":{"domainsDatabases":[{}]}}}`,
	} {
		f("c.json", []byte(text))
	}
	t.Logf("%d fit, %d do not", judged[true], judged[false])
	if judged[true] < 10 || judged[false] < 10 {
		t.Error("too few files to mean anything")
	}
}

// shapeFits reports whether the lenient validator finds no error in the shape
// of a file. Tokens stand for texts of the right kind.
func shapeFits(file *node) bool {
	markTokens(file)
	root, _ := unwrap(file)
	c := &checker{}
	xronoxShape().check(c, "", root)
	if p := root.get("xronoxProxy"); p != nil && p.kind != kindNull {
		proxyShape().check(c, "xronoxProxy", p)
	}
	return c.report.Err() == nil
}

// markTokens makes tokens be passed over, as unset ones are.
func markTokens(n *node) {
	n.unset = n.kind == kindText && envToken.MatchString(n.text)
	for _, m := range n.items {
		markTokens(m)
	}
	for _, m := range n.members {
		markTokens(m)
	}
}

// compileSchema compiles the JSON Schema, and checks it against its own.
func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("xronox.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("xronox.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzParse: no text makes Parse panic, the error and the configuration
// exclude each other, and the schema and the validator agree on its shape.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.txtar", "testdata/*.yaml"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if filepath.Ext(name) == ".txtar" {
				data = txtar.Parse(data).Files[0].Data
			}
			f.Add(data, true, true)
			f.Add(data, false, false)
		}
	}
	schema := compileSchema(f)
	noEnv := func(string) (string, bool) { return "", false }
	f.Fuzz(func(t *testing.T, data []byte, strict, json bool) {
		name := "c.yaml"
		if json {
			name = "c.json"
		}
		cfg, report, err := Parse(data, name, Options{Strict: strict, Env: noEnv})
		if (cfg == nil) != (err != nil) || (err != nil) != (len(report.Errors()) > 0) {
			t.Fatalf("%v, %v, %v", cfg, report, err)
		}
		l := &loader{name: name, opts: Options{Env: noEnv}}
		file := l.read(data)
		if file == nil {
			return
		}
		if wrapped := file.get("xronox"); wrapped.truthy() {
			return // overlaid members are judged by the schema alone
		}
		if fits := shapeFits(file); (schema.Validate(file.plain()) == nil) != fits {
			t.Errorf("the validator says %v, the schema %v", fits, schema.Validate(file.plain()))
		}
	})
}
