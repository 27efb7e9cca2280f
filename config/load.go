package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options say how a configuration is read.
type Options struct {
	// Strict accepts exactly what Xronox v3.1.0 accepts, with its messages.
	// v3.1.0 reads JSON only. Otherwise what people actually have is accepted,
	// with warnings, and YAML too.
	Strict bool
	// Env looks up environment variables; nil is os.LookupEnv.
	Env func(name string) (value string, ok bool)
	// ReadFile reads the files of secretKeyFile; nil leaves those secrets
	// empty in Parse, and reads small regular files in Load.
	ReadFile func(path string) ([]byte, error)
}

// maxFileBytes bounds a configuration file.
const maxFileBytes = 8 << 20

// Load reads the file at path. The error is not nil exactly when the
// configuration is; what kept it from being used is in the report too.
func Load(path string, o Options) (*Config, Report, error) {
	if o.ReadFile == nil {
		o.ReadFile = readRegular
	}
	data, err := readRegular(path)
	if err != nil {
		return nil, Report{unreadable(err)}, fmt.Errorf("config: %w", err)
	}
	return Parse(data, path, o)
}

// unreadable is the problem of a file that there is nothing to say about yet.
func unreadable(err error) Problem {
	return Problem{
		Message: "The configuration file cannot be read: " + err.Error(), Severity: SeverityError,
		Hint: "check its name, and that the proxy's user may read it",
	}
}

// readRegular reads a regular file of bounded size: a device or a pipe given
// by mistake must not hang the start.
func readRegular(path string) ([]byte, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(data) > maxFileBytes {
		err = &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d bytes", maxFileBytes)}
	}
	return data, err
}

// Parse is Load for the text of a file; name is its path.
func Parse(data []byte, name string, o Options) (*Config, Report, error) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	l := &loader{opts: o, name: name}
	cfg := l.parse(data)
	if err := l.report.Err(); err != nil {
		return nil, l.report, err
	}
	return cfg, l.report, nil
}

// loader is one run of Parse.
type loader struct {
	opts   Options
	name   string
	report Report
}

// add reports a problem.
func (l *loader) add(p Problem) { l.report = append(l.report, p) }

// fail reports an error of the whole file, with v3.1.0's code.
func (l *loader) fail(code, message, hint string) {
	l.add(Problem{Code: code, Message: message, Hint: hint, Severity: SeverityError})
}

// failed reports whether there is an error already.
func (l *loader) failed() bool { return l.report.Err() != nil }

// parse does the work of Parse, step by step.
func (l *loader) parse(data []byte) *Config {
	file := l.read(data)
	if file == nil {
		return nil
	}
	l.resolveEnv(file, "", "$")
	if l.opts.Strict && l.failed() {
		l.report = l.report[:1] // v3.1.0 throws the first
		return nil
	}
	root, inner := unwrap(file)
	cfg := Default()
	cfg.Source = l.name
	v := &validator{checker: &checker{}, cfg: cfg, opts: l.opts, dir: filepath.Dir(l.name)}
	if v.check(root) {
		v.validate(root)
	}
	for _, p := range v.report {
		if top, _, _ := strings.Cut(p.Path, "."); inner[top] && !l.opts.Strict {
			p.Path = "xronox." + p.Path
		}
		l.add(p)
	}
	return cfg
}

// read turns the text into a node. Strict mode reads JSON and nothing else.
func (l *loader) read(data []byte) *node {
	text, bom := bytes.CutPrefix(data, []byte("\ufeff"))
	switch {
	case bom && l.opts.Strict:
		l.parseError(errors.New("the file begins with a byte order mark"), "save the file as UTF-8 without BOM")
		return nil
	case bom:
		l.add(Problem{
			Line: 1, Severity: SeverityWarning, Message: "The file begins with a byte order mark",
			Hint: "Xronox v3.1.0 cannot read it; save the file as UTF-8 without BOM",
		})
	}
	read := readJSON
	if !l.opts.Strict && isYAML(l.name, text) {
		read = readYAML
	}
	n, err := read(text)
	switch {
	case err != nil && len(bytes.TrimSpace(text)) == 0, errors.Is(err, errEmpty):
		l.parseError(err, "write settings into it, {} at least, or do without the file")
		return nil
	case err != nil && l.opts.Strict && isYAML(l.name, text):
		l.parseError(err, "strict mode reads JSON only, as Xronox v3.1.0 does; YAML needs the lenient one")
		return nil
	case err != nil:
		l.parseError(err, "correct the syntax there")
		return nil
	case n.kind != kindObject && (n.kind != kindList || !l.opts.Strict):
		l.fail("XRONOX_CONFIG_STRUCTURE_ERROR", fmt.Sprintf("Invalid Xronox configuration file structure at '%s': Config file must be a JSON object", l.name), "put everything into one object")
		return nil
	}
	return n
}

// parseError reports a text that cannot be read.
func (l *loader) parseError(err error, hint string) {
	l.fail("XRONOX_CONFIG_PARSE_ERROR", fmt.Sprintf("Failed to parse Xronox configuration file at '%s': %v", l.name, err), hint)
}

// isYAML tells YAML from JSON: by the name, else by the first character.
func isYAML(name string, text []byte) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		return true
	case ".json":
		return false
	}
	return !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{"))
}

// unwrap returns the effective configuration: the members of "xronox", overlaid
// by those of the file. inner are the names that come from "xronox".
func unwrap(file *node) (root *node, inner map[string]bool) {
	wrapped := file.get("xronox")
	if !wrapped.truthy() || wrapped.kind != kindObject {
		return file, nil
	}
	root, inner = object(file.line), map[string]bool{}
	for _, name := range wrapped.names {
		inner[name] = file.get(name) == nil
		root.set(name, wrapped.members[name])
	}
	for _, name := range file.names {
		switch {
		case name == "xronox":
		case root.get(name) != nil:
			root.members[name] = file.members[name]
		default:
			root.set(name, file.members[name])
		}
	}
	root.again = append(slices.Clone(wrapped.again), file.again...)
	return root, inner
}

// decode puts a checked node into a Go value. The shapes guarantee the types.
func decode(n *node, to any) {
	b, err := json.Marshal(n.plain())
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		panic("BUG: config: a checked configuration does not decode: " + err.Error())
	}
}
